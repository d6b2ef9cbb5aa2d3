"""A run: orders go to the queue a window at a time, what is painted goes to files."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.cli.choices import LIMITS
from bot.cli.painters import Painters, ailment, first, words_of
from bot.cli.prompts import Mark, Ticket, at
from bot.cli.screens import Screen, put
from bot.cli.shelves import Shelf
from bot.domain.asker import NOBODY, Asker
from bot.domain.errors import BotError, GoneError, RequestError
from bot.domain.job import COMMON_LANE, Address, Job, JobSpec, NewJob, State
from bot.domain.options import Options
from bot.domain.ports import Progress
from bot.domain.request import PaintRequest
from bot.foundations import Foundations
from bot.services.drafts import Draft
from bot.services.fleet import Fleet
from bot.services.generation import Generation

WINDOW = 4
"""Orders in the queue for every slot: enough that none is ever idle, few enough to forget no money on."""
_LOOK_S = 0.25
SWEEP_S = 30.0
_MOST_SOURCES = 64
_SETTLED = frozenset({State.PAINTED, State.FAILED, State.CANCELLED})


@dataclass
class Outcome:
    """How a run ended: what failed by line and words; whether it was stopped, or nobody was there to paint."""

    failed: list[tuple[Mark, str]] = field(default_factory=list)
    interrupted: bool = False
    unreachable: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything was painted or has failed."""
        return not (self.interrupted or self.unreachable)

    def told(self) -> list[str]:
        """Return a line for each failure."""
        return [f"{at(mark.line)}{words}" for mark, words in self.failed]


class Sources:
    """Pictures that orders start from: read from their files, made plain, and kept in the blob store."""

    def __init__(self, base: Foundations) -> None:
        self._base = base
        self._known: dict[str, tuple[str, int, int]] = {}

    async def fill(self, request: PaintRequest, *, free_size: bool) -> PaintRequest:
        """Return ``request`` with its files' blobs; a free size becomes that of its source picture."""
        if not request.images():
            return request
        blobs = {file: await self._blob(file) for file in request.images()}
        filled = request.with_images(lambda file: blobs[file][0])
        if request.init_image is None:
            return filled
        _, width, height = blobs[request.init_image]
        draft = Draft(Asker(NOBODY), JobSpec(filled), LIMITS, free_size)
        return draft.following(width, height).spec.request

    @property
    def blobs(self) -> frozenset[str]:
        """What may still be asked for."""
        return frozenset(blob for blob, _, _ in self._known.values())

    async def _blob(self, file: str) -> tuple[str, int, int]:
        if file not in self._known:
            if len(self._known) >= _MOST_SOURCES:
                del self._known[next(iter(self._known))]
            try:
                data = await asyncio.to_thread(Path(file).read_bytes)
            except OSError as error:
                raise BotError(
                    "{file} cannot be read ({reason}).", file=file, reason=str(error.strerror)
                ) from error
            try:
                picture = await self._base.imaging.prepare(data)
            except RequestError as error:
                raise RequestError(f"{{file}}: {error.message}", error.hint, **error.values, file=file) from error
            self._known[file] = (await self._base.blobs.put(picture.data), picture.width, picture.height)
        return self._known[file]


class Run:
    """Paints ``tickets`` and has ``shelf`` keep what comes of them; whoever shows the run is its ``screen``.

    An order of an earlier life that is still in the queue is not queued again. A line that failed is left out of
    the rounds to come. ``timeout_s`` is how long there may be no backend at all, in seconds.
    """

    def __init__(
        self,
        base: Foundations,
        painters: Painters,
        shelf: Shelf,
        screen: Screen,
        *,
        run: str,
        tickets: Iterator[Ticket],
        defaults: Options,
        timeout_s: float | None,
    ) -> None:
        self._jobs = base.jobs
        self._base = base
        self._shelf = shelf
        self._screen = screen
        self._run = run
        self._tickets = tickets
        self._defaults = defaults
        self._timeout_s = timeout_s
        self._sources = Sources(base)
        self._window = WINDOW * sum(backend.slots for backend in base.backends)
        self._fleet = Fleet(base.backends, clock=base.clock)
        self._routing = painters.routing
        self._generation = Generation(
            base.jobs, self._fleet, painters.catalogue, painters.routing, base.blobs, announcer=self
        )
        self._ended: asyncio.Queue[Job] = asyncio.Queue()
        self._flying: dict[str, str] = {}
        self._landed = asyncio.Event()
        self._failed_lines: set[int] = set()
        self._outcome = Outcome()

    def changed(self, job: Job) -> None:
        """Show a job's state, and have what ended brought home."""
        self._flying[job.key] = job.lane
        self._screen.changed(job)
        if job.state in _SETTLED:
            self._ended.put_nowait(job)

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Show how far a job is."""
        self._screen.progressed(job_id, progress)

    async def work(self, stop: asyncio.Event) -> Outcome:
        """Paint until all is done, or ``stop``, or nobody is there to paint; what was painted by then is kept."""
        self._jobs.on_change(self.changed)
        # An earlier life may have had other backends, and lanes are named by them.
        await self._jobs.relane(self._routing.lane_of)
        for job in [*await self._jobs.live(), *await self._jobs.untold()]:
            self.changed(job)
        async with asyncio.TaskGroup() as tasks:
            painting = tasks.create_task(self._generation.run(), name="painting")
            others = [tasks.create_task(work) for work in (self._bring_home(), self._sweep())]
            ended = await first(self._feed(), stop.wait(), self._watch())
            self._outcome.interrupted, self._outcome.unreachable = ended == 1, ended == 2  # noqa: PLR2004
            if self._outcome.interrupted:
                self._screen.say("Stopping: what is being painted gets a moment to finish.")
            self._generation.stop()
            await painting
            await self._ended.join()
            for task in others:
                task.cancel()
        return self._outcome

    async def _feed(self) -> None:
        for ticket in self._tickets:
            if ticket.mark.key(self._run) in self._flying or ticket.mark.line in self._failed_lines:
                continue
            await self._until(self._window - 1)
            if ticket.mark.line not in self._failed_lines:
                await self._queue(ticket)
        await self._until(0)

    async def _queue(self, ticket: Ticket) -> None:
        try:
            request = ticket.request(self._defaults)
            request = await self._sources.fill(request, free_size=ticket.line.choices.free_size)
            LIMITS.check(request)
        except BotError as error:
            self._fail(ticket.mark, str(error))
            self._screen.settled()
            return
        new = NewJob(
            ticket.mark.key(self._run),
            NOBODY,
            NOBODY,
            JobSpec(request),
            Address(NOBODY),
            lane=self._routing.lane(request),
        )
        self.changed(await self._jobs.enqueue(new, limits=LIMITS))

    async def _until(self, most: int) -> None:
        """Wait until at most ``most`` orders are in the queue."""
        while len(self._flying) > most:
            self._landed.clear()
            await self._landed.wait()

    async def _bring_home(self) -> None:
        while True:
            job = await self._ended.get()
            try:
                await self._settle(job)
            finally:
                self._ended.task_done()

    async def _settle(self, job: Job) -> None:
        if job.state is State.PAINTED:
            try:
                originals = [await self._base.blobs.get(p.blob) for p in job.result.pictures] if job.result else []
            except GoneError:
                await self._jobs.repaint(job.id)
                return
            for file in await self._shelf.keep(job, originals):
                put(file)
            for note in job.result.notes if job.result else ():
                self._screen.say(f"{at(Mark.of(job.key).line)}{note}")
        else:
            words = words_of(job.failure) if job.failure else "Cancelled."
            await self._shelf.note_failure(job, words)
            self._fail(Mark.of(job.key), words)
        await self._jobs.tell(job.id)
        await self._jobs.drop(job.id)
        self._screen.settled()
        self._flying.pop(job.key, None)
        self._landed.set()

    def _fail(self, mark: Mark, words: str) -> None:
        self._failed_lines.add(mark.line)
        self._outcome.failed.append((mark, words))

    async def _watch(self) -> None:
        """Say when nobody is there to paint what waits; return when that lasts too long."""
        said = ""
        while True:
            lanes = set(self._flying.values()) or {COMMON_LANE}
            outages = [self._fleet.outage(self._routing.members(lane)) for lane in lanes]
            there = [outage for outage in outages if outage is not None]
            words = ailment(there[0].error) if there else ""
            if words and words != said:
                self._screen.say(f"Waiting for a painter. {words}")
            said = words
            since = max((outage.since for outage in there), default=0.0)
            lasts = len(there) == len(outages) and self._timeout_s is not None
            if lasts and self._base.clock() - since >= (self._timeout_s or 0.0):
                return
            await asyncio.sleep(_LOOK_S)

    async def _sweep(self) -> None:
        """Free the disk of originals that are in their files by now."""
        while True:
            await asyncio.sleep(SWEEP_S)
            live = await self._jobs.live()
            inputs = {blob for job in live for blob in job.spec.request.images()}
            keep = inputs | self._sources.blobs | await self._jobs.blobs_in_use()
            await self._base.blobs.sweep(2 * SWEEP_S, keep)
