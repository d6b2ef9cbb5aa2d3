"""Pictures for one person: into their direct messages, or as the untouched file."""

import discord

from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.delivery.originals import Originals
from bot.delivery.parcels import MAX_REQUEST_BYTES, parts
from bot.delivery.places import Places
from bot.domain.adult import misplaced
from bot.domain.errors import GoneError, LimitError, RequestError
from bot.domain.job import Job
from bot.domain.text import N_
from bot.imaging.imaging import Imaging
from bot.ui import cards, lineage
from bot.ui.card import Card

DIRECT_FILE_BYTES = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
"""Largest file in direct messages."""


class Handout:
    """Hands a job's pictures to one person."""

    def __init__(self, originals: Originals, messenger: Messenger, imaging: Imaging, places: Places) -> None:
        self._places = places
        self._originals = originals
        self._messenger = messenger
        self._imaging = imaging

    async def direct(
        self, user_id: int, job: Job, number: int = 0, message: discord.Message | None = None
    ) -> list[int]:
        """Send picture ``number`` of ``job`` (from 1; 0: all) to a person and return the new messages' ids.

        Raises ``GoneError``, ``DeniedError`` for what may not leave age-restricted channels, and ``RequestError``
        where the person takes no direct messages.
        """
        if not await self._places.lets_direct(job):
            raise misplaced()
        count = len(job.result.pictures) if job.result else 0
        if not count:
            raise GoneError(N_("There is no picture yet."), N_("Wait until it is painted."))
        files, reduced = [], False
        for each in (number,) if number else range(1, count + 1):
            data, media_type = await self._originals.read(job, each, message)
            encoded = await self._imaging.fit(data, media_type, DIRECT_FILE_BYTES)
            files.append(cards.attachment(job, each, encoded.data, encoded.media_type))
            reduced = reduced or encoded.reduced
        place = lineage.link(job.address)
        notes = [*([cards.REDUCED] if reduced else []), *([place] if place else [])]
        if len(files) == 1:
            return [await self._give(user_id, cards.single(job, max(number, 1) - 1, files[0], notes))]
        return [await self._give(user_id, cards.gathered(job, part, notes)) for part in parts(files)]

    async def original(
        self, interaction: discord.Interaction, job: Job, number: int, message: discord.Message | None = None
    ) -> None:
        """Fill the placeholder of ``interaction`` with the file as it was painted; raises ``LimitError``."""
        data, media_type = await self._originals.read(job, number, message)
        most = min(interaction.filesize_limit, MAX_REQUEST_BYTES)
        if len(data) > most:
            raise LimitError(
                N_("The untouched file has {size} MB; this place takes {max} MB."),
                N_("Open this menu where larger files may be sent."),
                size=round(len(data) / 1e6, 1),
                max=round(most / 1e6, 1),
            )
        file = cards.attachment(job, number, data, media_type)
        await self._messenger.answer(interaction, Card(files=(file,)))

    async def _give(self, user_id: int, card: Card) -> int:
        try:
            return await self._messenger.give(user_id, card)
        except BlockedError as blocked:
            if blocked.obstacle is Obstacle.LATER:
                raise RequestError(
                    N_("Discord did not take the message."), N_("Try again in a moment.")
                ) from blocked
            raise RequestError(
                N_("I cannot write to you: your direct messages are closed."),
                N_("Open them in this server's privacy settings, then try again."),
            ) from blocked
