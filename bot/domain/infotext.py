"""Infotext: the lines the WebUI writes into its pictures, from which a picture can be painted again.

The format is that of ``create_infotext`` and ``parse_generation_parameters`` in AUTOMATIC1111's WebUI: the
prompt, then ``Negative prompt: …``, then one last line of ``Key: value`` pairs; values with a comma, a colon
or a line break are JSON strings.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.request import PaintRequest

_NEGATIVE = "Negative prompt:"
_PAIR = re.compile(r'(?<![^,])\s*+(\w[\w \-/]++):\s*+("(?:\\.|[^\\"])*+(?:"[^,]*+|\Z)|[^,]*+)')
"""A pair begins after a comma only and nothing is tried twice: a stranger's text may have a million characters."""
_MOST_DIGITS = 20
_FEWEST_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Infotext:
    """A picture's recipe: ``fields`` are the pairs of the last line, in order, such as ``Steps`` and ``Seed``."""

    prompt: str
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def seed(self) -> int | None:
        """The seed, if one is told."""
        value = self.fields.get("Seed", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else None

    def write(self) -> str:
        """Return the text as the WebUI would write it."""
        lines = [self.prompt]
        if self.negative_prompt:
            lines.append(f"{_NEGATIVE} {self.negative_prompt}")
        if self.fields:
            lines.append(_pairs(self.fields))
        return "\n".join(lines)


def parse(text: str) -> Infotext:
    """Read an infotext; text that is none becomes the prompt.

    A last line counts as pairs from three on, as in the WebUI, since a prompt may hold a colon too.
    """
    *lines, last = text.strip().split("\n")
    pairs: list[tuple[str, str]] = _PAIR.findall(last)
    if len(pairs) < _FEWEST_PAIRS:
        lines, pairs = [*lines, last], []
    start = next((i for i, line in enumerate(lines) if line.startswith(_NEGATIVE)), len(lines))
    negative = "\n".join(lines[start:]).removeprefix(_NEGATIVE).removeprefix(" ")
    return Infotext("\n".join(lines[:start]), negative, {key: _unquoted(value) for key, value in pairs})


def extended(text: str, fields: Mapping[str, str]) -> str:
    """Return an infotext with ``fields`` added to its last line, or replaced there; the rest stays as it is."""
    read = parse(text)
    if not read.fields:
        return text
    *lines, last = text.strip().split("\n")
    kept = {key: value for key, value in read.fields.items() if key not in fields}
    if kept != dict(read.fields):
        last = _pairs(kept)
    return "\n".join([*lines, ", ".join(filter(None, (last, _pairs(fields))))])


def describe(
    request: PaintRequest,
    *,
    seed: int,
    size: tuple[int, int],
    model: str | None = None,
    sampler: str | None = None,
    scheduler: str | None = None,
) -> Infotext:
    """Return the recipe of one picture of ``request``; ``size`` is the picture's own, in px."""
    fields = {
        "Steps": str(request.steps),
        "Sampler": sampler or request.sampler or "",
        "Schedule type": scheduler or request.scheduler or "",
        "CFG scale": f"{request.cfg_scale:g}",
        "Seed": str(seed),
        "Size": f"{size[0]}x{size[1]}",
        "Model": model or request.model or "",
        "Denoising strength": "" if request.strength is None else f"{request.strength:g}",
    }
    return Infotext(
        request.prompt, request.negative_prompt, {key: value for key, value in fields.items() if value}
    )


def _pairs(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {_quoted(value)}" for key, value in fields.items())


def _quoted(value: str) -> str:
    bare = not any(mark in value for mark in ',:"\n') and value == value.strip()
    return value if bare else json.dumps(value, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            # An escape may leave half a surrogate pair, which neither a database nor Discord takes.
            return str(json.loads(value)).encode(errors="replace").decode()
        except ValueError:
            return value
    return value.strip()
