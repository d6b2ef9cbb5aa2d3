"""The cards under which moderators decide: posted once each, in the review channel, and kept true."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot.delivery.courier import fitted
from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.delivery.parcels import packed
from bot.delivery.sheets import Sheets
from bot.domain.asker import Asker
from bot.domain.errors import GoneError
from bot.domain.job import Address, Batch, Job, State
from bot.domain.ports import Announcer, Blobs
from bot.domain.reviewing import Cause, Review, ReviewRule, Verdict
from bot.domain.shards import Shards
from bot.domain.text import N_
from bot.imaging.imaging import Imaging
from bot.jobs.service import Jobs
from bot.services.preferences import Preferences
from bot.services.reviewing import Reviewing
from bot.ui import explore, reviews
from bot.ui.card import Card

log = structlog.get_logger(__name__)

AGAIN_S, LONGEST_S = 30.0, 600.0
"""How long until it is tried again to post or change what Discord did not take: at first, and at most."""
_CLOSED = N_(
    "I could not post in the review channel. What is held waits: let me see it, send messages, embed links and "
    "attach files there, or choose another channel."
)
_NOT_RESTRICTED = N_(
    "Pictures that may be for adults wait: I post them only in a review channel that is age-restricted. Make it "
    "so, or choose another channel."
)
_LOST = frozenset({Obstacle.GONE, Obstacle.BARRED})


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often a channel or message was refused, under which rule, and until when it is left alone (loop's s)."""

    rule: ReviewRule
    refusals: int
    until: float


class ReviewDesk:
    """Brings what is held before moderators, in the servers of ``shards``; ``run`` owns all that is done.

    Nothing held is ever shown elsewhere because its channel is gone: it waits, and admins are told.
    """

    def __init__(
        self,
        reviewing: Reviewing,
        jobs: Jobs,
        messenger: Messenger,
        sheets: Sheets,
        preferences: Preferences,
        blobs: Blobs,
        imaging: Imaging,
        shards: Shards,
        *,
        announcer: Announcer,
    ) -> None:
        self._reviewing = reviewing
        self._jobs = jobs
        self._messenger = messenger
        self._sheets = sheets
        self._preferences = preferences
        self._blobs = blobs
        self._imaging = imaging
        self._shards = shards
        self._announcer = announcer
        self._woken = asyncio.Event()
        self._troubled: dict[int, str] = {}
        self._found: dict[int, str] = {}
        self._rests: dict[int, _Rest] = {}
        self._shut: set[int] = set()

    def wake(self) -> None:
        """Have cards that are not as they should be drawn at once."""
        self._woken.set()

    def troubles(self, guild_id: int) -> tuple[str, ...]:
        """Return marked texts on what is in the way of a server's reviews."""
        return (self._troubled[guild_id],) if guild_id in self._troubled else ()

    async def run(self) -> None:
        """Draw cards until cancelled; what an earlier life left to do is done first."""
        while True:
            self._woken.clear()
            self._found, self._shut = {}, set()
            # Whoever has a server's shard posts its cards, so that each is posted once.
            for review in filter(self._owned, self._reviewing.due()):
                try:
                    await self._draw(review)
                except BlockedError as blocked:
                    log.info("review card not taken", job=review.job_id, reason=blocked.obstacle.value)
                except Exception:
                    # One card that cannot be drawn must not keep moderators from all others.
                    log.exception("review card not drawn", job=review.job_id)
            self._troubled = self._found
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._woken.wait()

    def _owned(self, review: Review) -> bool:
        return self._shards.owns(review.guild_id)

    async def _draw(self, review: Review) -> None:
        job = await self._jobs.get(review.job_id)
        if review.verdict is not Verdict.HELD:
            await self._say_decided(review, job)
        elif job is not None:
            await self._post(review, job)

    async def _say_decided(self, review: Review, job: Job | None) -> None:
        if review.shown is not None and review.channel_id is not None:
            place = Address(review.channel_id, review.message_id, review.guild_id)
            rule, message_id = await self._reviewing.rule(review.guild_id), review.message_id or 0
            if place.channel_id in self._shut or self._rests_now(message_id, rule):
                return
            try:
                await self._reword(place, review, job)
            except BlockedError as blocked:
                if blocked.obstacle is not Obstacle.GONE:
                    if blocked.obstacle is not Obstacle.LATER:
                        self._leave(message_id, rule)
                    if blocked.obstacle is Obstacle.BARRED:
                        self._shut.add(place.channel_id)
                    raise
            self._rests.pop(message_id, None)
        await self._reviewing.shown(review)

    async def _reword(self, place: Address, review: Review, job: Job | None) -> None:
        """Have a card say what was decided; one that is to keep nothing goes if it takes no more edits."""
        keep_files = bool(job) and review.verdict not in reviews.GONE
        card = reviews.card(job, review, await self._locale(review.guild_id))
        try:
            await self._messenger.reword(place, card, keep_files=keep_files)
        except BlockedError as blocked:
            if keep_files or blocked.obstacle is not Obstacle.TOO_OLD:
                raise
            await self._messenger.delete(place)

    async def _post(self, review: Review, job: Job) -> None:
        rule = await self._reviewing.rule(review.guild_id)
        channel_id = rule.channel or review.channel_id
        if channel_id is None:
            return
        if self._rests_now(channel_id, rule):
            self._trouble(review, _CLOSED)
            return
        place = Address(channel_id, guild_id=review.guild_id)
        locale = await self._locale(review.guild_id)
        nonce = f"easel-review-{job.id}-{review.message_id or ''}"

        async def send(made: Sequence[Card]) -> Address:
            return await self._messenger.post(place, made[0], nonce=nonce)

        try:
            if not await self._suits(review, job, channel_id):
                self._trouble(review, _NOT_RESTRICTED)
                return
            posted = await fitted(job.spec.max_file_bytes, partial(self._cards, review, job, locale), send)
        except GoneError:
            await self._repaint(job)
            return
        except BlockedError as blocked:
            if blocked.obstacle in _LOST:
                self._leave(channel_id, rule)
                self._trouble(review, _CLOSED)
            raise
        self._rests.pop(channel_id, None)
        await self._reviewing.posted(review.job_id, posted.channel_id, posted.message_id or 0)

    def _leave(self, refusing: int, rule: ReviewRule) -> None:
        """Leave a channel or message alone for a while that Discord refuses, longer each time."""
        known = self._rests.get(refusing)
        refusals = known.refusals if known is not None and known.rule is rule else 0
        rest_s = min(LONGEST_S, AGAIN_S * 2.0 ** min(refusals, 20))
        self._rests[refusing] = _Rest(rule, refusals + 1, asyncio.get_running_loop().time() + rest_s)

    def _rests_now(self, refusing: int, rule: ReviewRule) -> bool:
        """Return whether a channel or message is left alone; a rule set anew since then is tried at once."""
        rest = self._rests.get(refusing)
        return rest is not None and rest.rule is rule and rest.until > asyncio.get_running_loop().time()

    async def _suits(self, review: Review, job: Job, channel_id: int) -> bool:
        """Return whether a channel may have a picture: one for adults has to stay where those may be."""
        bold = job.spec.adult or review.cause is Cause.FLAGGED
        return not bold or await self._messenger.is_age_restricted(channel_id)

    def _trouble(self, review: Review, words: str) -> None:
        if self._troubled.get(review.guild_id) != words:
            log.warning(
                "review channel not to be used", guild=review.guild_id, restricted=words == _NOT_RESTRICTED
            )
        self._found[review.guild_id] = words

    async def _cards(self, review: Review, job: Job, locale: str, max_bytes: int) -> Sequence[Card]:
        """Return the card with the pictures behind a spoiler, whatever they are."""
        hidden = replace(job, spec=replace(job.spec, spoiler=True, locale=locale))
        if job.spec.sheet is not None:
            drawn = await self._sheets.drawn(job.spec.sheet.key)
            encoded = await self._imaging.fit(drawn.data, drawn.media_type, max_bytes)
            files = [explore.picture([hidden], encoded.data, encoded.media_type)]
        else:
            (files, *_), _ = await packed(hidden, Batch.GRID, max_bytes, blobs=self._blobs, imaging=self._imaging)
        return (reviews.card(hidden, review, locale, files),)

    async def _repaint(self, job: Job) -> None:
        """Have pictures painted again that cannot be read any more."""
        log.warning("held pictures unreadable, painting again", job=job.id)
        again = await self._jobs.repaint(job.id) if job.state is State.PAINTED else None
        if again is not None:
            self._announcer.changed(again)

    async def _locale(self, guild_id: int) -> str:
        effective = await self._preferences.effective(Asker.nobody(guild_id))
        return effective.language or "en"
