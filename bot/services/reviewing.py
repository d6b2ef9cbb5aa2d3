"""Holding results until a moderator has looked at them: whose, where, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.errors import DeniedError, Failure, GoneError, RequestError
from bot.domain.job import Job, State
from bot.domain.permits import mentions
from bot.domain.ports import Clock, SettingsStore
from bot.domain.reviewing import Cause, Finding, Review, ReviewRule, Verdict
from bot.domain.text import N_, Mention
from bot.jobs.reviews import Decision, Reviews
from bot.jobs.service import Jobs
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.blocking import Blocking
from bot.services.examining import CLEAN, Examining
from bot.services.preferences import Preferences

log = structlog.get_logger(__name__)

_SCOPE = "review"
_CLEARED = 1000
"""Results remembered as looked at, until their messages show them."""
DECLINED = Failure(
    N_("Moderators of this server declined this picture."), N_("Ask one of them why."), withheld=True
)
NOT_SHOWN = Failure(
    N_("This picture seems to be for adults only, and is not shown here."),
    N_("Ask for such pictures in an age-restricted channel, or change the prompt."),
    withheld=True,
)
NOT_CHECKED = Failure(
    N_("Pictures are checked here before they are shown, and that does not work right now."),
    N_("Try again later. If it stays so, tell the host of this bot."),
    withheld=True,
)


def _told(rule: ReviewRule) -> dict[str, object]:
    """Return a rule as the log tells it."""
    channel = Mention(f"<#{rule.channel}>") if rule.channel else None
    return rule.values() | {"channel": channel, "trusted_role": mentions(filter(None, [rule.trusted_role]))}


class Reviewing:
    """Keeps results back, from everybody and on every way to them, that moderators look at first.

    ``keep_s`` is how long a result waits for them, in seconds.
    """

    def __init__(
        self,
        store: Reviews,
        settings: SettingsStore,
        jobs: Jobs,
        preferences: Preferences,
        authority: Authority,
        auditing: Auditing,
        blocking: Blocking,
        examining: Examining,
        *,
        keep_s: float,
        clock: Clock,
    ) -> None:
        self._store = store
        self._settings = settings
        self._jobs = jobs
        self._preferences = preferences
        self._authority = authority
        self._auditing = auditing
        self._blocking = blocking
        self._examining = examining
        self._keep_s = keep_s
        self._clock = clock
        self._changed: Callable[[Job], None] = lambda _job: None
        self._due: Callable[[], None] = lambda: None
        self._rules: dict[int, ReviewRule] = {}
        self._open: dict[int, Review] = {}
        self._reviews_of: dict[int, int] = {}
        self._cleared: dict[tuple[int, int], None] = {}

    def on_change(self, changed: Callable[[Job], None], due: Callable[[], None]) -> None:
        """Have ``changed`` called with each job that a decision moved, ``due`` when a card has to be drawn."""
        self._changed, self._due = changed, due

    async def load(self) -> None:
        """Take up what an earlier life left held, before any message is drawn."""
        await self._blocking.load()
        for review in await self._store.unfinished():
            job = await self._jobs.get(review.job_id)
            self._take_up(review, [] if job is None else await self._cells(job))

    async def rule(self, guild_id: int) -> ReviewRule:
        """Return what a server has held."""
        known = self._rules.get(guild_id)
        if known is None:
            stored = ReviewRule.of(await self._settings.load(_SCOPE, guild_id))
            known = self._rules.setdefault(guild_id, stored)
        return known

    async def managed(self, asker: Asker) -> int:
        """Return the server's id if ``asker`` manages it; raises ``DeniedError`` or ``RequestError``."""
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use it in a server that I belong to."))
        return await self._authority.check(
            asker, N_("Only members with Manage Server may change the review."), N_("See how it is: /review show")
        )

    async def set(self, asker: Asker, **changes: Any) -> ReviewRule:
        """Change what a server has held and return all of it; raises as ``managed`` does."""
        guild_id = await self.managed(asker)
        former = await self.rule(guild_id)
        rule = replace(former, **changes)
        await self._settings.save(_SCOPE, guild_id, rule.values(), guild_id)
        self._rules[guild_id] = rule
        self._due()
        await self._auditing.record(asker, differences(_told(former), _told(rule)))
        return rule

    @property
    def classifies(self) -> bool:
        """Whether pictures are looked at by a classifier."""
        return self._examining.is_on

    def waiting(self, guild_id: int) -> list[Review]:
        """Return what a server's moderators have to look at, the oldest first."""
        held = (each for each in self._open.values() if each.guild_id == guild_id)
        return sorted((each for each in held if each.verdict is Verdict.HELD), key=lambda each: each.at)

    def check(self, asker: Asker) -> None:
        """Raise ``DeniedError`` if this server takes no order of theirs."""
        self._blocking.check(asker)

    async def trusts(self, asker: Asker) -> bool:
        """Return whether somebody has the role whose results need not be looked at first."""
        if asker.guild_id is None:
            return False
        return (await self.rule(asker.guild_id)).trusted_role in asker.roles

    def is_held(self, job: Job) -> bool:
        """Return whether a moderator has to decide on a job, or on the sheet that it is a cell of."""
        review = self._open.get(self._reviews_of.get(job.id, 0))
        return review is not None and review.verdict is Verdict.HELD

    async def check_seen(self, job: Job) -> None:
        """Raise the ``BotError`` that says why nobody may see what came of a job, if that is so."""
        if job.failure is not None and job.failure.withheld:
            raise DeniedError(job.failure.message, job.failure.hint, **job.failure.values)
        if self.is_held(job):
            raise DeniedError(
                N_("A moderator looks at this picture first."), N_("It is shown once they have approved it.")
            )
        if job.state is State.PAINTED and _of(job) not in self._cleared and await self._may_be_held(job):
            raise RequestError(N_("There is no picture there yet."), N_("Wait until it is painted."))

    async def keeps_back(self, job: Job) -> bool:
        """Return whether a job's pictures are not to be shown (yet); the first time this takes a while.

        ``job`` may stand for all of its sheet. One that is not to be shown at all ends here.
        """
        if job.state is not State.PAINTED:
            await self._withdraw(job)
            return False
        if self.is_held(job):
            # It may have been painted again, for its card.
            self._due()
            return True
        cells = await self._cells(job)
        live = any(not cell.state.ended and cell.state is not State.PAINTED for cell in cells)
        if live or await self.lets_show(cells):
            return False
        try:
            held = await self._judged(cells)
        except GoneError:
            # Whoever shows it finds that out, and has it painted again.
            return False
        if not held:
            self._clear(cells)
        return held

    async def lets_show(self, cells: Sequence[Job]) -> bool:
        """Return whether all painted ones of ``cells``, which share a message, were looked at or need no look."""
        painted = [cell for cell in cells if cell.state is State.PAINTED]
        return all(_of(cell) in self._cleared for cell in painted) or not await self._may_be_held(cells[0])

    async def looks_first(self, job: Job) -> bool:
        """Return whether a classifier or moderators may look at a job's pictures before they are shown."""
        if self._examining.is_on:
            return True
        guild_id = _guild(job)
        return guild_id is not None and (await self.rule(guild_id)).cause(trusted=job.spec.trusted) is not None

    async def approve(self, job_id: int, asker: Asker) -> Decision:
        """Let a held result be delivered; raises ``DeniedError``, or ``GoneError`` if nothing is known of it.

        Raises ``RequestError`` while it is painted again.
        """
        job = await self._decidable(job_id, asker)
        own = job is not None and job.user == asker.user_id
        if own and not await self._authority.manages(asker):
            raise DeniedError(
                N_("This is your own picture."),
                N_("Another moderator has to look at it, or who manages the server."),
            )
        return await self._decided(await self._store.approve(job_id, asker.user_id))

    async def deny(self, job_id: int, asker: Asker, *, block: bool) -> Decision:
        """End a held result with a strike for its asker, who is blocked too if so wished; raises the same."""
        await self._decidable(job_id, asker)
        rule = await self.rule(asker.guild_id or 0)
        decision = await self._store.deny(
            job_id, asker.user_id, DECLINED, strikes_to_block=rule.strikes_to_block, block=block
        )
        decision = await self._decided(decision)
        until = decision.sentence.blocked_until if decision.sentence else None
        if until is not None:
            self._blocking.note(decision.review.guild_id, decision.jobs[0].user, until)
        return decision

    async def lapse(self) -> None:
        """End what nobody decided on in its time."""
        days = round(self._keep_s / 86400)
        failure = Failure(
            N_("No moderator looked at this picture within {days} days."),
            N_("Ask one of them, then order it again."),
            {"days": days},
            withheld=True,
        )
        for decision in await self._store.lapse(self._keep_s, failure):
            await self._decided(decision)

    def due(self) -> list[Review]:
        """Return the reviews whose card is not there, or does not say yet what was decided."""
        return [review for review in self._open.values() if review.shown is not review.verdict]

    async def posted(self, job_id: int, channel_id: int, message_id: int) -> None:
        """Note where the card of a review is."""
        await self._store.post(job_id, channel_id, message_id)
        known = self._open.get(job_id)
        if known is not None:
            self._open[job_id] = replace(known, channel_id=channel_id, message_id=message_id, shown=Verdict.HELD)

    async def found(self, job_id: int, asker: Asker, message_id: int) -> None:
        """Note where a card is that was posted in an earlier life, which ended before it could do so."""
        review = self._open.get(job_id)
        if review is not None and review.shown is None and review.guild_id == asker.guild_id:
            await self.posted(job_id, asker.channel_id or 0, message_id)

    async def shown(self, review: Review) -> None:
        """Note that the card says what was decided, or that there is none to say it."""
        if review.shown is not None:
            await self._store.show(review.job_id, review.verdict)
        self._drop(review.job_id)

    async def lost(self, message_id: int | None = None, *, channel_id: int | None = None) -> None:
        """Have the cards posted again that were deleted, one or all of a channel."""
        for review in list(self._open.values()):
            gone = message_id in {None, review.message_id} and channel_id in {None, review.channel_id}
            if gone and review.shown is Verdict.HELD and review.verdict is Verdict.HELD:
                await self._store.show(review.job_id, None)
                self._open[review.job_id] = replace(self._open[review.job_id], shown=None)
                self._due()

    def forsake(self, job: Job) -> None:
        """Have the card say that nobody waits any more for a job whose row is gone."""
        review = self._open.get(self._reviews_of.get(job.id, 0))
        if review is not None:
            self._open[review.job_id] = replace(review, verdict=Verdict.WITHDRAWN)
            self._due()

    def forget(self, guild_id: int) -> None:
        """Keep in memory no more what a server had held."""
        self._rules.pop(guild_id, None)
        self._blocking.forget(guild_id)
        for review in [each for each in self._open.values() if each.guild_id == guild_id]:
            self._drop(review.job_id)

    def forget_rules(self) -> None:
        """Read anew, when it is asked for, what servers have held."""
        self._rules.clear()

    async def _may_be_held(self, job: Job) -> bool:
        described = job.result is not None and job.result.caption is not None
        return not described and await self.looks_first(job)

    async def _judged(self, cells: Sequence[Job]) -> bool:
        """Hold a result, end it, or return that it may be shown."""
        first, guild_id = cells[0], _guild(cells[0])
        rule = ReviewRule() if guild_id is None else await self.rule(guild_id)
        painted = [cell for cell in cells if cell.state is State.PAINTED]
        finding = CLEAN if await self._shows_adult(first) else await self._examining.finding(painted)
        cause = rule.cause(trusted=first.spec.trusted)
        if finding is None:
            cause = cause or Cause.UNCHECKED
        elif finding.flagged:
            cause = Cause.FLAGGED
        if cause is None:
            return False
        if guild_id is None or rule.channel is None:
            await self._end(first, cause)
            return False
        return await self._hold(cells, guild_id, rule.channel, cause, finding or CLEAN)

    async def _shows_adult(self, job: Job) -> bool:
        """Return whether adult pictures may be shown where a job was ordered."""
        return (await self._preferences.effective(Asker.of(job))).adult

    async def _end(self, first: Job, cause: Cause) -> None:
        checked = cause is Cause.FLAGGED
        log.info("result withheld", job=first.id, cause=cause.value)
        failure = NOT_SHOWN if checked else NOT_CHECKED
        for job in await self._store.withhold(first.id, failure, charged=checked):
            self._changed(job)

    async def _hold(
        self, cells: Sequence[Job], guild_id: int, channel_id: int, cause: Cause, finding: Finding
    ) -> bool:
        review = Review(
            cells[0].id,
            guild_id,
            Verdict.HELD,
            cause,
            self._clock(),
            label=finding.label,
            score=finding.score,
            channel_id=channel_id,
        )
        review = await self._store.hold(review)
        if review.verdict is Verdict.APPROVED:
            return False
        self._take_up(review, cells)
        self._due()
        return True

    async def _decidable(self, job_id: int, asker: Asker) -> Job | None:
        """Return the job of a review that ``asker`` may decide on; ``None`` if it is gone."""
        review = self._open.get(job_id) or await self._store.get(job_id)
        if review is None or review.guild_id != asker.guild_id:
            raise GoneError(N_("What this belongs to is no longer kept."), N_("See what waits: /review show"))
        if not asker.moderates:
            raise DeniedError(N_("Only members with Manage Messages may decide on it."), N_("Ask a moderator."))
        return await self._jobs.get(job_id)

    async def _decided(self, decision: Decision | None) -> Decision:
        """Have everybody told what was decided; raises ``GoneError``, or ``RequestError`` if nothing could be."""
        if decision is None:
            raise GoneError(N_("What this belongs to is no longer kept."), N_("See what waits: /review show"))
        if decision.review.verdict is Verdict.HELD:
            raise RequestError(N_("It is being painted again."), N_("Wait until it is painted, then decide."))
        known = self._open.get(decision.review.job_id)
        if known is not None:
            self._open[known.job_id] = decision.review
        if decision.won and decision.review.verdict is Verdict.APPROVED:
            self._clear(decision.jobs)
        if decision.won:
            for job in decision.jobs:
                self._changed(job)
        self._due()
        return decision

    async def _withdraw(self, job: Job) -> None:
        review = self._open.get(self._reviews_of.get(job.id, 0))
        if review is not None and review.verdict is Verdict.HELD and job.state.ended:
            await self._store.withdraw(review.job_id)
            self._open[review.job_id] = replace(review, verdict=Verdict.WITHDRAWN)
            self._due()

    async def _cells(self, job: Job) -> list[Job]:
        return [job] if job.spec.sheet is None else await self._jobs.sheet(job.spec.sheet.key)

    def _take_up(self, review: Review, cells: Sequence[Job]) -> None:
        self._open[review.job_id] = review
        self._reviews_of |= dict.fromkeys((cell.id for cell in cells), review.job_id)

    def _drop(self, job_id: int) -> None:
        self._open.pop(job_id, None)
        self._reviews_of = {of: review for of, review in self._reviews_of.items() if review != job_id}

    def _clear(self, cells: Sequence[Job]) -> None:
        self._cleared |= dict.fromkeys(map(_of, cells))
        while len(self._cleared) > _CLEARED:
            del self._cleared[next(iter(self._cleared))]


def _of(job: Job) -> tuple[int, int]:
    """Return which pictures are meant: those of one attempt at a job."""
    return job.id, job.attempt


def _guild(job: Job) -> int | None:
    return job.address.guild_id if job.address.reachable else None
