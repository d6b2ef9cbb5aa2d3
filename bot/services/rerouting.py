"""Moving waiting jobs to the lanes they belong to, as backends and what they have come and go."""

import asyncio
from collections.abc import Callable

import structlog

from bot.domain.job import Job
from bot.domain.ports import Announcer
from bot.jobs.service import Jobs
from bot.services.fleet import Fleet
from bot.services.routing import Routing

log = structlog.get_logger(__name__)

AGAIN_S = 10.0
"""How long the database is left alone that would not move jobs, as one on a full disk does."""


class Rerouting:
    """Moves waiting jobs whenever it is woken.

    ``leads`` says whether it is for this process to move all of them: of several processes one does that, and each
    moves those that it keeps from a backend.
    """

    def __init__(
        self, jobs: Jobs, fleet: Fleet, routing: Routing, *, announcer: Announcer, leads: Callable[[], bool]
    ) -> None:
        self._jobs = jobs
        self._fleet = fleet
        self._routing = routing
        self._announcer = announcer
        self._leads = leads
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look again, soon, whether what waits is where it belongs."""
        self._woken.set()

    async def run(self) -> None:
        """Move jobs until cancelled: first those whose backends are gone, then whenever it is woken."""
        await self._move(self._routing.lane_after_restart)
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self._move(self._lane_now)

    def _lane_now(self, job: Job) -> str:
        lane = self._routing.lane_of(job)
        if self._fleet.working().isdisjoint(self._routing.members(lane)):
            self._routing.forget(job.id)
            return self._routing.lane_of(job)
        return lane

    async def _move(self, lane_of: Callable[[Job], str]) -> None:
        """Move jobs, later if the database refuses."""

        def lane(job: Job) -> str:
            return lane_of(job) if self._leads() or job.id in self._routing.avoiding else job.lane

        while self._leads() or self._routing.avoiding:
            try:
                moved = await self._jobs.relane(lane, self._announcer.changed)
            except Exception:
                # Painting goes on meanwhile: a job that is in the wrong lane is refused there and moves then.
                log.exception("jobs not moved between lanes", again_s=AGAIN_S)
                await asyncio.sleep(AGAIN_S)
                continue
            if moved:
                log.info("jobs moved between lanes", jobs=len(moved))
            return
