"""Emphasis in a prompt as the WebUI reads it: ``(more)``, ``[less]``, ``(as much:1.3)``; a backslash for signs."""

import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

_MORE = 1.1
_LESS = 1 / _MORE
_MARK = re.compile(
    r"\\[()\[\]\\]"
    r"|(?P<open>[(\[])"
    r"|:\s*(?P<weight>[+-]?(?:\d+(?:\.\d+)?|\.\d+))\s*\)"
    r"|(?P<close>[)\]])"
    r"|[^\\()\[\]:]+"
    r"|[\\:]"
)


def weigh(prompt: str) -> list[tuple[str, float]]:
    """Return the prompt's parts without the signs, each with its weight; a bracket left open counts to the end."""
    marks = list(_MARK.finditer(prompt))
    factors, closing = _brackets(marks)
    parts: list[tuple[str, float]] = []
    weights = [1.0]
    for index, mark in enumerate(marks):
        text = mark[0]
        if index in factors:
            weights.append(weights[-1] * factors[index])
        elif index in closing:
            weights.pop()
        else:
            escaped = len(text) > 1 and text[0] == "\\"
            parts.append((text[1:] if escaped else text, weights[-1]))
    return [("".join(text for text, _ in same), weight) for weight, same in groupby(parts, key=itemgetter(1))]


def _brackets(marks: Sequence[re.Match[str]]) -> tuple[dict[int, float], set[int]]:
    """Return the factor of each opening bracket, by its index among the marks, and the indices of closing ones."""
    factors: dict[int, float] = {}
    closing: set[int] = set()
    opened: list[int] = []
    for index, mark in enumerate(marks):
        sign = marks[opened[-1]][0] if opened else ""
        if mark["open"]:
            opened.append(index)
            factors[index] = _MORE if mark[0] == "(" else _LESS
        elif mark["weight"] and sign == "(":
            factors[opened.pop()] = float(mark["weight"])
            closing.add(index)
        elif mark["close"] and sign + mark[0] in {"()", "[]"}:
            opened.pop()
            closing.add(index)
    return factors, closing
