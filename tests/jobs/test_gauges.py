"""How the queue stands, as the one who watches the bot reads it, on every kind of database."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.job import State
from bot.domain.metering import Event, Foretold
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from bot.ops.forecasts import ForecastProbe
from bot.storage.gauges import Fate, Line, StoredGauges
from tests.jobs.queues import DONE, Queue, add, leased


@pytest.fixture
def gauges(jobs: Jobs) -> StoredGauges:
    return StoredGauges(jobs._database)


async def test_every_lane_has_its_depth_and_its_oldest(queue: Queue, jobs: Jobs, gauges: StoredGauges) -> None:
    await gauges.answers()
    began = queue.clock.now
    first = await add(jobs, queue.new())
    queue.clock.now += 10
    await add(jobs, queue.new())
    await add(jobs, replace(queue.new(), lane="gpu"))
    await jobs.start(first.id, backend="sketch")
    stood = await gauges.queue()
    assert stood.lines == {"default": Line(1, began + 10), "gpu": Line(1, began + 10)}
    assert (stood.running, stood.owed) == ({"sketch": 1}, 0)
    await jobs.relane(lambda _: "gpu")
    stood = await gauges.queue()
    assert stood.lines == {"default": Line(), "gpu": Line(2, began + 10)}


async def test_what_ended_is_owed_until_it_is_told(queue: Queue, jobs: Jobs, gauges: StoredGauges) -> None:
    painted, cancelled = await add(jobs, queue.new()), await add(jobs, queue.new())
    await jobs.paint(await leased(jobs, painted.id), DONE)
    await jobs.cancel(cancelled.id, by=11)
    assert (await gauges.queue()).owed == 2
    assert [job.state for job in await jobs.tell_all([painted.id, cancelled.id])] == [
        State.DELIVERED,
        State.CANCELLED,
    ]
    assert (await gauges.queue()).owed == 0


async def test_the_last_of_each_lane_is_found_and_what_became_of_it(
    queue: Queue, jobs: Jobs, gauges: StoredGauges
) -> None:
    ids = [(await add(jobs, replace(queue.new(), lane=lane))).id for lane in ("default", "default", "gpu", "gpu")]
    assert sorted(await gauges.last()) == [ids[1], ids[3]]
    queue.clock.now += 30
    await leased(jobs, ids[1])
    await jobs.cancel(ids[3], by=11)
    again = await leased(jobs, ids[2])
    await jobs.release(again)
    await leased(jobs, ids[2])
    assert await gauges.last() == [ids[0]]
    assert await gauges.fates(ids) == {
        ids[0]: Fate(waits=True, started_at=None),
        ids[1]: Fate(waits=False, started_at=queue.clock.now),
        ids[3]: Fate(waits=False, started_at=None),
    }


async def test_what_people_are_told_of_their_wait_is_compared_with_what_it_came_to(
    queue: Queue, jobs: Jobs, gauges: StoredGauges
) -> None:
    counted: list[Event] = []
    probe = ForecastProbe(gauges, jobs.place, counted.append, queue.clock)
    await jobs.paint(await leased(jobs, (await add(jobs, queue.new())).id), DONE)
    started, go_on = asyncio.Event(), asyncio.Event()

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        started.set()
        await go_on.wait()
        await jobs.paint(lease, DONE)

    async with jobs.serve(Worker("sketch"), run):
        await add(jobs, queue.new())
        await started.wait()
        waiting = await add(jobs, queue.new())
        await probe.sample()
        place = await jobs.place(waiting.id)
        assert place is not None
        queue.clock.now += 5
        started.clear()
        go_on.set()
        await started.wait()
        await probe.compare()
    (foretold,) = counted
    assert isinstance(foretold, Foretold)
    assert foretold.said_s == pytest.approx(place.eta_s)
    assert foretold.took_s == 5
