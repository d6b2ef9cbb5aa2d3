"""How people write a value, and how it is read: raises ``RequestError`` with an example."""

import json
import math
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TypeVar

from bot.domain.errors import RequestError
from bot.domain.limits import MAX_LORA_WEIGHT, MAX_LORAS
from bot.domain.options import Shape
from bot.domain.request import Lora, Refiner, Variation
from bot.domain.text import N_
from bot.ui.words import cut, exact

Read = Callable[[str, str], object]
"""Reads a value by the option's name and what was written."""
SEPARATOR = " · "
_BETWEEN_PARTS = re.compile(r"[·;\n]")
_BETWEEN_ITEMS = re.compile(",")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*+"', re.DOTALL)
_CLOSED = re.compile(rf'(?:{_QUOTED.pattern}|[^"])*+', re.DOTALL)
"""A text up to a quote that is never closed; none behind that one is either."""
_SIZE = re.compile(r"(\d{1,9})\s*[x×*]\s*(\d{1,9})", re.IGNORECASE)
_RATIO = re.compile(r"\d{1,3}:\d{1,3}")
_ON = frozenset({"on", "yes", "true", "1"})
_OFF = frozenset({"off", "no", "false", "0", "none"})
E_ = TypeVar("E_", bound=StrEnum)


def parts(line: str) -> list[str]:
    """Return the parts of a settings line, between dots, semicolons and line breaks outside of quotes."""
    return _split(line, _BETWEEN_PARTS)


def items(text: str) -> list[str]:
    """Return what stands between commas outside of quotes."""
    return _split(text, _BETWEEN_ITEMS)


def _split(text: str, between: re.Pattern[str]) -> list[str]:
    closed = _CLOSED.match(text)
    end = closed.end() if closed else 0
    masked = _QUOTED.sub(lambda found: "_" * len(found[0]), text[:end]) + text[end:]
    marks = [mark.start() for mark in between.finditer(masked)]
    pieces = (text[first + 1 : last] for first, last in zip([-1, *marks], [*marks, len(text)], strict=True))
    return [piece for each in pieces if (piece := each.strip())]


def quoted(text: str, marks: str = "") -> str:
    """Return a value as it stands in a line: in quotes, as in JSON, where it would be read as something else.

    ``marks`` are those that mean something to this value beside the line's own.
    """
    plain = text == text.strip() and text[:1] not in {"", ":", "="} and not set(text) & {*'·;\n\r"', *marks}
    return text if plain else json.dumps(text, ensure_ascii=False)


def unquoted(text: str) -> str:
    """Return what ``quoted`` was given."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text, strict=False))
        except ValueError:
            return text
    return text


def word(_: str, text: str) -> str:
    """Read a name or a prompt as it is."""
    return text


def number(option: str, text: str) -> float:
    """Read a number; a comma is a point."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RequestError(
            N_("“{text}” is no number for {option}."),
            N_("Write a number, such as {example}."),
            text=cut(text, 100),
            option=option,
            example="0.6" if "strength" in option else "25",
        )
    return value


def integer(option: str, text: str) -> int:
    """Read a whole number; ``25.0`` is one too."""
    try:
        return int(text)
    except ValueError:
        value = number(option, text)
    if not value.is_integer():
        raise RequestError(
            N_("“{text}” is no whole number for {option}."),
            N_("Write a number without a fraction, such as {example}."),
            text=cut(text, 100),
            option=option,
            example=str(int(value)),
        )
    return int(value)


def switch(option: str, text: str) -> bool:
    """Read ``on`` or ``off``."""
    if text.casefold() in _ON | _OFF:
        return text.casefold() in _ON
    raise _neither(option, text, ("on", "off"))


def written_switch(value: object) -> str:
    """Write ``on`` or ``off``."""
    return "on" if value else "off"


def one_of(kind: type[E_]) -> Callable[[str, str], E_]:
    """Return the reader of a name among those of ``kind``."""

    def read(option: str, text: str) -> E_:
        found = next((each for each in kind if each.value == text.casefold()), None)
        if found is None:
            raise _neither(option, text, [each.value for each in kind])
        return found

    return read


def padding(option: str, text: str) -> int | None:
    """Read a number of px, or ``off``."""
    return None if text.casefold() == "off" else integer(option, text)


def written_padding(value: object) -> str:
    """Write a number of px, or ``off``."""
    return "off" if value is None else str(value)


def size(option: str, text: str) -> Shape | tuple[int, int]:
    """Read a shape, as ``2:3`` or by its name, or a width and a height in px, as ``768x512``."""
    if sides := _SIZE.fullmatch(text.strip()):
        return int(sides[1]), int(sides[2])
    ratio, named = _RATIO.search(text), text.strip().partition(" ")[0].upper()
    for shape in Shape:
        if named == shape.name or (ratio is not None and ratio[0] == shape.value):
            return shape
    raise RequestError(
        N_("“{text}” is no {option}."),
        N_("Write a shape, such as {shapes}, or a width and a height: {example}."),
        text=cut(text, 100),
        option=option,
        shapes=", ".join(shape.value for shape in Shape),
        example="768×512",
    )


def refiner(option: str, text: str) -> Refiner:
    """Read ``MODEL@0.8``; without a share it is 0.8."""
    model, at, share = text.rpartition("@")
    return Refiner(model.strip(), number(option, share)) if at and model.strip() else Refiner(text)


def written_refiner(value: Refiner) -> str:
    """Write it with its share."""
    return f"{value.model}@{exact(value.switch_at)}"


def variation(option: str, text: str) -> Variation:
    """Read ``SEED:STRENGTH``."""
    seed, colon, strength = text.partition(":")
    if not colon:
        raise RequestError(
            N_("“{text}” is no {option}."),
            N_("Write a seed and how much of it to mix in: {example}."),
            text=cut(text, 100),
            option=option,
            example="1234:0.2",
        )
    return Variation(integer(option, seed.strip()), number(option, strength.strip()))


def written_variation(value: Variation) -> str:
    """Write it as it is read."""
    return f"{value.seed}:{exact(value.strength)}"


def names(option: str, text: str) -> tuple[str, ...]:
    """Read names with commas between; one with a comma in it stands in quotes."""
    return tuple(unquoted(item) for item in _named(option, text))


def loras(option: str, text: str) -> tuple[Lora, ...]:
    """Read the LoRAs of ``name:0.8, other``."""
    found = _named(option, text)
    if len(found) > MAX_LORAS:
        raise RequestError(
            N_("That are {count} LoRAs."), N_("Use at most {max}."), count=len(found), max=MAX_LORAS
        )
    return tuple(_lora(item) for item in found)


def _named(option: str, text: str) -> list[str]:
    found = items(text)
    if text.strip() and not found:
        raise RequestError(
            N_("“{text}” names nothing for {option}."),
            N_("Write a name, or several with commas between."),
            text=cut(text, 100),
            option=option,
        )
    return found


def written_lora(value: Lora) -> str:
    """Write one LoRA as it is read."""
    return f"{quoted(value.name, ',')}:{exact(value.weight)}"


def _lora(item: str) -> Lora:
    name, colon, weight_text = item.rpartition(":")
    if not colon or item.endswith('"'):
        return Lora(unquoted(item))
    try:
        weight = float(weight_text)
    except ValueError:
        weight = math.nan
    if not name.strip() or not abs(weight) <= MAX_LORA_WEIGHT:
        raise RequestError(
            N_("“{part}” is no LoRA with a weight."),
            N_("Write name:0.8, with a weight from {low} to {high}."),
            part=cut(item, 100),
            low=-int(MAX_LORA_WEIGHT),
            high=int(MAX_LORA_WEIGHT),
        )
    return Lora(unquoted(name.strip()), weight)


def _neither(option: str, text: str, known: Iterable[str]) -> RequestError:
    return RequestError(
        N_("“{text}” is nothing for {option}."),
        N_("Write one of these: {known}."),
        text=cut(text, 100),
        option=option,
        known=", ".join(known),
    )
