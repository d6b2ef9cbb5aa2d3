"""Finding a server's words in a prompt, however they are hidden, in time that grows with the prompt alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bot.prompting.lookalikes import Kind, Look
from bot.prompting.reading import Reading, Span, readings, typed

_LOUD = 3
"""No word has a letter this often in a row: where there are as many, it was drawn out."""
_NEVER_DOUBLE = frozenset("jqwxy")
_LEAST_WITH_DIGITS = 3
"""Letters of the shortest word that digits may stand in: ``4k`` is none."""
_REMEMBERED = 10_000
"""Of so many ways to draw words out it is remembered which word was meant."""
Counts = tuple[int, ...]


@dataclass(slots=True)
class _Node:
    """Where words that begin alike have come to; each run of one letter is a step, as is the gap in a phrase."""

    steps: dict[str, "_Node"] = field(default_factory=dict)
    words: dict[Counts, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """A word of the list where it stands in a text."""

    word: str
    span: Span


class Lexicon:
    """Words and phrases, made ready once."""

    def __init__(self, words: Iterable[str]) -> None:
        self._root = _Node()
        self._phrases = False
        self._known: dict[tuple[int, Counts, Counts], str | None] = {}
        for word in words:
            self._add(word, typed(word))
            for reading in list(readings(word))[1:2]:
                if max(reading.looks, default=Look.SELF) < Look.SIGN:
                    self._add(word, reading)

    def __bool__(self) -> bool:
        return bool(self._root.steps)

    def _add(self, word: str, reading: Reading) -> None:
        node, counts, last = self._root, [0], ""
        for letter, gap in zip(reading.letters, reading.gaps, strict=True):
            if last and gap > Kind.TIGHT:
                node, last, self._phrases = node.steps.setdefault(" ", _Node()), "", True
            if letter != last:
                node = node.steps.setdefault(letter, _Node())
                counts.append(0)
            counts[-1] += 1
            last = letter
        if node is not self._root:
            node.words.setdefault(tuple(counts[1:]), word)

    def matches(self, texts: Iterable[Reading]) -> Iterator[Match]:
        """Yield the longest word that begins at each place where one may, reading by reading."""
        for reading in texts:
            for start in range(len(reading)):
                if reading.opens[start] and reading.letters[start] in self._root.steps:
                    found = self._longest(reading, start)
                    if found is not None:
                        yield found

    def _longest(self, reading: Reading, start: int) -> Match | None:
        """Look for words whose gaps mean nothing, and for phrases, whose gaps are part of them."""
        found = list(self._along(reading, start, phrases=False))
        if self._phrases:
            found += self._along(reading, start, phrases=True)
        for node, runs in sorted(found, key=lambda each: -each[1][-1]):
            word = self._fitting(node, reading, runs)
            if word is not None:
                return Match(word, Span(reading.starts[start], reading.ends[runs[-1] - 1]))
        return None

    def _along(self, reading: Reading, start: int, *, phrases: bool) -> Iterator[tuple[_Node, Sequence[int]]]:
        """Yield where words may end, with where each of their runs begins and the last ends.

        At most as many steps as a word has letters.
        """
        node: _Node | None = self._root.steps.get(reading.letters[start])
        at, runs = start, [start]
        while node is not None:
            last = reading.last_close[reading.after[at] - 1]
            if node.words and last >= at:
                yield node, (*runs, last + 1)
            at = reading.after[at]
            if at == len(reading):
                return
            if phrases and reading.gaps[at] and " " in node.steps:
                node = node.steps[" "]
            elif not reading.passable[at]:
                return
            runs.append(at)
            node = node.steps.get(reading.letters[at])

    def _fitting(self, node: _Node, reading: Reading, runs: Sequence[int]) -> str | None:
        start, end = runs[0], runs[-1]
        if not _credible(reading, start, end):
            return None
        bounds = list(pairwise(runs))
        counts = tuple(stop - first for first, stop in bounds)
        if counts in node.words:
            return node.words[counts]
        loud = tuple(int(_is_loud(reading, first, stop)) for first, stop in bounds)
        key = (id(node), counts, loud)
        if key not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            fitting = (word for wanted, word in node.words.items() if _drawn_out(wanted, counts, loud))
            self._known[key] = next(fitting, None)
        return self._known[key]


def _credible(reading: Reading, start: int, end: int) -> bool:
    """Return whether letters may be meant as a word: not where all are digits or of another living script."""
    digits, kin = (reading.count(look, start, end) for look in (Look.DIGIT, Look.KIN))
    own, twins = (reading.count(look, start, end) for look in (Look.SELF, Look.TWIN))
    if own + twins == 0 or (own == 0 and (digits or kin)):
        return False
    if not digits:
        return True
    long_enough = end - start >= _LEAST_WITH_DIGITS
    return long_enough and (digits <= own + twins or not reading.has_gaps(start, end))


def _is_loud(reading: Reading, start: int, end: int) -> bool:
    """Return whether a run is longer than any word's: ``goood`` and ``g.o.o.d`` are ``god``, ``good`` is not."""
    count = end - start
    doubled = count > 1 and reading.letters[start] in _NEVER_DOUBLE
    strange = count > 1 and (reading.has_gaps(start, end) or reading.count(Look.SELF, start, end) < count)
    return count >= _LOUD or doubled or strange


def _drawn_out(wanted: Counts, counts: Counts, loud: Counts) -> bool:
    over = [is_loud for least, count, is_loud in zip(wanted, counts, loud, strict=True) if count > least]
    fits = all(count >= least for least, count in zip(wanted, counts, strict=True))
    return fits and (any(over) or len(over) > 1)
