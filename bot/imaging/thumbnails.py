"""A page of pictures, small, each with its number and code."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil

from PIL import Image, ImageDraw, ImageFont

from bot.domain.errors import RequestError
from bot.imaging.encoding import Encoded, webp
from bot.imaging.opening import flat, opened, upright

SIDE = 288
"""Sides of a cell in px: three of them are as wide as a phone shows at its full sharpness."""
MAX_BYTES = 1_000_000
_COLUMNS = 3
_GAP = 8
_LABEL = 24
_GROUND = (43, 45, 49)
"""Discord's dark embed."""
_EMPTY = (56, 58, 64)
_CROSS = (128, 132, 142)
_WHITE = (255, 255, 255)
_TRUSTED_PIXELS = 1 << 28


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of the page; without ``data`` its place stays empty. ``label`` is in Latin letters."""

    label: str
    data: bytes | None = field(default=None, repr=False)


def page(cells: Sequence[Cell], *, max_bytes: int = MAX_BYTES) -> Encoded:
    """Lay the cells out in rows of three, as one WebP of at most ``max_bytes``; what is no picture stays empty."""
    columns = min(_COLUMNS, len(cells))
    rows = ceil(len(cells) / columns)
    size = (columns * (SIDE + _GAP) - _GAP, rows * (SIDE + _GAP) - _GAP)
    sheet = Image.new("RGB", size, _GROUND)
    for i, cell in enumerate(cells):
        corner = (i % columns * (SIDE + _GAP), i // columns * (SIDE + _GAP))
        sheet.paste(_thumbnail(cell), corner)
        _write(sheet, cell.label, corner)
    for quality in (82, 60, 35):
        encoded = webp(sheet, quality=quality)
        if len(encoded.data) <= max_bytes:
            break
    return encoded


def _thumbnail(cell: Cell) -> Image.Image:
    """Return the middle of a picture as a square, or an empty square that is crossed out."""
    if cell.data is not None:
        with suppress(RequestError), opened(cell.data, max_pixels=_TRUSTED_PIXELS) as image:
            return flat(_square(image), _GROUND)
    empty = Image.new("RGB", (SIDE, SIDE), _EMPTY)
    ImageDraw.Draw(empty).line((SIDE * 0.4, SIDE * 0.6, SIDE * 0.6, SIDE * 0.4), fill=_CROSS, width=4)
    return empty


def _square(image: Image.Image) -> Image.Image:
    # Only the shorter side has to fill the square, but a strip of a hundred times its width need not be sharp.
    longest = min(SIDE * 4, ceil(SIDE * max(image.size) / min(image.size)))
    small = upright(image, longest)
    scale = SIDE / min(small.size)
    left, top = (small.width - SIDE / scale) / 2, (small.height - SIDE / scale) / 2
    box = (left, top, small.width - left, small.height - top)
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)


def _write(sheet: Image.Image, label: str, corner: tuple[int, int]) -> None:
    """Write on a dark, half transparent strip at the foot of the cell."""
    font = ImageFont.load_default(_LABEL)
    draw = ImageDraw.Draw(sheet, "RGBA")
    left, bottom = corner[0], corner[1] + SIDE
    width = min(SIDE, int(draw.textlength(label, font=font)) + 20)
    draw.rectangle((left, bottom - _LABEL - 12, left + width, bottom), fill=(0, 0, 0, 170))
    draw.text((left + 10, bottom - _LABEL / 2 - 6), label, font=font, fill=_WHITE, anchor="lm")
