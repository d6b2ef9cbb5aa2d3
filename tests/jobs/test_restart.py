"""What a killed process leaves, and that nobody shares its folder while it lives."""

import asyncio
import sys

import pytest

from bot.domain.errors import BotError
from bot.domain.job import State
from tests.jobs.queues import DONE, Queue, add, leased, line, serve_all


async def doomed(queue: Queue) -> int:
    """Let a process start a job, kill it with SIGKILL, and return the job's id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.jobs.doomed", queue.url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    started = await process.stdout.readline()
    if not queue.shared:
        with pytest.raises(BotError, match="Another Easel works with"):
            await queue.make().open()
    process.kill()
    await process.wait()
    return int(started)


async def test_a_killed_process_loses_nothing_and_what_it_painted_goes_first(queue: Queue) -> None:
    running = await doomed(queue)
    jobs, recovery = await queue.recovered()
    assert [job.id for job in recovery.requeued] == [running]
    assert recovery.failed == ()
    ids = await line(jobs)
    assert (len(ids), ids[0]) == (6, running)
    again = await jobs.get(running)
    assert again is not None
    assert (again.crashes, again.attempt, again.task) == (1, 1, f"{running}-1")
    assert await serve_all(jobs) == ids
    painted = await jobs.untold()
    assert [job.state for job in painted] == [State.PAINTED] * 6
    assert {job.id: job.attempt for job in painted} == {job: 2 if job == running else 1 for job in ids}


async def test_a_job_that_takes_three_processes_with_it_fails_in_words(queue: Queue) -> None:
    started = set()
    for _ in range(3):
        started.add(await doomed(queue))
        jobs, recovery = await queue.recovered()
        await jobs.close()
    assert len(started) == 1
    jobs = await queue.open()
    (failed,) = recovery.failed
    assert (failed.state, failed.crashes) == (State.FAILED, 3)
    assert failed.failure is not None
    assert failed.failure.message.format(**failed.failure.values).startswith("The bot broke off 3 times")
    assert [job.id for job in await jobs.untold()] == [failed.id]
    assert len(await serve_all(jobs)) == 5


async def test_painted_jobs_are_still_to_be_told_after_a_restart(queue: Queue) -> None:
    jobs = await queue.open()
    first, second = await add(jobs, queue.new()), await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, first.id), DONE)
    await jobs.close()
    jobs = await queue.open()
    (painted,) = await jobs.untold()
    assert (painted.id, painted.result) == (first.id, DONE)
    assert [job.id for job in await jobs.live()] == [second.id]


async def test_a_ping_claimed_before_a_restart_stays_claimed(queue: Queue) -> None:
    jobs = await queue.open()
    job = await add(jobs, queue.new())
    assert await jobs.claim_ping(job.id)
    await jobs.close()
    assert not await (await queue.open()).claim_ping(job.id)
