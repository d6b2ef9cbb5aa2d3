"""A sheet as it is seen: pictures in their places, with labels, whatever comes."""

import io

import pytest
from PIL import Image

from bot.domain.errors import RequestError
from bot.imaging import sheets
from bot.imaging.sheets import Axes, Cell

GROUND, EMPTY = (43, 45, 49), (56, 58, 64)
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30), (200, 30, 200), (30, 200, 200)]


def picture(width: int, height: int, colour: tuple[int, ...], mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def drawn(cells: list[Cell], axes: Axes) -> Image.Image:
    with Image.open(io.BytesIO(sheets.sheet(cells, axes).data)) as image:
        return image.convert("RGB")


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(one, other, strict=True))


def places(image: Image.Image, colour: tuple[int, ...]) -> tuple[float, float] | None:
    """Return the middle of what has a colour."""
    small = image.resize((image.width // 4, image.height // 4), Image.Resampling.NEAREST)
    found = [
        (x, y)
        for x in range(small.width)
        for y in range(small.height)
        if near(small.getpixel((x, y)), colour)  # type: ignore[arg-type]
    ]
    if not found:
        return None
    return sum(x for x, _ in found) / len(found), sum(y for _, y in found) / len(found)


def test_cells_lie_row_by_row_below_and_beside_the_labels() -> None:
    axes = Axes("sampler", ("Euler", "Heun", "UniPC"), "cfg", ("4", "7"))
    image = drawn([Cell(picture(256, 256, colour)) for colour in COLOURS], axes)
    found = [places(image, colour) for colour in COLOURS]
    xs, ys = zip(*(each for each in found if each), strict=True)
    assert len(xs) == 6
    assert xs[0] < xs[1] < xs[2]
    assert [round(x) for x in xs[:3]] == [round(x) for x in xs[3:]]
    assert ys[0] < ys[3]
    bands = {image.getpixel((1, 1)), image.getpixel((1, image.height - 2))}
    assert all(near(each, GROUND) for each in bands)  # type: ignore[arg-type]


def test_labels_are_written_and_one_row_needs_none_beside_it() -> None:
    cells = [Cell(picture(200, 200, (0, 0, 0))) for _ in range(3)]
    image = drawn(cells, Axes("steps", ("10", "20", "30")))
    assert places(image, (242, 243, 245)) is not None
    assert image.width < 3 * 200 + 5 * 8


@pytest.mark.parametrize("size", [(64, 64), (512, 512), (1216, 832), (832, 1216), (4096, 64)])
@pytest.mark.parametrize(("columns", "rows"), [(1, 2), (5, 5), (25, 1), (1, 25)])
def test_a_sheet_never_gets_larger_than_it_may(size: tuple[int, int], columns: int, rows: int) -> None:
    axes = Axes(
        "seed", tuple("1234567890" for _ in range(columns)), "model", tuple("sd_xl_base_1.0" * rows)[:rows]
    )
    cell = Cell(sheets.shrunk(picture(*size, COLOURS[0]), axes))
    image = drawn([cell] * (columns * rows), axes)
    assert max(image.size) <= sheets.MAX_SIDE


def test_a_label_is_at_least_14_px_high_however_small_the_pictures() -> None:
    assert sheets.LABEL[0] >= 14


def test_what_is_missing_is_crossed_out_and_what_cannot_be_read_too() -> None:
    axes = Axes("seed", ("1", "2", "3"))
    cells = [Cell(picture(256, 256, COLOURS[0])), Cell(None, "failed"), Cell(b"no picture", "unreadable")]
    image = drawn(cells, axes)
    assert places(image, EMPTY) is not None
    assert places(image, (148, 155, 164)) is not None
    assert places(drawn([Cell(None, "cancelled")] * 3, axes), EMPTY) is not None


def test_letters_that_the_font_has_not_do_not_stop_it() -> None:
    axes = Axes("プロンプト", ("日本", "שלום", "🦊", "x" * 500, "ab\tcd"), "", ("",))
    assert drawn([Cell(picture(128, 128, COLOURS[0]))] * 5, axes).width <= sheets.MAX_SIDE


def test_pictures_of_different_sizes_and_with_transparency_share_a_sheet() -> None:
    axes = Axes("size", ("a", "b", "c"))
    cells = [
        Cell(picture(512, 256, COLOURS[0])),
        Cell(picture(256, 512, COLOURS[1])),
        Cell(picture(256, 256, (*COLOURS[2], 255), "RGBA")),
    ]
    image = drawn(cells, axes)
    assert all(places(image, colour) for colour in COLOURS[:3])


def test_a_picture_is_kept_no_larger_than_it_will_be_shown() -> None:
    axes = Axes("seed", tuple("12345"), "cfg", tuple("12345"))
    with Image.open(io.BytesIO(sheets.shrunk(picture(2048, 1024, COLOURS[0]), axes))) as image:
        assert image.size == (409, 205)
    with pytest.raises(RequestError):
        sheets.shrunk(b"no picture", axes)
