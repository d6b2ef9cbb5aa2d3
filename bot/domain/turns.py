"""Whose turn it is among the lanes that one worker serves.

Inside a lane the jobs' tags decide; between lanes every guild that waits counts the same, so that a lane of
many guilds is served more than a lane of one. All quantities are ticks.
"""

from collections.abc import Mapping

from bot.domain.cost import UNIT, W0, step

CREDIT = 8 * UNIT
"""Most service that a lane which was empty for long may catch up on."""


class Turns:
    """Keeps book of what each lane was served for every guild that waited in it."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._clock = 0

    def order(self, lanes: Mapping[str, int]) -> list[str]:
        """Return ``lanes`` (with how many guilds wait in each), the one whose turn it is first."""
        return sorted(lanes, key=lambda lane: (self._of(lane), -lanes[lane], lane))

    def charge(self, lane: str, ticks: int, guilds: int) -> None:
        """Note that a job of ``ticks`` began in ``lane``, where ``guilds`` waited."""
        before = self._of(lane)
        self._clock = max(self._clock, before)
        self._served[lane] = before + step(ticks, guilds * W0)

    def _of(self, lane: str) -> int:
        return max(self._served.get(lane, 0), self._clock - CREDIT)
