"""Charts and pages of thumbnails."""

import io
from random import Random

import pytest
from PIL import Image

from bot.imaging import charts, thumbnails
from bot.imaging.charts import Bars
from bot.imaging.encoding import Encoded
from bot.imaging.thumbnails import SIDE, Cell

GROUND = (43, 45, 49)


def decoded(encoded: Encoded) -> Image.Image:
    with Image.open(io.BytesIO(encoded.data)) as image:
        assert image.format == "WEBP"
        return image.convert("RGB")


def png(size: tuple[int, int], colour: tuple[int, int, int] | None = None) -> bytes:
    """A picture of one colour; without one, of noise, which no format makes small."""
    noise = Random(1).randbytes(size[0] * size[1] * 3)  # noqa: S311 - the same picture every time
    image = Image.new("RGB", size, colour) if colour else Image.frombytes("RGB", size, noise)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 24 for a, b in zip(pixel, colour, strict=True))


def bar_heights(image: Image.Image, count: int) -> list[int]:
    """How many px of each bar's middle are blue."""
    width = (charts.WIDTH - 96) / count
    middles = [int(80 + (i + 0.5) * width) for i in range(count)]
    blue = (86, 180, 233)
    return [sum(near(image.getpixel((x, y)), blue) for y in range(charts.HEIGHT)) for x in middles]


def test_a_bar_is_as_high_as_its_number_and_what_is_not_nothing_is_seen() -> None:
    image = decoded(charts.bars(Bars((0, 5, 10, 1), ("11-01", "", "", "11-04"))))
    assert image.size == (800, 400)
    none, half, whole, one = bar_heights(image, 4)
    assert none == 0
    assert abs(whole - 2 * half) <= 4
    assert one >= 3
    assert bar_heights(decoded(charts.bars(Bars((100_000, 1), ("", "")))), 2)[1] >= 2
    assert bar_heights(decoded(charts.bars(Bars((0,) * 30, ("",) * 30))), 30) == [0] * 30


def test_no_label_is_cut_off() -> None:
    image = decoded(charts.bars(Bars((99_999,) * 30, ("00-00", *("",) * 28, "00-00"))))
    edges = [image.getpixel((x, y)) for x in (1, charts.WIDTH - 2) for y in range(charts.HEIGHT)]
    assert all(near(pixel, GROUND) for pixel in edges)


@pytest.mark.parametrize(
    ("highest", "step"), [(0, 1), (1, 1), (5, 1), (6, 2), (11, 5), (26, 10), (49, 10), (51, 20), (4999, 1000)]
)
def test_the_grid_has_round_numbers_and_at_most_five_lines(highest: int, step: int) -> None:
    assert charts.spacing(highest) == step


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1000, "1k"), (1234, "1.2k"), (15_000, "15k"), (2_500_000, "2.5M"), (10**9, "1G")],
)
def test_a_number_is_written_short(number: int, words: str) -> None:
    assert charts.written(number) == words


def test_thumbnails_stand_in_rows_of_three_and_what_is_missing_or_broken_stays_empty() -> None:
    red, green = (200, 30, 30), (30, 200, 30)
    cells = [Cell("1", png((64, 64), red)), Cell("2"), Cell("3", b"broken"), Cell("4", png((900, 30), green))]
    image = decoded(thumbnails.page(cells))
    assert image.size == (3 * SIDE + 16, 2 * SIDE + 8)
    middle, step = SIDE // 2, SIDE + 8
    assert near(image.getpixel((middle, 30)), red)
    assert near(image.getpixel((step + 30, 30)), (56, 58, 64))
    assert near(image.getpixel((2 * step + 30, 30)), (56, 58, 64))
    assert near(image.getpixel((middle, step + 30)), green), "it fills its square"
    assert near(image.getpixel((step + middle, step + 30)), GROUND)
    assert decoded(thumbnails.page([Cell("1")])).size == (SIDE, SIDE)


def test_a_page_of_noise_is_within_its_bytes() -> None:
    cells = [Cell(f"{n} · KFZ{n} x4", png((400, 400))) for n in range(9)]
    assert len(thumbnails.page(cells).data) <= 1_000_000
