"""The last word of a job: its message becomes the result, or says why there is none."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import discord
import structlog

from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.domain.errors import GoneError
from bot.domain.job import Job, Ping, State
from bot.domain.ports import Blobs, Clock
from bot.domain.text import N_
from bot.imaging.imaging import Imaging
from bot.jobs.service import Jobs
from bot.services.preferences import Preferences
from bot.ui import cards
from bot.ui.card import Attachment, Card

log = structlog.get_logger(__name__)

T = TypeVar("T")

LONG_WAIT_S = 120.0
"""After a wait this long a mute edit would go unnoticed: the asker is told once."""
SMALLEST_FILE_BYTES = 64 * 1024
_NOT_TO_BE_PASSED = frozenset({Obstacle.GONE, Obstacle.LATER, Obstacle.TOO_LARGE})
"""No other route helps where nobody waits, nothing is taken now, or the file has to shrink."""
REROLL = "🔁"


class Courier:
    """Delivers painted, failed and cancelled jobs, each exactly once."""

    def __init__(
        self,
        jobs: Jobs,
        messenger: Messenger,
        blobs: Blobs,
        imaging: Imaging,
        preferences: Preferences,
        *,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._messenger = messenger
        self._blobs = blobs
        self._imaging = imaging
        self._preferences = preferences
        self._clock = clock

    async def conclude(self, job: Job, *, resumed: bool = False) -> Job:
        """Give the job's message its last word and return the job as it is then.

        ``resumed``: an earlier life may have got through, so the message is looked at first. Raises
        ``BlockedError`` with ``LATER`` while Discord takes nothing: try again. A job whose pictures cannot
        be read comes back queued.
        """
        if resumed and job.state is State.PAINTED and await self._messenger.shows_result(job):
            return await self._jobs.tell(job.id)
        try:
            job = await self._deliver(job)
        except GoneError:
            log.warning("pictures unreadable, painting again", job=job.id)
            return await self._jobs.repaint(job.id) or job
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.GONE:
                raise
            return await self._nobody_there(job)
        job = await self._jobs.tell(job.id)
        await self._ping(job)
        return job

    async def invite_reroll(self, job: Job) -> None:
        """Put 🔁 under a delivered picture where the server wants it; failing is of no account."""
        address = job.address
        if job.state is not State.DELIVERED or address.ephemeral or not address.reachable:
            return
        effective = await self._preferences.effective(address.guild_id, job.user)
        if not effective.reactions:
            return
        try:
            await self._messenger.react(job, REROLL)
        except BlockedError as blocked:
            log.debug("no reaction", job=job.id, reason=blocked.obstacle.value)

    async def take(self, job: Job, index: int, interaction: discord.Interaction) -> None:
        """Turn the placeholder of ``interaction`` into one original of several; raises ``GoneError``."""
        if job.result is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        picture = job.result.pictures[index]
        data = await self._blobs.get(picture.blob)

        async def card(max_bytes: int) -> Card:
            encoded = await self._imaging.fit(data, picture.media_type, max_bytes)
            file = cards.attachment(job, index + 1, encoded.data, encoded.media_type)
            return cards.single(job, index, file, (cards.REDUCED,) if encoded.reduced else ())

        await _fitted(interaction.filesize_limit, card, partial(self._messenger.answer, interaction))

    async def _deliver(self, job: Job) -> Job:
        return await _fitted(job.spec.max_file_bytes, partial(self._card, job), partial(self._send, job))

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

    async def _direct(self, job: Job, card: Card) -> None:
        try:
            await self._messenger.direct(job, card)
        except BlockedError as blocked:
            if blocked.obstacle in {Obstacle.LATER, Obstacle.TOO_LARGE}:
                raise
            log.info("no way to the asker", job=job.id, reason=blocked.obstacle.value)

    async def _nobody_there(self, job: Job) -> Job:
        """End a job whose message was deleted or whose server sent the bot away: nobody waits for it."""
        if not job.state.ended:
            await self._jobs.cancel(job.id, by=None)
        return await self._jobs.tell(job.id)

    async def _card(self, job: Job, max_bytes: int) -> Card:
        match job.state:
            case State.FAILED:
                return cards.failed(job)
            case State.CANCELLED:
                return cards.cancelled(job)
            case _:
                author = await self._messenger.author(job.user)
                files, notes = await self._files(job, max_bytes)
                return cards.finished(job, author, files, notes)

    async def _files(self, job: Job, max_bytes: int) -> tuple[list[Attachment], tuple[str, ...]]:
        result = job.result
        if result is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        originals = [await self._blobs.get(picture.blob) for picture in result.pictures]
        if len(originals) == 1:
            data, media_type = originals[0], result.pictures[0].media_type
        else:
            grid = await self._imaging.grid(originals)
            data, media_type = grid.data, grid.media_type
        encoded = await self._imaging.fit(data, media_type, max_bytes)
        notes = (*result.notes, cards.REDUCED) if encoded.reduced else result.notes
        return [cards.attachment(job, 0, encoded.data, encoded.media_type)], notes

    async def _ping(self, job: Job) -> None:
        waited_s = self._clock() - job.created_at
        quiet = job.state is State.CANCELLED or job.spec.ping is Ping.OFF or job.address.ephemeral
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


async def _fitted(
    max_bytes: int, make: Callable[[int], Awaitable[Card]], send: Callable[[Card], Awaitable[T]]
) -> T:
    """Send what ``make`` returns for ``max_bytes``, and a smaller one as long as Discord finds it too large."""
    while True:
        card = await make(max_bytes)
        try:
            return await send(card)
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.TOO_LARGE or max_bytes <= SMALLEST_FILE_BYTES:
                raise
            # The place takes less than it said (a boost ran out, or the limit is the request's).
            largest = max((len(file.data) for file in card.files), default=0)
            max_bytes = max(SMALLEST_FILE_BYTES, min(max_bytes, largest) // 2)
