"""How the queue stands at one moment, for whoever watches the bot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from bot.domain.job import State
from bot.storage.database import Database
from bot.storage.tables import jobs, lanes

_QUEUED = jobs.c.state == State.QUEUED.value
_UNTOLD = (State.PAINTED.value, State.FAILED.value, State.CANCELLED.value)
_LANES = select(lanes.c.lane)
_LINES = select(jobs.c.lane, func.count(), func.min(jobs.c.queued_at)).where(_QUEUED).group_by(jobs.c.lane)
_RUNNING = select(jobs.c.backend, func.count()).where(jobs.c.state == State.RUNNING.value).group_by(jobs.c.backend)
_OWED = select(func.count()).where(jobs.c.state.in_(_UNTOLD), jobs.c.told_at.is_(None))
_LAST = select(func.max(jobs.c.id)).where(_QUEUED, jobs.c.attempt == 0).group_by(jobs.c.lane)
_FATES = select(jobs.c.id, jobs.c.state, jobs.c.started_at).where(
    jobs.c.id.in_(bindparam("of_ids", expanding=True)), jobs.c.attempt <= 1
)


@dataclass(frozen=True, slots=True)
class Line:
    """One lane: how many jobs wait in it, and since when the oldest does (unix seconds), if any."""

    depth: int = 0
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue: ``lines`` by lane, ``running`` jobs by backend, and how many messages lack their last word."""

    lines: Mapping[str, Line]
    running: Mapping[str, int]
    owed: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a job that waited: when it was started (unix seconds), or whether it still ``waits``."""

    waits: bool
    started_at: float | None


class StoredGauges:
    """Counts over the ``jobs`` table; every answer is one moment's truth."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def answers(self) -> None:
        """Return if the database answers."""
        await self._database.read(lambda tx: tx.scalar(select(1)))

    async def queue(self) -> Queue:
        """Return how the queue stands."""
        return await self._database.read(read)

    async def last(self) -> Sequence[int]:
        """Return the last job of each lane that waits for its first start."""
        return await self._database.read(lambda tx: tx.scalars(_LAST).all())

    async def fates(self, ids: Sequence[int]) -> Mapping[int, Fate]:
        """Return what became of jobs, but of those that began anew or are deleted."""

        def work(tx: Connection) -> dict[int, Fate]:
            rows = tx.execute(_FATES, {"of_ids": list(ids)})
            return {row.id: Fate(row.state == State.QUEUED.value, row.started_at) for row in rows}

        return await self._database.read(work)


def read(tx: Connection) -> Queue:
    """Count what waits in each lane that was ever used, what runs, and what is owed to people."""
    lines = {lane: Line() for lane in tx.scalars(_LANES)}
    lines |= {lane: Line(depth, since) for lane, depth, since in tx.execute(_LINES)}
    running = {backend or "": count for backend, count in tx.execute(_RUNNING)}
    return Queue(lines, running, tx.scalar(_OWED) or 0)
