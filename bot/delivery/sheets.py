"""Explorations on their way: many jobs, one message that counts them, and one picture of all at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from bot.delivery.courier import Courier
from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.domain.asker import Asker
from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Address, Job, Sheet, State
from bot.domain.metering import Retried, Undelivered
from bot.domain.ports import Blobs, Progress
from bot.imaging import sheets
from bot.imaging.encoding import Encoded
from bot.imaging.imaging import Imaging
from bot.jobs.service import Jobs
from bot.services.preferences import Preferences
from bot.services.reviewing import Reviewing
from bot.ui import cards, explore, lineage
from bot.ui.card import Card

log = structlog.get_logger(__name__)

_LIVE = frozenset({State.QUEUED, State.RUNNING})


@dataclass(slots=True)
class _Cells:
    """The jobs of one sheet as they are known, by id; ``stands`` is the id of the one for all of them."""

    sheet: Sheet
    stands: int
    jobs: dict[int, Job] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.sheet.columns) * len(self.sheet.rows)

    @property
    def done(self) -> int:
        return sum(job.state not in _LIVE for job in self.jobs.values())

    @property
    def share(self) -> float:
        running = (job.id for job in self.jobs.values() if job.state is State.RUNNING)
        return (self.done + sum(self.shares.get(job_id, 0.0) for job_id in running)) / self.count

    def ordered(self) -> list[Job]:
        return sorted(self.jobs.values(), key=_index)

    def whole(self) -> Job:
        jobs = self.ordered()
        live = len(jobs) < self.count or any(job.state in _LIVE for job in jobs)
        begun = any(job.attempt or job.state is not State.QUEUED for job in jobs)
        whole = _whole(jobs, State.RUNNING if begun else State.QUEUED) if live else _whole(jobs)
        return replace(whole, id=self.stands)


class Sheets:
    """Makes one job of all cells of a sheet, for whoever shows jobs; every other job stands for itself."""

    def __init__(
        self,
        jobs: Jobs,
        messenger: Messenger,
        courier: Courier,
        preferences: Preferences,
        reviewing: Reviewing,
        blobs: Blobs,
        imaging: Imaging,
    ) -> None:
        self._jobs = jobs
        self._messenger = messenger
        self._courier = courier
        self._preferences = preferences
        self._reviewing = reviewing
        self._blobs = blobs
        self._imaging = imaging
        self._sheets: dict[str, _Cells] = {}

    def whole(self, job: Job) -> Job:
        """Take note of a cell's state and return the job that stands for all of them.

        It waits until the first of them has begun, and runs until the last one has ended.
        """
        sheet = job.spec.sheet
        if sheet is None or job.told_at is not None:
            return job
        cells = self._sheets.setdefault(sheet.key, _Cells(sheet, job.id))
        known = cells.jobs.get(job.id)
        if known is None or not (known.state.ended or job.attempt < known.attempt):
            unmoved = known is not None and job.address.message_id is None
            cells.jobs[job.id] = replace(job, address=known.address) if known is not None and unmoved else job
        return cells.whole()

    def standing_for(self, job_id: int) -> int:
        """Return the id of the job that stands for all of a cell's sheet; any other job's own."""
        return next((cells.stands for cells in self._sheets.values() if job_id in cells.jobs), job_id)

    def known(self, job: Job, job_id: int) -> Job:
        """Return the cell of ``job``'s sheet with that id; any other job itself."""
        cells = self._of(job)
        return job if cells is None else cells.jobs.get(job_id, job)

    def forget_all(self) -> None:
        """Know of no sheet any more."""
        self._sheets.clear()

    def forsake(self, job: Job) -> Job:
        """Forget the sheet of a job whose row is gone; return the job as the one that stands for all of it."""
        cells = self._of(job)
        if cells is None:
            return job
        del self._sheets[cells.sheet.key]
        return replace(job, id=cells.stands)

    def shown(self, job: Job) -> Job:
        """Return the one job whose state the message of ``job`` shows: the cell at work, else the next in line."""
        cells = self._of(job)
        if cells is None:
            return job
        ordered = cells.ordered()
        found = [each for state in (State.RUNNING, State.QUEUED) for each in ordered if each.state is state]
        return found[0] if found else job

    def progressed(self, job_id: int, progress: Progress) -> tuple[int, Progress]:
        """Return whose message shows that a job got this far, and how far that one is by it."""
        for cells in self._sheets.values():
            if job_id in cells.jobs:
                cells.shares[job_id] = progress.fraction
                return cells.stands, Progress(cells.share, preview=progress.preview)
        return job_id, progress

    def counted(self, job: Job, shown: Job, card: Card) -> Card:
        """Return the message of the job that is ``shown`` as that of ``job``."""
        cells = self._of(job)
        if cells is None or shown.state is State.PAINTED:
            return card
        waits = shown.state is State.QUEUED
        return explore.counted(card, job, cells.done, cells.count, cells.share, waits=waits)

    async def move(self, job: Job, address: Address) -> Job:
        """Note where the message of a job, or of its sheet, lives now; return it with that address."""
        if job.spec.sheet is None:
            return await self._jobs.move(job.id, address)
        for cell in await self._jobs.sheet(job.spec.sheet.key):
            moved = await self._jobs.move(cell.id, address)
            if (known := self._of(cell)) is not None and cell.id in known.jobs:
                known.jobs[cell.id] = replace(known.jobs[cell.id], address=moved.address)
        return replace(job, address=address)

    async def drawn(self, key: str) -> Encoded:
        """Return the picture of a sheet that is painted; raises ``GoneError`` as ``conclude`` finds that out."""
        return await self._compose(await self._jobs.sheet(key))

    async def withdraw(self, job: Job) -> list[Job]:
        """Cancel a job, or all of its sheet, whose message is gone; return what was cancelled."""
        if job.spec.sheet is not None:
            return await self._jobs.cancel_sheet(job.spec.sheet.key, by=None)
        cancelled = await self._jobs.cancel(job.id, by=None)
        return [] if cancelled is None else [cancelled]

    async def conclude(self, job: Job, *, resumed: bool = False) -> Job:
        """Give a job's message, or that of its sheet, its last word, as ``Courier.conclude`` does."""
        sheet = job.spec.sheet
        if sheet is None:
            return await self._courier.conclude(job, resumed=resumed)
        cells = await self._jobs.sheet(sheet.key)
        if any(cell.state in _LIVE for cell in cells):
            return self._known_anew(cells)
        whole = _whole(cells)
        if not (resumed and whole.state is State.PAINTED and await self._messenger.shows_result(whole)):
            try:
                whole = await self._post(whole, cells)
            except GoneError:
                return self._known_anew(await self._jobs.sheet(sheet.key))
            except BlockedError as blocked:
                if blocked.obstacle is not Obstacle.GONE:
                    self._courier.meter(Retried())
                    raise
                self._courier.meter(Undelivered())
                await self._jobs.cancel_sheet(sheet.key, by=None)
        told = await self._courier.tell([cell.id for cell in cells])
        self._sheets.pop(sheet.key, None)
        whole = replace(_whole(told), address=whole.address)
        await self._courier.ping(whole)
        return whole

    def _of(self, job: Job) -> _Cells | None:
        return None if job.spec.sheet is None else self._sheets.get(job.spec.sheet.key)

    def _known_anew(self, cells: Sequence[Job]) -> Job:
        """Take note of how all cells stand now, for some have to be painted yet."""
        for cell in cells:
            if (known := self._of(cell)) is not None:
                known.jobs[cell.id] = cell
        return self.whole(cells[0])

    async def _post(self, whole: Job, cells: Sequence[Job]) -> Job:
        """Bring the sheet to its message and return the job that stands for it, as addressed.

        Raises ``GoneError`` as ``_compose`` does, and ``BlockedError`` with ``LATER``: try again.
        """
        if whole.state is not State.PAINTED:
            plain = explore.failed(whole) if whole.state is State.FAILED else explore.cancelled(whole)

            async def make(_: int) -> Sequence[Card]:
                return (plain,)
        else:
            composed = await self._compose(cells)
            if not await self._reviewing.lets_show(cells):
                # They could not be read, or were other ones, when they were looked at: that has to be done again.
                raise BlockedError(Obstacle.LATER)
            make = partial(self._cards, cells, composed)
        address = (await self._courier.post(whole, make)).address
        return whole if address == whole.address else await self.move(whole, address)

    async def _cards(self, cells: Sequence[Job], composed: Encoded, max_bytes: int) -> Sequence[Card]:
        encoded = await self._imaging.fit(composed.data, composed.media_type, max_bytes)
        first = cells[0]
        parent = await self._jobs.get(first.spec.parent) if first.spec.parent is not None else None
        chosen = await self._preferences.effective(Asker.of(first))
        card = explore.finished(
            cells,
            await self._messenger.author(first.user),
            explore.picture(cells, encoded.data, encoded.media_type),
            (cards.REDUCED,) if encoded.reduced else (),
            lineage=lineage.line(first, parent),
            accent=chosen.accent,
        )
        return (card,)

    async def _compose(self, cells: Sequence[Job]) -> Encoded:
        """Draw the sheet; raises ``GoneError`` if a picture cannot be read and is painted again."""
        sheet = cells[0].spec.sheet
        if sheet is None:
            raise LookupError(cells[0].id)
        axes = sheets.Axes(sheet.across, sheet.columns, sheet.down, sheet.rows)
        drawn, gone = [], []
        for cell in cells:
            picture = None
            try:
                picture = await self._small(cell, axes)
            except GoneError:
                gone.append(cell)
            drawn.append(sheets.Cell(picture, explore.word(cell)))
        for cell in gone:
            log.warning("picture unreadable, painting again", job=cell.id)
            await self._jobs.repaint(cell.id)
        if gone:
            raise GoneError("")
        return await self._imaging.run(sheets.sheet, drawn, axes)

    async def _small(self, cell: Job, axes: sheets.Axes) -> bytes | None:
        if cell.state is not State.PAINTED or cell.result is None:
            return None
        data = await self._blobs.get(cell.result.pictures[0].blob)
        try:
            return await self._imaging.run(sheets.shrunk, data, axes)
        except RequestError:
            return None


def _index(job: Job) -> int:
    return job.spec.sheet.index if job.spec.sheet is not None else 0


def _whole(cells: Sequence[Job], state: State | None = None) -> Job:
    """Return the job that stands for all ``cells``, of which there is one: by default in what they came to."""
    states = [cell.state for cell in cells]
    came_to = (State.DELIVERED, State.PAINTED, State.FAILED, State.CANCELLED)
    state = state or next(each for each in came_to if each in states)
    failures = [cell.failure for cell in cells if cell.failure]
    failure = next((each for each in failures if each.withheld), failures[0] if failures else None)
    by = next((cell.cancelled_by for cell in cells if cell.cancelled_by), None)
    return replace(
        cells[0],
        state=state,
        started_at=min((cell.started_at for cell in cells if cell.started_at is not None), default=None),
        result=None,
        failure=failure if state is State.FAILED else None,
        cancelled_by=by if state is State.CANCELLED else None,
    )
