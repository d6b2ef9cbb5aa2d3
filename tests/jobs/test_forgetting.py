"""A person whose jobs wait, run or are painted is forgotten: nothing is delivered, nobody else is served less."""

import asyncio
import sys

import pytest

from bot.domain.job import Picture, Result, State
from bot.domain.shards import Shards
from bot.jobs.engine import Worker
from bot.jobs.forgetting import Forgetting
from bot.jobs.service import Jobs
from tests.jobs.queues import DONE, Queue, add, leased, line

ADA, BRUNO = 11, 12


@pytest.fixture
def forgetting(jobs: Jobs, queue: Queue) -> Forgetting:
    return Forgetting(jobs._database, jobs._engine, queue.clock)


async def test_what_waits_runs_or_is_painted_goes_and_the_others_keep_their_places(
    jobs: Jobs, queue: Queue, forgetting: Forgetting
) -> None:
    painted, running, waiting = [await add(jobs, queue.new(user=ADA)) for _ in range(3)]
    his = [await add(jobs, queue.new(user=BRUNO)) for _ in range(2)]
    await jobs.paint(await leased(jobs, painted.id), DONE)
    lease = await leased(jobs, running.id)
    ended = await forgetting.person(ADA)
    assert [job.id for job in ended] == [painted.id, running.id, waiting.id]
    assert {job.state for job in ended} == {State.CANCELLED}
    assert [await jobs.get(job.id) for job in ended] == [None] * 3
    assert await line(jobs) == [job.id for job in his]
    assert await jobs.paint(lease, DONE) is None, "what it came to is thrown away"
    assert not await jobs.release(lease)
    assert (await forgetting.unused())[1] == {picture.blob for picture in DONE.pictures}


async def test_a_run_is_stopped_at_once(jobs: Jobs, queue: Queue, forgetting: Forgetting) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def run(job_id: int) -> None:
        await leased(jobs, job_id)
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await add(jobs, queue.new(user=ADA))
    async with jobs.serve(Worker(), run):
        await started.wait()
        await forgetting.person(ADA)
        await stopped.wait()
    assert await jobs.live() == []


async def test_told_jobs_are_not_named_again_and_untold_ones_are(
    jobs: Jobs, queue: Queue, forgetting: Forgetting
) -> None:
    told, untold = [await add(jobs, queue.new(user=ADA)) for _ in range(2)]
    for job in (told, untold):
        await jobs.cancel(job.id, by=ADA)
    await jobs.tell(told.id)
    assert [job.id for job in await forgetting.person(ADA)] == [untold.id]


async def test_a_picture_that_another_job_has_too_is_not_thrown_away(
    jobs: Jobs, queue: Queue, forgetting: Forgetting
) -> None:
    mine, his = await add(jobs, queue.new(user=ADA)), await add(jobs, queue.new(user=BRUNO))
    own = Picture("cd" * 32, "image/png", 512, 512, 8)
    await jobs.paint(await leased(jobs, his.id), DONE)
    lease = await leased(jobs, mine.id)
    await forgetting.person(ADA)
    await jobs.paint(lease, Result((*DONE.pictures, own), "sketch", 2.0))
    assert (await forgetting.unused())[1] == {own.blob}


async def test_nothing_is_given_back_to_whoever_deletes_everything(
    jobs: Jobs, queue: Queue, forgetting: Forgetting
) -> None:
    first = [await add(jobs, queue.new(guild=guild, user=guild, steps=60)) for guild in (1, 2)]
    await leased(jobs, first[0].id)
    await forgetting.person(1)
    another = await add(jobs, queue.new(guild=1, user=3))
    assert await line(jobs) == [first[1].id, another.id], "the server was served, and its turn comes after"


async def test_direct_messages_leave_no_turn_behind(jobs: Jobs, queue: Queue, forgetting: Forgetting) -> None:
    await leased(jobs, (await add(jobs, queue.new(guild=ADA, user=ADA))).id)
    await forgetting.person(ADA)
    assert await forgetting.compare([], Shards.all(1)) == 0, "a person is no server"


async def test_a_servers_live_jobs_end_with_it(jobs: Jobs, queue: Queue, forgetting: Forgetting) -> None:
    mine, other = await add(jobs, queue.new(guild=1)), await add(jobs, queue.new(guild=2))
    assert [job.id for job in await forgetting.server(1)] == [mine.id]
    assert await line(jobs) == [other.id]


async def test_killed_in_the_middle_of_it_nothing_is_forgotten_yet(queue: Queue) -> None:
    jobs = await queue.open()
    mine = await add(jobs, queue.new(user=ADA))
    await jobs.paint(await leased(jobs, mine.id), DONE)
    await jobs.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.jobs.forgetful", queue.url, str(ADA)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"in the middle\n"
    process.kill()
    await process.wait()
    jobs = await queue.open()
    assert await jobs.get(mine.id) is not None
    assert await Forgetting(jobs._database, jobs._engine, queue.clock).unused() == (frozenset(), frozenset())


async def test_killed_right_after_it_the_files_are_still_known_to_go(queue: Queue) -> None:
    jobs = await queue.open()
    mine = await add(jobs, queue.new(user=ADA))
    await jobs.paint(await leased(jobs, mine.id), DONE)
    await Forgetting(jobs._database, jobs._engine, queue.clock).person(ADA)
    await jobs.close()
    jobs = await queue.open()
    forgetting = Forgetting(jobs._database, jobs._engine, queue.clock)
    assert await jobs.get(mine.id) is None
    _, unused = await forgetting.unused()
    assert unused == {picture.blob for picture in DONE.pictures}
    await forgetting.bury(unused)
    assert await forgetting.unused() == (frozenset(), frozenset())


async def test_pruning_goes_on_until_nothing_old_is_left(jobs: Jobs, queue: Queue, forgetting: Forgetting) -> None:
    for user in (ADA, BRUNO):
        job = await add(jobs, queue.new(user=user))
        await jobs.cancel(job.id, by=None)
        await jobs.tell(job.id)
    waiting = await add(jobs, queue.new())
    queue.clock.now += 100
    assert await forgetting.prune(200) == 0
    assert await forgetting.prune(50) == 2
    assert [job.id for job in await jobs.live()] == [waiting.id]
