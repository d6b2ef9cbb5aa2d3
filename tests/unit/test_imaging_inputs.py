import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from bot.domain.errors import LimitError, RequestError
from bot.imaging.inputs import prepare
from bot.imaging.opening import MAX_PIXELS


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def prepared(data: bytes, max_side: int = 2048) -> Image.Image:
    result = prepare(data, max_side=max_side)
    image = Image.open(io.BytesIO(result.data))
    image.load()
    assert (image.format, image.size) == ("PNG", (result.width, result.height))
    return image


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("data", [b"", b"hello, I am a text file", b"<svg></svg>", b"%PDF-1.7", b"GIF89a"])
def test_a_file_that_is_no_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(RequestError, match=r"PNG, JPEG, WebP or GIF|damaged"):
        prepare(data)


@pytest.mark.parametrize("side", [8000, 10_000, 12_000, 30_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(LimitError, match=f"at most {MAX_PIXELS // 1_000_000} megapixels"):
        prepare(bomb(side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_cut_off_picture_is_refused_in_words(kind: str) -> None:
    data = encoded(Image.effect_noise((200, 200), 90), kind)
    with pytest.raises(RequestError, match="damaged or incomplete"):
        prepare(data[: len(data) // 2])


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    for kind in ("GIF", "WEBP"):
        options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert prepared(data).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_cmyk_becomes_rgb() -> None:
    image = prepared(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = image.getpixel((4, 4))  # type: ignore[misc]
    assert image.mode == "RGB"
    assert red > 230
    assert max(green, blue) < 25


def test_sixteen_bits_keep_their_brightness() -> None:
    image = Image.new("I;16", (4, 4), 32768)
    assert prepared(encoded(image, "PNG")).getpixel((0, 0)) == (127, 127, 127)


def test_transparency_is_kept_from_palettes_and_grey() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    assert prepared(encoded(palette, "PNG", transparency=0)).getpixel((0, 0)) == (255, 0, 0, 0)
    assert prepared(encoded(Image.new("LA", (4, 4), (90, 10)), "PNG")).getpixel((0, 0)) == (90, 90, 90, 10)
    assert prepared(encoded(palette, "PNG")).mode == "RGB"


def test_a_phone_picture_stands_upright_and_tells_no_place() -> None:
    image = Image.new("RGB", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    result = prepared(encoded(image, "JPEG", exif=exif, comment=b"secret", icc_profile=b"x" * 200))
    assert result.size == (20, 40)
    assert not result.getexif()
    assert not result.info


def test_png_text_is_left_behind() -> None:
    assert b"parameters" not in prepare(_with_text()).data


def _with_text() -> bytes:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - only here

    text = PngInfo()
    text.add_text("parameters", "a cat")
    return encoded(Image.new("RGB", (8, 8)), "PNG", pnginfo=text)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1", "I;16"])
def test_a_picture_many_times_too_large_keeps_its_parts_in_their_places(mode: str) -> None:
    image = Image.new("L", (1037, 703), 0)
    image.paste(255, (519, 0, 1037, 352))
    image.paste(255, (0, 640, 200, 703))
    made = (
        image.convert("I").point(lambda tone: tone * 257).convert(mode) if mode == "I;16" else image.convert(mode)
    )
    exif = Image.Exif()
    exif[0x0112] = 3
    result = prepared(encoded(made, "PNG", exif=exif), max_side=100)
    assert result.size == (100, 68)
    places = [(25, 50), (75, 50), (25, 10), (75, 25), (95, 2)]
    turned = image.rotate(180).resize((100, 68))
    assert [result.convert("L").getpixel(place) for place in places] == [
        turned.getpixel(place) for place in places
    ]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_picture_is_scaled_down(kind: str) -> None:
    assert prepared(encoded(Image.new("RGB", (1600, 800)), kind), max_side=400).size == (400, 200)
