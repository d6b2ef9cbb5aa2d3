"""The plot of a simulation: two panels of cumulative curves, one for each policy, as SVG."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log10

from bench.simulation.measures import Outcome

_COLOURS = ("#2563eb", "#dc2626", "#b45309")
_WIDTH, _HEIGHT = 960, 365
_PANEL_PX, _TOP, _FLOOR = 380, 70, 330
_POINTS = 160

_HEAD = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">
<style>
text {{ font: 13px sans-serif; fill: #374151 }}
.title {{ font-weight: bold }}
.grid {{ stroke: #e5e7eb; fill: none }}
.curve {{ stroke-width: 2.5; fill: none }}
</style>
<rect width="100%" height="100%" fill="white"/>"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: ``left`` in px, the marks of its axis, and where on it (0–1) a value lies."""

    title: str
    left: int
    marks: Sequence[tuple[float, str]]
    place: Callable[[float], float]
    value: Callable[[float], float]
    """The reverse of ``place``."""

    def frame(self) -> list[str]:
        """Return the title, the axes and their marks."""
        right = self.left + _PANEL_PX
        drawn = [f'<text x="{self.left}" y="56" class="title">{self.title}</text>']
        for percent in (0, 25, 50, 75, 100):
            y = _down(percent / 100)
            drawn.append(f'<path d="M{self.left} {y:.1f}H{right}" class="grid"/>')
            drawn.append(f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
        for value, words in self.marks:
            x = self._across(value)
            drawn.append(f'<path d="M{x:.1f} {_TOP}V{_FLOOR}" class="grid"/>')
            drawn.append(f'<text x="{x:.1f}" y="{_FLOOR + 20}" text-anchor="middle">{words}</text>')
        return drawn

    def curve(self, samples: Sequence[float], colour: str) -> str:
        """Return which share of the samples, which are sorted, is no greater than each value of the axis."""
        points = []
        for number in range(_POINTS + 1):
            value = self.value(number / _POINTS)
            share = bisect_right(samples, value) / max(1, len(samples))
            points.append(f"{self._across(value):.1f} {_down(share):.1f}")
        return f'<path d="M{"L".join(points)}" class="curve" stroke="{colour}"/>'

    def _across(self, value: float) -> float:
        return self.left + _PANEL_PX * self.place(value)


_LONGEST_S = 6 * 3600.0
_WAIT = Panel(
    "Quiet servers, first picture of a visit: share begun within",
    60,
    ((1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (_LONGEST_S, "6 h")),
    lambda seconds: log10(seconds) / log10(_LONGEST_S),
    lambda place: _LONGEST_S**place,
)
_EVEN = Panel(
    "Backlogged servers: share of the hours with a Jain index up to",
    540,
    tuple((tenth / 10, f"{tenth / 10:g}") for tenth in range(0, 11, 2)),
    lambda index: index,
    lambda place: place,
)


def chart(outcomes: Mapping[str, Outcome]) -> str:
    """Return the plot; the first policy lies above the others."""
    drawn = [*_WAIT.frame(), *_EVEN.frame()]
    named = list(zip(outcomes.items(), _COLOURS, strict=True))
    for number, ((name, _), colour) in enumerate(named):
        x = _WAIT.left + 140 * number
        drawn.append(f'<path d="M{x} 20h24" class="curve" stroke="{colour}"/>')
        drawn.append(f'<text x="{x + 32}" y="24">{name}</text>')
    for (_, outcome), colour in reversed(named):
        drawn.append(_WAIT.curve(sorted(outcome.first.waits.counts.elements()), colour))
        drawn.append(_EVEN.curve(sorted(outcome.shares.hours), colour))
    inner = "\n".join(drawn)
    return f"{_HEAD}\n{inner}\n</svg>\n"


def _down(share: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * share
