"""The pictures of an order: fetched once it is answered, made plain, stored, and put in their places."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import discord

from bot.delivery.finished import Known, looked_at
from bot.domain.errors import BotError, GoneError, LimitError, RequestError
from bot.domain.job import Job
from bot.domain.options import Options
from bot.domain.pending import Pending
from bot.domain.ports import Blobs
from bot.domain.text import N_
from bot.fetching.attachments import Attachments
from bot.fetching.links import Links
from bot.imaging import masking, pixels
from bot.imaging.areas import Area, Extension
from bot.imaging.imaging import Imaging
from bot.imaging.inputs import PreparedImage
from bot.imaging.masking import Room
from bot.services.drafts import Draft

T = TypeVar("T")
Archived = Callable[[Job, int], Awaitable[str | None]]

MAX_INPUT_BYTES = 25 * 1024 * 1024
"""Most bytes in all pictures of one order together."""
FETCH_S = 30.0
"""How long fetching all of them may take, in seconds."""
_CALLED: Mapping[str, str] = {
    Pending.INIT: N_("The picture to start from"),
    Pending.MASK: N_("The mask"),
    Pending.CONTROL: N_("The control picture"),
    Pending.FACE: N_("The picture of a face"),
}

_OPTIONS: Mapping[str, str] = {
    "image": Pending.INIT,
    "mask": Pending.MASK,
    "control_image": Pending.CONTROL,
    "face_image": Pending.FACE,
}
"""Which option brings which picture."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a picture comes from: the ``url`` of an attachment, a ``link``, or a ``blob``, which goes first.

    ``spoiler``: it was hidden where it stood. ``job`` and ``number`` (from 1) say whose result a blob is.
    """

    url: str | None = None
    blob: str | None = None
    spoiler: bool = False
    job: Job | None = None
    number: int = 1
    link: str | None = None

    @classmethod
    def attached(cls, file: discord.Attachment) -> "Source":
        """Return an attachment as a source."""
        return cls(url=file.url, spoiler=file.is_spoiler())


Wanted = Mapping[str, Source | Area]
"""What an order needs, by the ``Pending`` name that holds its place; only a mask can be an area of the picture."""


class Sources:
    """Fetches what drafts need, all at once; ``archived`` finds the address of a result in its message."""

    def __init__(
        self, attachments: Attachments, links: Links, imaging: Imaging, blobs: Blobs, archived: Archived
    ) -> None:
        self._archived = archived
        self._links = links
        self._attachments = attachments
        self._imaging = imaging
        self._blobs = blobs

    async def fill(self, draft: Draft, wanted: Wanted) -> Draft:
        """Return ``draft`` with its pictures in place, at the size that its source picture gives it.

        Raises the ``BotError`` of the first one that is of no use, with its name in ``about``.
        """
        fetched = await self._fetch_all(wanted)
        mask = fetched.pop(Pending.MASK, None)
        prepared = await _all({name: self._prepare(name, data) for name, data in fetched.items()})
        plain = {name: picture.data for name, picture in prepared.items()}
        source, area = prepared.get(Pending.INIT), wanted.get(Pending.MASK)
        if source is not None:
            draft = draft.following(source.width, source.height)
            if mask is not None:
                fitted = self._imaging.run(masking.attached, mask, source.width, source.height)
                plain |= await _all({Pending.MASK: fitted})
            elif area is not None and not isinstance(area, Source):
                draft, drawn = await self._draw(draft, source, area)
                plain |= drawn
        return draft.with_images(await _all({name: self._blobs.put(data) for name, data in plain.items()}))

    async def look_at(self, draft: Draft, wanted: Wanted) -> Draft | Known:
        """Return ``draft`` as work on its one finished picture, or what that tells; see ``looked_at``."""
        [data] = (await self._fetch_all(wanted)).values()
        return await looked_at(draft, data, imaging=self._imaging, blobs=self._blobs)

    async def _fetch_all(self, wanted: Wanted) -> dict[str, bytes]:
        pictures = {name: source for name, source in wanted.items() if isinstance(source, Source)}
        try:
            async with asyncio.timeout(FETCH_S):
                return await _all({name: self._fetch(source) for name, source in pictures.items()})
        except TimeoutError as error:
            raise RequestError(
                N_("The pictures could not be fetched in time."), N_("Try again in a moment.")
            ) from error

    async def _fetch(self, source: Source) -> bytes:
        if source.link is not None:
            return await self._links.fetch(source.link, max_bytes=MAX_INPUT_BYTES)
        url = source.url
        if source.blob is not None:
            try:
                return await self._blobs.get(source.blob)
            except GoneError:
                # Past the days that originals are kept, the message is the archive.
                if url is None and source.job is not None:
                    url = await self._archived(source.job, source.number)
                if url is None:
                    raise
        return await self._attachments.fetch(url or "", max_bytes=MAX_INPUT_BYTES)

    async def _prepare(self, name: str, data: bytes) -> PreparedImage:
        prepared = await self._imaging.prepare(data)
        if name == Pending.INIT:
            return prepared
        # Neither a control picture nor a face has anything to say by its transparency.
        return replace(prepared, data=await self._imaging.run(pixels.flattened, prepared.data))

    async def _draw(self, draft: Draft, source: PreparedImage, area: Area) -> tuple[Draft, Mapping[str, bytes]]:
        request, limits = draft.spec.request, draft.limits
        room = Room(limits.max_side, limits.max_pixels, min_pixels=request.width * request.height)
        drawing = self._imaging.run(masking.of_area, source, area, room)
        masked = (await _all({Pending.MASK: drawing}))[Pending.MASK]
        if isinstance(area, Extension):
            draft = draft.of_size(masked.picture.width, masked.picture.height)
            limits.check(draft.spec.request)
        return draft, {Pending.INIT: masked.picture.data, Pending.MASK: masked.mask}


def attached(values: Mapping[str, object]) -> dict[str, Source]:
    """Return the pictures among a command's ``values``, by their ``Pending`` names.

    Raises ``RequestError`` for what Discord already says is too large or no picture.
    """
    given = {name: values.get(option) for option, name in _OPTIONS.items()}
    files = {name: file for name, file in given.items() if isinstance(file, discord.Attachment)}
    check_files(files.items())
    return {name: Source.attached(file) for name, file in files.items()}


def with_pictures(options: Options, wanted: Wanted) -> Options:
    """Return ``options`` with a place for each picture that is ``wanted``.

    A ControlNet reads the source picture if it has none of its own. What was hidden stays hidden in everything
    made from it.
    """
    if Pending.MASK in wanted:
        options = options.with_parts("mask", image=Pending.MASK)
    if Pending.FACE in wanted:
        options = options.with_parts("face_swap", image=Pending.FACE)
    if Pending.CONTROL in wanted:
        options = options.with_parts("controls", image=Pending.CONTROL)
    elif Pending.INIT in wanted and options.part("controls", "model") is not None:
        options = options.with_parts("controls", image=Pending.INIT)
    if any(isinstance(source, Source) and source.spoiler for source in wanted.values()):
        options = replace(options, spoiler=True)
    return options


def check_files(files: Iterable[tuple[str, discord.Attachment]]) -> None:
    """Raise ``RequestError`` for what Discord already says is too large or no picture, by its ``Pending`` name."""
    total = 0
    for name, file in files:
        total += file.size
        if file.content_type is not None and not file.content_type.startswith("image/"):
            raise _named(RequestError(N_("That file is not a picture."), N_("Attach a PNG, JPEG or WebP.")), name)
        if total > MAX_INPUT_BYTES:
            too_large = LimitError(
                N_("The picture is too large: {size} MB."),
                N_("Use one of at most {max} MB."),
                size=round(total / 1e6, 1),
                max=round(MAX_INPUT_BYTES / 1e6),
            )
            raise _named(too_large, name)


async def _all(calls: Mapping[str, Awaitable[T]]) -> dict[str, T]:
    """Wait for all of ``calls`` and return their results, or raise the first one's error under its name."""
    results = await asyncio.gather(*calls.values(), return_exceptions=True)
    done: dict[str, T] = {}
    for name, result in zip(calls, results, strict=True):
        if isinstance(result, BotError):
            raise _named(result, name)
        if isinstance(result, BaseException):
            raise result
        done[name] = result
    return done


def _named(error: BotError, name: str) -> BotError:
    error.about = _CALLED.get(name, "")
    return error
