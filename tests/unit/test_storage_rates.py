"""Processes share what Discord allows through the database."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import Connection, select, update

from bot.delivery import sharing
from bot.delivery.budget import Budget
from bot.delivery.sharing import RateShare
from bot.domain.rates import FLOOR, TOTAL
from bot.storage import rates
from bot.storage.database import Database, DatabaseAwayError
from bot.storage.postgres import PostgresDatabase
from bot.storage.tables import rate_leases
from tests.engines import fill
from tests.postgres import Postgres

LEASED = TOTAL - FLOOR


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    database = PostgresDatabase(postgres.database(fill))
    yield database
    await database.close()


async def renew(database: Database, node_id: int, wanted: int = TOTAL) -> int:
    return await database.write(partial(rates.renew, node_id=node_id, wanted=wanted, total=TOTAL))


async def held(database: Database) -> dict[int, int]:
    def read(tx: Connection) -> dict[int, int]:
        return {row.node_id: int(row.rate) for row in tx.execute(select(rate_leases))}

    return await database.read(read)


async def lapse(database: Database, node_id: int) -> None:
    """Let a process's lease be over."""
    await database.write(lambda tx: tx.execute(update(rate_leases).filter_by(node_id=node_id).values(until=1.0)))


async def test_processes_that_ask_at_the_same_moment_never_hold_more_than_there_is(database: Database) -> None:
    for _ in range(3):
        await asyncio.gather(*(renew(database, node_id) for node_id in range(1, 9)))
        assert sum((await held(database)).values()) <= LEASED
    assert set((await held(database)).values()) == {LEASED // 8}


async def test_what_a_process_gives_back_or_let_lapse_is_there_for_the_others(database: Database) -> None:
    await renew(database, 1)
    assert await renew(database, 2) == 0
    await database.write(partial(rates.release, node_id=1))
    assert await renew(database, 2) == LEASED
    await lapse(database, 2)
    assert await renew(database, 3) == LEASED
    assert await held(database) == {3: LEASED}


async def until(budget: Budget, rate: int) -> None:
    """Wait until a budget allows ``rate``."""
    async with asyncio.timeout(20):
        while budget.rate != rate:  # noqa: ASYNC110 - a budget tells nobody
            await asyncio.sleep(0.02)


async def test_a_busy_process_gets_what_is_free_and_gives_it_back_when_it_stops(database: Database) -> None:
    budget = Budget()
    share = RateShare(database, budget, lambda: 1)
    assert budget.rate == FLOOR, "nothing but the floor without a lease"
    budget.short.set()
    running = asyncio.ensure_future(share.run())
    await until(budget, LEASED)
    running.cancel()
    await asyncio.wait([running])
    assert budget.rate == FLOOR
    assert await held(database) == {}


async def test_a_lease_ends_at_the_floor_while_the_database_hangs_and_is_taken_up_again_after(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in {"AGAIN_S": 0.05, "HEARTBEAT_S": 0.1, "SETTLE_S": 0.0, "LEASE_S": 1.0}.items():
        monkeypatch.setattr(sharing, name, seconds)
    budget, back = Budget(), asyncio.Event()
    budget.short.set()
    running = asyncio.ensure_future(RateShare(database, budget, lambda: 1).run())
    await until(budget, LEASED)

    async def hang(*_: object, **__: object) -> int:
        await back.wait()
        raise DatabaseAwayError

    with monkeypatch.context() as broken:
        broken.setattr(database, "write", hang)
        await until(budget, FLOOR)
        back.set()
    budget.short.set()
    await until(budget, LEASED)
    running.cancel()
    await asyncio.wait([running])
