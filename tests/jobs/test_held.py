"""A lane that nobody serves: what is held there starts nothing, loses nothing and gains nothing."""

import asyncio
from dataclasses import replace
from functools import partial

from bot.domain.job import COMMON_LANE, Job, Result, State
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from bot.services.routing import HELD_LANE
from tests.jobs.queues import DONE, Queue, add, leased, serve_all


def held(guild: int, job: Job) -> str:
    return HELD_LANE if job.guild == guild else COMMON_LANE


async def started(jobs: Jobs, count: int) -> list[int]:
    """Let so many jobs of the common lane be painted, and return the guilds in the order they had their turn."""
    guilds: list[int] = []
    enough = asyncio.Event()

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        guilds.append(lease.job.guild)
        await jobs.paint(lease, DONE)
        if len(guilds) == count:
            enough.set()
            await asyncio.Event().wait()

    async with jobs.serve(Worker(serves=lambda lane: lane == COMMON_LANE), run):
        async with asyncio.timeout(20):
            await enough.wait()
    return guilds[:count]


async def test_a_held_guild_waits_while_others_go_on_and_comes_back_at_its_fair_share(
    jobs: Jobs, queue: Queue
) -> None:
    for _ in range(8):
        await add(jobs, queue.new(1))
    for _ in range(8):
        await add(jobs, queue.new(2, 22))
    assert len(await jobs.relane(partial(held, 1))) == 8
    assert await started(jobs, 3) == [2, 2, 2]
    assert len(await jobs.relane(lambda _: COMMON_LANE)) == 8
    assert (await started(jobs, 8)).count(1) in {4, 5}, "not repaid for the time it was held, nor punished"


async def test_jobs_that_come_in_while_a_guild_is_held_keep_their_order_behind_the_others(
    jobs: Jobs, queue: Queue
) -> None:
    first = await add(jobs, queue.new(1, 11))
    await jobs.relane(partial(held, 1))
    second = await add(jobs, replace(queue.new(1, 11), lane=HELD_LANE))
    third = await add(jobs, replace(queue.new(1, 11), lane=HELD_LANE))
    assert {job.lane for job in await jobs.live()} == {HELD_LANE}
    place = await jobs.place(second.id)
    assert place is not None
    assert place.eta_s is None, "nobody knows when it goes on"
    await jobs.relane(lambda _: COMMON_LANE)
    assert await serve_all(jobs) == [first.id, second.id, third.id]


async def test_a_held_job_is_cancelled_and_counted_like_any_other(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, replace(queue.new(1), lane=HELD_LANE))
    assert [each.id for each in await jobs.waiting(guild=1)] == [job.id]
    cancelled = await jobs.cancel(job.id, by=11)
    assert cancelled is not None
    assert cancelled.state is State.CANCELLED


async def test_a_job_that_moves_is_told_of_before_the_last_one_has_moved(jobs: Jobs, queue: Queue) -> None:
    for user in range(80):
        await add(jobs, queue.new(1, user))
    told: list[int] = []
    first = asyncio.Event()

    def tell(job: Job) -> None:
        told.append(job.id)
        first.set()

    moving = asyncio.ensure_future(jobs.relane(partial(held, 1), tell))
    await first.wait()
    assert not moving.done(), "by then the first might have been painted, and would be shown as waiting"
    assert [job.id for job in await moving] == told


async def test_what_a_slot_has_in_hand_counts_for_every_lane_that_waits_for_it(jobs: Jobs, queue: Queue) -> None:
    learnt = await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, learnt.id), Result((), "gpu1", 4.0))
    await add(jobs, queue.new())
    await add(jobs, replace(queue.new(2, 22), lane="gpu1"))
    begun = asyncio.Event()

    async def run(job_id: int) -> None:
        await jobs.start(job_id, backend="gpu1")
        begun.set()
        await asyncio.Event().wait()

    async with jobs.serve(Worker("gpu1", 1, lambda lane: lane in {"gpu1", COMMON_LANE}), run):
        async with asyncio.timeout(20):
            await begun.wait()
        waits = [job for job in await jobs.live() if job.state is State.QUEUED]
        place = await jobs.place(waits[0].id)
        assert place is not None
        assert place.ahead == 0
        assert place.eta_s is not None
        assert 3.5 < place.eta_s <= 4.0
