"""What those who manage a server changed there, as its log channel tells it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was changed: ``name`` as it is set, ``None`` for what was not there or is no more.

    ``channel_id`` is the channel that alone it holds in.
    """

    name: str
    before: object = None
    after: object = None
    channel_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Who changed what by which ``command`` (empty: a button or a form), at what unix time; told in ``locale``."""

    guild_id: int
    channel_id: int
    user_id: int
    command: str
    changes: tuple[Change, ...]
    at: float
    locale: str


class Log(Protocol):
    """Whoever puts entries into their channels. Calls return at once and never raise."""

    def post(self, entry: Entry) -> None:
        """Put an entry there, as well as can be."""

    def is_barred(self, guild_id: int) -> bool:
        """Return whether the latest entry of a server could not be put there."""


def differences(
    before: Mapping[str, object], after: Mapping[str, object], channel_id: int | None = None
) -> Iterator[Change]:
    """Yield what differs, by name."""
    for name in dict.fromkeys((*before, *after)):
        change = Change(name, before.get(name), after.get(name), channel_id)
        if change.before != change.after:
            yield change
