"""How true the waiting times are that people are told."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.domain.job import Place
from bot.domain.metering import Foretold, Meter
from bot.domain.ports import Clock
from bot.storage.gauges import Fate

log = structlog.get_logger(__name__)

EVERY_S = 10.0
MOST = 200
"""Most jobs whose start is waited for at once."""


class Waits(Protocol):
    """Knows what waits, and what became of it."""

    async def last(self) -> Sequence[int]:
        """Return the last job of each lane that waits for its first start."""

    async def fates(self, ids: Sequence[int]) -> Mapping[int, Fate]:
        """Return what became of jobs."""


@dataclass(frozen=True, slots=True)
class _Said:
    at: float
    wait_s: float


class ForecastProbe:
    """Samples: writes down what the last in each lane are told, and compares it with when they are started.

    What was cancelled, begun anew or moved to where nobody paints says nothing. Whatever process starts a job, the
    database tells when.
    """

    def __init__(
        self,
        waits: Waits,
        place: Callable[[int], Awaitable[Place | None]],
        meter: Meter,
        clock: Clock,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._waits = waits
        self._place = place
        self._meter = meter
        self._clock = clock
        self._every_s = every_s
        self._said: dict[int, _Said] = {}

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            try:
                await self.compare()
                await self.sample()
            except Exception as error:  # noqa: BLE001 - a database that is away now is asked again soon
                log.debug("waiting times not compared", reason=type(error).__name__)
            await asyncio.sleep(self._every_s)

    async def sample(self) -> None:
        """Write down what those who came last are told now."""
        for job_id in await self._waits.last():
            if job_id in self._said or len(self._said) >= MOST:
                continue
            place = await self._place(job_id)
            if place is not None and place.eta_s is not None:
                self._said[job_id] = _Said(self._clock(), place.eta_s)

    async def compare(self) -> None:
        """Count those that were started, and forget those that never will be."""
        if not self._said:
            return
        fates = await self._waits.fates(tuple(self._said))
        for job_id, said in tuple(self._said.items()):
            fate = fates.get(job_id)
            if fate is not None and fate.waits:
                continue
            del self._said[job_id]
            if fate is not None and fate.started_at is not None:
                self._meter(Foretold(said.wait_s, max(0.0, fate.started_at - said.at)))
