import io
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.domain.errors import RequestError
from bot.imaging import pngtext
from bot.imaging.encoding import infotext_of
from bot.imaging.fitting import fit
from bot.imaging.grid import grid
from bot.imaging.imaging import Imaging
from bot.imaging.preview import preview
from bot.imaging.sketching import Subject, glimpse, paint
from bot.imaging.sniffing import sniff


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    pixels = Random(1).randbytes(width * height * len(mode))  # noqa: S311 - any noise will do
    return Image.frombytes(mode, (width, height), pixels)


def as_bytes(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": 1}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGBA", {}),
        ("WEBP", "RGB", {"lossless": 1}),
    ],
)
def test_type_and_size_are_told_by_the_header(kind: str, mode: str, options: dict[str, int]) -> None:
    found = sniff(as_bytes(noise(37, 21, mode), kind, **options))
    assert found is not None
    assert (found.media_type, found.width, found.height) == (f"image/{kind.lower()}", 37, 21)


@given(
    st.binary(),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFFxxxxWEBP", b"RIFFxxxxWEBPVP8 "]),
)
def test_bytes_of_any_kind_are_sniffed_without_failing(data: bytes, start: bytes) -> None:
    sniff(start + data)
    pngtext.read(start + data)


@pytest.mark.parametrize("text", ["a cat\nSteps: 2", "ein Käfer", "猫, Steps: 2"])
def test_infotext_is_added_without_touching_the_pixels(text: str) -> None:
    image = noise(9, 7)
    plain = as_bytes(image)
    told = pngtext.write(plain, text)
    assert pngtext.read(told) == text
    assert opened(told).info["parameters"] == text
    assert opened(told).tobytes() == image.tobytes()
    assert told.endswith(plain[33:])
    assert pngtext.read(plain) == ""


def test_compressed_infotext_is_read_and_other_formats_are_left_alone() -> None:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - only here

    for zipped in (True, False):
        text, international = PngInfo(), PngInfo()
        text.add_text("parameters", "a cat", zip=zipped)
        international.add_itxt("parameters", "猫", lang="ja", tkey="x", zip=zipped)
        buffer, other = io.BytesIO(), io.BytesIO()
        noise(2, 2).save(buffer, "PNG", pnginfo=text)
        noise(2, 2).save(other, "PNG", pnginfo=international)
        assert (pngtext.read(buffer.getvalue()), pngtext.read(other.getvalue())) == ("a cat", "猫")
    jpeg = as_bytes(noise(2, 2), "JPEG")
    assert (pngtext.read(jpeg), pngtext.write(jpeg, "x")) == ("", jpeg)


def test_a_picture_that_fits_goes_through_untouched() -> None:
    data = as_bytes(noise(10, 10))
    fitted = fit(data, "image/png", len(data))
    assert (fitted.data, fitted.media_type, fitted.ext, fitted.reduced) == (data, "image/png", "png", False)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("max_bytes", [150_000, 40_000, 3_000, 600])
def test_a_picture_that_does_not_fit_is_made_to_and_keeps_its_infotext(mode: str, max_bytes: int) -> None:
    text = "a fox, 猫\nSteps: 2, Seed: 5, Size: 1x1"
    data = pngtext.write(as_bytes(noise(300, 200, mode)), text)
    fitted = fit(data, "image/png", max_bytes)
    image = opened(fitted.data)
    assert len(fitted.data) <= max_bytes
    assert fitted.reduced
    assert f"image/{(image.format or '').lower()}" == fitted.media_type
    assert infotext_of(fitted.data, image) == text
    assert 1.3 < image.width / image.height < 1.7


def test_a_picture_longer_than_webp_allows_is_fitted_too() -> None:
    data = as_bytes(noise(17_000, 8))
    fitted = fit(data, "image/png", 100_000)
    assert len(fitted.data) <= 100_000


def test_bytes_that_are_no_picture_cannot_be_fitted() -> None:
    with pytest.raises(RequestError):
        fit(b"x" * 100, "image/png", 10)


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        (2, (300, 200), (300, 408)),
        (2, (200, 300), (408, 300)),
        (3, (200, 200), (408, 408)),
        (4, (200, 200), (408, 408)),
        (4, (1200, 600), (1024, 516)),
    ],
)
def test_pictures_are_laid_out_in_one_grid(count: int, size: tuple[int, int], expected: tuple[int, int]) -> None:
    colours = ("red", "lime", "blue", "yellow")
    pictures = [as_bytes(Image.new("RGB", size, colour)) for colour in colours[:count]]
    made = grid(pictures, max_side=1024)
    assert made.media_type == "image/jpeg"
    sheet = opened(made.data)
    assert sheet.size == expected
    red, green, blue = sheet.getpixel((sheet.width - 20, 20)) if count > 2 else (0, 255, 0)  # type: ignore[misc]
    assert (red < 30, green > 220, blue < 30) == (True, True, True)


def test_each_picture_of_a_grid_wears_its_number() -> None:
    white = as_bytes(Image.new("RGB", (200, 200), "white"))
    sheet = opened(grid([white] * 4).data).convert("L")
    for left, top in ((0, 0), (208, 0), (0, 208), (208, 208)):
        badge = sheet.crop((left, top, left + 24, top + 24))
        assert badge.getextrema()[0] < 140  # type: ignore[operator]
        assert sheet.crop((left + 100, top + 100, left + 150, top + 150)).getextrema()[0] > 240  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_preview_is_small_webp(kind: str) -> None:
    small = sniff(preview(as_bytes(noise(640, 320), kind)))
    assert small is not None
    assert (small.media_type, small.width, small.height) == ("image/webp", 256, 128)


def test_the_same_subject_is_the_same_sketch_and_another_seed_another() -> None:
    subject = Subject("a fox", 5, 128, 96)
    assert paint(subject, "x") == paint(subject, "x")
    assert paint(subject, "") != paint(Subject("a fox", 6, 128, 96), "")
    assert paint(subject, "") != paint(Subject("a cat", 5, 128, 96), "")
    assert opened(paint(subject, "Seed: 5")).info["parameters"] == "Seed: 5"
    assert opened(paint(subject, "")).size == (128, 96)


def test_a_sketch_over_a_picture_blends_by_strength() -> None:
    red = as_bytes(Image.new("RGB", (300, 100), (255, 0, 0)))

    def distance(strength: float) -> float:
        image = opened(paint(Subject("a fox", 5, 64, 64, red, strength), ""))
        red_part, green_part, blue_part = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        return float(255 - red_part + green_part + blue_part)

    assert distance(0.1) < distance(0.5) < distance(1.0)


def test_a_glimpse_is_a_small_webp_that_changes() -> None:
    subject = Subject("a fox", 5, 1024, 512)
    early, late = glimpse(subject, 0.2), glimpse(subject, 0.8)
    found = sniff(early)
    assert found is not None
    assert (found.media_type, found.width, found.height) == ("image/webp", 256, 128)
    assert early != late


async def test_all_of_it_runs_in_threads_that_can_be_closed() -> None:
    imaging = Imaging()
    data = as_bytes(noise(64, 64))
    try:
        assert (await imaging.prepare(data)).width == 64
        assert (await imaging.fit(data, "image/png", 10_000_000)).data == data
        assert (await imaging.fit(data, "image/png", 5_000)).reduced
        assert sniff((await imaging.grid([data, data])).data) is not None
        assert sniff(await imaging.preview(data)) is not None
    finally:
        await imaging.close()


def test_headers_of_odd_shape_are_told_or_left() -> None:
    jpeg = as_bytes(noise(37, 21), "JPEG")
    padded = sniff(jpeg[:2] + b"\xff\xff\x01" + jpeg[2:])
    assert padded is not None
    assert (padded.width, padded.height) == (37, 21)
    assert sniff(b"\xff\xd8\xff\xe0\x00\x02\x00") is None
    assert sniff(b"RIFFxxxxWEBPALPH" + bytes(20)) is None


def test_damaged_compressed_infotext_is_none() -> None:
    plain = as_bytes(noise(2, 2))
    content = b"parameters\0\0not zlib"
    chunk = len(content).to_bytes(4, "big") + b"zTXt" + content + bytes(4)
    assert pngtext.read(plain[:33] + chunk + plain[33:]) == ""
    other = b"Comment\0hello"
    chunk = len(other).to_bytes(4, "big") + b"tEXt" + other + bytes(4)
    assert pngtext.read(plain[:33] + chunk + plain[33:]) == ""


def test_infotext_too_long_for_its_picture_is_left_behind() -> None:
    data = pngtext.write(as_bytes(noise(100, 100)), "a cat " * 5_000)
    fitted = fit(data, "image/png", 2_000)
    assert len(fitted.data) <= 2_000
    assert infotext_of(fitted.data, opened(fitted.data)) == ""
