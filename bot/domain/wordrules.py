"""A server's rules for words in prompts: which are denied, replaced, left out, adult, or always let through."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

MAX_WORDS = 1000
"""Most words and phrases that a server has rules for."""
MAX_WORD = 64
"""Characters in a word or a phrase, and in what takes its place."""


class Action(StrEnum):
    """What becomes of a word: the order is refused, another word stands there, none does, or it stays.

    What is ``ADULT`` stays too, in the places that may have adult pictures.
    """

    DENY = "deny"
    REPLACE = "replace"
    STRIP = "strip"
    ALLOW = "allow"
    ADULT = "adult"


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one word; ``by`` is what replaces it."""

    action: Action
    by: str = ""


@dataclass(frozen=True, slots=True)
class WordRules:
    """Every word or phrase that a server has a rule for, in small letters, with its rule."""

    words: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))

    def having(self, words: Iterable[str], rule: Rule) -> "WordRules":
        """Return the rules with ``rule`` for each of ``words``, whatever it was before."""
        return WordRules({**self.words, **dict.fromkeys(words, rule)})

    def without(self, words: Iterable[str]) -> "WordRules":
        """Return the rules without those for ``words``."""
        gone = frozenset(words)
        return WordRules({word: rule for word, rule in self.words.items() if word not in gone})

    def of(self, action: Action) -> tuple[str, ...]:
        """Return the words of one action, in order."""
        return tuple(sorted(word for word, rule in self.words.items() if rule.action is action))


def normal(words: str) -> str:
    """Return a word or phrase as rules have it: in small letters, with single blanks."""
    return unicodedata.normalize("NFC", " ".join(words.split()).lower())
