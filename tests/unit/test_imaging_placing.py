from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from bot.domain.request import Mask, MaskFill, Resize
from bot.imaging.placing import patch, place

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def halves(width: int, height: int) -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def spot(size: int, left: int, top: int, side: int) -> bytes:
    mask = Image.new("RGB", (size, size))
    ImageDraw.Draw(mask).rectangle((left, top, left + side - 1, top + side - 1), (255, 255, 255))
    return encoded(mask)


@pytest.mark.parametrize("resize", Resize)
def test_a_picture_gets_exactly_the_size(resize: Resize) -> None:
    assert decoded(place(encoded(halves(100, 40)), 64, 48, resize)).size == (64, 48)


def test_a_picture_that_has_the_size_comes_back_as_it_is() -> None:
    data = encoded(halves(64, 48))
    assert place(data, 64, 48, Resize.CROP) == data


def test_cropping_keeps_the_middle_and_filling_keeps_it_all() -> None:
    wide = Image.new("RGB", (90, 30), RED)
    wide.paste(BLUE, (30, 0, 60, 30))
    cropped = decoded(place(encoded(wide), 30, 30, Resize.CROP))
    assert cropped.getpixel((2, 15)) == cropped.getpixel((27, 15)) == BLUE
    filled = decoded(place(encoded(wide), 90, 90, Resize.FILL))
    assert (filled.getpixel((5, 45)), filled.getpixel((45, 45)), filled.getpixel((85, 45))) == (RED, BLUE, RED)


def test_the_whole_picture_is_in_view_unless_padded() -> None:
    made = patch(encoded(halves(64, 64)), spot(64, 0, 0, 8), 64, 64, Resize.CROP, Mask("m", blur=0))
    assert made.box == (0, 0, 64, 64)
    assert decoded(made.mask).getpixel((4, 4)) == 255
    assert decoded(made.mask).getpixel((20, 20)) == 0


def test_only_the_padded_area_is_painted_at_full_size_and_knows_its_place() -> None:
    made = patch(encoded(halves(64, 64)), spot(64, 40, 8, 8), 64, 64, Resize.CROP, Mask("m", blur=0, padding=4))
    assert made.box == (36, 4, 16, 16)
    picture = decoded(made.picture)
    assert (picture.size, picture.getpixel((1, 1))) == ((64, 64), BLUE)
    assert (decoded(made.edge).size, decoded(made.whole).size) == ((16, 16), (64, 64))


@pytest.mark.parametrize("side", [64, 0])
def test_a_mask_of_everything_or_nothing_is_the_whole_picture(side: int) -> None:
    mask = spot(64, 0, 0, side) if side else encoded(Image.new("L", (64, 64)))
    assert patch(encoded(halves(64, 64)), mask, 64, 64, Resize.CROP, Mask("m", padding=8)).box == (0, 0, 64, 64)


def test_an_inverted_mask_paints_the_rest() -> None:
    made = patch(encoded(halves(64, 64)), spot(64, 0, 0, 8), 64, 64, Resize.CROP, Mask("m", blur=0, invert=True))
    assert decoded(made.mask).getpixel((4, 4)) == 0
    assert decoded(made.mask).getpixel((40, 40)) == 255


def test_filling_puts_the_colours_around_into_the_masked_area() -> None:
    source = Image.new("RGB", (64, 64), BLUE)
    source.paste(RED, (24, 24, 40, 40))
    wanted = Mask("m", blur=0, fill=MaskFill.FILL)
    made = decoded(patch(encoded(source), spot(64, 22, 22, 20), 64, 64, Resize.CROP, wanted).picture)
    red, _, blue = made.convert("RGB").getpixel((32, 32))  # type: ignore[misc]
    assert blue - red > 160
