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
from bot.jobs.distributed import Distributed
from bot.jobs.embedded import Embedded
from bot.jobs.engine import JobEngine, Worker
from bot.jobs.nodes import DEAD_S
from bot.jobs.notices import PostgresNotices
from bot.jobs.restoring import Recovery
from bot.jobs.service import Jobs
from bot.storage.opening import database_at, is_shared
from bot.storage.postgres import PostgresDatabase

LIMITS = Limits()
DONE = Result((Picture("ab" * 32, "image/png", 512, 512, 7),), "sketch", 2.0)


class Clock:
    """A clock that only the test moves."""

    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Queue:
    """Opens ``Jobs`` on one database, as one process after the other would."""

    url: str
    clock: Clock = field(default_factory=Clock)
    opened: list[Jobs] = field(default_factory=list)
    keys: "count[int]" = field(default_factory=count)

    @property
    def folder(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///")).parent

    @property
    def shared(self) -> bool:
        return is_shared(self.url)

    def make(self, *, dead_s: float = DEAD_S, clock: Callable[[], float] | None = None, **options: Any) -> Jobs:
        database = database_at(self.url, Path())
        engine: JobEngine
        if isinstance(database, PostgresDatabase):
            notices = PostgresNotices(database)
            engine = Distributed(database, notices, kind="test", name="test", beat_s=0.1, dead_s=dead_s)
        else:
            engine = Embedded(database)
        jobs = Jobs(database, engine, clock=clock or self.clock, **{"drain_s": 0.2, **options})
        self.opened.append(jobs)
        return jobs

    async def recovered(self, **options: Any) -> tuple[Jobs, Recovery]:
        """Open, and wait until what a dead process was painting is put back."""
        jobs = self.make(dead_s=0.3, **options)
        recovery = await jobs.open()
        while not (recovery.requeued or recovery.failed):
            await jobs._engine.beat()
            recovery = await jobs.restore()
        return jobs, recovery

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
