"""What people see of their jobs while they wait: one message each, edited at a calm pace, latest state wins."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from operator import attrgetter

import structlog

from bot.delivery.budget import delivering
from bot.delivery.courier import Courier
from bot.delivery.inviting import Inviting
from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.delivery.sheets import Sheets
from bot.delivery.slates import Slate, visible
from bot.delivery.turns import PutOffError, Turns
from bot.domain.asker import Asker
from bot.domain.job import Job, State
from bot.domain.ports import Clock, Progress
from bot.domain.roster import Outage
from bot.jobs.service import Jobs
from bot.services.fleet import Fleet
from bot.services.preferences import Preferences
from bot.services.reviewing import Reviewing
from bot.services.routing import Routing
from bot.ui import cards, reviews
from bot.ui.card import Card

log = structlog.get_logger(__name__)

GRACE_S = 1.0
"""A job this fast gets no status at all: its message goes straight from "thinking" to the result."""
QUIET_S = 2.0
"""A job painted faster than this shows no progress."""
FAR_AHEAD = 20
FAR_INTERVAL_S = 30.0
"""How often the place is renewed for those who still have more than ``FAR_AHEAD`` jobs before them."""
FEW = 100
LOOK_S = 0.4
"""How soon places are read again once the line moved, as long as no more than ``FEW`` wait."""
AGED_S = 55 * 60
"""Edits of messages over an hour old are limited (Discord error 30046): from here on only states are shown."""
RETRY_S = (1.0, 300.0)
"""First and longest pause in seconds before Discord is asked again to take a message."""


class Board:
    """Implements the ``Announcer`` port: keeps every job's message true until it has the last word.

    One edit in flight and one pending per message. Deliveries go before changes of state, those before
    progress and place; who may call Discord when is for ``Turns`` to say, and what a message shows is drawn when
    its turn has come. ``interval_s`` is the least time in seconds between two edits of progress or place.
    """

    def __init__(
        self,
        jobs: Jobs,
        fleet: Fleet,
        routing: Routing,
        messenger: Messenger,
        courier: Courier,
        sheets: Sheets,
        preferences: Preferences,
        reviewing: Reviewing,
        *,
        clock: Clock,
        interval_s: float = 2.0,
        deliveries: int = 8,
        edits: int = 16,
    ) -> None:
        self._jobs = jobs
        self._fleet = fleet
        self._routing = routing
        self._messenger = messenger
        self._sheets = sheets
        self._preferences = preferences
        self._reviewing = reviewing
        self._clock = clock
        self._interval_s = interval_s
        self._turns = Turns(messenger, deliveries=deliveries, edits=edits)
        self._inviting = Inviting(courier, self._turns)
        self._slates: dict[int, Slate] = {}
        self._moved = asyncio.Event()
        self._outages_since: dict[str, float] = {}
        self._tasks: asyncio.TaskGroup | None = None

    def changed(self, job: Job) -> None:
        """Show the job's new state at once; one that may be over in a moment is not shown before that moment."""
        self._moved.set()
        job = self._sheets.whole(job)
        slate = self._slates.get(job.id)
        if slate is None:
            if job.told_at is not None:
                return
            slate = self._slates[job.id] = Slate(job)
        slate.job = job
        slate.wanted += 1
        if job.state is not State.RUNNING:
            slate.progress = None
        if _last(job):
            slate.overtake()
        fresh = slate.drawn < 0 and not slate.resumed
        if fresh and job.state is State.RUNNING:
            slate.unschedule()
            self._schedule(slate, QUIET_S)
        else:
            unchanged = self._calm(slate) if job.state is slate.drawn_state else 0.0
            self._schedule(slate, GRACE_S if fresh and job.state is State.QUEUED else unchanged)

    def forsake(self, job: Job) -> None:
        """Show once that a job was cancelled whose row is gone, whatever comes of it."""
        job = self._sheets.forsake(job)
        slate = self._slates.get(job.id)
        if slate is not None:
            slate.job, slate.forsaken = replace(job, state=State.CANCELLED), True
            slate.wanted += 1
            slate.overtake()
            self._schedule(slate, 0.0)

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Show how far the job is, when its message may be edited next."""
        job_id, progress = self._sheets.progressed(job_id, progress)
        slate = self._slates.get(job_id)
        if slate is None or slate.job.state is not State.RUNNING:
            return
        if progress.preview is None and slate.progress is not None:
            progress = Progress(
                progress.fraction, progress.step, progress.steps, progress.eta_s, slate.progress.preview
            )
        slate.progress = progress
        slate.wanted += 1
        now = self._clock()
        if now - slate.job.created_at < AGED_S and now - (slate.job.started_at or now) >= QUIET_S:
            self._schedule(slate, self._calm(slate))

    def known(self, job_id: int) -> Job | None:
        """Return a job whose message is drawn here, as it was when that was last looked at."""
        slate = self._slates.get(self._sheets.standing_for(job_id))
        return None if slate is None else self._sheets.known(slate.job, job_id)

    def adopt(self, job: Job) -> None:
        """Draw the message of a job that another process drew, which died over it, perhaps in the middle."""
        job = self._sheets.whole(job)
        slate = self._slates.setdefault(job.id, Slate(job, resumed=True))
        slate.job = job
        slate.wanted += 1
        self._schedule(slate, 0.0)

    def drawn(self) -> set[int]:
        """Return the ids of the jobs whose messages are drawn here."""
        return set(self._slates)

    def drop(self, job_id: int) -> bool:
        """Draw the message of a job no more; ``False``: it is being drawn just now."""
        slate = self._slates.get(job_id)
        if slate is None:
            return True
        if slate.busy:
            return False
        slate.unschedule()
        del self._slates[job_id]
        return True

    def drop_all(self) -> None:
        """Draw nothing any more of what there is; what is being drawn just now is not drawn again."""
        for slate in self._slates.values():
            slate.unschedule()
        self._slates.clear()
        self._sheets.forget_all()

    async def run(self) -> None:
        """Draw until cancelled; picks up every job that an earlier life left without its last word."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            unfinished = (*await self._jobs.untold(), *await self._jobs.live())
            for each in sorted(filter(self._jobs.speaks_for, unfinished), key=attrgetter("id")):
                job = self._sheets.whole(each)
                if job.id not in self._slates:
                    self._slates[job.id] = Slate(job, resumed=True)
                elif job.spec.sheet is not None:
                    self._slates[job.id].job = job
            for slate in self._slates.values():
                slate.wanted += 1
                self._schedule(slate, 0.0)
            try:
                await self._renew_places()
            finally:
                self._tasks = None

    async def settle(self, timeout_s: float) -> None:
        """Wait at most ``timeout_s`` for last words, and for jobs put back in line that still show as painting."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while any(map(self._owes, self._slates.values())):
            if asyncio.get_running_loop().time() > deadline:
                log.warning("left for the next start", messages=len(self._slates))
                return
            await asyncio.sleep(0.05)

    def _owes(self, slate: Slate) -> bool:
        put_back = slate.job.state is State.QUEUED and slate.drawn_state is State.RUNNING
        return (_last(slate.job) and not self._reviewing.is_held(slate.job)) or put_back

    def _calm(self, slate: Slate) -> float:
        return max(0.0, slate.drawn_at + self._interval_s - asyncio.get_running_loop().time())

    def _schedule(self, slate: Slate, delay_s: float) -> None:
        if slate.busy:
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_s
        if slate.timer is not None:
            if slate.timer.when() <= due:
                return
            slate.unschedule()
        slate.timer = loop.call_at(due, self._launch, slate)

    def _launch(self, slate: Slate) -> None:
        slate.timer = None
        if self._tasks is not None and not slate.busy:
            slate.busy = True
            self._tasks.create_task(self._draw(slate), name=f"message of job {slate.job.id}")

    async def _draw(self, slate: Slate) -> None:
        """Bring the message up to date once; whatever fails is tried again, later each time."""
        delay_s = 0.0
        structlog.contextvars.clear_contextvars()  # a timer has those of whoever set it
        structlog.contextvars.bind_contextvars(job=slate.job.id, guild=slate.job.address.guild_id)
        try:
            if _last(slate.job):
                # To find that out may take a while, and takes no turn from others.
                await self._reviewing.keeps_back(slate.job)
            async with self._turn(slate):
                await self._draw_latest(slate)
            slate.failures = 0
        except PutOffError:
            log.debug("status put off", job=slate.job.id)
        except BlockedError as blocked:
            delay_s = self._setback(slate)
            log.info("message not taken", job=slate.job.id, reason=blocked.obstacle.value, retry_s=delay_s)
        except Exception:
            # Whatever went wrong here must not cost anybody a picture: it is stored and tried again.
            delay_s = self._setback(slate)
            if not slate.forsaken:  # else its row went in the middle of this
                log.exception("message not drawn", job=slate.job.id, retry_s=delay_s)
        finally:
            slate.busy = False
            slate.drawn_at = asyncio.get_running_loop().time()
        if slate.job.id in self._slates and (slate.wanted != slate.drawn or delay_s):
            new_state = slate.job.state is not slate.drawn_state
            self._schedule(slate, delay_s or (0.0 if new_state else self._calm(slate)))

    @asynccontextmanager
    async def _turn(self, slate: Slate) -> AsyncIterator[None]:
        """Wait for leave to call Discord; raises ``PutOffError`` where a last word came meanwhile."""
        if _last(slate.job):
            async with self._turns.last_word(slate.job):
                yield
            return
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(None) as slate.patience:
                    news = slate.job.state is not slate.drawn_state
                    await held.enter_async_context(self._turns.status(slate.job, news=news))
            except TimeoutError:
                raise PutOffError from None
            finally:
                slate.patience = None
            yield

    def _setback(self, slate: Slate) -> float:
        slate.failures += 1
        # It may have got through all the same: the next try looks at the message first.
        slate.resumed = slate.resumed or _last(slate.job)
        first, longest = RETRY_S
        return min(longest, first * 2.0 ** min(slate.failures - 1, 20))

    async def _draw_latest(self, slate: Slate) -> None:
        job, wanted = slate.job, slate.wanted
        if not self._jobs.sure:
            raise BlockedError(Obstacle.LATER)
        if slate.forsaken:
            self._slates.pop(job.id, None)
            await self._messenger.edit(job, cards.cancelled(job))
        elif _last(job) and not await self._reviewing.keeps_back(job):
            if slate.wanted != wanted:
                return
            with delivering():
                concluded = await self._sheets.conclude(job, resumed=slate.resumed)
            slate.resumed = False
            if concluded.told_at is None:
                if slate.wanted == wanted:
                    slate.job, slate.wanted = concluded, wanted + 1
                return
            if slate.wanted == wanted:
                self._slates.pop(job.id, None)
            if self._tasks is not None:
                self._tasks.create_task(self._inviting.invite(concluded), name=f"reaction of job {job.id}")
        else:
            try:
                shown = self._sheets.shown(job)
                card = await self._card(slate, shown)
                await self._show(slate, self._sheets.counted(job, shown, card))
            except BlockedError as blocked:
                await self._unshown(slate, blocked)
        slate.drawn, slate.drawn_state = wanted, job.state

    async def _show(self, slate: Slate, card: Card) -> None:
        if slate.job.address.message_id is None:
            address = await self._messenger.create(slate.job, card)
            moved = await self._sheets.move(slate.job, address)
            if slate.job.address.message_id is None:
                slate.job = replace(slate.job, address=moved.address)
        else:
            await self._messenger.edit(slate.job, card)

    async def _unshown(self, slate: Slate, blocked: BlockedError) -> None:
        """Cancel the job if its message is gone, for then nobody waits; else a status not shown is no matter."""
        if blocked.obstacle is Obstacle.LATER:
            raise blocked
        if blocked.obstacle is Obstacle.GONE:
            for cancelled in await self._sheets.withdraw(slate.job):
                self.changed(cancelled)

    async def _card(self, slate: Slate, job: Job) -> Card:
        if job.state is State.PAINTED:
            return reviews.held(job)
        if job.state is State.RUNNING:
            hidden, backend = await self._reviewing.looks_first(job), await self._told_backend(job)
            return cards.painting(job, slate.progress, backend=backend, hidden=hidden)
        if self._routing.is_held(job):
            return cards.paused(job)
        outage = self._outage(job)
        if outage is not None:
            return cards.no_painter(job, outage.since, outage.error)
        slate.place = await self._jobs.place(job.id)
        return cards.waiting(job, slate.place)

    async def _told_backend(self, job: Job) -> str | None:
        """Return who paints, where the server wants it told."""
        return job.backend if (await self._preferences.effective(Asker.of(job))).show_backend else None

    def _outage(self, job: Job) -> Outage | None:
        """Return why nobody can paint a job now, if it is so."""
        return self._fleet.outage(self._routing.members(job.lane))

    def _outages(self) -> dict[str, float]:
        """Return since when each lane that waits has nobody who paints."""
        found = {job.lane: self._outage(job) for _, job in self._in_line()}
        return {lane: outage.since for lane, outage in found.items() if outage is not None}

    async def _renew_places(self) -> None:
        """Whenever the line moved, and as time passes, renew what those who wait see of their place."""
        while True:
            await self._until_moved()
            since = self._outages()
            turned = since != self._outages_since
            if not (turned or self._moved.is_set() or len(self._slates) <= FEW):
                continue
            self._moved.clear()
            try:
                await self._renew(turned=turned)
            except Exception:
                # A place that is shown late harms nobody; it is read again in a moment.
                log.exception("places not renewed")
                self._moved.set()
            else:
                self._outages_since = since

    async def _until_moved(self) -> None:
        """Wait until places may have changed; a long line is read less often, for that takes its time."""
        few = len(self._slates) <= FEW
        with suppress(TimeoutError):
            async with asyncio.timeout(self._interval_s):
                await self._moved.wait()
        await asyncio.sleep(LOOK_S if few else self._interval_s)

    def _in_line(self) -> Iterator[tuple[Slate, Job]]:
        """Yield the messages that show a place in line, and whose it is."""
        shown = ((slate, self._sheets.shown(slate.job)) for slate in self._slates.values())
        return ((slate, job) for slate, job in shown if job.state is State.QUEUED)

    async def _renew(self, *, turned: bool) -> None:
        waiting = [(slate, job) for slate, job in self._in_line() if not self._routing.is_held(job)]
        places = await self._jobs.places([job.id for _, job in waiting]) if waiting else {}
        now = self._clock()
        for slate, job in waiting:
            place = places.get(job.id)
            if not turned and (place is None or visible(place) == visible(slate.place)):
                continue
            if not turned and now - slate.job.created_at > AGED_S:
                continue
            slate.place = place
            slate.wanted += 1
            far = place is not None and place.ahead > FAR_AHEAD and not turned
            self._schedule(slate, FAR_INTERVAL_S if far else self._calm(slate))


def _last(job: Job) -> bool:
    return job.state in {State.PAINTED, State.FAILED, State.CANCELLED}
