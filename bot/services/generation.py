"""Painting jobs: one painter per backend takes the next job whenever that backend is free."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import structlog

from bot.domain.errors import (
    AwayError,
    BackendError,
    BackendTimeoutError,
    BotError,
    Failure,
    LostError,
    ProtocolError,
    RejectedError,
)
from bot.domain.job import Job, Lease
from bot.domain.ports import Announcer, Answer, Backend, Blobs, Progress
from bot.domain.text import N_
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from bot.services.catalogue import Catalogue
from bot.services.fleet import Fleet
from bot.services.handover import HandOver
from bot.services.keeping import kept
from bot.services.leftovers import Leftovers
from bot.services.rerouting import Rerouting
from bot.services.routing import Routing
from bot.services.work import done
from bot.services.work_orders import chosen

log = structlog.get_logger(__name__)
T = TypeVar("T")

MAX_LOSSES = 5
"""Broken connections in the middle of one job after which it is taken to be what breaks them."""
LOST = Failure(
    N_("The connection to the backend broke {times} times while this was being painted."),
    N_("Choose a smaller size or fewer pictures; if it stays so, tell the host of this bot."),
    {"times": MAX_LOSSES},
    smaller_may_help=True,
)
AWAY_S = 5.0
"""How soon a store of pictures, or a database, that was away is asked again."""
STORING = 2
"""Most finished paintings a slot in memory on their way to the disk before painters are held back."""
NOT_STORED = Failure(
    N_("The picture was painted but could not be stored."),
    N_("Tell the host of this bot: its disk may be full. Then try again."),
)


class Generation:
    """Takes jobs from the queue to painted pictures in the blob store; telling people is not its task.

    ``check_s`` is the time in seconds between health checks of a working backend. ``stop`` lets running
    paintings finish within the engine's bound. ``leads`` is as in ``Rerouting``.
    """

    def __init__(
        self,
        jobs: Jobs,
        fleet: Fleet,
        catalogue: Catalogue,
        routing: Routing,
        blobs: Blobs,
        *,
        announcer: Announcer,
        leads: Callable[[], bool] = lambda: True,
        check_s: float = 15.0,
    ) -> None:
        self._jobs = jobs
        self._fleet = fleet
        self._catalogue = catalogue
        self._routing = routing
        self._blobs = blobs
        self._announcer = announcer
        self.rerouting = Rerouting(jobs, fleet, routing, announcer=announcer, leads=leads)
        self._check_s = check_s
        slots = sum(backend.slots for backend in fleet.backends)
        self._storing = asyncio.Semaphore(STORING * max(1, slots))
        self._stopping = asyncio.Event()
        self._losses: Counter[int] = Counter()
        self._hand_over = HandOver()
        self._leftovers = Leftovers()

    async def run(self) -> None:
        """Serve every backend until ``stop``; then return once all that was painted is stored."""
        self._catalogue.on_change(self.rerouting.wake)
        self._fleet.on_change(self._look_again)
        async with asyncio.TaskGroup() as stores, asyncio.TaskGroup() as painters:
            painters.create_task(self._unless_stopped(self.rerouting.run()), name="routing")
            for backend in self._fleet.backends:
                painters.create_task(self._tend(backend, stores), name=f"painter of {backend.name}")

    def stop(self) -> None:
        """Take no further jobs and let ``run`` return."""
        self._stopping.set()
        self._jobs.hurry()

    def _look_again(self) -> None:
        """Let the painters look for jobs; one that avoids a backend may be left with no other by now."""
        self._jobs.ring()
        if self._routing.avoiding:
            self.rerouting.wake()

    async def _tend(self, backend: Backend, stores: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            await self._pause(self._fleet.rest_s(backend.name))
            if self._stopping.is_set():
                return
            try:
                await self._unless_stopped(self._meet(backend))
            except BackendError as error:
                self._fleet.report_down(backend.name, error)
                continue
            if self._stopping.is_set():
                return
            self._fleet.report_up(backend.name)
            turn = asyncio.Event()
            worker = self._worker(backend)
            async with self._jobs.serve(worker, partial(self._paint, backend, turn, stores)):
                await self._until_turn(backend, turn)
            self._hand_over.leave(backend.name)

    async def _meet(self, backend: Backend) -> None:
        await backend.health()
        await self._catalogue.refresh(backend)

    def _worker(self, backend: Backend) -> Worker:
        name = backend.name
        return Worker(
            name=name,
            slots=backend.slots,
            serves=lambda lane: self._fleet.takes(name) and self._routing.serves(name, lane),
            loaded=lambda: self._catalogue.loaded(name),
            idle=lambda: self._hand_over.end(name),
        )

    async def _until_turn(self, backend: Backend, turn: asyncio.Event) -> None:
        """Return once things took a turn with the backend, two health checks failed in a row, or we stop."""
        failed, member = 0, self._fleet.members[backend.name]
        while True:
            await self._pause(self._check_s, turn, self._leftovers.any(backend.name))
            # An outage may also come of pictures that this backend owed from before it was away the last time.
            if self._stopping.is_set() or turn.is_set() or member.outage is not None:
                return
            try:
                await self._unless_stopped(self._look_after(backend))
            except BackendError as error:
                failed += 1
                if failed > 1:
                    self._fleet.report_down(backend.name, error)
                    return
            else:
                failed = 0

    async def _look_after(self, backend: Backend) -> None:
        await backend.health()
        await self._leftovers.clear(backend)

    async def _unless_stopped(self, asking: Coroutine[Any, Any, None]) -> None:
        """Return once ``asking`` has ended, raising what it raises, or it was dropped because we stop."""
        asked, stopped = asyncio.ensure_future(asking), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((asked, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            stopped.cancel()
            await asyncio.wait((asked, stopped))
        if not asked.cancelled():
            asked.result()

    async def _pause(self, seconds: float | None, *also: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._stopping, *also)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _paint(self, backend: Backend, turn: asyncio.Event, stores: asyncio.TaskGroup, job_id: int) -> None:
        """Run one attempt of one job; the slot is free again as soon as the backend is."""
        running = self._fleet.members[backend.name].running
        running.add(job_id)
        try:
            lease = await self._jobs.start(job_id, backend=backend.name)
            if lease is not None:
                await self._attempt(backend, turn, stores, lease)
        finally:
            running.discard(job_id)

    async def _attempt(
        self, backend: Backend, turn: asyncio.Event, stores: asyncio.TaskGroup, lease: Lease
    ) -> None:
        structlog.contextvars.bind_contextvars(job=lease.job.id, guild=lease.job.address.guild_id)
        self._announcer.changed(lease.job)
        last = Progress(0.0)

        def on_progress(progress: Progress) -> None:
            nonlocal last
            last = progress
            self._jobs.progressed(lease, progress.fraction)
            self._announcer.progressed(lease.job.id, progress)

        try:
            answer = await self._generate(backend, lease, on_progress)
        except BackendError as error:
            if await self._setback(backend, lease, error, unserved=1 - last.fraction):
                turn.set()
        except AwayError:
            await self._give_back(lease)
        except BotError as error:
            await self._fail(lease, error.failure(), unserved=1 - last.fraction)
        else:
            await self._storing.acquire()
            session = self._fleet.report_answer(backend.name)
            self._hand_over.begin(backend.name)
            store = self._store(backend, turn, lease, answer, session)
            stores.create_task(store, name=f"storing job {lease.job.id}")

    async def _generate(self, backend: Backend, lease: Lease, on_progress: Callable[[Progress], None]) -> Answer:
        job, work = lease.job, lease.job.spec.work
        request = job.spec.request
        if job.task is not None and job.task != lease.task:
            answer = await self._taken_up(backend, job, job.task, on_progress) if work is None else None
            if answer is not None:
                return answer
            await self._jobs.note_task(lease, backend.name, lease.task)
        images = {blob: await self._patiently(partial(self._blobs.get, blob)) for blob in job.spec.order.images()}
        self._hand_over.sent(backend.name)
        if work is not None:
            work = chosen(work, self._catalogue.known(backend.name))
            return await done(backend, work, images, task=lease.task, on_progress=on_progress)
        return await backend.generate(request, task=lease.task, images=images, on_progress=on_progress)

    async def _taken_up(
        self, backend: Backend, job: Job, task: str, on_progress: Callable[[Progress], None]
    ) -> Answer | None:
        """Return the answer to an earlier attempt if ``backend`` still has it."""
        request = job.spec.request
        if job.backend == backend.name:
            self._hand_over.end(backend.name)
            return await backend.resume(request, task=task, on_progress=on_progress)
        if job.backend in self._fleet.members:
            self._leftovers.note(job.backend, request, task)
        return None

    async def _setback(self, backend: Backend, lease: Lease, error: BackendError, *, unserved: float) -> bool:
        """Put a job back that its backend did not do, or end it; return whether the backend is to be left alone.

        What is the server's own failure another one may do better; what the request brings on itself is final.
        """
        if error.retryable:
            self._fleet.report_down(backend.name, error)
            if isinstance(error, LostError) and self._lost_too_often(lease.job.id):
                await self._fail(lease, LOST, unserved=unserved)
            else:
                await self._give_back(lease)
                self._look_again()
            return True
        own_fault = isinstance(error, ProtocolError | BackendTimeoutError)
        closed = own_fault and self._fleet.report_fault(backend.name, error)
        if own_fault or await self._is_elsewhere(backend, lease, error):
            among = self._fleet.working() if own_fault else None
            lane = self._routing.elsewhere(lease.job, backend.name, among)
            if lane is not None:
                log.info("job moves on", job=lease.job.id, backend=backend.name, reason=type(error).__name__)
                await self._give_back(lease, lane=lane)
                return closed
        await self._fail(lease, error.failure(), unserved=unserved)
        return closed

    async def _is_elsewhere(self, backend: Backend, lease: Lease, error: BackendError) -> bool:
        """Return whether a job was refused for what this backend lost since, and others still have."""
        if not isinstance(error, RejectedError) or len(self._catalogue.backends) == 1:
            return False
        with suppress(BackendError):
            await self._catalogue.refresh(backend)
        return not self._routing.serves(backend.name, self._routing.lane_of(lease.job))

    def _lost_too_often(self, job_id: int) -> bool:
        self._losses[job_id] += 1
        return self._losses[job_id] >= MAX_LOSSES

    async def _store(
        self, backend: Backend, turn: asyncio.Event, lease: Lease, answer: Answer, session: int
    ) -> None:
        try:
            await self._hand_over.over()
            painting = await answer.painting()
            result = await kept(painting, backend.name, self._put)
            job = await self._patiently(lambda: self._jobs.paint(lease, result))
        except BackendError as error:
            if await self._setback(backend, lease, error, unserved=1.0):
                turn.set()
            return
        except AwayError:
            await self._give_back(lease)
            return
        except Exception:
            # Painting it again would fail the same way and hold the backend: the host has to make room.
            log.exception("pictures not stored", job=lease.job.id)
            await self._fail(lease, NOT_STORED, unserved=1.0)
            return
        finally:
            self._storing.release()
            self._fleet.report_stored(backend.name, session)
        self._ended(lease.job.id)
        self._fleet.report_painted(backend.name)
        self._catalogue.note_loaded(backend.name, painting.model)
        if job is not None:
            self._announcer.changed(job)

    async def _put(self, data: bytes) -> str:
        return await self._patiently(lambda: self._blobs.put(data))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what ``call`` does once what it needs is there again; raises ``AwayError`` if we stop before."""
        while True:
            try:
                return await call()
            except AwayError as error:
                if self._stopping.is_set():
                    raise
                log.warning("painting waits", reason=type(error).__name__, again_s=AWAY_S)
            await self._pause(AWAY_S)

    async def _give_back(self, lease: Lease, *, lane: str | None = None) -> None:
        with self._left_when_stopping(lease):
            if await self._jobs.release(lease, lane=lane or self._routing.held(lease.job.guild)):
                job = await self._jobs.get(lease.job.id)
                if job is not None:
                    self._announcer.changed(job)
            await self._forget_ended()

    async def _fail(self, lease: Lease, failure: Failure, *, unserved: float) -> None:
        self._ended(lease.job.id)
        with self._left_when_stopping(lease):
            job = await self._jobs.fail(lease, failure, unserved=max(0.0, unserved))
            if job is not None:
                self._announcer.changed(job)

    @contextmanager
    def _left_when_stopping(self, lease: Lease) -> Iterator[None]:
        """Leave what a full disk does not take to the next start, which puts it back, rather than fail to stop."""
        try:
            yield
        except Exception as error:
            if not self._stopping.is_set():
                raise
            log.warning("left to the next start", job=lease.job.id, reason=type(error).__name__)

    async def _forget_ended(self) -> None:
        """Forget the setbacks of jobs that were cancelled since, of which nobody tells."""
        if setbacks := {*self._losses, *self._routing.avoiding}:
            live = {job.id for job in await self._jobs.live()}
            for job_id in setbacks - live:
                self._ended(job_id)

    def _ended(self, job_id: int) -> None:
        self._losses.pop(job_id, None)
        self._routing.forget(job_id)
