"""The jobs: their states and their fair queue, over whichever engine delivers them.

A lease fences with its attempt: whoever lost the job to another attempt, a cancellation or an end changes
nothing.
"""

import asyncio
import logging
import random as _random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from bot.domain.cost import UNIT, W0
from bot.domain.errors import BotError, Failure
from bot.domain.job import Address, Intake, Job, Lease, NewJob, Result, State
from bot.domain.limits import Limits
from bot.domain.ports import Clock
from bot.domain.quotas import Allowance
from bot.jobs import charging, intakes, statements, words
from bot.jobs.engine import JobEngine, Worker
from bot.jobs.ledger import Ledger
from bot.jobs.persisting import Persisting
from bot.jobs.reading import JobReader
from bot.jobs.restoring import Recovery, Restoring
from bot.storage.database import REFUSED, Database
from bot.storage.records import address_row, fetch_job

log = logging.getLogger(__name__)

T = TypeVar("T")


class Jobs(JobReader):
    """The one service of the queue.

    ``max_wait_s``: how long a job may wait, in seconds. ``max_crashes``: process deaths after which a job fails.
    ``affinity_window``: how early a job may be taken because its model is loaded, in standard images; 0 is
    never. ``drain_s``: how long running jobs may go on once a server stops, in seconds.
    """

    def __init__(
        self,
        database: Database,
        engine: JobEngine,
        *,
        clock: Clock,
        random: Callable[[], float] = _random.random,
        max_wait_s: float = 24 * 3600,
        max_crashes: int = 3,
        affinity_window: float = 0,
        drain_s: float = 5.0,
    ) -> None:
        super().__init__(database, engine, clock)
        self._random = random
        self._max_wait_s = max_wait_s
        self._persisting = Persisting(database)
        self._ledger = Ledger(engine, clock, max_crashes)
        self._restoring = Restoring(database, engine, self._ledger)
        self._window = round(affinity_window * UNIT)
        self._drain_s = drain_s
        self._changed: Callable[[Job], None] = lambda _job: None
        self._opened_at = 0.0
        self._leases: dict[int, Lease] = {}
        self._served: dict[int, float] = {}

    def on_change(self, tell: Callable[[Job], None]) -> None:
        """Have ``tell`` called, on the loop, with each job that changed by nobody's call."""
        self._changed = tell

    async def open(self) -> Recovery:
        """Take the queue and put back what a dead process was painting.

        Raises ``BotError`` if another process has it or its file cannot be used.
        """
        try:
            with self._database.in_words():
                await self._engine.open()
                self._opened_at = self._clock()
                return await self.restore()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the queue; every ``serve`` has ended before."""
        await self._engine.close()

    async def restore(self) -> Recovery:
        """Put back what processes were painting that have died."""
        return await self._restoring.restore(self._leases)

    async def run(self) -> None:
        """Look after what other processes break off, until cancelled; alone there is nothing to do."""
        while True:
            await self._engine.beat()
            try:
                recovery = await self.restore()
            except REFUSED as error:
                log.warning("what others left is not looked after: %s", type(error).__name__)
                continue
            for job in (*recovery.requeued, *recovery.failed):
                log.warning("job %s was broken off by its process", job.id)
                self._changed(job)
            self._engine.ring()

    async def note_intake(self, intake: Intake) -> None:
        """Remember an interaction until its job is queued."""
        await self._database.write(lambda tx: intakes.note(tx, intake, self._clock(), self._engine.node))

    async def drop_intake(self, interaction_id: int) -> None:
        """Forget an interaction that was answered otherwise."""
        await self._database.write(lambda tx: intakes.drop(tx, interaction_id))

    async def orphans(self) -> list[Intake]:
        """Return the interactions that an earlier process left without a job and that can still be answered."""
        return await self._database.read(lambda tx: intakes.orphans(tx, self._opened_at, self._clock()))

    async def enqueue(self, new: NewJob, *, limits: Limits, weight: int = W0, intake: int | None = None) -> Job:
        """Queue a job and strike off its intake in one transaction; a key seen before gives the job it made.

        Raises ``BusyError`` where the guild or the user has as many queued jobs as ``limits`` allow.
        """
        return (await self.enqueue_all([new], limits=limits, weight=weight, intake=intake))[0]

    async def enqueue_all(
        self,
        news: Sequence[NewJob],
        *,
        limits: Limits,
        weight: int = W0,
        intake: int | None = None,
        held_to: Sequence[Allowance] = (),
    ) -> list[Job]:
        """Queue jobs of one guild and user, all of them or none, as ``enqueue`` does one, within quotas."""

        def work(tx: Connection) -> list[Job]:
            if intake is not None:
                intakes.drop(tx, intake)
            return self._ledger.add_all(tx, news, limits, weight, held_to)

        jobs = await self._persisting.once_more(work)  # should only the answer be lost, the keys give what it made
        for job in (each for each in jobs if each.attempt == 0):
            self._engine.wake(job.id)
        return jobs

    async def start(self, job_id: int, *, backend: str | None = None) -> Lease | None:
        """Lease a queued job to whoever was handed its id; ``None``: there is nothing to do any more.

        The first lease's task is noted with it, as one about to run on ``backend``. A later lease's job still
        has the task before, which may be running somewhere: once that is settled, ``note_task``.
        """
        # A power failure may undo a start, for it only makes the job start again: no slot waits for the disk.
        write = self._database.write(lambda tx: self._ledger.start(tx, job_id, backend), synced=False)
        starting = asyncio.ensure_future(write)
        try:
            job = await asyncio.shield(starting)
        except asyncio.CancelledError:
            job = await starting
            if job is not None:
                await self.release(Lease(job, job.attempt))
            raise
        if job is None:
            self._engine.leave(job_id)
            return None
        lease = self._leases[job.id] = Lease(job, job.attempt)
        return lease

    async def note_task(self, lease: Lease, backend: str, task: str) -> bool:
        """Remember where a leased job is about to run; ``False``: the lease is lost."""
        row = {"new_backend": backend, "new_task": task, **_of(lease)}
        return await self._persisting.write(lambda tx: tx.execute(statements.NOTE_TASK, row).rowcount == 1)

    def progressed(self, lease: Lease, share: float) -> None:
        """Note the ``share`` (0–1) of a leased job that is painted: whoever cancels it has had that much."""
        if self._leases.get(lease.job.id) == lease:
            self._served[lease.job.id] = share

    async def release(self, lease: Lease, *, lane: str | None = None) -> bool:
        """Put a leased job back, first in line and at no charge; ``False``: the lease is lost.

        ``lane`` is where it waits from now on, if not where it did.
        """

        def work(tx: Connection) -> bool:
            held = self._ledger.hold(tx, lease.job.id, (State.RUNNING,), attempt=lease.attempt, lane=lane)
            return held is not None and bool(self._ledger.requeue(held))

        released = await self._let_go(lease, work)
        if released:
            self._engine.wake(lease.job.id, again=True)
        return released

    async def paint(self, lease: Lease, result: Result) -> Job | None:
        """Keep what was painted; ``None``: the lease is lost, the result is to be thrown away."""
        job = await self._persisting.write(lambda tx: self._ledger.paint(tx, lease, result))
        self._forget(lease)
        return job

    async def fail(self, lease: Lease, failure: Failure, *, unserved: float = 1.0) -> Job | None:
        """End a leased job by ``failure`` and refund its ``unserved`` share (0–1); ``None``: the lease is lost."""

        def work(tx: Connection) -> Job | None:
            held = self._ledger.hold(tx, lease.job.id, (State.RUNNING,), attempt=lease.attempt)
            return self._ledger.fail(held, failure, unserved=unserved)

        return await self._let_go(lease, work)

    async def cancel(self, job_id: int, *, by: int | None, unserved: float | None = None) -> Job | None:
        """Cancel what is not delivered yet, then stop its run; ``None``: there is nothing to cancel.

        ``by`` is the person, ``None`` when its message or place is gone. The ``unserved`` share (0–1), by
        default what has not ``progressed``, is given back; but whoever cancels a picture that is painted already
        has had it painted.
        """
        left = 1.0 - self._served.get(job_id, 0.0) if unserved is None else unserved

        def work(tx: Connection) -> Job | None:
            held = self._ledger.hold(tx, job_id, (State.QUEUED, State.RUNNING, State.PAINTED))
            if held is None:
                return None
            share = 0.0 if held.job.state is State.PAINTED and by is not None else left
            return self._ledger.end(held, State.CANCELLED, by=by, unserved=share)

        job = await self._database.write(work)
        if job is not None:
            await self._engine.abort(job_id)
        return job

    async def cancel_sheet(self, key: str, *, by: int | None, painted: bool = False) -> list[Job]:
        """Cancel every cell of a sheet that is not painted yet, then stop their runs; return what was cancelled.

        ``by`` is the person, ``None`` when its message or place is gone: then, or if ``painted`` says so, what is
        painted is cancelled too.
        """
        served, all_of_it = dict(self._served), painted or by is None
        jobs = await self._database.write(lambda tx: self._ledger.cancel_sheet(tx, key, by, served, all_of_it))
        for job in jobs:
            await self._engine.abort(job.id)
        return jobs

    async def tell(self, job_id: int) -> Job:
        """Note that a job's message has the last word: what was painted is delivered by that."""
        return (await self.tell_all([job_id]))[0]

    async def tell_all(self, ids: Sequence[int]) -> list[Job]:
        """Note the same of all jobs that share one message, in one transaction."""

        def tell(tx: Connection, job_id: int) -> Job:
            of = {"of_id": job_id, "now": self._clock()}
            for statement in (statements.DELIVER, statements.TELL, statements.BY_ID):
                job = fetch_job(tx, statement, of, self._clock())
                if job is not None:
                    charging.book(tx, job_id)
                    return job
            raise LookupError(job_id)

        return await self._database.write(lambda tx: [tell(tx, job_id) for job_id in ids])

    async def drop(self, job_id: int) -> None:
        """Delete an ended job that was told: nobody will ask for it, and its key may make another."""
        await self._database.write(lambda tx: tx.execute(statements.DROP, {"of_id": job_id}))

    async def repaint(self, job_id: int) -> Job | None:
        """Queue a painted job again whose pictures cannot be read; ``None``: it is not painted (any more)."""

        def work(tx: Connection) -> Job | None:
            held = self._ledger.hold(tx, job_id, (State.PAINTED,))
            return None if held is None else self._ledger.requeue(held, queued_at=self._clock())

        job = await self._database.write(work)
        if job is not None:
            self._engine.wake(job_id, again=True)
        return job

    async def move(self, job_id: int, address: Address) -> Job:
        """Note where a job's message lives now."""
        row = {f"new_{name}": value for name, value in address_row(address).items()}

        def work(tx: Connection) -> Job:
            job = fetch_job(tx, statements.MOVE, {"of_id": job_id, **row}, self._clock())
            if job is None:
                raise LookupError(job_id)
            return job

        return await self._database.write(work)

    async def relane(self, lane_of: Callable[[Job], str], tell: Callable[[Job], None] | None = None) -> list[Job]:
        """Move what waits to its lane; ``tell`` of each at once: it may be painted before the last has moved."""
        queued = [job for job in await self.live() if job.state is State.QUEUED]
        moves = [(job.id, lane) for job in queued if (lane := lane_of(job)) != job.lane]
        moved = []
        for job_id, lane in moves:
            # In this order; whatever a power failure undoes is moved again at the next start.
            move = partial(self._ledger.relane, job_id=job_id, lane=lane)
            job = await self._database.write(move, synced=False)
            if job is not None:
                moved.append(job)
                if tell is not None:
                    tell(job)
        if moved:
            self._engine.ring()
        return moved

    async def claim_ping(self, job_id: int) -> bool:
        """Return ``True`` exactly once per job: to the caller who may mention its asker."""
        of = {"of_id": job_id, "now": self._clock()}
        return await self._database.write(lambda tx: tx.execute(statements.PING, of).rowcount == 1)

    async def sweep(self) -> list[Job]:
        """Fail what waited too long, wipe expired tokens, strike off stale intakes; return the changed jobs."""
        now = self._clock()

        def tidy(tx: Connection) -> Sequence[int]:
            intakes.expire(tx, now)
            tx.execute(statements.WIPE_TOKENS, {"now": now})
            return tx.scalars(statements.OVERDUE, {"before": now - self._max_wait_s}).all()

        def fail(tx: Connection, job_id: int) -> Job | None:
            held = self._ledger.hold(tx, job_id, (State.QUEUED,))
            return self._ledger.fail(held, words.overdue(self._max_wait_s))

        changed = []
        for job_id in await self._database.write(tidy):
            job = await self._database.write(partial(fail, job_id=job_id))
            if job is not None:
                changed.append(job)
        return changed

    def serve(self, worker: Worker, run: Callable[[int], Awaitable[None]]) -> AbstractAsyncContextManager[None]:
        """Call ``run`` with the id of each job in turn, as ``worker``, while the context is open.

        A cancelled job and an overlong drain arrive in ``run`` as ``CancelledError``; if it raises, the job
        fails with the error's words, or a code that the log has too. The worker's window is the service's.
        """

        async def guarded(job_id: int) -> None:
            try:
                await run(job_id)
            except asyncio.CancelledError:
                await self._drained(job_id)
                raise
            except Exception as error:
                if isinstance(error, REFUSED) and job_id not in self._leases:
                    raise  # it was never started, so it simply still waits
                await self._broken(job_id, error)

        return self._engine.serve(replace(worker, window=self._window), guarded, drain_s=self._drain_s)

    def hurry(self) -> None:
        """Offer a database that refuses what became of runs once more and no longer: this process is to end.

        What is not written then is put back by the next start, as after a crash.
        """
        self._persisting.hurry()

    def ring(self) -> None:
        """Let all workers look again: what they serve has changed."""
        self._engine.ring()

    async def _drained(self, job_id: int) -> None:
        lease = self._leases.get(job_id)
        if lease is not None and await self.release(lease):
            job = await self.get(job_id)
            if job is not None:
                self._changed(job)

    async def _broken(self, job_id: int, error: Exception) -> None:
        if isinstance(error, BotError):
            failure = error.failure()
        else:
            failure = words.ours(f"{int(self._random() * 16**6):06X}")
            log.error("job %s broke, code %s", job_id, failure.code, exc_info=error, extra={"code": failure.code})
        lease = self._leases.get(job_id) or await self.start(job_id)
        job = None if lease is None else await self.fail(lease, failure)
        if job is not None:
            self._changed(job)

    async def _let_go(self, lease: Lease, work: Callable[[Connection], T]) -> T:
        """Write what ends a lease; given up, the job is one that nobody runs, and is put back as such."""
        try:
            written = await self._persisting.write(work)
        except REFUSED:
            self._forget(lease)
            raise
        self._forget(lease)
        return written

    def _forget(self, lease: Lease) -> None:
        if self._leases.get(lease.job.id) == lease:
            del self._leases[lease.job.id]
            self._served.pop(lease.job.id, None)


def _of(lease: Lease) -> dict[str, object]:
    return {"of_id": lease.job.id, "of_attempt": lease.attempt}
