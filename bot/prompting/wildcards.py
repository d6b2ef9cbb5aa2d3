r"""Prompts with something to draw in them: ``{red|blue}``, ``__colour__``; what is odd comes out as it was typed.

``{a|b}``            one of them
``{3::a|b}``         weighted: ``a`` three times as often
``{2$$a|b|c}``       two different ones, with commas between
``{1-2$$ and $$a|b}`` one or two, with a separator of one's own
``__colour__``       a line of the list of that name; a line may hold all of this again
``\{ \} \| \__``     the signs themselves

Written here because the library that has this syntax, dynamicprompts 0.31, cuts a prompt off at ``#``, raises at
``%`` and ``$``, and has no way to say a sign itself (tried).
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import accumulate
from math import log
from random import Random

from bot.domain.limits import MAX_PROMPT

NAME = r"[^\W_]+(?:[-./_][^\W_]+)*"
"""What a list may be called: letters and digits with single signs between them."""
MAX_DEPTH = 8
"""How deep braces and lists may lie in each other; what lies deeper comes out as it was typed."""
MAX_DRAWS = 200
"""Lines drawn for one prompt at most; a list that names itself ends here."""
MAX_READ = 4 * MAX_PROMPT
"""Characters of drawn lines that are read for one prompt; of a line, as many as a prompt may have."""
_PER_READ = 100
"""Lines of a list that are looked at in about the time in which one character is read."""

_TOKEN = re.compile(rf"(?<!\\)(?P<slashes>\\*)(?:(?P<sign>[{{}}|])|__(?P<name>{NAME})__)")
_WEIGHT = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)::")
_BOUND = re.compile(r"\s*(\d{1,3})(?:-(\d{1,3}))?\$\$(?:([^$]*)\$\$)?")


@dataclass(frozen=True, slots=True)
class _List:
    """A list by its name; ``typed`` is what stands there if nobody has it."""

    name: str
    typed: str


@dataclass(frozen=True, slots=True)
class _Weights:
    """How often each of several is drawn; ``sums`` are these added up so far."""

    each: tuple[float, ...] = ()
    sums: tuple[float, ...] = ()

    @classmethod
    def of(cls, weights: Sequence[float]) -> "_Weights":
        return cls(tuple(weights), tuple(accumulate(weights)))

    def drawn(self, count: int, random: Callable[[], float]) -> Sequence[int]:
        """Return ``count`` different indices; ``random()`` alone draws the same in every version of Python.

        Several are those that come first if each waits by an exponential clock (Efraimidis and Spirakis 2006).
        """
        if count == 1 and self.sums:
            index = bisect_right(self.sums, random() * self.sums[-1])
            return [index] if index < len(self.sums) else []
        waits = ((-log(1 - random()) / weight, index) for index, weight in enumerate(self.each) if weight)
        return [index for _, index in nsmallest(count, waits)]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Options by their weights, of which ``fewest`` to ``most`` are drawn."""

    options: tuple["_Parts", ...] = ()
    weights: _Weights = _Weights()
    fewest: int = 1
    most: int = 1
    separator: str = ", "


_Parts = tuple[str | _List | _Choice, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a template came to, and the lists that stayed in it as they were typed.

    ``unknown`` are the names that nobody has, ``endless`` those of lists that were drawn too often or too deep.
    """

    words: str
    unknown: tuple[str, ...] = ()
    endless: tuple[str, ...] = ()


def expand(template: str, lists: Mapping[str, Sequence[str]], *, seed: int) -> Drawn:
    """Return ``template`` with something drawn for every choice and list; the same ``seed`` draws the same.

    Never raises. A list that is not among ``lists`` stays as it was typed. Drawing makes no prompt longer than
    4,000 characters.
    """
    drawing = _Drawing(lists, seed)
    words = "".join(drawing.words(_parts(template), 0))[: max(MAX_PROMPT, len(template))]
    return Drawn(words, tuple(drawing.unknown), tuple(drawing.endless))


def unclosed(template: str) -> int | None:
    """Return where the last ``{`` stands that is never closed; ``None`` if there is none."""
    opened: list[int] = []
    for found in _TOKEN.finditer(template):
        sign = found["sign"] if len(found["slashes"]) % 2 == 0 else None
        if sign == "{":
            opened.append(found.start("sign"))
        elif sign == "}" and opened:
            opened.pop()
    return opened[-1] if opened else None


def draws(template: str) -> bool:
    """Return whether a template may come out as anything but itself."""
    return _TOKEN.search(template) is not None


def literal(prompt: str) -> str:
    """Return the template that comes out as ``prompt`` itself, whatever signs it has."""
    parts = _parts(prompt)
    if all(isinstance(part, str) for part in parts) and "".join(map(str, parts)) == prompt:
        return prompt
    return _TOKEN.sub(lambda found: "\\" * (len(found["slashes"]) + 1) + found[0], prompt)


def lines(text: str) -> tuple[str, ...]:
    """Return the lines of a list: one a line without comments (``#``), or on one line with ``|`` between them."""
    typed = text.splitlines() if len(text.splitlines()) > 1 else _apart(text)
    stripped = (line.strip() for line in typed)
    return tuple(line for line in stripped if line and not line.startswith("#"))


def _apart(text: str) -> Iterator[str]:
    """Yield what stands between the ``|`` that are in no braces."""
    start = depth = 0
    for found in _TOKEN.finditer(text):
        sign = found["sign"] if len(found["slashes"]) % 2 == 0 else None
        depth = max(0, depth + {"{": 1, "}": -1}.get(sign or "", 0))
        if sign == "|" and not depth:
            yield text[start : found.end() - 1]
            start = found.end()
    yield text[start:]


class _Drawing:
    """One prompt's draws: how many lists may still be asked, and how much may still be read and come out."""

    def __init__(self, lists: Mapping[str, Sequence[str]], seed: int) -> None:
        self._lists = lists
        self._called = {name.casefold(): name for name in lists}
        self._weighed: dict[str, tuple[tuple[str, ...], _Weights]] = {}
        self._random = Random(seed)  # noqa: S311 - the same seed has to give the same prompt
        # In the order they came up in, each once.
        self.unknown: dict[str, None] = {}
        self.endless: dict[str, None] = {}
        self._draws = MAX_DRAWS
        self._unread = MAX_READ
        self._room = MAX_PROMPT

    def words(self, parts: _Parts, depth: int) -> Iterator[str]:
        """Yield what the parts come to."""
        for part in parts:
            match part:
                case str():
                    self._room -= len(part)
                    yield part
                case _List():
                    yield from self._from_list(part, _Choice(), depth)
                case _Choice(options=((_List() as several,),)):
                    yield from self._from_list(several, part, depth)
                case _Choice():
                    yield from self._several(part, part.weights, part.options.__getitem__, depth)

    def _from_list(self, part: _List, choice: _Choice, depth: int) -> Iterator[str]:
        name = part.name.casefold()
        bounded = depth >= MAX_DEPTH or self._draws <= 0 or self._exhausted()
        texts, weights = ((), _Weights()) if bounded or name not in self._called else self._lines(name)
        if not texts:
            left = self.endless if bounded and name in self._called else self.unknown
            left[part.name] = None
            yield part.typed
            return
        self._draws -= 1
        # Only the line that is drawn is read.
        yield from self._several(choice, weights, lambda index: self._read(texts[index][:MAX_PROMPT]), depth)

    def _read(self, line: str) -> _Parts:
        self._unread -= len(line)
        return _parts(line)

    def _exhausted(self) -> bool:
        return self._room <= 0 or self._unread <= 0

    def _lines(self, name: str) -> tuple[tuple[str, ...], _Weights]:
        if name not in self._weighed:
            lines = self._lists[self._called[name]]
            found = [_without_weight(line) if "::" in line else (line, 1.0) for line in lines]
            self._weighed[name] = (tuple(text for text, _ in found), _Weights.of([weight for _, weight in found]))
        return self._weighed[name]

    def _several(
        self, choice: _Choice, weights: _Weights, option: Callable[[int], _Parts], depth: int
    ) -> Iterator[str]:
        fewest, most = sorted((choice.fewest, choice.most))
        count = fewest + int(self._random.random() * (most - fewest + 1))
        if count > 1:
            self._unread -= len(weights.each) // _PER_READ
        for turn, index in enumerate(weights.drawn(count, self._random.random)):
            if turn and self._exhausted():
                break
            if turn:
                self._room -= len(choice.separator)
                yield choice.separator
            yield from self.words(option(index), depth + 1)


def _parts(text: str) -> _Parts:
    """Read a template; braces without a choice in them, or without their other half, are text."""
    frames: list[list[list[str | _List | _Choice]]] = [[[]]]
    at = deeper = 0
    for found in _TOKEN.finditer(text):
        half, escaped = divmod(len(found["slashes"]), 2)
        typed = found[0][len(found["slashes"]) :]
        frames[-1][-1] += filter(None, (text[at : found.start()], "\\" * half))
        at = found.end()
        inside = len(frames) > 1 and not deeper
        if escaped:
            frames[-1][-1].append(typed)
        elif found["name"]:
            frames[-1][-1].append(_List(found["name"], typed))
        elif typed == "{" and len(frames) <= MAX_DEPTH:
            frames.append([[]])
        elif typed == "|" and inside:
            frames[-1].append([])
        elif typed == "}" and inside:
            closed = frames.pop()
            frames[-1][-1] += _closed(closed)
        else:
            deeper += {"{": 1, "}": -1 if deeper else 0}.get(typed, 0)
            frames[-1][-1].append(typed)
    frames[-1][-1] += filter(None, (text[at:],))
    return (*frames[0][0], *(part for frame in frames[1:] for part in ("{", *_flat(frame))))


def _flat(options: Sequence[Sequence[str | _List | _Choice]]) -> Iterator[str | _List | _Choice]:
    for index, option in enumerate(options):
        if index:
            yield "|"
        yield from option


def _closed(options: Sequence[Sequence[str | _List | _Choice]]) -> _Parts:
    first = options[0][0] if options[0] else ""
    bound = _BOUND.match(first) if isinstance(first, str) else None
    if len(options) == 1 and bound is None:
        return ("{", *options[0], "}")
    fewest = int(bound[1]) if bound else 1
    most = int(bound[2] or fewest) if bound else 1
    separator = bound[3] if bound and bound[3] is not None else ", "
    if bound:
        options = [[bound.string[bound.end() :], *options[0][1:]], *options[1:]]
    weighed = [_weighed(option) for option in options]
    return (_Choice(tuple(o for o, _ in weighed), _Weights.of([w for _, w in weighed]), fewest, most, separator),)


def _weighed(option: Sequence[str | _List | _Choice]) -> tuple[_Parts, float]:
    """Return an option without its weight and the space around it."""
    parts, weight = list(option), 1.0
    if parts and isinstance(first := parts[0], str):
        words, weight = _without_weight(first)
        parts[0] = words.lstrip()
    if parts and isinstance(last := parts[-1], str):
        parts[-1] = last.rstrip()
    return tuple(part for part in parts if part != ""), weight


def _without_weight(words: str) -> tuple[str, float]:
    weight = _WEIGHT.match(words)
    return (words[weight.end() :], float(weight[1])) if weight else (words, 1.0)
