"""Whose word it is: of all processes that share a queue, one at a time speaks in a job's message.

Whoever accepts a job has the floor. Whoever paints it asks for it and delivers the result by itself; whoever has
it lets go between two edits, never in the middle of one. What a process had that died, the others take over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from time import monotonic

import structlog

from bot.delivery.board import Board
from bot.domain.errors import AwayError
from bot.domain.job import Job, State
from bot.domain.ports import Progress
from bot.jobs.floors import ENDED, NOBODY, Floors
from bot.jobs.notices import Notices
from bot.jobs.service import Jobs

log = structlog.get_logger(__name__)

LOOK_S = 0.05
"""How long news of a job are left lying: most are of this process's own doing, and known by then."""
ASK_AGAIN_S = 5.0
"""How often a floor is asked for, and orphans are looked for."""
PROGRESS_S = 0.5
"""How often another process is told how far a job is."""
MOST = 50
"""Most jobs that are taken over at once, but for those of one sheet, which stay together."""
_REMEMBERED = 1000
"""Floors remembered as given away, for whoever still has the row of before."""
_WORTH_ASKING = frozenset({State.RUNNING, State.PAINTED})


class Floor:
    """Implements the ``Announcer`` port before the ``Board``: what others are to show goes to them.

    What is ``examined`` before it is shown stays with a process that ``owns`` its server, for moderators' words
    come there. ``adopts``: this one takes over what the dead leave behind; it knows how to examine.
    """

    def __init__(
        self,
        jobs: Jobs,
        floors: Floors,
        notices: Notices,
        board: Board,
        *,
        owns: Callable[[int | None], bool],
        examined: Callable[[Job], Awaitable[bool]],
        adopts: bool,
    ) -> None:
        self._jobs = jobs
        self._floors = floors
        self._notices = notices
        self._board = board
        self._owns = owns
        self._examined = examined
        self._adopts = adopts
        self._news: set[int] = set()
        self._asked: dict[int, int] = {}
        self._wanted: dict[int, Job] = {}
        self._asking: set[int] = set()
        self._given: dict[int, None] = {}
        self._told_at: dict[int, float] = {}
        self._progress: dict[int, Progress] = {}
        self._due = asyncio.Event()
        self._painted: set[int] = set()
        self._orphaned = self._missed = True
        notices.hear("job", self._hear_job)
        notices.hear("ask", self._hear_ask)
        notices.hear("progress", self._hear_progress)
        notices.hear("left", lambda _said: self._look_for_orphans())
        notices.missed(self._look_at_all)

    def changed(self, job: Job) -> None:
        """Show the job's new state, or see to it that whoever speaks for it does."""
        if self._floors.has(job) and job.id not in self._given:
            self._show(job)
        elif job.state in _WORTH_ASKING and job.spec.sheet is None and job.told_at is None:
            self._wanted.setdefault(job.id, job)
            self._due.set()
        else:
            self._forget(job.id)

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Show how far the job is, or tell whoever speaks for it."""
        if self._board.known(job_id):
            self._board.progressed(job_id, progress)
        elif monotonic() - self._told_at.get(job_id, 0.0) >= PROGRESS_S:
            self._told_at[job_id] = monotonic()
            self._progress[job_id] = progress
            self._due.set()

    def forsake(self, job: Job) -> None:
        """Show once that a job was cancelled whose row is gone."""
        self._board.forsake(job)

    def lose(self) -> None:
        """Speak for nobody any more: the others took this process for dead."""
        self._board.drop_all()
        self._given.clear()
        self._asked.clear()
        self._look_at_all()

    async def run(self) -> None:
        """Give and take floors until cancelled."""
        beat_at = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN_S):
                    await self._due.wait()
            self._due.clear()
            await asyncio.sleep(LOOK_S)
            try:
                beat = monotonic() - beat_at >= ASK_AGAIN_S
                beat_at = monotonic() if beat else beat_at
                await self._pass_on()
                await self._give()
                if beat or self._missed:
                    await self._compare()
                await self._look()
                await self._tell()
                await self._ask(again=beat)
                if self._adopts and (beat or self._orphaned):
                    self._orphaned = False
                    await self._adopt()
            except AwayError as error:
                log.warning("floors not looked after", reason=type(error).__name__)
                self._orphaned = self._missed = True
            except Exception:
                # Nothing here may end the process; what was missed is looked for again.
                log.exception("floors not looked after")
                self._orphaned = self._missed = True

    def _show(self, job: Job) -> None:
        """Draw a job's message; whether what is painted may be shown by this process is looked at again."""
        if job.state is State.PAINTED and job.spec.sheet is None and not self._owns(job.address.guild_id):
            self._painted.add(job.id)
            self._due.set()
        self._board.changed(job)

    def _look_at_all(self) -> None:
        self._missed = True
        self._look_for_orphans()

    def _look_for_orphans(self) -> None:
        self._orphaned = True
        self._due.set()

    def _hear_job(self, said: str) -> None:
        job_id, speaker, state = said.split()
        if int(speaker) != self._floors.node:
            # Should it be this process that spoke till now, it was taken for dead.
            if self._board.known(int(job_id)):
                self._let_go(int(job_id), int(speaker))
        elif (known := self._board.known(int(job_id))) is None or known.state != state:
            self._news.add(int(job_id))
            self._due.set()

    def _hear_ask(self, said: str) -> None:
        job_id, node, speaker = map(int, said.split())
        if speaker == self._floors.node != node:
            self._let_go(job_id, node)

    def _let_go(self, job_id: int, node: int) -> None:
        self._asked[job_id] = node
        self._due.set()

    def _hear_progress(self, said: str) -> None:
        job_id, fraction, step, steps, eta_s = said.split()
        if self._board.known(int(job_id)):
            self._board.progressed(
                int(job_id), Progress(float(fraction), int(step), int(steps), float(eta_s) or None)
            )

    async def _pass_on(self) -> None:
        """Leave what has to be examined since it was taken over to the process that its server belongs to."""
        while self._painted:
            job_id = self._painted.pop()
            known = self._board.known(job_id)
            if known is not None and await self._examined(known):
                self._asked[job_id] = NOBODY

    async def _give(self) -> None:
        """Let go of what was asked for; what is being drawn a moment later."""
        for job_id, node in tuple(self._asked.items()):
            known = self._board.known(job_id) or await self._jobs.get(job_id)
            if known is not None and self._floors.has(known) and await self._keeps(known):
                del self._asked[job_id]
                continue
            if not self._board.drop(job_id):
                self._due.set()
                continue
            del self._asked[job_id]
            self._given[job_id] = None
            while len(self._given) > _REMEMBERED:
                del self._given[next(iter(self._given))]
            if not await self._floors.give(job_id, node):
                self._given.pop(job_id, None)
                self._news.add(job_id)
            elif node == NOBODY:
                await self._notices.tell("left")

    async def _compare(self) -> None:
        """Find out what became of jobs without a notice of it: all of them once some were missed."""
        everything, self._missed = self._missed, False
        own = await self._floors.own(list(State) if everything else ENDED)
        self._news |= {job_id for job_id, stands in own.items() if stands != _stands(self._board.known(job_id))}
        if everything:
            self._news |= self._board.drawn() - own.keys()

    async def _look(self) -> None:
        """Show what became of jobs that this process speaks for by the doing of others."""
        while self._news:
            job_id = self._news.pop()
            known = self._board.known(job_id)
            job = await self._jobs.get(job_id)
            if job is None:
                if known is not None:
                    self._board.forsake(known)
            elif self._floors.has(job) and job.told_at is None:
                self._given.pop(job_id, None)
                self._forget(job_id)
                # What is drawn as it stands, or is newer than what was read, is of this process's own doing.
                if self._board.known(job_id) is known and _stands(known) != _stands(job):
                    self._show(job)

    async def _tell(self) -> None:
        for job_id, progress in tuple(self._progress.items()):
            del self._progress[job_id]
            numbers = (progress.step, progress.steps, progress.eta_s or 0.0)
            await self._notices.tell("progress", " ".join(map(str, (job_id, progress.fraction, *numbers))))

    async def _ask(self, *, again: bool) -> None:
        """Ask for the floors of what is painted here: once, and then again from time to time."""
        for job_id, job in tuple(self._wanted.items()):
            if job_id in self._asking and not again:
                continue
            known = await self._jobs.get(job_id) if again else job
            if known is None or known.told_at is not None or known.state not in _WORTH_ASKING:
                self._forget(job_id)
            elif await self._may_speak(known):
                self._asking.add(job_id)
                await self._notices.tell("ask", f"{job_id} {self._floors.node} {known.speaker}")
            else:
                self._forget(job_id)

    async def _adopt(self) -> None:
        """Take over what nobody speaks for who lives."""
        free = [job for job in await self._floors.orphans() if await self._may_speak(job)]
        for ids in _batches(free):
            for job in await self._floors.adopt(ids):
                log.info("floor taken over", job=job.id, guild=job.address.guild_id, state=job.state.value)
                self._forget(job.id)
                self._given.pop(job.id, None)
                self._board.adopt(job)

    async def _keeps(self, job: Job) -> bool:
        return self._owns(job.address.guild_id) and await self._examined(job)

    async def _may_speak(self, job: Job) -> bool:
        return self._owns(job.address.guild_id) or not await self._examined(job)

    def _forget(self, job_id: int) -> None:
        self._wanted.pop(job_id, None)
        self._asking.discard(job_id)
        self._told_at.pop(job_id, None)


def _stands(job: Job | None) -> tuple[State, int] | None:
    return None if job is None else (job.state, job.attempt)


def _batches(found: Iterable[Job]) -> Iterator[list[int]]:
    """Yield the ids of jobs, those of one sheet together: it is shown by one process."""
    together: dict[object, list[int]] = {}
    for job in found:
        together.setdefault(job.spec.sheet.key if job.spec.sheet else job.id, []).append(job.id)
    batch: list[int] = []
    for ids in together.values():
        batch += ids
        if len(batch) >= MOST:
            yield batch
            batch = []
    if batch:
        yield batch
