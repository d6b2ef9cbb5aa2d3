"""Files that people attach to commands for keeping: lists, presets, sample pictures."""

import discord

from bot.domain.errors import LimitError, RequestError
from bot.domain.text import N_
from bot.fetching.attachments import Attachments
from bot.imaging.imaging import Imaging

MAX_TEXT_BYTES = 64 * 1024
MAX_PICTURE_BYTES = 10 * 1024 * 1024
SAMPLE_SIDE = 512
"""Longest side in px of a kept sample picture."""


class Files:
    """Fetches attachments and gives them back as plain text or a plain picture."""

    def __init__(self, attachments: Attachments, imaging: Imaging) -> None:
        self._attachments = attachments
        self._imaging = imaging

    async def data(self, file: discord.Attachment, *, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
        """Return a small file; raises ``RequestError`` in words (``LimitError`` if it is too large)."""
        if file.size > max_bytes:
            raise LimitError(
                N_("This file is too large."), N_("Use one of at most {max} KB."), max=max_bytes // 1024
            )
        return await self._attachments.fetch(file.url, max_bytes=max_bytes)

    async def text(self, file: discord.Attachment) -> str:
        """Return a small text file; raises the same, also for what is no text."""
        try:
            return (await self.data(file)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise RequestError(N_("That is no text file."), N_("Save it as plain text in UTF-8.")) from error

    async def sample(self, file: discord.Attachment) -> bytes:
        """Return a picture as a PNG of at most 512 px a side, without metadata; raises the same."""
        data = await self._attachments.fetch(file.url, max_bytes=MAX_PICTURE_BYTES)
        return (await self._imaging.prepare(data, max_side=SAMPLE_SIDE)).data
