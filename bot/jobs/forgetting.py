"""Deleting jobs, and all else that is kept of a person or a server: what still lives is ended first, fairly."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial

from sqlalchemy import ColumnElement, Connection, select

from bot.domain.job import Job, State
from bot.domain.ports import Clock
from bot.domain.shards import Shards
from bot.jobs.engine import JobEngine
from bot.jobs.ledger import Ledger
from bot.storage import forgetting
from bot.storage.database import Database
from bot.storage.records import read_job
from bot.storage.tables import jobs

PAUSE_S = 0.05
"""How long everybody else has the database between two batches."""
_LIVE = (State.QUEUED, State.RUNNING, State.PAINTED)


class Forgetting:
    """The one port by which a person, a server, or what is past its days is forgotten."""

    def __init__(self, database: Database, engine: JobEngine, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self._ledger = Ledger(engine, clock, max_crashes=1)

    async def person(self, user_id: int) -> list[Job]:
        """Delete all that holds a person's id in one transaction, then stop what runs.

        Returns the jobs whose messages do not have the last word yet, as they ended. Nothing is given back: to
        delete everything must not be a way to paint for nothing. Files go with ``unused`` and ``bury``.
        """

        def work(tx: Connection) -> list[Job]:
            ended = self._end(tx, jobs.c.user_id == user_id)
            forgetting.person(tx, user_id, self._clock())
            return ended

        return await self._stopped(await self._database.write(work))

    async def server(self, guild_id: int) -> list[Job]:
        """Delete all that a server has, batch by batch; cut off, the next call goes on.

        Returns what ``person`` does.
        """
        ended = await self._database.write(lambda tx: self._end(tx, jobs.c.guild_id == guild_id))
        await self._stopped(ended)
        batch = partial(forgetting.server, guild_id=guild_id, now=self._clock())
        while not await self._database.write(batch):  # noqa: ASYNC110 - each turn deletes some
            await asyncio.sleep(PAUSE_S)
        return ended

    async def prune(self, older_than_s: float) -> int:
        """Delete, batch by batch, jobs that were done with so long ago; return how many went."""
        now, gone = self._clock(), 0
        prune = partial(forgetting.prune, before=now - older_than_s, now=now)
        # What a power failure brings back goes the next time: nothing waits for the disk.
        while count := await self._database.write(prune, synced=False):
            gone += count
            await asyncio.sleep(PAUSE_S)
        return gone

    async def unused(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the doomed files, and those of them that nobody else uses."""
        return await self._database.read(forgetting.unused)

    async def bury(self, blobs: Collection[str]) -> None:
        """Strike off doomed files that are dealt with."""
        await self._database.write(lambda tx: forgetting.bury(tx, blobs))

    async def part_from(self, guild_id: int) -> None:
        """Note that the bot left a server."""
        await self._database.write(lambda tx: forgetting.part_from(tx, guild_id, self._clock()))

    async def rejoin(self, guild_id: int) -> None:
        """Note that the bot is in a server again."""
        await self._database.write(lambda tx: forgetting.rejoin(tx, [guild_id]))

    async def compare(self, present: Collection[int], shards: Shards) -> int:
        """Note which servers of ``shards`` the bot left, or joined again, while away; return how many it left."""
        return await self._database.write(lambda tx: forgetting.compare(tx, present, shards, self._clock()))

    async def departed(self, older_than_s: float) -> Sequence[int]:
        """Return the servers that the bot left so long ago."""
        before = self._clock() - older_than_s
        return await self._database.read(lambda tx: forgetting.departed(tx, before))

    def _end(self, tx: Connection, theirs: ColumnElement[bool]) -> list[Job]:
        """Cancel what lives of some jobs; return all whose messages do not have the last word yet."""
        live = select(jobs.c.id).where(theirs, jobs.c.state.in_([state.value for state in _LIVE]))
        for job_id in tx.scalars(live.order_by(jobs.c.lane, jobs.c.id)).all():
            held = self._ledger.hold(tx, job_id, _LIVE)
            if held is not None:
                self._ledger.end(held, State.CANCELLED, unserved=0.0)
        untold = select(jobs).where(theirs, jobs.c.told_at.is_(None)).order_by(jobs.c.id)
        return [read_job(row, self._clock()) for row in tx.execute(untold)]

    async def _stopped(self, ended: list[Job]) -> list[Job]:
        for job in ended:
            await self._engine.abort(job.id)
        return ended
