"""Ids as Discord makes them: the time in their upper 42 bits."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Unix seconds; passed in so that tests own the time."""

EPOCH_MS = 1_420_070_400_000
"""The first millisecond of 2015 (Discord docs, Reference, Snowflakes)."""
_TIME_SHIFT = 22


class Snowflakes:
    """Makes ids that are unique and rise with the clock, even if the clock stands still or goes back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return the next id."""
        floor = int(self._clock() * 1000 - EPOCH_MS) << _TIME_SHIFT
        self._last = max(self._last + 1, floor)
        return self._last


def time_of(snowflake: int) -> float:
    """Return the unix seconds at which ``snowflake`` was made."""
    return ((snowflake >> _TIME_SHIFT) + EPOCH_MS) / 1000


def timestamp(unix_s: float) -> str:
    """Return ``unix_s`` as Discord writes times: ISO 8601 with microseconds and an offset."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="microseconds")
