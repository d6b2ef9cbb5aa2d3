"""Several pictures in one, each numbered in its corner."""

from collections.abc import Sequence
from math import ceil, sqrt

from PIL import Image, ImageDraw, ImageFont

from bot.imaging.encoding import Encoded, jpeg
from bot.imaging.opening import flat, opened, upright

MAX_SIDE = 2048
_GROUND = (43, 45, 49)
"""Discord's dark embed, so that an empty cell is none."""
_TRUSTED_PIXELS = 1 << 28


def grid(pictures: Sequence[bytes], *, max_side: int = MAX_SIDE) -> Encoded:
    """Lay two or more pictures out in rows, numbered from 1, as one JPEG of at most ``max_side`` px a side.

    Two wide pictures stand above each other, two tall ones side by side. Raises ``RequestError`` for bytes
    that are no picture.
    """
    sizes = []
    for data in pictures:
        with opened(data, max_pixels=_TRUSTED_PIXELS) as image:
            sizes.append(image.size)
    widest, tallest = (max(sides) for sides in zip(*sizes, strict=True))
    columns = ceil(sqrt(len(pictures)))
    if len(pictures) == 2 and widest > tallest:  # noqa: PLR2004 - a pair
        columns = 1
    rows = ceil(len(pictures) / columns)
    gap = 8
    room = min(
        1.0,
        (max_side - gap * (columns - 1)) / (columns * widest),
        (max_side - gap * (rows - 1)) / (rows * tallest),
    )
    cell = (max(1, int(widest * room)), max(1, int(tallest * room)))
    sheet_size = (columns * cell[0] + gap * (columns - 1), rows * cell[1] + gap * (rows - 1))
    sheet = Image.new("RGB", sheet_size, _GROUND)
    for i, data in enumerate(pictures):
        corner = (i % columns * (cell[0] + gap), i // columns * (cell[1] + gap))
        _place(sheet, data, cell, corner)
        _number(sheet, str(i + 1), corner, min(cell))
    return jpeg(sheet, quality=92)


def _place(sheet: Image.Image, data: bytes, cell: tuple[int, int], corner: tuple[int, int]) -> None:
    with opened(data, max_pixels=_TRUSTED_PIXELS) as image:
        picture = upright(image, max(cell))
    picture.thumbnail(cell, Image.Resampling.LANCZOS, reducing_gap=2.0)
    left = corner[0] + (cell[0] - picture.width) // 2
    top = corner[1] + (cell[1] - picture.height) // 2
    sheet.paste(flat(picture, _GROUND), (left, top))


def _number(sheet: Image.Image, digit: str, corner: tuple[int, int], side: int) -> None:
    """Draw the digit on a dark, half transparent badge that stays readable on a phone."""
    badge = max(18, side // 11)
    left, top = corner[0] + badge // 4, corner[1] + badge // 4
    draw = ImageDraw.Draw(sheet, "RGBA")
    draw.rounded_rectangle((left, top, left + badge, top + badge), radius=badge // 4, fill=(0, 0, 0, 150))
    middle = (left + badge / 2, top + badge / 2)
    draw.text(middle, digit, font=ImageFont.load_default(badge * 0.7), fill=(255, 255, 255, 255), anchor="mm")
