"""The life of a job, state by state: who may change it, and what is left when they did."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.domain.errors import BusyError, Failure
from bot.domain.job import Address, State
from bot.domain.limits import Limits
from bot.jobs.service import Jobs
from bot.storage.tables import waiting
from tests.jobs.queues import DONE, Queue, add, leased, line

FAULT = Failure("It broke: {why}.", "Mend it.", {"why": "wind"})


async def tags(jobs: Jobs, but: int) -> list[tuple[int, int]]:
    """Return where all others stand."""
    others = select(waiting.c.job_id, waiting.c.tag).where(waiting.c.job_id != but).order_by(waiting.c.job_id)
    return [(job, tag) for job, tag in await jobs._database.read(lambda tx: tx.execute(others).all())]


async def test_a_job_comes_back_as_it_was_queued(jobs: Jobs, queue: Queue) -> None:
    new = queue.new(3, 33, steps=30, init_image="cd" * 32, strength=0.4)
    job = await add(jobs, new)
    assert job == await jobs.get(job.id)
    assert (job.key, job.guild, job.user, job.spec, job.address) == (new.key, 3, 33, new.spec, new.address)
    assert (job.state, job.attempt, job.crashes, job.created_at) == (State.QUEUED, 0, 0, queue.clock.now)


async def test_a_key_seen_before_gives_the_same_job_and_no_second(jobs: Jobs, queue: Queue) -> None:
    new = queue.new(key="r:1:2:🔁:1")
    first, second = await asyncio.gather(add(jobs, new), add(jobs, new))
    assert first == second
    assert await line(jobs) == [first.id]
    await jobs.paint(await leased(jobs, first.id), DONE)
    assert (await add(jobs, new)).state is State.PAINTED
    assert await line(jobs) == []


async def test_keys_are_counted_by_their_beginning(jobs: Jobs, queue: Queue) -> None:
    for key in ("r:1:2:🔁:1", "r:1:2:🔁:2", "r:1:22:🔁:1", "i:1:0"):
        await add(jobs, queue.new(key=key))
    assert await jobs.count_keys("r:1:2:🔁:") == 2
    assert await jobs.count_keys("r:1:") == 3
    assert await jobs.count_keys("x") == 0


async def test_a_job_is_painted_then_told_and_thereby_delivered(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    lease = await leased(jobs, job.id)
    assert (lease.attempt, lease.job.state, lease.job.started_at) == (1, State.RUNNING, queue.clock.now)
    assert await jobs.untold() == []
    painted = await jobs.paint(lease, DONE)
    assert painted is not None
    assert (painted.state, painted.result) == (State.PAINTED, DONE)
    assert await jobs.untold() == [painted]
    told = await jobs.tell(job.id)
    assert (told.state, told.told_at) == (State.DELIVERED, queue.clock.now)
    assert await jobs.untold() == []
    assert await jobs.cancel(job.id, by=11) is None


async def test_a_failure_keeps_its_words_and_waits_to_be_told(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    failed = await jobs.fail(await leased(jobs, job.id), FAULT)
    assert failed is not None
    assert (failed.state, failed.failure) == (State.FAILED, FAULT)
    assert await jobs.untold() == [failed]
    told = await jobs.tell(job.id)
    assert (told.state, told.told_at) == (State.FAILED, queue.clock.now)
    queue.clock.now += 5
    assert await jobs.tell(job.id) == told


async def test_a_queued_job_that_is_cancelled_never_starts(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    cancelled = await jobs.cancel(job.id, by=42)
    assert cancelled is not None
    assert (cancelled.state, cancelled.cancelled_by) == (State.CANCELLED, 42)
    assert await jobs.start(job.id) is None
    assert await jobs.cancel(job.id, by=42) is None
    assert [untold.id for untold in await jobs.untold()] == [job.id]


async def test_a_running_job_that_is_cancelled_takes_no_result_and_no_failure(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    lease = await leased(jobs, job.id)
    assert await jobs.cancel(job.id, by=11) is not None
    assert await jobs.paint(lease, DONE) is None
    assert await jobs.fail(lease, FAULT) is None
    assert await jobs.release(lease) is False
    assert await jobs.note_task(lease, "gpu", "1-1") is False
    kept = await jobs.get(job.id)
    assert kept is not None
    assert (kept.state, kept.result, kept.failure) == (State.CANCELLED, None, None)


async def test_a_painted_job_can_be_cancelled_until_it_is_delivered(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, job.id), DONE)
    assert await jobs.cancel(job.id, by=11) is not None
    assert (await jobs.tell(job.id)).state is State.CANCELLED


async def test_an_old_attempt_changes_nothing_once_a_new_one_began(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    old = await leased(jobs, job.id)
    assert await jobs.release(old) is True
    new = await leased(jobs, job.id)
    assert new.attempt == 2
    assert await jobs.paint(old, DONE) is None
    assert await jobs.fail(old, FAULT) is None
    assert await jobs.release(old) is False
    assert await jobs.note_task(old, "gpu", "x") is False
    assert await jobs.note_task(new, "gpu", "1-2") is True
    painted = await jobs.paint(new, DONE)
    assert painted is not None
    assert (painted.backend, painted.task) == ("gpu", "1-2")


async def test_only_one_of_two_deliveries_gets_the_lease(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    leases = await asyncio.gather(jobs.start(job.id), jobs.start(job.id))
    assert [lease is None for lease in leases].count(True) == 1
    assert await jobs.start(12345) is None


async def test_a_released_job_goes_first_and_costs_nothing_more(jobs: Jobs, queue: Queue) -> None:
    first, second, third = [(await add(jobs, queue.new())).id for _ in range(3)]
    other = (await add(jobs, queue.new(2, 22))).id
    lease = await leased(jobs, first)
    before = await tags(jobs, first)
    await jobs.note_task(lease, "gpu", "1-1")
    assert await jobs.release(lease) is True
    assert await line(jobs) == [first, other, second, third]
    again = await leased(jobs, first)
    assert (again.job.crashes, again.job.backend, again.job.task) == (0, "gpu", "1-1")
    assert await tags(jobs, first) == before


async def test_a_released_job_goes_before_an_idle_guilds_first(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    lease = await leased(jobs, job.id)
    newcomer = await add(jobs, queue.new(2, 22))
    await jobs.release(lease)
    assert await line(jobs) == [job.id, newcomer.id]


async def test_unreadable_pictures_are_painted_again_first_in_line(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    waiting = await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, job.id), DONE)
    again = await jobs.repaint(job.id)
    assert again is not None
    assert (again.state, again.result, again.spec) == (State.QUEUED, None, job.spec)
    assert await line(jobs) == [job.id, waiting.id]
    await jobs.paint(await leased(jobs, job.id), DONE)
    await jobs.tell(job.id)
    assert await jobs.repaint(job.id) is None


async def test_a_user_and_a_guild_have_their_caps_in_words(jobs: Jobs, queue: Queue) -> None:
    limits = Limits(max_queued_user=2, max_queued_guild=3)
    jobs_of_one = [await add(jobs, queue.new(1, 11), limits=limits) for _ in range(2)]
    with pytest.raises(BusyError, match="You have 2 jobs in line"):
        await add(jobs, queue.new(1, 11), limits=limits)
    await add(jobs, queue.new(1, 12), limits=limits)
    with pytest.raises(BusyError, match="3 jobs wait here"):
        await add(jobs, queue.new(1, 13), limits=limits)
    await add(jobs, queue.new(2, 11), limits=limits)
    await jobs.cancel(jobs_of_one[0].id, by=11)
    await add(jobs, queue.new(1, 11), limits=limits)


async def test_what_runs_counts_towards_no_cap(jobs: Jobs, queue: Queue) -> None:
    limits = Limits(max_queued_user=1)
    job = await add(jobs, queue.new(), limits=limits)
    await leased(jobs, job.id)
    await add(jobs, queue.new(), limits=limits)
    with pytest.raises(BusyError):
        await add(jobs, queue.new(), limits=limits)


async def test_a_message_is_found_by_its_id_after_it_moved(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    address = Address(700, 800, 1, reply_to=600, ephemeral=False, reachable=False)
    assert (await jobs.move(job.id, address)).address == address
    assert await jobs.by_message(600) is None
    moved = await jobs.by_message(800)
    assert moved is not None
    assert (moved.id, moved.address) == (job.id, address)


async def test_the_asker_is_pinged_by_exactly_one_of_many(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    claims = await asyncio.gather(*(jobs.claim_ping(job.id) for _ in range(5)))
    assert sorted(claims) == [False, False, False, False, True]


async def test_a_job_that_waited_a_day_fails_in_words(queue: Queue) -> None:
    jobs = await queue.open(max_wait_s=3600)
    old = await add(jobs, queue.new())
    queue.clock.now += 3000
    young = await add(jobs, queue.new())
    queue.clock.now += 700
    (failed,) = await jobs.sweep()
    assert (failed.id, failed.state) == (old.id, State.FAILED)
    assert failed.failure is not None
    assert "within {hours} hours" in failed.failure.message
    assert failed.failure.values == {"hours": 1}
    assert await line(jobs) == [young.id]
    assert await jobs.sweep() == []


async def test_what_is_painted_again_may_wait_anew(queue: Queue) -> None:
    jobs = await queue.open(max_wait_s=3600)
    job = await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, job.id), DONE)
    queue.clock.now += 4000
    await jobs.repaint(job.id)
    assert await jobs.sweep() == []


async def test_blobs_of_unfinished_jobs_are_in_use(jobs: Jobs, queue: Queue) -> None:
    remix = await add(jobs, queue.new(init_image="cd" * 32, strength=0.5))
    drawn = await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, drawn.id), DONE)
    assert await jobs.blobs_in_use() == {"cd" * 32, "ab" * 32}
    await jobs.tell(drawn.id)
    await jobs.cancel(remix.id, by=None)
    assert await jobs.blobs_in_use() == set()


async def test_asking_about_a_job_that_never_was_is_an_error_of_ours(jobs: Jobs) -> None:
    assert await jobs.get(1) is None
    assert await jobs.place(1) is None
    for asked in (jobs.tell(1), jobs.move(1, Address(1))):
        with pytest.raises(LookupError):
            await asked


async def test_a_prompt_with_odd_characters_is_queued_and_painted_as_it_is(jobs: Jobs, queue: Queue) -> None:
    prompt = "a\0fox \N{FOX FACE} \u202e\x07"
    new = queue.new()
    new = replace(new, spec=replace(new.spec, request=replace(new.spec.request, prompt=prompt)))
    job = await add(jobs, new)
    assert (await leased(jobs, job.id)).job.spec.request.prompt == prompt
