"""Whatever three processes do to one queue at the same time, each job ends once and is paid for once."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import Connection, select

from bot.domain.errors import BusyError, Failure
from bot.domain.job import Job, JobSpec, Sheet, State
from bot.domain.request import PaintRequest
from bot.jobs.forgetting import Forgetting
from bot.jobs.service import Jobs
from bot.storage import postgres as storage
from bot.storage import tables
from bot.storage.database import REFUSED
from tests.engines import url_of
from tests.jobs.queues import DONE, LIMITS, Queue
from tests.postgres import Postgres

GUILDS, USERS, LANES = 4, 3, ("*", "a", "b")
ROUNDS = 15


@pytest.fixture
async def queue(request: pytest.FixtureRequest, postgres: Postgres) -> AsyncIterator[Queue]:
    del postgres
    queue = Queue(url_of("postgresql", None, request))
    yield queue
    await queue.close()


@dataclass
class Crowd:
    """Everybody at once: what was painted and told is counted by job."""

    queue: Queue
    processes: list[Jobs]
    chance: random.Random
    painted: Counter[tuple[int, int]] = field(default_factory=Counter)
    delivered: Counter[int] = field(default_factory=Counter)
    accepted: set[int] = field(default_factory=set)
    forgetful: bool = True

    async def order(self, jobs: Jobs) -> None:
        guild, user = self.chance.randrange(1, GUILDS + 1), self.chance.randrange(1, USERS + 1)
        user += 10 * guild
        new = replace(self.queue.new(guild, user), lane=self.chance.choice(LANES))
        if self.chance.random() < 0.7:
            self.accepted.add((await jobs.enqueue(new, limits=LIMITS)).id)
            return
        sheet = Sheet(f"{new.key}:", 0, "steps", ("1", "2"), "cfg", ("1", "2"))
        cells = [
            replace(
                new,
                key=f"{new.key}:{n}",
                lane=self.chance.choice(LANES),
                spec=JobSpec(PaintRequest("a lighthouse", 7), sheet=replace(sheet, index=n)),
            )
            for n in range(4)
        ]
        self.accepted |= {job.id for job in await jobs.enqueue_all(cells, limits=LIMITS)}

    async def paint(self, jobs: Jobs) -> None:
        waiting = [job for job in await jobs.live() if job.state is State.QUEUED]
        if not waiting:
            return
        lease = await jobs.start(self.chance.choice(waiting[:6]).id)
        if lease is None:
            return
        await asyncio.sleep(self.chance.random() * 0.01)
        lot = self.chance.random()
        if lot < 0.6:
            self.painted[lease.job.id, lease.attempt] += await jobs.paint(lease, DONE) is not None
        elif lot < 0.8:
            await jobs.release(lease, lane=self.chance.choice(LANES))
        else:
            await jobs.fail(lease, Failure("It broke.", ""), unserved=self.chance.random())

    async def cancel(self, jobs: Jobs) -> None:
        if live := await jobs.live():
            job = self.chance.choice(live)
            if job.spec.sheet is None:
                await jobs.cancel(job.id, by=self.chance.choice((None, job.user)))
            else:
                await jobs.cancel_sheet(job.spec.sheet.key, by=job.user)

    async def move(self, jobs: Jobs) -> None:
        await jobs.relane(lambda job: LANES[(job.id + job.attempt) % len(LANES)])

    async def tell(self, jobs: Jobs) -> None:
        for job in (await jobs.untold())[:5]:
            if job.state is State.PAINTED and self.chance.random() < 0.1:
                await jobs.repaint(job.id)
            else:
                told = await jobs.tell(job.id)
                self.delivered[job.id] |= told.state is State.DELIVERED

    async def tidy(self, jobs: Jobs) -> None:
        await jobs.sweep()
        await jobs.restore()

    async def forget(self, jobs: Jobs) -> None:
        await Forgetting(jobs._database, jobs._engine, self.queue.clock).person(10 * GUILDS + USERS)

    async def busy(self, jobs: Jobs, rounds: int) -> None:
        deeds = {self.order: 6, self.paint: 8, self.cancel: 1, self.move: 1, self.tell: 4, self.tidy: 1}
        for _ in range(rounds):
            deed = self.chance.choices((*deeds, self.forget), (*deeds.values(), 0.3 * self.forgetful))[0]
            try:
                await deed(jobs)
            except (BusyError, LookupError, *REFUSED):
                continue

    async def finish(self) -> None:
        jobs = self.processes[0]
        while any(await asyncio.gather(jobs.live(), jobs.untold())):
            for each in self.processes:
                await self.tidy(each)
            for _ in await jobs.live():
                await self.paint(jobs)
            await self.tell(jobs)


def deadlocks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return where is noted what the server refused because of somebody else."""
    noted: list[str] = []
    again = storage._again

    def note(error: Exception, attempt: int) -> bool:
        noted.append(str(getattr(getattr(error, "orig", error), "sqlstate", type(error).__name__)))
        return again(error, attempt)

    monkeypatch.setattr(storage, "_again", note)
    return noted


async def kept(jobs: Jobs) -> tuple[list[Job], int, int]:
    """Return all jobs, how many charges are open, and the ms that were booked."""

    def read(tx: Connection) -> tuple[list[int], int, int]:
        ids = list(tx.scalars(select(tables.jobs.c.id)))
        return ids, len(tx.execute(select(tables.charges)).all()), sum(tx.scalars(select(tables.usage.c.ms)))

    ids, charged, booked = await jobs._database.read(read)
    return [job for job_id in ids if (job := await jobs.get(job_id)) is not None], charged, booked


async def test_each_job_ends_once_and_is_paid_for_once(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = deadlocks(monkeypatch)
    crowd = Crowd(queue, [await queue.open() for _ in range(3)], random.Random(7))  # noqa: S311
    await asyncio.gather(*(crowd.busy(jobs, ROUNDS) for jobs in crowd.processes for _ in range(3)))
    await crowd.finish()
    jobs, charged, booked = await kept(crowd.processes[0])
    assert jobs
    assert all(job.state.ended and job.told_at is not None for job in jobs)
    assert charged == 0
    assert booked == 2000 * sum(crowd.delivered.values())
    assert refused.count("40P01") <= 3


async def test_a_server_that_crashes_in_the_middle_of_it_all_loses_and_doubles_nothing(
    queue: Queue, postgres: Postgres
) -> None:
    crowd = Crowd(queue, [await queue.open() for _ in range(3)], random.Random(8), forgetful=False)  # noqa: S311
    busy = [asyncio.create_task(crowd.busy(jobs, ROUNDS)) for jobs in crowd.processes for _ in range(3)]
    for _ in range(2):
        await asyncio.sleep(1)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
    await asyncio.gather(*busy)
    await crowd.finish()
    jobs, charged, booked = await kept(crowd.processes[0])
    assert {job.id for job in jobs} >= crowd.accepted
    assert all(job.state.ended and job.told_at is not None for job in jobs)
    assert max(crowd.painted.values()) == 1
    assert charged == 0
    assert booked == 2000 * sum(job.state is State.DELIVERED for job in jobs)
