"""Finding names by what somebody began to type, or mistyped."""

from collections.abc import Collection, Sequence

from rapidfuzz import fuzz, process, utils

CHOICES = 25
"""Most suggestions an autocomplete answer may hold (Discord docs, Application Commands)."""
_LIKELY = 50
"""Below this score of 100 two names have nothing to do with each other."""
_LOOKED_AT = 100
"""Characters of what was typed that are looked at: names are shorter, and a text of 6,000 takes seconds."""


def matches(typed: str, names: Sequence[str], *, most: int = CHOICES) -> list[str]:
    """Return at most ``most`` of ``names`` for what was typed so far, the likeliest first."""
    begun = typed.strip()[:_LOOKED_AT]
    if not begun:
        return list(names[:most])
    found = process.extract(
        begun, names, scorer=fuzz.WRatio, processor=utils.default_process, limit=most, score_cutoff=_LIKELY
    )
    return [name for name, _, _ in found]


def nearest(typed: str, names: Collection[str]) -> str | None:
    """Return the one of ``names`` that is most like ``typed``, however little; ``None`` if there are none."""
    begun = typed.strip()[:_LOOKED_AT]
    if not names:
        return None
    return process.extractOne(begun, names, scorer=fuzz.WRatio, processor=utils.default_process)[0]
