"""Charts in the colours of Discord's dark embed: large labels, and no meaning by colour alone."""

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from bot.imaging.encoding import Encoded, webp

WIDTH, HEIGHT = 800, 400
LABEL = 24
"""The labels' size in px: on a phone, which shows the chart at half its size, still 12."""
_GROUND = (43, 45, 49)
_GRID = (78, 80, 88)
_TEXT = (219, 222, 225)
_BAR = (86, 180, 233)
"""Sky blue of Okabe and Ito's palette for every kind of colour vision (2008)."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 16, 40, 44
_STEPS = (1, 2, 5)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars side by side: whole numbers, and as many labels in Latin letters, of which some may be empty."""

    values: tuple[int, ...]
    labels: tuple[str, ...]


def bars(chart: Bars) -> Encoded:
    """Draw them over a grid, the highest with its number, as one WebP of 800×400 px."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(LABEL)
    step = spacing(max(chart.values, default=0))
    top = max(step, -(-max(chart.values, default=0) // step) * step)
    for mark in range(0, top + 1, step):
        y = _y(mark, top)
        draw.line((_LEFT, y, WIDTH - _RIGHT, y), fill=_GRID, width=2)
        draw.text((_LEFT - 12, y), written(mark), font=font, fill=_TEXT, anchor="rm")
    _draw_bars(draw, chart, top, font)
    return webp(image, quality=90)


def spacing(highest: int) -> int:
    """Return the distance of the grid's lines, a round number, so that there are at most five above 0."""
    unit = 1
    while True:
        for step in _STEPS:
            if step * unit * 5 >= highest:
                return step * unit
        unit *= 10


def written(number: int) -> str:
    """Return a number in at most four signs: 950, 1.2k, 15k, 3M."""
    for unit, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            short = f"{number / unit:.1f}" if number < 10 * unit else f"{number // unit}"
            return f"{short.removesuffix('.0')}{sign}"
    return str(number)


def _draw_bars(draw: ImageDraw.ImageDraw, chart: Bars, top: int, font: Font) -> None:
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(chart.values))
    for i, (value, label) in enumerate(zip(chart.values, chart.labels, strict=True)):
        left = _LEFT + i * width
        if value:
            # Whatever is not nothing is to be seen.
            roof = min(_y(value, top), _y(0, top) - 3)
            draw.rectangle((left + width * 0.12, roof, left + width * 0.88, _y(0, top)), fill=_BAR)
        _write(draw, label, (left + width / 2, HEIGHT - _BOTTOM / 2), font)
    if top_value := max(chart.values, default=0):
        middle = _LEFT + (chart.values.index(top_value) + 0.5) * width
        _write(draw, written(top_value), (middle, _y(top_value, top) - LABEL * 0.6), font)


def _write(draw: ImageDraw.ImageDraw, text: str, at: tuple[float, float], font: Font) -> None:
    """Write ``text`` around ``at``, but inside the picture."""
    half = draw.textlength(text, font=font) / 2
    x = min(max(at[0], half + 4), WIDTH - half - 4)
    draw.text((x, at[1]), text, font=font, fill=_TEXT, anchor="mm", stroke_width=4, stroke_fill=_GROUND)


def _y(value: int, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * value / top
