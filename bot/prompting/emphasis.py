"""Emphasis in a prompt as the WebUI reads it: ``(more)``, ``[less]``, ``(as much:1.3)``; a backslash for signs."""

import re
from itertools import groupby
from operator import itemgetter

_MORE = 1.1
_LESS = 1 / _MORE
_MARK = re.compile(
    r"\\[()\[\]\\]"
    r"|(?P<open>[(\[])"
    r"|:\s*(?P<weight>[+-]?\d*\.?\d+)\s*\)"
    r"|(?P<close>[)\]])"
    r"|[^\\()\[\]:]+"
    r"|[\\:]"
)


def weigh(prompt: str) -> list[tuple[str, float]]:
    """Return the prompt's parts without the signs, each with its weight; a bracket left open counts to the end."""
    parts: list[tuple[str, float]] = []
    opened: list[tuple[str, int]] = []
    for match in _MARK.finditer(prompt):
        text = match[0]
        if match["open"]:
            opened.append((text, len(parts)))
        elif match["weight"] and opened and opened[-1][0] == "(":
            parts = _times(parts, opened.pop()[1], float(match["weight"]))
        elif match["close"] and opened and opened[-1][0] + text in {"()", "[]"}:
            sign, start = opened.pop()
            parts = _times(parts, start, _MORE if sign == "(" else _LESS)
        else:
            escaped = len(text) > 1 and text[0] == "\\"
            parts.append((text[1:] if escaped else text, 1.0))
    for sign, start in reversed(opened):
        parts = _times(parts, start, _MORE if sign == "(" else _LESS)
    return [("".join(text for text, _ in same), weight) for weight, same in groupby(parts, key=itemgetter(1))]


def _times(parts: list[tuple[str, float]], start: int, factor: float) -> list[tuple[str, float]]:
    return [*parts[:start], *((text, weight * factor) for text, weight in parts[start:])]
