"""What jobs take of quotas: exact whatever becomes of them."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.errors import Failure
from bot.domain.job import Address, Job, NewJob, State
from bot.domain.limits import Limits
from bot.domain.quotas import DAY_S, Allowance, Period, Scope, Spender
from bot.jobs.charging import QuotaError
from bot.jobs.forgetting import Forgetting
from bot.jobs.pace import ASSUMED_S
from bot.jobs.service import Jobs
from bot.storage.tables import charges, usage
from tests.jobs.queues import DONE, Queue, add, leased

NOON = 10_000 * DAY_S + DAY_S / 2
SERVER = Allowance(Scope.SERVER, Period.DAY, 100)
MONTH = Allowance(Scope.SERVER, Period.MONTH, 10_000)
MINE = Allowance(Scope.PERSON, Period.DAY, 100)
CHANNEL = Allowance(Scope.CHANNEL, Period.DAY, 100)
EVERYWHERE = Allowance(Scope.PERSON, Period.DAY, 100, everywhere=True)
STANDARD: dict[str, Any] = {"width": 1024, "height": 1024, "steps": 30}
LIMITS = Limits(max_queued_user=100)
ADA = Spender(1, 11, 500)


async def taken(jobs: Jobs, allowance: Allowance = MONTH, spender: Spender = ADA) -> tuple[float, float]:
    """Return what was painted and what is set aside, in seconds."""
    [use] = await jobs.uses(spender, [allowance])
    return use.painted_s, use.reserved_s


async def painted(jobs: Jobs, job: Job, seconds: float = 2.0) -> None:
    assert await jobs.paint(await leased(jobs, job.id), replace(DONE, seconds=seconds)) is not None


async def rows(jobs: Jobs) -> tuple[list[Any], list[Any]]:
    return await jobs._database.read(
        lambda tx: (list(tx.execute(select(charges))), [tuple(row) for row in tx.execute(select(usage))])
    )


async def test_an_estimate_is_set_aside_and_gives_way_to_what_was_measured(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new(**STANDARD))
    assert await taken(jobs) == (0, ASSUMED_S)
    await painted(jobs, job, 3.25)
    assert await taken(jobs) == (3.25, 0)
    await jobs.tell(job.id)
    await jobs.tell(job.id)
    assert await taken(jobs) == (3.25, 0)
    assert (await rows(jobs))[0] == []
    assert (await rows(jobs))[1] == [(1, int(queue.clock.now // DAY_S), 11, 500, 3250)]
    await add(jobs, queue.new(**STANDARD))
    assert await taken(jobs) == (3.25, 3.25), "estimates follow what was measured"


async def test_what_fails_is_cancelled_or_withdrawn_costs_nothing(jobs: Jobs, queue: Queue) -> None:
    failed, waiting, running, done, gone = [await add(jobs, queue.new(user=user)) for user in range(11, 16)]
    await jobs.fail(await leased(jobs, failed.id), Failure("no"), unserved=0.2)
    await jobs.cancel(waiting.id, by=12)
    await leased(jobs, running.id)
    await jobs.cancel(running.id, by=13)
    await painted(jobs, done)
    await jobs.cancel(done.id, by=14)
    await painted(jobs, gone)
    await jobs.cancel(gone.id, by=None)
    assert await taken(jobs) == (0, 0)
    for job in (failed, waiting, running, done, gone):
        await jobs.tell(job.id)
    assert await rows(jobs) == ([], [])


async def test_what_is_put_back_or_painted_again_is_charged_once(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new(**STANDARD))
    await jobs.release(await leased(jobs, job.id))
    assert await taken(jobs) == (0, ASSUMED_S)
    await painted(jobs, job, 4)
    await jobs.repaint(job.id)
    assert await taken(jobs) == (0, 4)
    await painted(jobs, job, 5)
    await jobs.tell(job.id)
    assert await taken(jobs) == (5, 0)


@pytest.mark.parametrize("allowance", [SERVER, MINE, CHANNEL, EVERYWHERE])
async def test_of_many_orders_at_once_as_many_are_taken_as_have_room(
    allowance: Allowance, jobs: Jobs, queue: Queue
) -> None:
    orders = [queue.new(**STANDARD) for _ in range(15)]
    enqueue = partial(jobs.enqueue_all, limits=LIMITS, held_to=[allowance])
    answers = await asyncio.gather(*(enqueue([new]) for new in orders), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, QuotaError)]
    assert len(refused) == 5
    assert len(await jobs.live()) == 10
    assert await taken(jobs) == (0, 100)


async def test_the_sum_of_fifty_jobs_at_once_is_exact(jobs: Jobs, queue: Queue) -> None:
    queue.clock.now = NOON
    made = await asyncio.gather(*(add(jobs, queue.new(user=11 + n % 5), limits=LIMITS) for n in range(50)))
    expected: dict[int, int] = {}

    async def live(number: int, job: Job) -> None:
        fate, seconds = number % 5, number / 7
        if fate == 0:
            await jobs.cancel(job.id, by=job.user)
        elif fate == 1:
            await jobs.fail(await leased(jobs, job.id), Failure("no"))
        else:
            await painted(jobs, job, seconds)
            if fate == 2:
                await jobs.repaint(job.id)
                await painted(jobs, job, seconds)
            if fate != 3:
                await jobs.tell(job.id)
            expected[job.user] = expected.get(job.user, 0) + round(seconds * 1000)

    await asyncio.gather(*(live(number, job) for number, job in enumerate(made)))
    assert await taken(jobs) == (sum(expected.values()) / 1000, 0)
    for user in range(11, 16):
        assert await taken(jobs, MINE, Spender(1, user, 500)) == (expected.get(user, 0) / 1000, 0)


async def test_a_dead_process_neither_loses_nor_doubles_a_charge(jobs: Jobs, queue: Queue) -> None:
    done, running, waiting = [await add(jobs, queue.new(**STANDARD)) for _ in range(3)]
    await painted(jobs, done, 7)
    await leased(jobs, running.id)
    before = await taken(jobs)
    await jobs.close()
    jobs = await queue.open()
    assert await taken(jobs) == before
    await jobs.tell(done.id)
    await painted(jobs, running, 5)
    await jobs.tell(running.id)
    await jobs.cancel(waiting.id, by=11)
    assert await taken(jobs) == (12, 0)


async def test_too_many_crashes_cost_nothing(queue: Queue) -> None:
    jobs = await queue.open(max_crashes=1)
    job = await add(jobs, queue.new())
    await leased(jobs, job.id)
    await jobs.close()
    jobs = await queue.open(max_crashes=1)
    ended = await jobs.get(job.id)
    assert ended is not None
    assert ended.state is State.FAILED
    assert await taken(jobs) == (0, 0)


async def test_a_new_day_begins_at_midnight_and_what_is_painted_counts_on_its_day(
    jobs: Jobs, queue: Queue
) -> None:
    queue.clock.now = NOON
    early, late = [await add(jobs, queue.new(**STANDARD)) for _ in range(2)]
    await painted(jobs, early, 90)
    with pytest.raises(QuotaError) as refused:
        await jobs.enqueue_all([queue.new(**STANDARD)], limits=LIMITS, held_to=[SERVER])
    assert refused.value.values["renews"] == int(NOON + DAY_S / 2)
    assert "This server has 0 s of 100 s" in str(refused.value)
    queue.clock.now += DAY_S / 2
    assert await taken(jobs, SERVER) == (0, 10)
    await jobs.tell(early.id)
    await painted(jobs, late, 20)
    await jobs.tell(late.id)
    assert await taken(jobs, SERVER) == (20, 0)
    assert await taken(jobs, MONTH) == (110, 0)


async def test_orders_together_take_all_their_room_or_none(jobs: Jobs, queue: Queue) -> None:
    cells = [queue.new(**STANDARD) for _ in range(11)]
    with pytest.raises(QuotaError):
        await jobs.enqueue_all(cells, limits=LIMITS, held_to=[SERVER])
    assert await jobs.live() == []
    assert await rows(jobs) == ([], [])
    await jobs.enqueue_all(cells[:10], limits=LIMITS, held_to=[SERVER])
    again = await jobs.enqueue_all(cells[:10], limits=LIMITS, held_to=[SERVER])
    assert len(again) == 10, "what is queued already is not refused when it is asked for once more"


async def test_whose_it_is_is_told_apart_by_person_channel_server_and_place(jobs: Jobs, queue: Queue) -> None:
    def new(guild: int, user: int, channel: int, thread: int | None = None) -> NewJob:
        made = replace(queue.new(guild, user), address=Address(thread or channel))
        return replace(made, channel=channel if thread else None)

    spent = [(1, 11, 500, None), (1, 11, 501, 777), (1, 12, 500, None), (2, 11, 600, None)]
    for number, where in enumerate(spent):
        job = await add(jobs, new(*where))
        await painted(jobs, job, 10.0**number)
        await jobs.move(job.id, Address(999))
        await jobs.tell(job.id)
    assert (await taken(jobs, SERVER))[0] == 111
    assert (await taken(jobs, MINE))[0] == 11
    assert (await taken(jobs, CHANNEL))[0] == 101
    assert (await taken(jobs, CHANNEL, Spender(1, 12, 501)))[0] == 10
    assert (await taken(jobs, EVERYWHERE))[0] == 1011


async def test_old_jobs_and_forgotten_people_leave_the_sums_of_a_server_as_they_are(
    jobs: Jobs, queue: Queue
) -> None:
    queue.clock.now = NOON
    for user in (11, 12):
        job = await add(jobs, queue.new(user=user))
        await painted(jobs, job, 30)
        await jobs.tell(job.id)
    forgetting = Forgetting(jobs._database, jobs._engine, queue.clock)
    queue.clock.now += 2 * DAY_S
    assert await forgetting.prune(DAY_S) == 2
    assert await taken(jobs) == (60, 0)
    waiting = await add(jobs, queue.new(user=11))
    await forgetting.person(11)
    await forgetting.person(12)
    assert await jobs.get(waiting.id) is None
    assert await taken(jobs) == (60, 0)
    assert (await rows(jobs))[1] == [(1, 10_000, 0, 500, 60_000)]
    queue.clock.now += 70 * DAY_S
    await forgetting.prune(DAY_S)
    assert await rows(jobs) == ([], [])
