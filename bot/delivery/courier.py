"""The last word of a job: its message becomes the result, or says why there is none."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import discord
import structlog

from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.delivery.parcels import MAX_REQUEST_BYTES, packed
from bot.delivery.places import Places
from bot.domain.asker import Asker
from bot.domain.capability import Feature
from bot.domain.errors import BotError, GoneError, LimitError
from bot.domain.job import Batch, Job, Ping, State
from bot.domain.metering import Meter, Retried, Told, Undelivered
from bot.domain.ports import Blobs, Clock
from bot.domain.text import N_
from bot.imaging.imaging import Imaging
from bot.jobs.service import Jobs
from bot.services.preferences import Preferences
from bot.services.reviewing import Reviewing
from bot.ui import cards, lineage, work
from bot.ui.card import Card

log = structlog.get_logger(__name__)

T = TypeVar("T")

DIRECT_FILE_BYTES = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
"""Largest file in direct messages."""
LONG_WAIT_S = 120.0
"""After a wait this long a mute edit would go unnoticed: the asker is told once."""
SMALLEST_FILE_BYTES = 64 * 1024
_NOT_TO_BE_PASSED = frozenset({Obstacle.GONE, Obstacle.LATER, Obstacle.TOO_LARGE})
"""No other route helps where nobody waits, nothing is taken now, or the file has to shrink."""


class Courier:
    """Delivers painted, failed and cancelled jobs, each exactly once."""

    def __init__(
        self,
        jobs: Jobs,
        messenger: Messenger,
        blobs: Blobs,
        imaging: Imaging,
        preferences: Preferences,
        reviewing: Reviewing,
        places: Places,
        *,
        offers: Callable[[Feature], bool],
        clock: Clock,
        meter: Meter,
    ) -> None:
        self.meter = meter
        self._jobs = jobs
        self._messenger = messenger
        self._blobs = blobs
        self._imaging = imaging
        self._preferences = preferences
        self._reviewing = reviewing
        self._places = places
        self._withheld: set[int] = set()
        self._offers = offers
        self._clock = clock

    async def conclude(self, job: Job, *, resumed: bool = False) -> Job:
        """Give the job's message its last word and return the job as it is then.

        ``resumed``: an earlier life may have got through, so the message is looked at first. Raises
        ``BlockedError`` with ``LATER`` while Discord takes nothing: try again. A job whose pictures cannot
        be read comes back queued.
        """
        if resumed and await self._shows_what_it_may(job):
            return await self._complete(job)
        try:
            job = await self.post(job, partial(self._cards, job))
        except GoneError:
            log.warning("pictures unreadable, painting again", job=job.id)
            return await self._jobs.repaint(job.id) or job
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.GONE:
                self.meter(Retried())
                raise
            return await self._nobody_there(job)
        [job] = await self.tell([job.id])
        await self.ping(job)
        return job

    async def tell(self, ids: Sequence[int]) -> list[Job]:
        """Note that the message of these jobs has its last word, and count what they came to."""
        told = await self._jobs.tell_all(ids)
        for job in told:
            self.meter(Told(job.state))
        return told

    async def invite_reroll(self, job: Job) -> None:
        """Put 🔁 under a delivered picture where the server wants it; failing is of no account."""
        address = job.address
        if job.id in self._withheld:
            self._withheld.discard(job.id)
            return
        if job.state is not State.DELIVERED or address.ephemeral or not address.reachable:
            return
        if not job.spec.request.prompt or (job.result is not None and job.result.caption is not None):
            return
        effective = await self._preferences.effective(Asker.of(job))
        if not effective.reactions:
            return
        try:
            await self._messenger.react(job, effective.emoji_reroll)
        except BlockedError as blocked:
            log.debug("no reaction", job=job.id, reason=blocked.obstacle.value)

    async def take(
        self, job: Job, index: int, interaction: discord.Interaction, notes: Sequence[str] = ()
    ) -> None:
        """Turn the placeholder of ``interaction`` into one original of several; raises ``GoneError``.

        It names whose picture it is and who had it sent; ``notes`` stand under it.
        """
        if job.result is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        picture = job.result.pictures[index]
        data = await self._blobs.get(picture.blob)

        chosen = await self._preferences.effective(Asker.of(job))
        author = await self._messenger.author(job.user)
        came_from = lineage.taken(job, index + 1, interaction.user.id)

        async def make(max_bytes: int) -> Sequence[Card]:
            encoded = await self._imaging.fit(data, picture.media_type, max_bytes)
            file = cards.attachment(job, index + 1, encoded.data, encoded.media_type)
            said = [*notes, *([cards.REDUCED] if encoded.reduced else []), *([came_from] if came_from else [])]
            return (cards.taken(job, index, author, file, said, accent=chosen.accent),)

        await self._answered(interaction, make)

    async def show(self, job: Job, interaction: discord.Interaction, notes: Sequence[str] = ()) -> int:
        """Turn the placeholder of ``interaction`` into a delivered result with ``notes`` and living buttons.

        Returns the id of the message; raises ``GoneError`` past the days that originals are kept.
        """
        return await self._answered(interaction, partial(self._cards, job, batch=Batch.GRID, extra=notes))

    async def _answered(
        self, interaction: discord.Interaction, make: Callable[[int], Awaitable[Sequence[Card]]]
    ) -> int:
        """Turn the placeholder of ``interaction`` into the one card of ``make``; return the message's id."""

        async def send(made: Sequence[Card]) -> int:
            return await self._messenger.answer(interaction, made[0])

        try:
            return await fitted(interaction.filesize_limit, make, send)
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.TOO_LARGE:
                raise
            raise LimitError(
                N_("This place takes no file, not even a small one."), N_("Ask for it where files may be sent.")
            ) from blocked

    async def _complete(self, job: Job) -> Job:
        """Add what an earlier life may not have come to add to a result that it showed."""
        try:
            made = await self._cards(job, min(job.spec.max_file_bytes, MAX_REQUEST_BYTES))
            await self._send_rest(job, made[1:])
        except GoneError:
            log.warning("shown, but its pictures are unreadable", job=job.id)
        return (await self.tell([job.id]))[0]

    async def _shows_what_it_may(self, job: Job) -> bool:
        painted = job.state is State.PAINTED
        return painted and await self._places.takes(job) and await self._messenger.shows_result(job)

    async def post(self, job: Job, make: Callable[[int], Awaitable[Sequence[Card]]]) -> Job:
        """Bring what ``make`` returns for a size in bytes to the job's message, or to the next best place.

        Returns the job as addressed; raises ``BlockedError`` as ``conclude`` does, also with ``GONE``.
        """
        if job.state is State.PAINTED and not await self._places.takes(job):
            return await self._withhold(job, make)
        try:
            return await fitted(job.spec.max_file_bytes, make, partial(self._send_all, job))
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.TOO_LARGE:
                raise
        log.warning("no file of any size is taken", job=job.id)
        try:
            return await self._send(job, cards.untransmittable(job, self._offered()))
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.TOO_LARGE:
                raise
        # Not even words are: asking for ever would change nothing.
        return job

    async def _withhold(self, job: Job, make: Callable[[int], Awaitable[Sequence[Card]]]) -> Job:
        """Say in a place that it may not have an adult picture any more; direct messages get it if they may."""

        async def send(made: Sequence[Card]) -> bool:
            for part, card in enumerate(made, start=1):
                await self._messenger.direct(job, card, part=part)
            return True

        self._withheld.add(job.id)
        sent = False
        if await self._places.lets_direct(job):
            try:
                sent = await fitted(DIRECT_FILE_BYTES, make, send)
            except BlockedError as blocked:
                if blocked.obstacle is Obstacle.LATER:
                    raise
        return await self._send(job, cards.withheld(job, sent=sent))

    async def _send_all(self, job: Job, made: Sequence[Card]) -> Job:
        """Bring a result to its place, and what did not fit into its message beside that."""
        job = await self._send(job, made[0])
        await self._send_rest(job, made[1:])
        return job

    async def _send_rest(self, job: Job, rest: Sequence[Card]) -> None:
        for part, card in enumerate(rest, start=2):
            try:
                await self._messenger.add(job, card, part)
            except BlockedError as blocked:
                if blocked.obstacle in _NOT_TO_BE_PASSED:
                    raise
                await self._direct(job, card, part=part)

    async def _send(self, job: Job, card: Card) -> Job:
        """Bring ``card`` to the job's message, or to the next best place; returns the job as addressed."""
        try:
            return await self._post(job, card)
        except BlockedError as blocked:
            if blocked.obstacle in _NOT_TO_BE_PASSED:
                raise
            return await self._detour(job, card, blocked.obstacle)

    async def _post(self, job: Job, card: Card) -> Job:
        if job.address.message_id is None:
            return await self._post_anew(job, card)
        await self._messenger.edit(job, card)
        return job

    async def _post_anew(self, job: Job, card: Card) -> Job:
        return await self._jobs.move(job.id, await self._messenger.create(job, card))

    async def _detour(self, job: Job, card: Card, obstacle: Obstacle) -> Job:
        guild_id = job.address.guild_id
        if obstacle is Obstacle.BARRED and guild_id is not None and await self._messenger.has_left(guild_id):
            raise BlockedError(Obstacle.GONE)
        try:
            if obstacle is Obstacle.TOO_OLD:
                return await self._post_anew(job, card)
            if obstacle is Obstacle.ARCHIVED:
                await self._messenger.unarchive(job)
                return await self._post(job, card)
        except BlockedError as blocked:
            if blocked.obstacle in _NOT_TO_BE_PASSED:
                raise
        await self._direct(job, card)
        return job

    async def _direct(self, job: Job, card: Card, *, part: int = 1) -> None:
        if card.files and not await self._places.lets_direct(job):
            card = cards.withheld(job, sent=False)
        try:
            await self._messenger.direct(job, card, part=part)
        except BlockedError as blocked:
            if blocked.obstacle in {Obstacle.LATER, Obstacle.TOO_LARGE}:
                raise
            log.info("no way to the asker", job=job.id, reason=blocked.obstacle.value)
            self.meter(Undelivered())

    async def _nobody_there(self, job: Job) -> Job:
        """End a job whose message was deleted or whose server sent the bot away: nobody waits for it."""
        if not job.state.ended:
            await self._jobs.cancel(job.id, by=None)
        self.meter(Undelivered())
        return (await self.tell([job.id]))[0]

    async def _cards(
        self, job: Job, max_bytes: int, *, batch: Batch | None = None, extra: Sequence[str] = ()
    ) -> Sequence[Card]:
        """Return the job's message and what has to stand beside it; ``batch`` is else what the asker chose."""
        match job.state:
            case State.FAILED:
                return (cards.failed(job),)
            case State.CANCELLED:
                return (cards.cancelled(job),)
        author = await self._messenger.author(job.user)
        if job.result is not None and job.result.caption is not None:
            return (work.described(job, job.result, author, await self._glimpse(job)),)
        chosen = await self._preferences.effective(Asker.of(job))
        (first, *rest), notes = await packed(
            job, batch or chosen.batch, max_bytes, blobs=self._blobs, imaging=self._imaging
        )
        notes = (*extra, *notes)
        if job.address.ephemeral and not job.address.reachable:
            notes = (*notes, cards.ONLY_YOURS)
        line = await self._lineage(job)
        whole = cards.finished(
            job, author, first, notes, offered=self._offered(), lineage=line, accent=chosen.accent
        )
        return (whole, *(cards.gathered(job, files, accent=chosen.accent) for files in rest))

    def _offered(self) -> frozenset[Feature]:
        return frozenset(filter(self._offers, Feature))

    async def _lineage(self, job: Job) -> str | None:
        parent = await self._jobs.get(job.spec.parent) if job.spec.parent is not None else None
        return lineage.line(job, parent)

    async def _glimpse(self, job: Job) -> bytes | None:
        """Return a small copy of the picture that was described, if it is still there and nobody looks first."""
        if await self._reviewing.looks_first(job):
            return None
        try:
            return await self._imaging.preview(await self._blobs.get(job.spec.order.images()[0]))
        except BotError:
            return None

    async def ping(self, job: Job) -> None:
        """Tell the asker once that a long wait is over, as they like it."""
        waited_s = self._clock() - job.created_at
        quiet = job.state is State.CANCELLED or job.spec.ping is Ping.OFF or job.address.ephemeral
        quiet = quiet or job.id in self._withheld
        if quiet or waited_s < LONG_WAIT_S or not await self._jobs.claim_ping(job.id):
            return
        card = cards.wait_is_over(job)
        try:
            if job.spec.ping is Ping.DM:
                await self._messenger.direct(replace(job, address=replace(job.address, reply_to=None)), card)
            elif job.address.reachable:
                await self._messenger.reply(job, card)
        except BlockedError as blocked:
            log.info("not pinged", job=job.id, reason=blocked.obstacle.value)


async def fitted(
    max_bytes: int,
    make: Callable[[int], Awaitable[Sequence[Card]]],
    send: Callable[[Sequence[Card]], Awaitable[T]],
) -> T:
    """Send what ``make`` returns for ``max_bytes`` a file, and smaller files while Discord finds them too large.

    Raises ``BlockedError`` with ``TOO_LARGE`` where the smallest are still too large.
    """
    max_bytes = min(max_bytes, MAX_REQUEST_BYTES)
    while True:
        made = await make(max_bytes)
        try:
            return await send(made)
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.TOO_LARGE or max_bytes <= SMALLEST_FILE_BYTES:
                raise
            # The place takes less than it said (a boost ran out, or the limit is the request's).
            largest = max((len(file.data) for card in made for file in card.files), default=0)
            max_bytes = max(SMALLEST_FILE_BYTES, min(max_bytes, largest) // 2)
