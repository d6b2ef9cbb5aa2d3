"""The engine for one process: the ``jobs`` table is its queue, an event per server its bell."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.domain.fairness import AGAIN
from bot.domain.job import State
from bot.jobs.engine import Affinity, Run
from bot.jobs.lock import ProcessLock
from bot.storage.database import Database
from bot.storage.tables import jobs

log = logging.getLogger(__name__)

REST_S = 1.0
"""How long a slot rests after a job came back undone."""
REFUSED_S = 10.0
"""How long it rests after the database refused it, as one on a full disk does: a log is on that disk too."""
_WIDEST = 200
"""How many jobs affinity looks at."""

_FIRST = (
    select(jobs.c.id, jobs.c.tag, jobs.c.rank, jobs.c.guild_id, jobs.c.user_id, jobs.c.model)
    .where(jobs.c.lane == bindparam("of_lane"), jobs.c.state == State.QUEUED.value)
    .order_by(jobs.c.tag, jobs.c.rank, jobs.c.id)
    .limit(bindparam("at_most"))
)
_RUNNING = select(jobs.c.id).where(jobs.c.state == State.RUNNING.value)


@dataclass(eq=False, slots=True)
class _Server:
    """One open ``serve``."""

    run: Run
    lanes: Sequence[str]
    affinity: Affinity | None
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    runs: set[asyncio.Task[None]] = field(default_factory=set)


class Embedded:
    """``JobEngine`` for one process on one database file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = ProcessLock(database.file.with_name(database.file.name + ".lock"))
        self._servers: set[_Server] = set()
        self._slots: Counter[str] = Counter()
        self._runs: dict[int, asyncio.Task[None]] = {}
        self._fetching = asyncio.Lock()

    async def open(self) -> None:
        """Take the lock that keeps a second process out; raises ``BotError`` where there is one."""
        self._lock.take()

    async def close(self) -> None:
        """Drop the lock."""
        self._lock.drop()

    def submit(self, tx: Connection, job: int, lane: str, tag: int) -> None:
        """Do nothing: the row is the hand-over."""

    def retag(self, tx: Connection, tags: Mapping[int, int]) -> None:
        """Do nothing: the rows have the tags."""

    def interrupted(self, tx: Connection) -> Sequence[int]:
        """Return all that is running: whoever ran it held the lock and is gone."""
        return tx.scalars(_RUNNING).all()

    def wake(self, job: int, *, again: bool = False) -> None:
        """Let the slots look; a run that is still on its way out does not hold its job back.

        A slot may have found a new job before this call: its run is none of those.
        """
        if again:
            self._runs.pop(job, None)
        for server in self._servers:
            server.bell.set()

    async def abort(self, job: int) -> None:
        """Cancel the run of ``job``."""
        run = self._runs.get(job)
        if run is not None:
            run.cancel()

    def slots(self, lane: str) -> int:
        """Return how many slots serve ``lane`` now."""
        return self._slots[lane]

    def serve(
        self,
        slots: int,
        run: Run,
        *,
        lanes: Sequence[str],
        affinity: Affinity | None,
        drain_s: float,
    ) -> AbstractAsyncContextManager[None]:
        """Run jobs of ``lanes`` in ``slots`` at once."""
        return self._serve(slots, _Server(run, lanes, affinity), drain_s)

    @asynccontextmanager
    async def _serve(self, slots: int, server: _Server, drain_s: float) -> AsyncIterator[None]:
        self._servers.add(server)
        self._slots.update(dict.fromkeys(server.lanes, slots))
        try:
            async with asyncio.TaskGroup() as group:
                loops = [group.create_task(self._slot(server)) for _ in range(slots)]
                try:
                    yield
                finally:
                    server.stopping.set()
                    server.bell.set()
                    await asyncio.wait(loops, timeout=drain_s)
                    for late in server.runs:
                        late.cancel()
        finally:
            self._servers.discard(server)
            self._slots.subtract(dict.fromkeys(server.lanes, slots))

    async def _slot(self, server: _Server) -> None:
        while not server.stopping.is_set():
            server.bell.clear()
            try:
                fetched = await self._fetch(server)
            except SQLAlchemyError:
                log.exception("the queue could not be read; trying again in %s s", REFUSED_S)
                await self._rest(server, REFUSED_S)
                continue
            if fetched is not None:
                await self._rest(server, await self._finish(server, *fetched))
            elif not server.stopping.is_set():
                await server.bell.wait()

    async def _fetch(self, server: _Server) -> tuple[int, asyncio.Task[None]] | None:
        async with self._fetching:
            at_most = len(self._runs) + (_WIDEST if server.affinity else 1)
            rows = await self._database.read(lambda tx: _first(tx, server.lanes, at_most))
            job = _pick([row for row in rows if row.id not in self._runs], server.affinity)
            if job is None or server.stopping.is_set():
                return None
            run = asyncio.create_task(server.run(job), name=f"job {job}")
            self._runs[job] = run
            server.runs.add(run)
            return job, run

    async def _finish(self, server: _Server, job: int, run: asyncio.Task[None]) -> float:
        """Wait for a run to end; return how long to rest after it, in seconds: it may have given its job back."""
        try:
            await asyncio.wait([run])
        except asyncio.CancelledError:
            run.cancel()
            await asyncio.wait([run])
            raise
        finally:
            server.runs.discard(run)
            ours = self._runs.get(job) is run
            if ours:
                del self._runs[job]
        error = None if run.cancelled() else run.exception()
        if isinstance(error, DBAPIError):
            log.error("the database refuses job %s, trying again in %s s: %s", job, REFUSED_S, error.orig)
            return REFUSED_S
        if error is not None:
            log.error("the run of job %s broke", job, exc_info=error)
            return REST_S
        return 0.0 if ours else REST_S

    async def _rest(self, server: _Server, seconds: float) -> None:
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(server.stopping.wait(), seconds)


def _first(tx: Connection, lanes: Sequence[str], at_most: int) -> list[Row[*tuple[Any, ...]]]:
    rows = [row for lane in lanes for row in tx.execute(_FIRST, {"of_lane": lane, "at_most": at_most})]
    return sorted(rows, key=lambda row: (row.tag, row.rank, row.id))


def _pick(rows: Sequence[Row[*tuple[Any, ...]]], affinity: Affinity | None) -> int | None:
    """Return the job at the head, or one within the window whose model is loaded and whose user's first it is."""
    if not rows:
        return None
    head = rows[0]
    model = affinity.loaded() if affinity else None
    if affinity is None or model is None or head.rank == AGAIN:
        return int(head.id)
    seen = set()
    for row in rows:
        if row.tag > head.tag + affinity.window:
            break
        owner = (row.guild_id, row.user_id)
        if owner not in seen and row.model in {None, model}:
            return int(row.id)
        seen.add(owner)
    return int(head.id)
