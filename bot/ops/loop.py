"""How long the event loop keeps its tasks waiting."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import structlog

from bot.domain.metering import Lagged, Meter, unmetered

log = structlog.get_logger(__name__)

EVERY_S = 0.1
WARN_S = 0.2


@contextmanager
def loaded() -> Iterator[None]:
    """Take what is in memory by now as there to stay: a collection of it all stopped the loop for 50 ms."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class LoopProbe:
    """Sleeps a little again and again, and takes what it overslept as the loop's lag.

    ``max_s`` is the longest lag seen so far, in seconds; ``meter`` is told of each.
    """

    def __init__(
        self, meter: Meter = unmetered, *, clock: Callable[[], float] = monotonic, every_s: float = EVERY_S
    ) -> None:
        self.max_s = 0.0
        self._meter = meter
        self._clock = clock
        self._every_s = every_s

    async def run(self) -> None:
        """Watch until cancelled; a lag above ``WARN_S`` is logged."""
        while True:
            before = self._clock()
            await asyncio.sleep(self._every_s)
            self.note(self._clock() - before - self._every_s)

    def note(self, lag_s: float) -> None:
        """Take one measured lag into account."""
        self.max_s = max(self.max_s, lag_s)
        self._meter(Lagged(max(0.0, lag_s)))
        if lag_s > WARN_S:
            log.warning("the event loop stood still", seconds=round(lag_s, 3))
