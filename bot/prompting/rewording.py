"""A server's word rules at work on a prompt."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bot.domain.limits import MAX_PROMPT
from bot.domain.wordrules import Action, WordRules, normal
from bot.prompting import ages
from bot.prompting.adult_words import ADULT, CHILDREN, NEVER
from bot.prompting.lexicon import Lexicon, Match
from bot.prompting.reading import LORA, WEIGHT, Reading, Span, readings

_ROUNDS = 8
"""Words that come together where others were taken out are looked for this often; then it is no accident."""
_KEPT = re.compile(rf"\\[()\[\]\\]|{LORA}|{WEIGHT}|[()\[\]{{}}|<>]", re.IGNORECASE)
"""What stays of a word that is taken out: brackets, weights and tags that were put into it."""
_COMMA = re.compile(r"\s*+,\s*+")
_BLANK = re.compile(r"\s++")


@dataclass(frozen=True, slots=True)
class Reworded:
    """A prompt as it may be painted, or ``denied``: the part of it that may not be, as it was typed."""

    text: str
    denied: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a prompt asks for: ``adult`` is the first part of it that wants an adult picture, as it was typed.

    ``child``: there is a word for children in it, or a child's age. ``forbidden``: one that is refused everywhere.
    """

    adult: str | None = None
    child: bool = False
    forbidden: bool = False


class Rewording:
    """Word rules, made ready once for as many prompts as come."""

    def __init__(self, rules: WordRules) -> None:
        self._rules = rules
        self._denied = Lexicon(rules.of(Action.DENY))
        self._changed = Lexicon([*rules.of(Action.REPLACE), *rules.of(Action.STRIP)])
        self._allowed = Lexicon(rules.of(Action.ALLOW))
        # A server's own rule for one of the usual words is the word's only one.
        self._adult = Lexicon([*sorted(ADULT.difference(rules.words)), *rules.of(Action.ADULT)])

    def denied(self, text: str) -> str | None:
        """Return the first part of ``text`` that is denied, as it was typed."""
        return self._first(self._denied, text, tuple(readings(text)))

    def wish(self, text: str) -> Wish:
        """Return what ``text`` asks for, as far as its words tell."""
        read = tuple(readings(text))
        forbidden, child = (next(lexicon.matches(read), None) for lexicon in (_NEVER, _CHILDREN))
        return Wish(
            self._first(self._adult, text, read),
            child=child is not None or ages.tells_child(text, read),
            forbidden=forbidden is not None,
        )

    def applied(self, text: str) -> Reworded:
        """Return ``text`` with its words replaced and left out, and all else as it was typed.

        No longer than it was, or than a prompt may be. What is done once stays as it is when it is done again.
        """
        now = text
        for _ in range(_ROUNDS):
            read = tuple(readings(now))
            denied = self._first(self._denied, now, read)
            if denied is not None:
                return Reworded(text, denied)
            found = sorted(
                self._found(self._changed, now, read), key=lambda each: (each.span.start, -each.span.end)
            )
            if not found:
                return Reworded(now)
            now = self._replaced(now, found)
        return Reworded(text, self._first(self._changed, now, tuple(readings(now))) or text)

    def clashing(self) -> tuple[str, str] | None:
        """Return a word and what is to replace it, if the rules would not let that stay either."""
        for word in self._rules.of(Action.REPLACE):
            by = self._rules.words[word].by
            read = tuple(readings(by))
            if any(self._first(each, by, read) is not None for each in (self._denied, self._changed)):
                return word, by
        return None

    def _first(self, lexicon: Lexicon, text: str, read: Sequence[Reading]) -> str | None:
        found = next(self._found(lexicon, text, read), None)
        return text[_slice(found.span)] if found is not None else None

    def _found(self, lexicon: Lexicon, text: str, read: Sequence[Reading]) -> Iterator[Match]:
        """Yield what ``lexicon`` has in ``text``, unless it is part of what is allowed."""
        if not lexicon:
            return
        allowed = self._allowed.matches(read[:1]) if self._allowed else ()
        spared = _Spared(each.span for each in allowed if normal(text[_slice(each.span)]) == each.word)
        yield from (each for each in lexicon.matches(read) if not spared.covers(each.span))

    def _replaced(self, text: str, found: Iterable[Match]) -> str:
        parts: list[str] = []
        at, room = 0, max(MAX_PROMPT, len(text)) - len(text)
        for match in found:
            if match.span.start < at:
                continue
            before, taken = text[at : match.span.start], text[_slice(match.span)]
            kept = "".join(_KEPT.findall(taken))
            by = self._rules.words[match.word].by
            by = by if len(by) + len(kept) - len(taken) <= room else ""
            room -= len(by) + len(kept) - len(taken)
            at = match.span.end
            if not by and not kept:
                at = _tidied(text, match.span.start, at)
            parts += (before, by, kept)
        return "".join((*parts, text[at:]))


_NEVER, _CHILDREN = Lexicon(sorted(NEVER)), Lexicon(sorted(CHILDREN))


class _Spared:
    """Stretches of a text that are allowed whatever is in them."""

    def __init__(self, spans: Iterable[Span]) -> None:
        found = sorted(spans, key=lambda span: span.start)
        self._starts = [span.start for span in found]
        self._furthest = list(accumulate((span.end for span in found), max))

    def covers(self, span: Span) -> bool:
        """Return whether one of them has all of ``span``."""
        before = bisect_right(self._starts, span.start)
        return before > 0 and self._furthest[before - 1] >= span.end


def _slice(span: Span) -> slice:
    return slice(span.start, span.end)


def _tidied(text: str, start: int, end: int) -> int:
    """Return where a text goes on behind a word that is left out: of two commas or blanks one goes with it."""
    left = text[max(0, start - 2) : start]
    if (listed := _COMMA.match(text, end)) and (not left.strip() or left.rstrip().endswith(",")):
        return listed.end()
    if (blank := _BLANK.match(text, end)) and (not left or left[-1].isspace()):
        return blank.end()
    return end
