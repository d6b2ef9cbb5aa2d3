"""Finding names by what somebody began to type."""

from collections.abc import Sequence
from operator import itemgetter

from rapidfuzz import fuzz, process, utils

CHOICES = 25
"""Most suggestions an autocomplete answer may hold (Discord docs, Application Commands)."""
_LIKELY = 50
"""Below this score of 100 two names have nothing to do with each other."""


def matches(typed: str, names: Sequence[str], *, most: int = CHOICES) -> list[str]:
    """Return at most ``most`` of ``names`` for what was typed so far, the likeliest first."""
    if not typed.strip():
        return list(names[:most])
    found = process.extract(
        typed, names, scorer=fuzz.WRatio, processor=utils.default_process, limit=most, score_cutoff=_LIKELY
    )
    return [name for name, _, _ in found]


def nearest(typed: str, names: Sequence[str]) -> str | None:
    """Return the one of ``names`` that is most like ``typed``, however little; ``None`` if there are none."""
    scored = ((fuzz.WRatio(typed, name, processor=utils.default_process), name) for name in names)
    return max(scored, key=itemgetter(0), default=(0, None))[1]
