"""Two bots on one database: each server is answered by one of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot.domain.errors import TakenError
from bot.domain.shards import Shards
from bot.jobs import nodes
from bot.services.claiming import OwnShards
from bot.storage.postgres import PostgresDatabase
from bot.storage.shards import StoredShards
from tests.engines import url_of

SILENT_S = 0.6
BOTH, EVEN, ODD = Shards.all(2), Shards.parse("0/2"), Shards.parse("1/2")


@pytest.fixture
async def database(request: pytest.FixtureRequest) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url_of("postgresql", None, request))
    yield database
    await database.close()


class Bot:
    """As much of a process as has shards; it beats when it is told to."""

    def __init__(self, database: PostgresDatabase, node: int) -> None:
        self.node = node
        self._database = database
        store = StoredShards(database, lambda: self.node, silent_s=SILENT_S)
        self.shards = OwnShards(store, tick_s=0.05, look_s=0.05)

    async def beat(self) -> None:
        while True:
            await self._database.write(lambda tx: nodes.beat(tx, self.node))
            await asyncio.sleep(0.1)


async def bot(database: PostgresDatabase) -> Bot:
    return Bot(database, await database.write(lambda tx: nodes.join(tx, "bot", "house")))


async def has(database: PostgresDatabase) -> dict[int, str | None]:
    rows = await database.read(lambda tx: tx.execute(text("SELECT id, shards FROM nodes")).all())
    return {row.id: row.shards for row in rows}


async def test_a_second_bot_with_the_same_servers_is_refused_with_the_cure(database: PostgresDatabase) -> None:
    first, second = await bot(database), await bot(database)
    await first.shards.open(BOTH)
    beating = asyncio.create_task(first.beat())
    with pytest.raises(TakenError) as refused:
        await second.shards.open(EVEN)
    beating.cancel()
    assert "Another bot, house, has the shards 0-1/2" in str(refused.value)
    assert "--shards 0/2 here" in str(refused.value)
    assert await has(database) == {first.node: "0-1/2", second.node: None}


async def test_bots_that_share_the_shards_out_and_workers_are_no_obstacle(database: PostgresDatabase) -> None:
    first, second, worker = await bot(database), await bot(database), await bot(database)
    await first.shards.open(EVEN)
    await worker.shards.open(None)
    await second.shards.open(ODD)
    assert await has(database) == {first.node: "0-0/2", second.node: "1-1/2", worker.node: None}


async def test_after_a_crash_the_next_life_waits_until_the_former_one_was_silent_long_enough(
    database: PostgresDatabase,
) -> None:
    dead, risen = await bot(database), await bot(database)
    await dead.shards.open(BOTH)
    await risen.shards.open(BOTH)
    assert await has(database) == {dead.node: None, risen.node: "0-1/2"}


async def test_a_bot_that_stood_still_and_comes_back_gives_way(database: PostgresDatabase) -> None:
    frozen, other = await bot(database), await bot(database)
    await frozen.shards.open(BOTH)
    await other.shards.open(BOTH)
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(other.shards.run())
        with pytest.raises(TakenError):
            await frozen.shards.run()
        assert not keeping.done()
        keeping.cancel()


async def test_a_bot_that_was_taken_for_dead_for_nothing_has_its_shards_again(database: PostgresDatabase) -> None:
    alone = await bot(database)
    await alone.shards.open(BOTH)
    await database.write(lambda tx: nodes.bury(tx, -1.0))
    alone.node = await database.write(lambda tx: nodes.join(tx, "bot", "house"))
    keeping = asyncio.create_task(alone.shards.run())
    while await has(database) != {alone.node: "0-1/2"}:  # noqa: ASYNC110 - tests may poll
        await asyncio.sleep(0.02)
    keeping.cancel()


async def test_a_database_that_is_away_takes_nobodys_shards(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await bot(database)
    await alone.shards.open(BOTH)

    async def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(database, "write", fail)
    keeping = asyncio.create_task(alone.shards.run())
    await asyncio.sleep(0.2)
    assert not keeping.done()
    keeping.cancel()


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("0/2", "1/2", False),
        ("0-1/2", "1/2", True),
        ("0/1", "3/4", True),
        ("0/2", "1-3/4", True),
        ("0/2", "1/4", False),
        ("0/2", "2/3", True),
        ("0-1/4", "2-3/4", False),
    ],
)
def test_shards_overlap_where_one_server_can_be_of_both(one: str, other: str, overlap: bool) -> None:
    first, second = Shards.parse(one), Shards.parse(other)
    assert first.overlaps(second) is second.overlaps(first) is overlap
    shared = [each << 22 for each in range(24) if first.owns(each << 22) and second.owns(each << 22)]
    assert bool(shared) is overlap
