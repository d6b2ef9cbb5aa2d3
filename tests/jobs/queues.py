"""A queue on a folder that can be closed, opened again, or left as a dead process leaves it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from bot.domain.job import (
    Address,
    Intake,
    InteractionToken,
    Job,
    JobSpec,
    Lease,
    NewJob,
    Picture,
    Result,
)
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest
from bot.jobs.embedded import Embedded
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from bot.storage.database import Database

LIMITS = Limits()
DONE = Result((Picture("ab" * 32, "image/png", 512, 512, 7),), "sketch", 2.0)


class Clock:
    """A clock that only the test moves."""

    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Queue:
    """Opens ``Jobs`` on one folder, as one process after the other would."""

    folder: Path
    engine: str
    clock: Clock = field(default_factory=Clock)
    opened: list[Jobs] = field(default_factory=list)
    keys: "count[int]" = field(default_factory=count)

    def make(self, **options: Any) -> Jobs:
        database = Database(Database.in_folder(self.folder))
        jobs = Jobs(database, Embedded(database), clock=self.clock, **{"drain_s": 0.2, **options})
        self.opened.append(jobs)
        return jobs

    async def open(self, **options: Any) -> Jobs:
        jobs = self.make(**options)
        await jobs.open()
        return jobs

    async def close(self) -> None:
        for jobs in self.opened:
            await jobs.close()

    def new(self, guild: int = 1, user: int = 11, *, key: str | None = None, **request: Any) -> NewJob:
        expires_at = self.clock.now + 900
        return NewJob(
            key=key or f"i:{next(self.keys)}:0",
            guild=guild,
            user=user,
            spec=JobSpec(PaintRequest("a lighthouse", 7, **request)),
            address=Address(500, 600, guild),
            token=InteractionToken("t0ken", expires_at),
        )

    def intake(self, interaction: int) -> Intake:
        return Intake(interaction, 99, InteractionToken("t0ken", self.clock.now + 900), "de")


async def add(jobs: Jobs, new: NewJob, **options: Any) -> Job:
    return await jobs.enqueue(new, **{"limits": LIMITS, **options})


async def leased(jobs: Jobs, job_id: int) -> Lease:
    lease = await jobs.start(job_id)
    assert lease is not None
    return lease


async def line(jobs: Jobs) -> list[int]:
    return [job.id for job in await jobs.waiting()]


async def serve_all(jobs: Jobs, slots: int = 1, *, loaded: Callable[[], str | None] | None = None) -> list[int]:
    """Paint whatever waits, at once, and return the ids in the order they were started."""
    order: list[int] = []
    idle = asyncio.Event()

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        order.append(job_id)
        await jobs.paint(lease, DONE)
        if not await jobs.live():
            idle.set()

    async with jobs.serve(Worker(slots=slots, loaded=loaded or (lambda: None)), run):
        await idle.wait()
    return order
