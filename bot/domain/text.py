"""Words below the ``ui``: marked here, rendered in somebody's language only where they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float
"""What a text may carry: values that survive JSON."""


class Mention(str):
    """A value that Discord shows as a name; made of ids alone, so that it is written as it stands."""

    __slots__ = ()


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark ``message`` for the translators and return it unchanged."""
    return message


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - likewise
    """Mark a message for one thing and for several, where they are not rendered on the spot; return both."""
    return one, many


@dataclass(frozen=True, slots=True)
class Text:
    """A marked message with the values of its ``{placeholders}``; rendered by ``bot.i18n``."""

    message: str
    values: Mapping[str, Value] = field(default_factory=dict)
