"""Abstract pictures from a prompt and a seed, without any model: what the built-in painter paints."""

import colorsys
import io
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from bot.imaging import pngtext
from bot.imaging.encoding import webp
from bot.imaging.opening import flat, opened, upright
from bot.imaging.preview import MAX_SIDE as PREVIEW_SIDE

Colour = tuple[int, int, int]
Point = tuple[float, float]
_GROUND_SIDE = 96
_SMOOTH_PIXELS = 1 << 20
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Subject:
    """What decides a sketch: the same subject is the same picture, byte for byte.

    ``strength`` 0–1 says how much of ``init_image``'s own picture is painted over; sizes in px.
    """

    prompt: str
    seed: int
    width: int
    height: int
    init_image: bytes | None = None
    strength: float = 1.0


def paint(subject: Subject, infotext: str) -> bytes:
    """Return the finished sketch as PNG with its infotext."""
    image = _picture(subject, (subject.width, subject.height), 1.0)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return pngtext.write(buffer.getvalue(), infotext)


def glimpse(subject: Subject, fraction: float) -> bytes:
    """Return the sketch as far as it is at ``fraction`` 0–1, as WebP of at most 256 px a side."""
    scale = min(1.0, PREVIEW_SIDE / max(subject.width, subject.height))
    size = (max(1, round(subject.width * scale)), max(1, round(subject.height * scale)))
    image = _picture(subject, size, fraction).filter(ImageFilter.GaussianBlur(10 * (1 - fraction)))
    return webp(image, quality=75, method=0).data


def _picture(subject: Subject, size: tuple[int, int], fraction: float) -> Image.Image:
    chance = Random(f"{subject.seed}:{subject.prompt}")  # noqa: S311 - the picture must come out the same again
    palette = _palette(chance)
    image = _ground(chance, palette).resize(size, Image.Resampling.BICUBIC)
    # Drawn at twice the size and halved, edges come out smooth; a large picture hides them by itself.
    fine = 2 if size[0] * size[1] <= _SMOOTH_PIXELS else 1
    image = image.resize((size[0] * fine, size[1] * fine), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image, "RGBA")
    strokes = [(_ribbon, 7), (_moon, 1), (_arcs, 9), (_spray, 40)]
    plan = [stroke for stroke, count in strokes for _ in range(count)]
    for stroke in plan[: round(len(plan) * fraction)]:
        stroke(draw, chance, palette, image.size)
    image = image.reduce(fine) if fine > 1 else image
    return _over_init(subject, image)


def _over_init(subject: Subject, image: Image.Image) -> Image.Image:
    if subject.init_image is None:
        return image
    with opened(subject.init_image) as source:
        ground = flat(upright(source))
    scale = max(image.width / ground.width, image.height / ground.height)
    cut = (image.width / scale, image.height / scale)
    left, top = (ground.width - cut[0]) / 2, (ground.height - cut[1]) / 2
    box = (left, top, left + cut[0], top + cut[1])
    ground = ground.resize(image.size, Image.Resampling.BICUBIC, box=box)
    return Image.blend(ground, image, subject.strength)


def _palette(chance: Random) -> list[Colour]:
    """Choose five colours that go together: one hue, its neighbours, and one from across the wheel."""
    hue, turn = chance.random(), chance.choice((-1, 1)) * chance.uniform(0.05, 0.12)
    hues = (hue, hue + turn, hue + 2 * turn, hue + 3 * turn, hue + 0.5 + turn)
    lights = (0.14, 0.32, 0.5, 0.74, 0.68)
    return [_colour(h, light, chance.uniform(0.35, 0.65)) for h, light in zip(hues, lights, strict=True)]


def _colour(hue: float, light: float, saturation: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue % 1.0, light, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ground(chance: Random, palette: list[Colour]) -> Image.Image:
    """Make a small ground of one gradient with two soft glows; stretched, it has no edges."""
    side = _GROUND_SIDE
    slope = Image.linear_gradient("L").rotate(chance.uniform(0, 360), Image.Resampling.BICUBIC)
    slope = slope.crop((38, 38, 218, 218)).resize((side, side))
    ground = Image.composite(Image.new("RGB", slope.size, palette[1]), _plain(palette[0]), slope)
    # The gradient reaches 180 at the middle of an edge; a glow has to end before it.
    glow = Image.radial_gradient("L").point(lambda far: max(0, 175 - far))
    for colour in (palette[2], palette[4]):
        width = round(side * chance.uniform(0.7, 1.5))
        mask = Image.new("L", (side, side))
        corner = (chance.randrange(-width // 2, side - width // 3), chance.randrange(-width // 2, side // 2))
        mask.paste(glow.resize((width, width)), corner)
        ground = Image.composite(_plain(colour), ground, mask)
    return ground


def _plain(colour: Colour) -> Image.Image:
    return Image.new("RGB", (_GROUND_SIDE, _GROUND_SIDE), colour)


def _ribbon(draw: ImageDraw.ImageDraw, chance: Random, palette: list[Colour], size: tuple[int, int]) -> None:
    """Draw a translucent band that waves from edge to edge."""
    width, height = size
    middle, swing = chance.uniform(0.3, 1.0) * height, chance.uniform(0.04, 0.2) * height
    waves, phase = chance.uniform(0.6, 1.8), chance.uniform(0, 2 * pi)
    thick, lean = chance.uniform(0.03, 0.13) * height, chance.uniform(-0.4, 0.4) * height
    upper: list[Point] = []
    lower: list[Point] = []
    for i in range(49):
        at = i / 48
        y = middle + lean * (at - _HALF) + swing * sin(phase + waves * 2 * pi * at)
        half = thick * (0.35 + 0.65 * sin(phase / 2 + pi * at) ** 2)
        upper.append((at * width, y - half))
        lower.append((at * width, y + half))
    colour = chance.choice(palette[1:])
    draw.polygon(upper + lower[::-1], fill=(*colour, chance.randrange(70, 150)))
    edge = tuple(min(255, part + 50) for part in colour)
    draw.line(upper, fill=(*edge, 120), width=max(1, height // 300))


def _moon(draw: ImageDraw.ImageDraw, chance: Random, palette: list[Colour], size: tuple[int, int]) -> None:
    """Draw a disc with a halo in the upper part."""
    radius = chance.uniform(0.06, 0.15) * min(size)
    x, y = chance.uniform(0.15, 0.85) * size[0], chance.uniform(0.12, 0.45) * size[1]
    for ring in range(4, -1, -1):
        reach = radius * (1 + ring * 0.22)
        alpha = 230 if ring == 0 else 44 - 8 * ring
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(*palette[4], alpha))


def _arcs(draw: ImageDraw.ImageDraw, chance: Random, palette: list[Colour], size: tuple[int, int]) -> None:
    """Draw one brush stroke: bristles side by side along an arc that thins out at its ends."""
    x, y = chance.uniform(-0.1, 1.1) * size[0], chance.uniform(0.1, 1.2) * size[1]
    radius, start = chance.uniform(0.2, 0.8) * max(size), chance.uniform(0, 2 * pi)
    sweep, colour = chance.uniform(0.6, 1.8), chance.choice(palette[2:])
    thick = max(1, min(size) // 260)
    for bristle in range(chance.randrange(4, 9)):
        reach = radius + bristle * thick * 2.2
        begin, end = start + chance.uniform(0, 0.25), start + sweep - chance.uniform(0, 0.25)
        angles = [begin + (end - begin) * i / 24 for i in range(25)]
        points = [(x + reach * cos(angle), y + reach * sin(angle) * 0.7) for angle in angles]
        for i, (near, far) in enumerate(pairwise(points)):
            draw.line((near, far), fill=(*colour, round(150 * sin(pi * (i + 1) / 25))), width=thick)


def _spray(draw: ImageDraw.ImageDraw, chance: Random, palette: list[Colour], size: tuple[int, int]) -> None:
    """Draw a fleck of light."""
    radius = chance.uniform(0.001, 0.005) * min(size)
    x, y = chance.random() * size[0], chance.random() ** 1.5 * size[1]
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*palette[3], chance.randrange(60, 200)))
