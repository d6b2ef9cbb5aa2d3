"""Painting jobs: one painter per backend takes the next job whenever that backend is free."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from bot.domain.errors import BackendError, BotError, Failure
from bot.domain.job import Lease, Picture, Result
from bot.domain.ports import Announcer, Answer, Backend, Blobs, Painting, Progress
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.catalogue import Catalogue
from bot.services.fleet import Fleet

log = structlog.get_logger(__name__)

STORING = 4
"""Most finished paintings in memory on their way to the disk before painters are held back."""
NOT_STORED = Failure(
    N_("The picture was painted but could not be stored."),
    N_("Tell the host of this bot: its disk may be full. Then try again."),
)


class Generation:
    """Takes jobs from the queue to painted pictures in the blob store; telling people is not its task.

    ``check_s`` is the time in seconds between health checks of a working backend and the longest wait
    before an absent one is asked again. ``stop`` lets running paintings finish within the engine's bound.
    """

    def __init__(
        self,
        jobs: Jobs,
        fleet: Fleet,
        catalogue: Catalogue,
        blobs: Blobs,
        *,
        announcer: Announcer,
        check_s: float = 15.0,
    ) -> None:
        self._jobs = jobs
        self._fleet = fleet
        self._catalogue = catalogue
        self._blobs = blobs
        self._announcer = announcer
        self._check_s = check_s
        self._storing = asyncio.Semaphore(STORING)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve every backend until ``stop``; then return once all that was painted is stored."""
        async with asyncio.TaskGroup() as stores, asyncio.TaskGroup() as painters:
            for backend in self._fleet.backends:
                painters.create_task(self._tend(backend, stores), name=f"painter of {backend.name}")

    def stop(self) -> None:
        """Take no further jobs and let ``run`` return."""
        self._stopping.set()

    async def _tend(self, backend: Backend, stores: asyncio.TaskGroup) -> None:
        delay_s = min(0.5, self._check_s)
        while not self._stopping.is_set():
            try:
                await backend.health()
                await self._catalogue.refresh(backend)
            except BackendError as error:
                self._fleet.report_down(backend, error)
                await self._pause(delay_s)
                delay_s = min(delay_s * 2, self._check_s)
                continue
            delay_s = min(0.5, self._check_s)
            self._fleet.report_up(backend)
            away = asyncio.Event()
            async with self._jobs.serve(backend.slots, partial(self._paint, backend, away, stores)):
                await self._until_away(backend, away)

    async def _until_away(self, backend: Backend, away: asyncio.Event) -> None:
        """Return once the backend failed a job, or two health checks in a row, or we stop."""
        failed = 0
        while not (self._stopping.is_set() or away.is_set()):
            await self._pause(self._check_s, away)
            if self._stopping.is_set() or away.is_set():
                return
            try:
                await backend.health()
            except BackendError as error:
                failed += 1
                if failed > 1:
                    self._fleet.report_down(backend, error)
                    return
            else:
                failed = 0

    async def _pause(self, seconds: float, *also: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._stopping, *also)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _paint(self, backend: Backend, away: asyncio.Event, stores: asyncio.TaskGroup, job_id: int) -> None:
        """Run one attempt of one job; the slot is free again as soon as the pictures are in memory."""
        lease = await self._jobs.start(job_id, backend=backend.name)
        if lease is None:
            return
        self._announcer.changed(lease.job)
        last = Progress(0.0)

        def on_progress(progress: Progress) -> None:
            nonlocal last
            last = progress
            self._jobs.progressed(lease, progress.fraction)
            self._announcer.progressed(job_id, progress)

        try:
            answer = await self._generate(backend, lease, on_progress)
        except BackendError as error:
            if error.retryable:
                self._fleet.report_down(backend, error)
                away.set()
                await self._give_back(lease)
            else:
                await self._fail(lease, error.failure(), unserved=1 - last.fraction)
        except BotError as error:
            await self._fail(lease, error.failure(), unserved=1 - last.fraction)
        else:
            await self._storing.acquire()
            stores.create_task(self._store(backend, lease, answer), name=f"storing job {job_id}")

    async def _generate(self, backend: Backend, lease: Lease, on_progress: Callable[[Progress], None]) -> Answer:
        job = lease.job
        request = job.spec.request
        if job.task is not None and job.task != lease.task:
            if job.backend == backend.name:
                answer = await backend.resume(request, task=job.task, on_progress=on_progress)
                if answer is not None:
                    return answer
            await self._jobs.note_task(lease, backend.name, lease.task)
        images = {blob: await self._blobs.get(blob) for blob in request.images()}
        return await backend.generate(request, task=lease.task, images=images, on_progress=on_progress)

    async def _store(self, backend: Backend, lease: Lease, answer: Answer) -> None:
        try:
            result = await self._kept(backend, await answer.painting())
            job = await self._jobs.paint(lease, result)
        except BackendError as error:
            await self._fail(lease, error.failure(), unserved=0.0)
            return
        except Exception:
            # Painting it again would fail the same way and hold the backend: the host has to make room.
            log.exception("pictures not stored", job=lease.job.id)
            await self._fail(lease, NOT_STORED, unserved=1.0)
            return
        finally:
            self._storing.release()
        if job is not None:
            self._announcer.changed(job)

    async def _kept(self, backend: Backend, painting: Painting) -> Result:
        pictures = [
            Picture(
                blob=await self._blobs.put(painted.data),
                media_type=painted.media_type,
                width=painted.width,
                height=painted.height,
                seed=painted.seed,
                infotext=painted.infotext,
            )
            for painted in painting.pictures
        ]
        return Result(
            pictures=tuple(pictures),
            backend=backend.name,
            seconds=painting.seconds,
            model=painting.model,
            sampler=painting.sampler,
            scheduler=painting.scheduler,
            notes=painting.notes,
        )

    async def _give_back(self, lease: Lease) -> None:
        if await self._jobs.release(lease):
            job = await self._jobs.get(lease.job.id)
            if job is not None:
                self._announcer.changed(job)

    async def _fail(self, lease: Lease, failure: Failure, *, unserved: float) -> None:
        job = await self._jobs.fail(lease, failure, unserved=max(0.0, unserved))
        if job is not None:
            self._announcer.changed(job)
