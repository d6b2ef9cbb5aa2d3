"""The queue, the pool and the store by themselves, without Discord: what keeps backends busy."""

import asyncio
import time
from itertools import count

from bot.domain.job import Address, Job, JobSpec, NewJob, State
from bot.domain.limits import Limits
from bot.domain.ports import Progress
from bot.domain.request import PaintRequest
from bot.foundations import Foundations
from bot.services.catalogue import Catalogue
from bot.services.fleet import Fleet
from bot.services.generation import Generation
from bot.services.routing import Routing

_LIMITS = Limits(max_queued_guild=10_000, max_queued_user=10_000)
GUILDS = 5


class Pool:
    """Paints what is ordered and counts what is stored; it is its own announcer."""

    def __init__(self, base: Foundations) -> None:
        self.stored = 0
        self._jobs = base.jobs
        self._keys = count()
        catalogue = Catalogue(base.backends)
        routing = Routing(catalogue)
        fleet = Fleet(base.backends, clock=time.time)
        self._generation = Generation(base.jobs, fleet, catalogue, routing, base.blobs, announcer=self)

    async def order(self, jobs: int, side: int, pictures: int) -> None:
        """Queue so many jobs of five guilds."""
        for _ in range(jobs):
            number = next(self._keys)
            request = PaintRequest("a lighthouse in a storm", number, width=side, height=side, count=pictures)
            new = NewJob(f"k{number}", number % GUILDS, number % 11, JobSpec(request), Address(1, 1, 1))
            await self._jobs.enqueue(new, limits=_LIMITS)

    async def run(self, stop: asyncio.Event) -> None:
        """Paint until ``stop``."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._generation.run())
            await stop.wait()
            self._generation.stop()

    def changed(self, job: Job) -> None:
        """Count what is painted."""
        self.stored += job.state is State.PAINTED

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Take no notice."""
