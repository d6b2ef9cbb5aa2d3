"""Masks for a source picture: white is painted anew, black stays."""

import io
from dataclasses import dataclass, field
from math import sqrt

from PIL import Image, ImageChops, ImageFilter, ImageOps

from bot.domain.errors import LimitError, RequestError
from bot.domain.text import N_
from bot.imaging.areas import Area, Box, Extension, Transparent
from bot.imaging.inputs import MAX_SIDE, PreparedImage
from bot.imaging.opening import opened, upright

_HALF = 127
_OPAQUE = 255
_LATENT_PX = 8
_LEAST_OVERLAP_PX, _MOST_OVERLAP_PX = 8, 64


@dataclass(frozen=True, slots=True)
class Masked:
    """A source picture with the mask that belongs to it, both PNG of the same size."""

    picture: PreparedImage
    mask: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Room:
    """How large a picture may become: its longer side in px, its pixels, and how many it should at least have."""

    max_side: int
    max_pixels: int
    min_pixels: int = 0


def attached(data: bytes, width: int, height: int) -> bytes:
    """Return the mask in a file of any kind, brought to ``width``×``height`` px.

    Where a file is partly transparent its opaque parts are painted, as the WebUI has it, else its light ones.
    Raises ``RequestError`` for a mask that is all of one kind.
    """
    with opened(data) as image:
        frame = upright(image, MAX_SIDE)
    mask = frame.convert("L")
    if frame.mode == "RGBA" and frame.getchannel("A").getextrema() != (_OPAQUE, _OPAQUE):
        mask = frame.getchannel("A")
    mask = mask.resize((width, height), Image.Resampling.LANCZOS)
    darkest, lightest = _extremes(mask)
    if lightest <= _HALF:
        raise RequestError(
            N_("This mask is black all over, so nothing would be painted."),
            N_("Make white what is to be painted anew."),
        )
    if darkest > _HALF:
        raise RequestError(
            N_("This mask is white all over, so nothing would stay."),
            N_("Make black what is to stay, or leave the mask out."),
        )
    return _png(mask)


def of_area(source: PreparedImage, area: Area, room: Room) -> Masked:
    """Return ``source`` with the mask for ``area``; an extension makes it larger, at most as large as ``room``.

    What is transparent is filled with the colours around it. Raises ``RequestError`` for an area that holds
    nothing of the picture, or all of it.
    """
    with opened(source.data) as image:
        picture = upright(image)
    match area:
        case Transparent():
            mask = _transparent(picture)
        case Box():
            mask = _boxed(picture.size, area, source.scale)
        case Extension():
            return _extended(_filled(picture), area, room)
    filled = _filled(picture)
    return Masked(PreparedImage(_png(filled), *filled.size, scale=source.scale), _png(mask))


def _transparent(picture: Image.Image) -> Image.Image:
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else Image.new("L", picture.size, _OPAQUE)
    most, least = _extremes(alpha)
    if most > _HALF:
        raise RequestError(
            N_("Nothing in that picture is transparent."), N_("Choose another area, or attach a mask.")
        )
    if least <= _HALF:
        raise RequestError(N_("That picture is transparent all over."), N_("Use one that shows something."))
    return ImageOps.invert(alpha)


def _boxed(size: tuple[int, int], box: Box, scale: float) -> Image.Image:
    width, height = size
    left, top = box.left.px(width, scale), box.top.px(height, scale)
    right = min(width, left + box.width.px(width, scale))
    bottom = min(height, top + box.height.px(height, scale))
    if left >= right or top >= bottom:
        raise LimitError(
            N_("That area lies outside the picture, which has {width}×{height} px."),
            N_("Write x,y,width,height in pixels or percent, counted from the upper left corner."),
            width=round(width / scale),
            height=round(height / scale),
        )
    if (left, top, right, bottom) == (0, 0, width, height):
        raise LimitError(N_("That area is the whole picture."), N_("Choose a smaller one, or leave the area out."))
    ground, inside = (_OPAQUE, 0) if box.outside else (0, _OPAQUE)
    mask = Image.new("L", size, ground)
    mask.paste(inside, (left, top, right, bottom))
    return mask


def _extended(picture: Image.Image, by: Extension, room: Room) -> Masked:
    wide = _Axis.of(picture.width, by.left, by.right)
    high = _Axis.of(picture.height, by.up, by.down)
    pixels = wide.whole * high.whole
    scale = min(
        max(1.0, sqrt(room.min_pixels / pixels)),
        sqrt(room.max_pixels / pixels),
        room.max_side / max(wide.whole, high.whole),
    )
    wide, high = wide.scaled(scale), high.scaled(scale)
    kept = picture.resize((wide.kept, high.kept), Image.Resampling.LANCZOS)
    overlap = min(max(_LEAST_OVERLAP_PX, min(kept.size) // 16), _MOST_OVERLAP_PX)
    canvas = _stretched(kept, wide, high, min(overlap, *kept.size)).filter(ImageFilter.GaussianBlur(2 * overlap))
    canvas.paste(kept, (wide.before, high.before))
    mask = _overlapping(wide, high, overlap)
    return Masked(PreparedImage(_png(canvas), *canvas.size), _png(mask))


@dataclass(frozen=True, slots=True)
class _Axis:
    """One direction of a larger picture, in px: what is new, the old picture, and what is new behind it."""

    before: int
    kept: int
    after: int

    @classmethod
    def of(cls, kept: int, before_percent: int, after_percent: int) -> "_Axis":
        return cls(round(kept * before_percent / 100), kept, round(kept * after_percent / 100))

    @property
    def whole(self) -> int:
        return self.before + self.kept + self.after

    def scaled(self, scale: float) -> "_Axis":
        """Return it ``scale`` times as long, in all a multiple of what a backend can paint."""
        whole = max(_LATENT_PX, int(self.whole * scale) // _LATENT_PX * _LATENT_PX)
        before, after = (round(new * whole / self.whole) for new in (self.before, self.after))
        return _Axis(before, whole - before - after, after)


def _stretched(kept: Image.Image, wide: _Axis, high: _Axis, edge: int) -> Image.Image:
    """Return the picture with its edges, each the mean of ``edge`` px, drawn out to the new sides."""
    strip = Image.new("RGB", (wide.whole, kept.height))
    strip.paste(kept, (wide.before, 0))
    for left, right, at, new in (
        (0, edge, 0, wide.before),
        (kept.width - edge, kept.width, wide.before + kept.width, wide.after),
    ):
        if new:
            line = kept.resize((1, kept.height), Image.Resampling.BOX, (left, 0, right, kept.height))
            strip.paste(line.resize((new, kept.height)), (at, 0))
    canvas = Image.new("RGB", (wide.whole, high.whole))
    canvas.paste(strip, (0, high.before))
    for top, bottom, at, new in (
        (0, edge, 0, high.before),
        (kept.height - edge, kept.height, high.before + kept.height, high.after),
    ):
        if new:
            line = strip.resize((wide.whole, 1), Image.Resampling.BOX, (0, top, wide.whole, bottom))
            canvas.paste(line.resize((wide.whole, new)), (0, at))
    return canvas


def _overlapping(wide: _Axis, high: _Axis, overlap: int) -> Image.Image:
    """Return the mask of what is new, which fades out over ``overlap`` px of the old picture."""
    size = (wide.whole, high.whole)
    old = (wide.before, high.before, wide.before + wide.kept, high.before + high.kept)
    new = Image.new("L", size, _OPAQUE)
    new.paste(0, old)
    inner = tuple(
        side + (overlap // 2 if fresh else 0) * inwards
        for side, fresh, inwards in zip(
            old, (wide.before, high.before, wide.after, high.after), (1, 1, -1, -1), strict=True
        )
    )
    soft = Image.new("L", size, _OPAQUE)
    soft.paste(0, (inner[0], inner[1], inner[2], inner[3]))
    return ImageChops.lighter(new, soft.filter(ImageFilter.GaussianBlur(overlap / 4)))


def _filled(picture: Image.Image) -> Image.Image:
    """Return it without transparency: what is not seen takes the colours around it, the nearest last."""
    if picture.mode != "RGBA":
        return picture
    filled = Image.new("RGBA", picture.size, (127, 127, 127, 255))
    for radius in (256, 64, 16, 4):
        # In RGBa colours are weighed by how far they are seen.
        filled.alpha_composite(picture.convert("RGBa").filter(ImageFilter.GaussianBlur(radius)).convert("RGBA"))
    filled.alpha_composite(picture)
    return filled.convert("RGB")


def _extremes(image: Image.Image) -> tuple[int, int]:
    low, high = image.getextrema()
    return int(str(low)), int(str(high))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
