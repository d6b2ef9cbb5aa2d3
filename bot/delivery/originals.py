"""Where a job's pictures are had from: the blob store, and past its days the message that shows them."""

from collections.abc import Mapping
from dataclasses import dataclass

import discord

from bot.delivery.sources import MAX_INPUT_BYTES, Source
from bot.domain.errors import GoneError
from bot.domain.job import Job, Picture
from bot.domain.pending import Pending
from bot.domain.ports import Blobs
from bot.domain.request import Order
from bot.domain.text import N_
from bot.fetching.attachments import Attachments
from bot.imaging import sniffing
from bot.ui import cards

_PENDING = frozenset(Pending)


@dataclass(frozen=True, slots=True)
class Original:
    """A job's picture; ``url`` is where it has to be fetched from, ``None`` if it is kept."""

    picture: Picture
    url: str | None = None

    @property
    def image(self) -> str:
        """What an order calls it."""
        return self.picture.blob if self.url is None else Pending.INIT

    @property
    def sources(self) -> Mapping[str, Source]:
        """What the desk has to fetch for an order with it."""
        return {} if self.url is None else {Pending.INIT: Source(url=self.url)}


class Originals:
    """Finds pictures of jobs; what is found in the store stays there for as long again."""

    def __init__(self, blobs: Blobs, attachments: Attachments) -> None:
        self._blobs = blobs
        self._attachments = attachments

    async def find(self, job: Job, number: int, message: discord.Message | None = None) -> Original:
        """Return ``job``'s picture ``number`` (from 1), which ``message`` may show; raises ``GoneError``."""
        pictures = job.result.pictures if job.result else ()
        if not 1 <= number <= len(pictures):
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        picture = pictures[number - 1]
        try:
            await self._renew(picture.blob)
        except GoneError:
            url = cards.archived(message, job, number)
            if url is None:
                raise
            return Original(picture, url)
        return Original(picture)

    async def read(self, job: Job, number: int, message: discord.Message | None = None) -> tuple[bytes, str]:
        """Return the same picture's bytes and media type; raises ``RequestError`` if Discord has it no more."""
        found = await self.find(job, number, message)
        if found.url is None:
            return await self._blobs.get(found.picture.blob), found.picture.media_type
        data = await self._attachments.fetch(found.url, max_bytes=MAX_INPUT_BYTES)
        sniffed = sniffing.sniff(data)
        return data, sniffed.media_type if sniffed else found.picture.media_type

    async def restore(self, job: Job, url: str) -> bool:
        """Bring a job's only picture, which ``url`` shows, back into the store; return whether it is the same.

        Raises ``RequestError`` if Discord has it no more.
        """
        data = await self._attachments.fetch(url, max_bytes=MAX_INPUT_BYTES)
        return job.result is not None and await self._blobs.put(data) == job.result.pictures[0].blob

    async def renew(self, order: Order) -> None:
        """Let the pictures of a new order not get too old while it waits; raises ``GoneError``."""
        try:
            for blob in order.images():
                if blob not in _PENDING:
                    await self._renew(blob)
        except GoneError as error:
            raise GoneError(
                N_("The picture this was made from is no longer kept."),
                N_("Remix the result, or start anew with /draw."),
            ) from error

    async def _renew(self, blob: str) -> None:
        await self._blobs.put(await self._blobs.get(blob))
