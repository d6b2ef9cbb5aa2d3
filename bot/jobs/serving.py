"""Slots that run jobs in this process: whoever is free looks at the line and takes the job that is its."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.fairness import AGAIN
from bot.domain.turns import Turns
from bot.jobs.engine import Run, Worker
from bot.jobs.line import JobRow, Line, pick
from bot.storage.database import REFUSED, Database, DatabaseAwayError

log = logging.getLogger(__name__)

REST_S = 1.0
"""How long a slot rests after a job came back undone."""
REFUSED_S = 10.0
"""How long it rests after the database refused it, as one on a full disk does: a log is on that disk too."""


@dataclass(eq=False, slots=True)
class _Server:
    """One open ``serve``: ``idle`` of its slots have no job, and it ``left`` one to another server."""

    run: Run
    worker: Worker
    idle: int = 0
    left: bool = False
    bells: set[asyncio.Event] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    runs: set[asyncio.Task[None]] = field(default_factory=set)

    def ring(self) -> None:
        """Let every slot look; each has its own bell, so that none takes another's ring for its own."""
        for bell in self.bells:
            bell.set()


class Serving:
    """The half of a ``JobEngine`` that runs jobs; the other half knows who else does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._servers: set[_Server] = set()
        self._turns = Turns()
        self._runs: dict[int, asyncio.Task[None]] = {}
        self._fetching = asyncio.Lock()
        self._taken: set[int] = set()
        self._rung = 0
        self._last_look: tuple[int, Line] | None = None

    def wake(self, job: int, *, again: bool = False) -> None:
        """Let the slots look; a run that is still on its way out does not hold its job back.

        A slot may have found a new job before this call: its run is none of those.
        """
        if again:
            self._runs.pop(job, None)
        self.ring()

    def ring(self) -> None:
        """Let the slots look."""
        self._rung += 1
        self._taken.clear()
        for server in self._servers:
            server.ring()

    def leave(self, job: int) -> None:
        """Hand ``job`` out no more, until somebody rings: another process is starting it."""
        self._taken.add(job)

    def runs(self, job: int) -> bool:
        """Return whether this process runs ``job``."""
        return job in self._runs

    async def abort(self, job: int) -> None:
        """Cancel the run of ``job``."""
        run = self._runs.get(job)
        if run is not None:
            run.cancel()

    def slots(self, lane: str) -> Mapping[str, int]:
        """Return how many slots serve ``lane`` now, by the worker's name."""
        serving: dict[str, int] = {}
        for worker in (server.worker for server in self._servers):
            if worker.serves(lane):
                serving[worker.name] = serving.get(worker.name, 0) + worker.slots
        return serving

    def serve(self, worker: Worker, run: Run, *, drain_s: float) -> AbstractAsyncContextManager[None]:
        """Run jobs as ``worker``."""
        return self._serve(_Server(run, worker), drain_s)

    @asynccontextmanager
    async def _serve(self, server: _Server, drain_s: float) -> AsyncIterator[None]:
        self._servers.add(server)
        self._last_look = None
        try:
            async with asyncio.TaskGroup() as group:
                loops = [group.create_task(self._slot(server)) for _ in range(server.worker.slots)]
                try:
                    yield
                finally:
                    server.stopping.set()
                    self.ring()  # what was left to this one is the others' now
                    await asyncio.wait(loops, timeout=drain_s)
                    for late in server.runs:
                        late.cancel()
        finally:
            self._servers.discard(server)

    async def _slot(self, server: _Server) -> None:
        bell = asyncio.Event()
        server.bells.add(bell)
        while not server.stopping.is_set():
            bell.clear()
            server.idle += 1
            rest_s = 0.0
            try:
                fetched = await self._fetch(server)
                if fetched is None:
                    server.worker.idle()
                    await bell.wait()
            except (SQLAlchemyError, DatabaseAwayError):
                log.exception("the queue could not be read; trying again in %s s", REFUSED_S)
                fetched, rest_s = None, REFUSED_S
            finally:
                server.idle -= 1
            if fetched is not None:
                rest_s = await self._finish(server, *fetched)
            await self._rest(server, rest_s)

    async def _fetch(self, server: _Server) -> tuple[int, asyncio.Task[None]] | None:
        async with self._fetching:
            line = await self._look(server.worker)
            if server.stopping.is_set():
                return None
            job = self._choose(line, server)
            if job is None:
                return None
            run = asyncio.create_task(server.run(job), name=f"job {job}")
            self._runs[job] = run
            server.runs.add(run)
            for other in self._servers:
                if other.left:
                    other.ring()  # this one is busier now than it was then
            return job, run

    @property
    def _passed(self) -> set[int]:
        """What runs here already, though its row may not say so yet, and what is others'."""
        return self._runs.keys() | self._taken

    async def _look(self, worker: Worker) -> Line:
        """Look at the line; of many slots that are rung for, one sees for all that nothing is left in it."""
        if self._last_look is not None:
            rung, line = self._last_look
            if rung == self._rung and line.is_empty_for(worker, self._passed):
                return line
        rung, at_most = self._rung, len(self._passed) + sum(each.idle for each in self._servers)
        line = await self._database.read(lambda tx: Line.read(tx, worker, at_most))
        self._last_look = rung, line
        return line

    def _choose(self, line: Line, server: _Server) -> int | None:
        free = {each: each.idle for each in self._servers if each is not server and not each.stopping.is_set()}
        server.left = False
        passed = self._passed
        for lane in self._turns.order(line.guilds):
            rows = [row for row in line.rows[lane] if row.job_id not in passed and not _left(row, server, free)]
            row = pick(rows, server.worker)
            if row is not None:
                self._turns.charge(lane, row.cost, line.guilds[lane])
                return int(row.job_id)
        return None

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
            if job not in self._taken:
                self._last_look = None  # whoever was busy looks for itself
            ours = self._runs.get(job) is run
            if ours:
                del self._runs[job]
        error = None if run.cancelled() else run.exception()
        if isinstance(error, REFUSED):
            log.error("the database refuses job %s, trying again in %s s: %s", job, REFUSED_S, _reason(error))
            return REFUSED_S
        if error is not None:
            log.error("the run of job %s broke", job, exc_info=error)
            return REST_S
        return 0.0 if ours else REST_S

    async def _rest(self, server: _Server, seconds: float) -> None:
        if seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await server.stopping.wait()


def _left(row: JobRow, server: _Server, free: dict[_Server, int]) -> bool:
    """Leave a job to a ``free`` slot that has its model in memory, while this server would have to load it."""
    if row.rank == AGAIN or row.model in {None, server.worker.loaded()}:
        return False
    for other, slots in free.items():
        if slots and other.worker.serves(row.lane) and other.worker.loaded() == row.model:
            free[other] -= 1
            server.left = True
            other.ring()
            return True
    return False


def _reason(error: BaseException) -> object:
    """Return what the database said, without the statement."""
    return getattr(error, "orig", None) or error
