import io

import pytest
from PIL import Image

from bot.domain.errors import RequestError
from bot.imaging.areas import Area, Extension, read, suggest
from bot.imaging.inputs import PreparedImage, prepare
from bot.imaging.masking import Masked, Room, attached, of_area

ROOM = Room(max_side=2048, max_pixels=2048 * 1536)
WHITE, BLACK = 255, 0


def encoded(image: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def source(image: Image.Image, max_side: int = 2048) -> PreparedImage:
    return prepare(encoded(image), max_side=max_side)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def mask_of(made: Masked) -> Image.Image:
    mask = opened(made.mask)
    assert mask.mode == "L"
    assert mask.size == opened(made.picture.data).size == (made.picture.width, made.picture.height)
    return mask


def whites(words: str, width: int = 80, height: int = 40) -> tuple[int, int, int, int] | None:
    """Return the box of what is painted of a teal picture."""
    made = of_area(source(Image.new("RGB", (width, height), "teal")), read(words), ROOM)
    return mask_of(made).getbbox()


@pytest.mark.parametrize(
    ("words", "box"),
    [
        ("left half", (0, 0, 40, 40)),
        ("Right  Half", (40, 0, 80, 40)),
        ("top", (0, 0, 80, 20)),
        ("bottom half", (0, 20, 80, 40)),
        ("center", (20, 10, 60, 30)),
        ("centre", (20, 10, 60, 30)),
        ("10,5,20,30", (10, 5, 30, 35)),
        ("10 5 20 30", (10, 5, 30, 35)),
        ("10px, 5px, 20px, 30px", (10, 5, 30, 35)),
        ("25%,50%,50%,50%", (20, 20, 60, 40)),
        ("0;0;50%;10px", (0, 0, 40, 10)),
        ("70,30,500,500", (70, 30, 80, 40)),
    ],
)
def test_words_and_boxes_say_where_it_is_painted(words: str, box: tuple[int, int, int, int]) -> None:
    assert whites(words) == box


def test_the_border_is_all_but_the_middle() -> None:
    mask = mask_of(of_area(source(Image.new("RGB", (100, 100))), read("border"), ROOM))
    assert mask.getpixel((5, 50)) == mask.getpixel((95, 50)) == mask.getpixel((50, 5)) == WHITE
    assert mask.getpixel((50, 50)) == mask.getpixel((20, 20)) == BLACK


def test_pixels_are_those_of_the_picture_as_it_was_sent() -> None:
    small = source(Image.new("RGB", (800, 400)), max_side=200)
    mask = mask_of(of_area(small, read("400,200,100,100"), ROOM))
    assert (mask.size, mask.getbbox()) == ((200, 100), (100, 50, 125, 75))


def test_what_is_transparent_is_painted_and_takes_the_colours_around_it() -> None:
    image = Image.new("RGBA", (80, 40), (200, 0, 0, 255))
    image.paste((0, 0, 255, 0), (20, 10, 40, 30))
    made = of_area(source(image), read("transparent"), ROOM)
    assert mask_of(made).getbbox() == (20, 10, 40, 30)
    red, green, blue = opened(made.picture.data).getpixel((30, 20))  # type: ignore[misc]
    assert red > 150
    assert max(green, blue) < 60


@pytest.mark.parametrize(
    ("image", "words", "refusal"),
    [
        (Image.new("RGB", (80, 40)), "transparent", "Nothing in that picture is transparent"),
        (Image.new("RGBA", (80, 40)), "transparent", "transparent all over"),
        (Image.new("RGB", (80, 40)), "90,0,10,10", "outside the picture, which has 80×40 px"),
        (Image.new("RGB", (80, 40)), "0,0,0,10", "outside the picture"),
        (Image.new("RGB", (80, 40)), "0,0,100%,100%", "the whole picture"),
    ],
)
def test_an_area_that_paints_nothing_or_everything_is_refused(
    image: Image.Image, words: str, refusal: str
) -> None:
    with pytest.raises(RequestError, match=refusal):
        of_area(source(image), read(words), ROOM)


@pytest.mark.parametrize(
    "words", ["", "somewhere", "10,10,20", "extend", "extend sideways", "1e9,1,1,1", "-1,0,5,5"]
)
def test_words_that_are_no_area_are_refused_with_those_that_are(words: str) -> None:
    with pytest.raises(RequestError, match="Say left half, center, border or transparent"):
        read(words)


@pytest.mark.parametrize("words", ["extend left 0", "extend all 101%", "extend up 99999"])
def test_nothing_is_extended_by_more_than_its_own_size(words: str) -> None:
    with pytest.raises(RequestError, match="between 1 and 100 percent"):
        read(words)


@pytest.mark.parametrize(
    ("words", "area"),
    [
        ("extend right", Extension(right=25)),
        ("Extend up 50 %", Extension(up=50)),
        ("extend left, right 10", Extension(left=10, right=10)),
        ("extend all 100%", Extension(100, 100, 100, 100)),
    ],
)
def test_a_picture_is_extended_by_sides_and_percent(words: str, area: Area) -> None:
    assert read(words) == area


def test_an_extension_keeps_the_picture_and_paints_beyond_it_with_a_soft_overlap() -> None:
    image = Image.new("RGB", (512, 256), "teal")
    image.paste("orange", (448, 0, 512, 256))
    made = of_area(source(image), read("extend right 25%"), ROOM)
    picture, mask = opened(made.picture.data), mask_of(made)
    assert picture.size == (640, 256)
    assert picture.crop((0, 0, 512, 256)).tobytes() == image.tobytes()
    red, _, blue = picture.getpixel((620, 128))  # type: ignore[misc]
    assert (red > 200, blue < 60) == (True, True), "the new part begins with the colours of the edge"
    line = [int(str(mask.getpixel((x, 100)))) for x in range(640)]
    assert set(line[512:]) == {WHITE}
    assert set(line[:480]) == {BLACK}
    assert line == sorted(line)
    assert len(set(line[480:512])) > 5, "it fades out"


def test_an_extension_to_all_sides_lies_around_the_picture() -> None:
    made = of_area(source(Image.new("RGB", (200, 104), "teal")), read("extend all 50%"), ROOM)
    mask = mask_of(made)
    assert mask.size == (400, 208)
    assert mask.getpixel((200, 104)) == BLACK
    for corner in ((0, 0), (399, 0), (0, 207), (399, 207), (99, 104), (300, 104), (200, 51), (200, 156)):
        assert mask.getpixel(corner) == WHITE, corner


@pytest.mark.parametrize("size", [(2048, 1536), (1000, 333), (333, 1000), (100, 70), (9, 5), (1, 1), (2048, 3)])
@pytest.mark.parametrize("words", ["extend right", "extend all 100%", "extend up 1%", "extend left down 33%"])
def test_an_extended_picture_fits_the_limits_in_multiples_of_eight(size: tuple[int, int], words: str) -> None:
    room = Room(max_side=1024, max_pixels=768 * 1024, min_pixels=128 * 128)
    made = of_area(source(Image.new("RGB", size, "teal")), read(words), room)
    width, height = mask_of(made).size
    assert width % 8 == height % 8 == 0
    assert max(width, height) <= 1024
    assert width * height <= 768 * 1024


def test_a_mask_of_any_kind_and_size_is_brought_to_the_picture() -> None:
    grey = Image.new("L", (40, 20), BLACK)
    grey.paste(WHITE, (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 3
    for data in (
        encoded(grey),
        encoded(grey.convert("1")),
        encoded(grey.convert("P")),
        encoded(grey.convert("I;16").point(lambda value: value * 257)),
        encoded(grey.convert("CMYK"), "JPEG"),
        encoded(grey, "WEBP"),
        encoded(grey, "GIF", save_all=True, append_images=[Image.new("L", (40, 20), WHITE)]),
        encoded(grey.rotate(180), "JPEG", exif=exif),
    ):
        mask = opened(attached(data, 160, 80))
        assert (mask.mode, mask.size) == ("L", (160, 80))
        assert int(str(mask.getpixel((20, 40)))) > 240
        assert int(str(mask.getpixel((140, 40)))) < 15


def test_what_is_drawn_on_a_transparent_ground_is_painted_whatever_its_colour() -> None:
    drawn = Image.new("RGBA", (40, 20))
    drawn.paste((0, 0, 0, 255), (0, 0, 20, 20))
    mask = opened(attached(encoded(drawn), 40, 20))
    assert (mask.getpixel((5, 10)), mask.getpixel((35, 10))) == (WHITE, BLACK)


@pytest.mark.parametrize(
    ("mask", "refusal"),
    [
        (Image.new("L", (40, 20), BLACK), "black all over.*Make white"),
        (Image.new("L", (40, 20), WHITE), "white all over.*leave the mask out"),
        (Image.new("RGBA", (40, 20)), "black all over"),
        (Image.new("RGB", (40, 20), "yellow"), "white all over"),
    ],
)
def test_a_mask_that_is_all_of_one_kind_is_refused(mask: Image.Image, refusal: str) -> None:
    with pytest.raises(RequestError, match=refusal):
        attached(encoded(mask), 80, 40)


def test_areas_are_suggested_while_one_types() -> None:
    assert {"transparent", "center", "border", "left half", "extend all 25%"} <= set(suggest(""))
    assert suggest("half") == ["left half", "right half", "top half", "bottom half"]
    assert suggest("extend up")[0] == "extend up"
    assert "extend up 50%" in suggest("extend up")
    assert suggest("10,10,50,60")[0] == "10,10,50,60"
    assert suggest("my cat")[0] == "transparent", "what fits nothing gets all there is"
    for typed in ("", "e", "extend", "extend l", "5"):
        found = suggest(typed)
        assert 0 < len(found) <= 25
        for words in found:
            read(words)
