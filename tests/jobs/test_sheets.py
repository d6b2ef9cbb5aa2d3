"""Jobs of one sheet: queued together, cancelled together, told together."""

from dataclasses import replace

import pytest

from bot.domain.errors import BusyError
from bot.domain.job import Job, NewJob, Sheet, State
from bot.domain.limits import Limits
from bot.jobs.service import Jobs
from tests.jobs.queues import DONE, LIMITS, Queue, add, leased, line

KEY = "i:77:"


def cells(queue: Queue, count: int = 4, key: str = KEY, **where: int) -> list[NewJob]:
    news = []
    for index in range(count):
        new = queue.new(key=f"{key}{index}", **where)
        sheet = Sheet(key, index, "seed", tuple(map(str, range(count))))
        news.append(replace(new, spec=replace(new.spec, sheet=sheet)))
    return news


async def queued(jobs: Jobs, queue: Queue, count: int = 4) -> list[Job]:
    return await jobs.enqueue_all(cells(queue, count), limits=LIMITS)


async def test_all_are_queued_at_once_in_their_order_and_strike_off_the_intake(jobs: Jobs, queue: Queue) -> None:
    await jobs.note_intake(queue.intake(77))
    made = await jobs.enqueue_all(cells(queue), limits=LIMITS, intake=77)
    assert [job.key for job in made] == [f"{KEY}{n}" for n in range(4)]
    assert await line(jobs) == [job.id for job in made]
    queue.clock.now += 1
    assert await jobs.orphans() == []


async def test_the_same_keys_again_are_the_same_jobs(jobs: Jobs, queue: Queue) -> None:
    first = await queued(jobs, queue)
    assert await queued(jobs, queue) == first
    assert len(await line(jobs)) == 4


async def test_cells_in_several_lanes_are_one_sheet(jobs: Jobs, queue: Queue) -> None:
    news = [replace(new, lane=f"lane {n % 2}") for n, new in enumerate(cells(queue))]
    await jobs.enqueue_all(news, limits=LIMITS)
    found = await jobs.sheet(KEY)
    assert [job.spec.sheet.index for job in found if job.spec.sheet] == [0, 1, 2, 3]
    assert len(await jobs.cancel_sheet(KEY, by=11)) == 4


@pytest.mark.parametrize("limits", [Limits(max_queued_user=5), Limits(max_queued_guild=5)])
async def test_where_there_is_no_room_for_all_none_is_queued(jobs: Jobs, queue: Queue, limits: Limits) -> None:
    for _ in range(2):
        await add(jobs, queue.new())
    with pytest.raises(BusyError, match="That would be 4 pictures, and there is room for 3 in line"):
        await jobs.enqueue_all(cells(queue), limits=limits)
    with pytest.raises(BusyError, match="room for 3"):
        await jobs.check_room(1, 11, limits, count=4)
    await jobs.check_room(1, 11, limits, count=3)
    assert len(await line(jobs)) == 2
    assert len(await jobs.enqueue_all(cells(queue, 3), limits=limits)) == 3


async def test_a_sheet_has_only_its_own_cells(jobs: Jobs, queue: Queue) -> None:
    await queued(jobs, queue)
    await jobs.enqueue_all(cells(queue, 2, "i:770:"), limits=LIMITS)
    await add(jobs, queue.new(key="i:7:0"))
    assert [job.key for job in await jobs.sheet(KEY)] == [f"{KEY}{n}" for n in range(4)]


async def test_whoever_cancels_keeps_what_is_painted(jobs: Jobs, queue: Queue) -> None:
    first, second, *_ = await queued(jobs, queue)
    await jobs.paint(await leased(jobs, first.id), DONE)
    lease = await leased(jobs, second.id)
    cancelled = await jobs.cancel_sheet(KEY, by=11)
    assert {job.state for job in cancelled} == {State.CANCELLED}
    assert len(cancelled) == 3
    assert await jobs.paint(lease, DONE) is None
    assert [job.state for job in await jobs.sheet(KEY)] == [State.PAINTED, *[State.CANCELLED] * 3]
    assert await jobs.cancel_sheet(KEY, by=11) == []


@pytest.mark.parametrize(("by", "mine_first"), [(11, False), (None, True)])
async def test_whoever_cancels_what_is_painted_has_had_their_turn(
    jobs: Jobs, queue: Queue, by: int | None, mine_first: bool
) -> None:
    [cell] = await queued(jobs, queue, 1)
    mine = await add(jobs, queue.new(1, 11))
    theirs = [(await add(jobs, queue.new(1, 12))).id for _ in range(2)]
    await jobs.paint(await leased(jobs, cell.id), DONE)
    assert len(await jobs.cancel_sheet(KEY, by=by, painted=True)) == 1
    expected = [mine.id, *theirs] if mine_first else [theirs[0], mine.id, theirs[1]]
    assert await line(jobs) == expected


async def test_where_the_message_is_gone_nothing_is_kept(jobs: Jobs, queue: Queue) -> None:
    first, *_ = await queued(jobs, queue)
    await jobs.paint(await leased(jobs, first.id), DONE)
    assert len(await jobs.cancel_sheet(KEY, by=None)) == 4


async def test_all_are_told_together(jobs: Jobs, queue: Queue) -> None:
    made = await queued(jobs, queue, 2)
    await jobs.paint(await leased(jobs, made[0].id), DONE)
    await jobs.cancel_sheet(KEY, by=11)
    told = await jobs.tell_all([job.id for job in made])
    assert [job.state for job in told] == [State.DELIVERED, State.CANCELLED]
    assert all(job.told_at == queue.clock.now for job in told)
    assert await jobs.untold() == []


async def test_25_cells_leave_the_next_turn_to_another_guild(jobs: Jobs, queue: Queue) -> None:
    made = await jobs.enqueue_all(cells(queue, 25), limits=Limits(max_queued_user=60))
    await jobs.start(made[0].id)
    other = await add(jobs, queue.new(2, 22))
    assert (await line(jobs))[:2] == [made[0].id, other.id]
