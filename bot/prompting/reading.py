"""A prompt as a row of letters with gaps between them, as a sly eye may read it; every letter knows its place.

Zero-width characters, LoRA tags and weights are no letters; brackets and dots are gaps that may mean nothing;
blanks and commas part words unless they part single letters.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from bot.prompting import lookalikes
from bot.prompting.lookalikes import EITHER, Kind, Look

WEIGHT = r":\s*+[+-]?+(?:\d++(?:\.\d++)?+|\.\d++)\s*+(?=[)\]>])"
LORA = r"<(?:lora|lyco|hypernet):[^<>]*+>"
_TYPED = re.compile(rf"(?P<unseen>{LORA})|(?P<tight>{WEIGHT})", re.IGNORECASE)
_SLY = re.compile(rf"(?P<unseen><\w++:[^<>]*+>)|(?P<tight>{WEIGHT})|(?P<wide>\b(?:BREAK|AND)\b)")
_BRANCHES = re.compile(r"\[[^\[\]]*+\]")
_PARTING = re.compile(r"[|:]")
MOST_BRANCHES = 3
"""Of ``[a|b|c]`` and ``[a:b:0.5]`` this many are read each by itself."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, by characters."""

    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """Letters in order, each with its place in the text, how it came to be one, and the gap before it."""

    letters: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    looks: Sequence[Look]
    gaps: Sequence[Kind] = field(repr=False)

    def __len__(self) -> int:
        return len(self.letters)

    @cached_property
    def passable(self) -> Sequence[bool]:
        """Whether a word may go on over the gap before each letter."""
        alone = self._alone()
        return [
            gap <= Kind.TIGHT
            or (at > 0 and gap == Kind.LOOSE and (alone[at] or alone[at - 1]))
            or (at > 0 and alone[at] and alone[at - 1])
            for at, gap in enumerate(self.gaps)
        ]

    def _alone(self) -> Sequence[bool]:
        """Whether each letter stands by itself, or with none but its like: ``f`` and ``ff``."""
        alone = [True] * len(self)
        start = 0
        for at in range(1, len(self) + 1):
            if at == len(self) or self.gaps[at]:
                if any(self.letters[each] != self.letters[start] for each in range(start + 1, at)):
                    alone[start:at] = [False] * (at - start)
                start = at
        return alone

    @cached_property
    def opens(self) -> Sequence[bool]:
        """Whether a word may begin at each letter."""
        return [at == 0 or bool(self.gaps[at]) or self._parts(at, outside=at - 1) for at in range(len(self))]

    @cached_property
    def closes(self) -> Sequence[bool]:
        """Whether a word may end with each letter."""
        last = len(self) - 1
        return [
            at == last or bool(self.gaps[at + 1]) or self._parts(at, outside=at + 1) for at in range(len(self))
        ]

    def _parts(self, inside: int, *, outside: int) -> bool:
        """Return whether two letters side by side are of different words: digits end one, and some scripts do."""
        if any(lookalikes.is_unspaced(self.letters[at]) for at in (inside, outside)):
            return True
        stands_in = self.looks[outside] >= Look.SIGN or self.letters[outside].isdigit()
        digits = self.looks[inside] is Look.DIGIT or self.letters[inside].isdigit()
        return stands_in and not digits

    @cached_property
    def after(self) -> Sequence[int]:
        """Where the run of one letter ends that each letter belongs to: the place behind its last."""
        found = list(range(1, len(self) + 1))
        for at in range(len(self) - 2, -1, -1):
            if self.letters[at] == self.letters[at + 1] and self.passable[at + 1]:
                found[at] = found[at + 1]
        return found

    @cached_property
    def last_close(self) -> Sequence[int]:
        """The last letter up to each, in its run, with which a word may end; -1 if there is none."""
        found: list[int] = []
        for at, closes in enumerate(self.closes):
            same = at > 0 and self.after[at - 1] == self.after[at]
            found.append(at if closes else found[-1] if same else -1)
        return found

    @cached_property
    def _sums(self) -> dict[Look, list[int]]:
        return {
            look: list(accumulate((each is look for each in self.looks), initial=0)) for look in set(self.looks)
        }

    @cached_property
    def _gap_sums(self) -> Sequence[int]:
        return list(accumulate((bool(gap) for gap in self.gaps), initial=0))

    def count(self, look: Look, start: int, end: int) -> int:
        """Return how many letters from ``start`` to before ``end`` came to be so."""
        sums = self._sums.get(look)
        return 0 if sums is None else sums[end] - sums[start]

    def has_gaps(self, start: int, end: int) -> bool:
        """Return whether there are gaps between the letters from ``start`` to before ``end``."""
        return self._gap_sums[end] > self._gap_sums[start + 1]


def typed(text: str) -> Reading:
    """Return ``text`` in its own letters; digits are digits, and signs are gaps."""
    return _read(text, _TYPED, None, ())


def readings(text: str) -> Iterator[Reading]:
    """Yield ``text`` as it is typed, and as whoever means to hide a word may mean it."""
    first = typed(text)
    yield first
    sly = _read(text, _SLY, "i", ())
    if (sly.letters, sly.gaps) != (first.letters, first.gaps):
        yield sly
    if any(sign in text for sign in EITHER):
        yield _read(text, _SLY, "l", ())
    for branch in range(MOST_BRANCHES):
        hidden = tuple(_hidden(text, branch))
        if not hidden:
            break
        yield _read(text, _SLY, "i", hidden)


def _hidden(text: str, branch: int) -> Iterator[Span]:
    """Yield all that is not read where of ``[a|b]`` or ``[a:b:0.5]`` only one is painted."""
    for found in _BRANCHES.finditer(text):
        bounds = [found.start(), *(found.start() + each.start() for each in _PARTING.finditer(found[0]))]
        if len(bounds) > branch > -1 and len(bounds) > 1:
            yield Span(found.start(), bounds[branch] + 1)
            yield Span(bounds[branch + 1] if branch + 1 < len(bounds) else found.end() - 1, found.end())


def _read(text: str, marks: re.Pattern[str], either: str | None, hidden: Sequence[Span]) -> Reading:
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    looks: list[Look] = []
    gaps: list[Kind] = []
    gap, at = Kind.WIDE, 0
    for start, end, skipped in _skipped(text, marks, hidden):
        for index, char in enumerate(text[at:start], at):
            kind, found, look = (
                (*lookalikes.plain(char), Look.SELF) if either is None else lookalikes.seen(char, either)
            )
            if kind is not Kind.LETTER:
                gap = max(gap, kind) if kind is not Kind.UNSEEN else gap
            elif letters and not gap and _joins(found, letters):
                ends[-1] = index + 1
            else:
                for each in found:
                    letters.append(each)
                    starts.append(index)
                    ends.append(index + 1)
                    looks.append(look)
                    gaps.append(gap)
                    gap = Kind.LETTER
        gap = max(gap, skipped)
        at = end
    return Reading(letters, starts, ends, looks, gaps)


def _joins(mark: str, letters: list[str]) -> bool:
    """Return whether a mark is part of the letter before it, which then may be another one."""
    if mark.isascii() or not lookalikes.is_mark(mark):
        return False
    whole = unicodedata.normalize("NFC", letters[-1] + mark)
    if lookalikes.is_decorated(letters[-1]):
        return True
    if len(whole) == 1:
        letters[-1] = whole
    return len(whole) == 1


def _skipped(text: str, marks: re.Pattern[str], hidden: Sequence[Span]) -> Iterator[tuple[int, int, Kind]]:
    """Yield what is no letter whatever stands in it, in order, each with the gap it makes; then the text's end."""
    kinds = {"unseen": Kind.LETTER, "tight": Kind.TIGHT, "wide": Kind.WIDE}
    found = [(each.start(), each.end(), kinds[each.lastgroup or "unseen"]) for each in marks.finditer(text)]
    found += [(each.start, each.end, Kind.TIGHT) for each in hidden]
    at = 0
    for start, end, kind in sorted(found):
        if end > at:
            yield max(start, at), end, kind
            at = end
    yield len(text), len(text), Kind.LETTER
