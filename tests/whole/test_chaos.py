"""Everything goes wrong at once: two bots, three workers and a database lose no job and show none twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from bot.domain.shards import Shards
from bot.rehearsal import Discord, Interaction
from bot.rehearsal.world import Channel
from tests.engines import url_of
from tests.postgres import Postgres, sync_url
from tests.whole.process import Process, results_of, started

GUILDS, JOBS_EACH = 20, 10
FROZEN_S = 24.0
"""Longer than a process may be silent before the others take it for dead."""

_RUNS = "SELECT 1 FROM jobs j, nodes n WHERE state = 'running' AND node_id = n.id AND name = :name"
_ENDS = "SELECT message_id, id, attempt, node_id, speaker_id, started_at, ended_at, told_at FROM jobs"

pytestmark = pytest.mark.timeout(300)


class House:
    """The processes, and what the database says of them."""

    def __init__(self, discord: Discord, environ: dict[str, str], folder: Path) -> None:
        self._discord = discord
        self._environ = environ
        self._folder = folder
        self._engine = create_engine(sync_url(environ["DATABASE_URL"]), isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def bot(self, shard: int) -> AsyncIterator[Process]:
        async with started(self._of(f"bot{shard}"), "run", "--shards", f"{shard}/2") as process:
            await self._discord.until(lambda: shard in self._discord.gateway.shards_online, 60)
            await self._discord.until(lambda: self._discord.commands.any, 60)
            yield process

    @asynccontextmanager
    async def worker(self, name: str) -> AsyncIterator[Process]:
        options = ("--backends", "sketch=0.1", "--name", name)
        async with started(self._of(name), "worker", *options) as process:
            await self.until("SELECT 1 FROM nodes WHERE name = :name", name=name)
            yield process

    async def ask(self, query: str, **values: Any) -> Sequence[Any]:
        def asked() -> Sequence[Any]:
            with self._engine.connect() as connection:
                return connection.execute(text(query), values).all()

        return await asyncio.to_thread(asked)

    async def until(self, query: str, **values: Any) -> Sequence[Any]:
        while True:
            with suppress(OperationalError):  # the server is just being restarted
                if rows := await self.ask(query, **values):
                    return rows
            await asyncio.sleep(0.1)

    def close(self) -> None:
        self._engine.dispose()

    def _of(self, name: str) -> dict[str, str]:
        return self._environ | {"EASEL_DATA_DIR": str(self._folder / name), "EASEL_BACKENDS": "none"}


def servers(discord: Discord) -> list[Channel]:
    """Found servers, as many of one shard as of the other."""
    world, found = discord.world, []
    wanted = Counter(dict.fromkeys((0, 1), GUILDS // 2))
    while sum(wanted.values()):
        guild = world.add_guild("Loft", world.ada, with_bot=False)
        shard = next(shard for shard in (0, 1) if Shards(range(shard, shard + 1), 2).owns(guild.id))
        if not wanted[shard]:
            del world.guilds[guild.id]
            continue
        wanted[shard] -= 1
        world.invite(guild)
        found.append(world.add_channel(guild, "easel"))
    return found


async def test_two_hundred_jobs_survive_what_can_happen_to_five_processes_and_their_database(
    discord: Discord, environ: dict[str, str], tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    environ["DATABASE_URL"] = url_of("postgresql", None, request)
    house = House(discord, environ, tmp_path)
    channels = servers(discord)

    def draw(channel: Channel, n: int) -> Awaitable[Interaction]:
        return discord.as_(discord.world.ada, channel).slash("draw", prompt=f"fox {n}", steps=3, seed=n)

    async with AsyncExitStack() as stack:
        processes = [house.bot(0), house.bot(1), *(house.worker(f"w{n}") for n in range(3))]
        entered = await asyncio.gather(*map(stack.enter_async_context, processes))
        first, second, doomed, frozen, last = entered
        acts = [
            act for n in range(JOBS_EACH) for act in await asyncio.gather(*(draw(each, n) for each in channels))
        ]
        await house.until("SELECT 1 FROM jobs HAVING count(*) = :all", all=len(acts))

        await house.until(
            "SELECT 1 FROM jobs j, nodes n WHERE state = 'running' AND node_id = n.id AND name = 'w0'"
        )
        await doomed.kill()
        await house.until(
            "SELECT 1 FROM jobs j, nodes n WHERE state = 'running' AND node_id = n.id AND name = 'w1'"
        )
        frozen.freeze()
        thawing = asyncio.get_running_loop().time() + FROZEN_S
        await first.kill()
        await asyncio.sleep(2)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
        await stack.enter_async_context(house.worker("w3"))

        # What is painted cannot be delivered while this lasts, and then its painter dies.
        discord.faults.answer("PATCH", r"/(webhooks|channels)/", 503, times=10_000)
        mine = "state = 'painted' AND speaker_id = n.id AND node_id = n.id AND name = 'w2'"
        await house.until(f"SELECT 1 FROM jobs j, nodes n WHERE {mine}")  # noqa: S608 - no values in it
        await last.kill()
        discord.faults.clear()

        await asyncio.sleep(max(0.0, thawing - asyncio.get_running_loop().time()))
        frozen.thaw()
        await house.until("SELECT 1 FROM jobs WHERE told_at IS NOT NULL HAVING count(*) = :all", all=len(acts))
        states = Counter(row.state for row in await house.ask("SELECT state FROM jobs"))
        again = await house.ask("SELECT id FROM jobs WHERE attempt > 1")
        ends = {row.message_id: tuple(row) for row in await house.ask(_ENDS)}
        for process in (second, frozen):
            assert await process.stop() == 0
    house.close()
    assert states == {"delivered": len(acts)}
    assert again, "nothing was interrupted"
    twice = [act.message for act in acts if results_of(act.message) != 1]
    assert not twice, [(ends[each.id], each.edited_at, [version.at for version in each.history]) for each in twice]
    assert all(f"seed {n // GUILDS} " in act.message.text for n, act in enumerate(acts))
    assert [len(channel.messages) for channel in channels] == [JOBS_EACH] * GUILDS
