"""A finished picture that somebody sent in to have something done with it."""

from dataclasses import dataclass

from bot.domain import infotext
from bot.domain.errors import RequestError
from bot.domain.ports import Blobs
from bot.domain.request import DescribeRequest, PaintRequest
from bot.domain.text import N_
from bot.imaging import carried, inputs, pngtext, sniffing
from bot.imaging.imaging import Imaging
from bot.services.drafts import Draft


@dataclass(frozen=True, slots=True)
class Known:
    """A picture that tells by itself what painted it; ``blob`` is the picture, its infotext inside."""

    blob: str
    recipe: PaintRequest
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes
    width: int
    height: int
    recipe: PaintRequest | None = None


async def looked_at(draft: Draft, data: bytes, *, imaging: Imaging, blobs: Blobs) -> Draft | Known:
    """Return ``draft`` as work on the picture ``data``, or what it tells where it was to be described.

    Raises ``RequestError`` in words for what is no picture or would get too large.
    """
    own = draft.spec.parent is not None
    kept = await imaging.run(_own if own else _plain, data)
    blob = await blobs.put(kept.data)
    if isinstance(draft.spec.work, DescribeRequest) and kept.recipe is not None:
        return Known(blob, kept.recipe, draft.spec.spoiler)
    return draft.working_on(blob, kept.width, kept.height, kept.recipe)


def _own(data: bytes) -> _Kept:
    """Leave one of our own pictures as it is."""
    found = sniffing.sniff(data)
    if found is None:
        raise RequestError(N_("That file is not a picture."), N_("Attach a PNG, JPEG or WebP."))
    return _Kept(data, found.width, found.height)


def _plain(data: bytes) -> _Kept:
    """Make somebody's picture plain, and let it keep nothing but its recipe."""
    told = carried.read(data)
    plain = inputs.prepare(data)
    recipe, text = told.recipe, told.infotext
    if recipe is not None and not text:
        size = (recipe.width, recipe.height)
        text = infotext.describe(recipe, seed=recipe.seed, size=size).write()
    return _Kept(pngtext.write(plain.data, text) if text else plain.data, plain.width, plain.height, recipe)
