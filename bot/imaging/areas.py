"""Words for a part of a picture: "left half", "10,10,200,120", "extend right 25%"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.errors import RequestError
from bot.domain.text import N_

FURTHEST = 100
"""Most percent that a picture is extended by on one side."""
USUAL = 25
"""Percent that it is extended by if nobody says how far."""
_SUGGESTED = 25
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Length:
    """A distance along a side: in px, or in percent of that side."""

    value: float
    percent: bool = False

    def px(self, side: int, scale: float) -> int:
        """Return it in px of a side of ``side`` px, in a picture that was made ``scale`` times its first size."""
        return round(self.value * side / 100 if self.percent else self.value * scale)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, its corner counted from the left and the top; ``outside``: all but that is meant."""

    left: Length
    top: Length
    width: Length
    height: Length
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Transparent:
    """What is transparent in the picture."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What lies beyond the picture's sides, each in percent of the picture's width or height."""

    left: int = 0
    up: int = 0
    right: int = 0
    down: int = 0


Area = Box | Transparent | Extension


def _percent(left: float, top: float, width: float, height: float, *, outside: bool = False) -> Box:
    x, y, across, down = (Length(value, percent=True) for value in (left, top, width, height))
    return Box(x, y, across, down, outside)


_NAMED: Mapping[str, Area] = MappingProxyType(
    {
        "transparent": Transparent(),
        "left half": _percent(0, 0, 50, 100),
        "right half": _percent(50, 0, 50, 100),
        "top half": _percent(0, 0, 100, 50),
        "bottom half": _percent(0, 50, 100, 50),
        "center": _percent(25, 25, 50, 50),
        "border": _percent(15, 15, 70, 70, outside=True),
    }
)
_SIDES = ("all", "right", "left", "up", "down")
_EXAMPLES = (
    *_NAMED,
    *(f"extend {side} {USUAL}%" for side in _SIDES),
    "25%,25%,50%,50%",
    "0,0,256,256",
)
_LENGTH = r"(\d{1,5}(?:\.\d{1,3})?)\s*(%|px)?"
_BOX = re.compile(r"\s*[,;\s]\s*".join([_LENGTH] * 4))
_EXTENSION = re.compile(rf"extend((?:[\s,]+(?:{'|'.join(_SIDES)}))+)(?:[\s,]+(\d{{1,5}})\s*%?)?")


def read(words: str) -> Area:
    """Return the area that ``words`` stand for; raises ``RequestError`` with the words there are."""
    plain = " ".join(words.casefold().replace("centre", "center").split())
    named = _NAMED.get(plain) or _NAMED.get(f"{plain} half")
    if named is not None:
        return named
    if box := _BOX.fullmatch(plain):
        found = box.groups()
        left, top, width, height = (
            Length(float(value), unit == "%") for value, unit in zip(found[::2], found[1::2], strict=True)
        )
        return Box(left, top, width, height)
    if extension := _EXTENSION.fullmatch(plain):
        return _extension(extension[1].replace(",", " ").split(), int(extension[2] or USUAL))
    raise RequestError(
        N_("“{area}” is no area that I know."),
        N_("Say left half, center, border or transparent, a box as x,y,width,height, or extend right 25%."),
        area=words[:_SHOWN],
    )


def suggest(typed: str) -> list[str]:
    """Return at most 25 areas for what was typed so far: itself first, if it is one."""
    plain = " ".join(typed.casefold().split())
    fitting = [example for example in _EXAMPLES if plain in example]
    if plain.startswith("extend") and (sides := [side for side in _SIDES if side in plain.split()]):
        fitting = [f"extend {' '.join(sides)} {percent}%" for percent in (USUAL, 50, FURTHEST)]
    try:
        read(plain)
    except RequestError:
        itself = []
    else:
        itself = [plain]
    return list(dict.fromkeys([*itself, *fitting] or _EXAMPLES))[:_SUGGESTED]


def _extension(sides: list[str], percent: int) -> Extension:
    if not 1 <= percent <= FURTHEST:
        raise RequestError(
            N_("A picture cannot be extended by {percent} %."),
            N_("Choose between {low} and {high} percent."),
            percent=percent,
            low=1,
            high=FURTHEST,
        )
    chosen = {"left", "up", "right", "down"} if "all" in sides else set(sides)
    return Extension(**dict.fromkeys(chosen, percent))
