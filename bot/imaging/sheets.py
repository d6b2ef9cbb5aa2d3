"""A grid of pictures over two parameters, with their names and values at its rows and columns."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

from bot.domain.errors import RequestError
from bot.imaging.encoding import Encoded, jpeg
from bot.imaging.opening import flat, opened, upright

MAX_SIDE = 2048
LABEL = (18, 56)
"""Smallest and largest size of a label in px."""
_GAP = 8
_LINES = 3
_LONGEST = 60
"""Characters of a label that are looked at: three lines of the widest column have no room for more."""
_GROUND = (43, 45, 49)
"""Discord's dark embed."""
_EMPTY = (56, 58, 64)
_CROSS = (148, 155, 164)
_NAME = (181, 186, 193)
_TEXT = (242, 243, 245)
_USUAL = (512, 512)
_TRUSTED_PIXELS = 1 << 28
_PIECE = re.compile(r"[^\s_\-/\\.,:]*[\s_\-/\\.,:]*")
_NO_GLYPH = "\U0010ffff"
_ELLIPSIS = "…"
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of a sheet; one without ``data`` is crossed out, with a ``word`` that says why."""

    data: bytes | None = field(default=None, repr=False)
    word: str = ""


@dataclass(frozen=True, slots=True)
class Axes:
    """The parameters' names and their values; a sheet of one row has no name and an empty value ``down``."""

    across: str
    columns: tuple[str, ...]
    down: str = ""
    rows: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where everything goes: sizes of a cell and of the bands with the labels, in px."""

    cell: tuple[int, int]
    left: int
    top: int

    def box(self, column: int, row: int) -> Box:
        x = self.left + column * (self.cell[0] + _GAP)
        y = self.top + row * (self.cell[1] + _GAP)
        return x, y, x + self.cell[0], y + self.cell[1]


def sheet(cells: Sequence[Cell], axes: Axes, *, max_side: int = MAX_SIDE) -> Encoded:
    """Lay the cells out row by row, as one JPEG of at most ``max_side`` px a side.

    A picture that cannot be read is crossed out too. A label with letters that the font has not becomes the
    number of its row or column.
    """
    widest, tallest = _largest(cells)
    columns, rows = len(axes.columns), len(axes.rows)
    # Bands first: pictures shrink, labels have to be read.
    size = min(LABEL[1], max_side // 24, min(max_side, columns * widest) // 28)
    font = ImageFont.load_default(max(LABEL[0], size))
    across, down = _shown(axes.columns, font), _shown(axes.rows, font)
    left = _left(down, axes.down, font, max_side)
    guess = min(widest, (max_side - left) // columns - _GAP)
    top = _line(font) * (1 + max(len(_wrapped(label, font, guess)) for label in across)) + 2 * _GAP
    scale = min(
        1.0,
        (max_side - left - _GAP * columns) / (columns * widest),
        (max_side - top - _GAP * rows) / (rows * tallest),
    )
    frame = _Frame((max(1, int(widest * scale)), max(1, int(tallest * scale))), left, top)
    _, _, right, bottom = frame.box(columns - 1, rows - 1)
    image = Image.new("RGB", (right + _GAP, bottom + _GAP), _GROUND)
    draw = ImageDraw.Draw(image)
    _write_labels(draw, frame, font, Axes(_one(axes.across, font), across, _one(axes.down, font), down))
    for i, cell in enumerate(cells):
        _place(image, draw, cell, frame.box(i % columns, i // columns), font)
    return jpeg(image, quality=92)


def shrunk(data: bytes, axes: Axes, *, max_side: int = MAX_SIDE) -> bytes:
    """Return a picture as a PNG no larger than it can be in a sheet, so that many of them fit into memory.

    Raises ``RequestError`` for bytes that are no picture.
    """
    room = max_side // len(axes.columns), max_side // len(axes.rows)
    with opened(data, max_pixels=_TRUSTED_PIXELS) as image:
        small = upright(image, max(room))
    small.thumbnail(room, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _largest(cells: Sequence[Cell]) -> tuple[int, int]:
    sizes = []
    for cell in cells:
        if cell.data is not None:
            with suppress(RequestError), opened(cell.data, max_pixels=_TRUSTED_PIXELS) as image:
                sizes.append(image.size)
    widths, heights = zip(*(sizes or [_USUAL]), strict=True)
    return max(widths), max(heights)


def _left(labels: Sequence[str], name: str, font: Font, max_side: int) -> int:
    """Return the width of the band beside the rows."""
    if not any(labels):
        return _GAP
    wide = max(font.getlength(text) for text in (*labels, name))
    return int(min(wide, max_side // 5)) + 3 * _GAP


def _write_labels(draw: ImageDraw.ImageDraw, frame: _Frame, font: Font, axes: Axes) -> None:
    line = _line(font)
    first, last = frame.box(0, 0), frame.box(len(axes.columns) - 1, 0)
    _write(draw, [axes.across], ((first[0] + last[2]) / 2, _GAP + line / 2), font, _NAME)
    for column, label in enumerate(axes.columns):
        left, top, right, _ = frame.box(column, 0)
        lines = _wrapped(label, font, right - left)
        _write(draw, lines, ((left + right) / 2, (_GAP + line + top) / 2), font, _TEXT)
    if not any(axes.rows):
        return
    name = _wrapped(axes.down, font, frame.left - 2 * _GAP, 1)
    _write(draw, name, (frame.left / 2, first[1] - line / 2), font, _NAME)
    for row, label in enumerate(axes.rows):
        _, top, _, bottom = frame.box(0, row)
        most = max(1, (bottom - top) // line)
        lines = _wrapped(label, font, frame.left - 2 * _GAP, most)
        _write(draw, lines, (frame.left / 2, (top + bottom) / 2), font, _TEXT)


def _place(image: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, box: Box, font: Font) -> None:
    left, top, right, bottom = box
    if cell.data is not None:
        with suppress(RequestError), opened(cell.data, max_pixels=_TRUSTED_PIXELS) as source:
            picture = upright(source, max(right - left, bottom - top))
            picture.thumbnail((right - left, bottom - top), Image.Resampling.LANCZOS, reducing_gap=2.0)
            x, y = left + (right - left - picture.width) // 2, top + (bottom - top - picture.height) // 2
            image.paste(flat(picture, _GROUND), (x, y))
            return
    draw.rectangle((left, top, right - 1, bottom - 1), fill=_EMPTY)
    middle, height = (left + right) / 2, (top + bottom - _line(font)) / 2
    arm = min(right - left, bottom - top) / 10
    for way in (1, -1):
        ends = (middle - arm, height - way * arm, middle + arm, height + way * arm)
        draw.line(ends, fill=_CROSS, width=max(3, int(arm // 4)))
    word = _wrapped(_one(cell.word, font), font, right - left, 1)
    _write(draw, word, (middle, height + arm + _line(font)), font, _TEXT)


def _write(
    draw: ImageDraw.ImageDraw, lines: Sequence[str], at: tuple[float, float], font: Font, colour: Colour
) -> None:
    """Write lines around ``at``."""
    height = _line(font)
    for i, text in enumerate(lines):
        draw.text((at[0], at[1] + (i - (len(lines) - 1) / 2) * height), text, font=font, fill=colour, anchor="mm")


def _line(font: Font) -> int:
    return int(font.getbbox("Ág")[3] * 1.1)


def _shown(labels: Sequence[str], font: Font) -> tuple[str, ...]:
    if not any(labels):
        return ("",)
    return tuple(_one(label, font) or f"#{number}" for number, label in enumerate(labels, start=1))


def _one(label: str, font: Font) -> str:
    """Return a label, or nothing if the font has not all of its letters."""
    label = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + _ELLIPSIS
    missing = bytes(font.getmask(_NO_GLYPH))
    return label if all(char.isspace() or bytes(font.getmask(char)) != missing for char in set(label)) else ""


def _wrapped(text: str, font: Font, width: float, most: int = _LINES) -> list[str]:
    """Return ``text`` in at most ``most`` lines of ``width`` px, with an ellipsis where something is missing."""
    lines = [""]
    for piece in _pieces(text, font, width):
        if lines[-1] and font.getlength((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    lines = [line.strip() for line in lines]
    if len(lines) > most:
        last = lines[most - 1]
        while last and font.getlength(last + _ELLIPSIS) > width:
            last = last[:-1]
        lines = [*lines[: most - 1], last + _ELLIPSIS]
    return lines


def _pieces(text: str, font: Font, width: float) -> Iterator[str]:
    """Yield where a line may be broken: after a separator, and within what is too long for a line."""
    for piece in filter(None, _PIECE.findall(text)):
        rest = piece
        while len(rest) > 1 and font.getlength(rest.rstrip()) > width:
            fits = next((n for n in range(len(rest) - 1, 1, -1) if font.getlength(rest[:n]) <= width), 1)
            yield rest[:fits]
            rest = rest[fits:]
        yield rest
