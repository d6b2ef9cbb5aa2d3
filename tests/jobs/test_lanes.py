"""Lanes: what only some workers can do waits apart, and nobody loses a turn by it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bot.domain.job import Job, Result, State
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from tests.jobs.queues import DONE, Queue, add, leased, line

SETTLED_S = 0.2
"""Long enough for an idle slot to have taken what it may."""


@dataclass
class Hand:
    """A worker that notes what it starts; ``held``: it goes on with its jobs only once ``go`` is set."""

    jobs: Jobs
    name: str
    lanes: Iterable[str]
    slots: int = 1
    model: str | None = None
    held: bool = False
    started: list[int] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def worker(self) -> Worker:
        return Worker(self.name, self.slots, lambda lane: lane in self.lanes, lambda: self.model)

    async def run(self, job_id: int) -> None:
        lease = await leased(self.jobs, job_id)
        self.started.append(job_id)
        if self.held:
            await self.go.wait()
        await self.jobs.paint(lease, DONE)

    async def begun(self, *ids: int) -> None:
        """Wait until it has started these jobs; the test's own timeout ends it."""
        while not set(ids) <= set(self.started):  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.005)


async def painted(jobs: Jobs, count: int) -> None:
    while sum(job.state is State.PAINTED for job in await jobs.untold()) < count:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)


@pytest.fixture
def put(jobs: Jobs, queue: Queue) -> Callable[..., Any]:
    """Queue a job in a lane: ``await put("gpu1", guild=1, user=11, steps=30)``."""

    async def put(lane: str, guild: int = 1, user: int = 11, **request: Any) -> Job:
        return await add(jobs, replace(queue.new(guild, user, **request), lane=lane))

    return put


async def in_lane(jobs: Jobs, lane: str) -> list[int]:
    return [job.id for job in await jobs.waiting() if job.lane == lane]


async def test_a_worker_takes_only_jobs_of_the_lanes_it_serves(jobs: Jobs, put: Any) -> None:
    ours = [(await put(lane)).id for lane in ("default", "gpu1", "gpu1+gpu2")]
    other = await put("gpu2")
    hand = Hand(jobs, "gpu1", {"default", "gpu1", "gpu1+gpu2"})
    async with jobs.serve(hand.worker, hand.run):
        await painted(jobs, 3)
        await asyncio.sleep(SETTLED_S)
    assert sorted(hand.started) == ours
    assert await line(jobs) == [other.id]


async def test_lanes_share_a_worker_by_their_guilds_and_each_keeps_its_own_order(jobs: Jobs, put: Any) -> None:
    guild_of = {}
    for guild, lane, count in ((1, "default", 12), (2, "default", 4), (3, "gpu1", 12)):
        for _ in range(count):
            guild_of[(await put(lane, guild, guild)).id] = guild
    ids = {guild: [job for job, of in guild_of.items() if of == guild] for guild in (1, 2, 3)}
    hand = Hand(jobs, "gpu1", {"default", "gpu1"})
    async with jobs.serve(hand.worker, hand.run):
        await painted(jobs, len(guild_of))
    order = [guild_of[job] for job in hand.started]
    assert Counter(order[:12]) == {1: 4, 2: 4, 3: 4}
    assert [guild for guild in order if guild != 3][:8] == [1, 2] * 4
    for guild, queued in ids.items():
        assert [job for job in hand.started if guild_of[job] == guild] == queued


async def test_a_job_moved_among_ones_later_jobs_goes_before_them(jobs: Jobs, put: Any) -> None:
    moved = await put("gpu1")
    others = [await put("gpu2"), await put("gpu2", 2, 21)]
    assert [job.id for job in await jobs.relane(lambda _job: "gpu2")] == [moved.id]
    assert await in_lane(jobs, "gpu2") == [others[1].id, moved.id, others[0].id]
    assert not await jobs.relane(lambda _job: "gpu2")


async def test_a_moved_job_counts_for_its_guild_where_it_waits_now(jobs: Jobs, put: Any) -> None:
    many = [(await put("gpu1", 1, 11)).id for _ in range(4)]
    other = [(await put("gpu2", 2, 21)).id for _ in range(2)]
    await jobs.relane(lambda _job: "default")
    assert await line(jobs) == [many[0], other[0], many[1], other[1], *many[2:]]


async def test_a_job_that_was_put_back_stays_first_when_it_is_moved(jobs: Jobs, put: Any) -> None:
    waiting = [(await put("gpu2", 2, 21)).id for _ in range(3)]
    charged, running = await put("gpu1"), await put("gpu1")
    await jobs.release(await leased(jobs, charged.id))
    lease = await leased(jobs, running.id)
    await jobs.relane(lambda _job: "gpu2")
    assert await in_lane(jobs, "gpu2") == [charged.id, *waiting]
    kept = await jobs.paint(lease, DONE)
    assert kept is not None
    assert (kept.id, kept.lane) == (running.id, "gpu1")


async def test_a_job_that_is_put_back_into_another_lane_is_done_there_and_only_there(jobs: Jobs, put: Any) -> None:
    job = await put("default")
    second = Hand(jobs, "gpu2", {"default", "gpu2"}, held=True)
    attempts = []

    async def faulty(job_id: int) -> None:
        attempts.append(job_id)
        await jobs.release(await leased(jobs, job_id), lane="gpu2")

    async with jobs.serve(Worker("gpu1", 2, lambda lane: lane in {"default", "gpu1"}), faulty):
        while await in_lane(jobs, "gpu2") != [job.id]:  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.01)
        async with jobs.serve(second.worker, second.run):
            await second.begun(job.id)
            second.go.set()
            await painted(jobs, 1)
    assert attempts == second.started == [job.id]


async def test_a_job_is_left_to_the_idle_worker_that_has_its_model_loaded(jobs: Jobs, put: Any) -> None:
    cold, warm = Hand(jobs, "cold", {"default"}, model="other"), Hand(jobs, "warm", {"default"}, model="fox")
    async with jobs.serve(cold.worker, cold.run), jobs.serve(warm.worker, warm.run):
        for done in range(1, 4):
            await put("default", model="fox")
            await painted(jobs, done)
        free = await put("default", model="other")
        await painted(jobs, 4)
    assert cold.started == [free.id]
    assert len(warm.started) == 3


async def test_more_jobs_than_the_loaded_worker_has_slots_go_to_the_others_too(jobs: Jobs, put: Any) -> None:
    hands = [Hand(jobs, f"gpu{n}", {"default"}, model="fox" if n == 2 else None, held=True) for n in range(4)]
    async with AsyncExitStack() as stack:
        for hand in hands:
            await stack.enter_async_context(jobs.serve(hand.worker, hand.run))
        await asyncio.sleep(SETTLED_S)
        # Together, so that all of them are seen while the one that has the model is still idle.
        ids = [
            job.id for job in await asyncio.gather(*(put("default", 1, user, model="fox") for user in range(4)))
        ]
        await asyncio.sleep(SETTLED_S)
        started = sorted(job for hand in hands for job in hand.started)
        for hand in hands:
            hand.go.set()
        await painted(jobs, 4)
    assert started == sorted(ids)


# Where all three are committed at once, and so seen at once.
@pytest.mark.parametrize("queue", ["sqlite"], indirect=True)
async def test_a_job_left_to_a_worker_that_turns_to_its_own_lane_is_taken_by_another(jobs: Jobs, put: Any) -> None:
    cold = Hand(jobs, "cold", {"default"}, held=True)
    warm = Hand(jobs, "warm", {"default", "warm"}, model="fox", held=True)
    async with jobs.serve(cold.worker, cold.run), jobs.serve(warm.worker, warm.run):
        await asyncio.sleep(SETTLED_S)
        # The lane of its own comes first: it has more guilds.
        own = [put("warm", guild, guild, model="fox") for guild in (1, 2)]
        *own_jobs, job = await asyncio.gather(*own, put("default", 3, 31, model="fox"))
        await cold.begun(job.id)
        cold.go.set()
        warm.go.set()
        await painted(jobs, 3)
    assert warm.started == [each.id for each in own_jobs]


async def test_a_job_left_to_a_worker_that_stops_is_taken_before_that_one_is_through(
    queue: Queue,
) -> None:
    jobs = await queue.open(drain_s=30)
    cold = Hand(jobs, "cold", {"default"})
    warm = Hand(jobs, "warm", {"default"}, slots=2, model="fox", held=True)
    async with jobs.serve(cold.worker, cold.run):
        async with jobs.serve(warm.worker, warm.run):
            long = await add(jobs, queue.new(1, 11, model="fox"))
            await warm.begun(long.id)
            # The warm one's other slot is idle and is asked first; it stops at that very moment.
            job = await add(jobs, queue.new(1, 11, model="fox"))
            stopping = asyncio.create_task(cold.begun(job.id))
            stopping.add_done_callback(lambda _: warm.go.set())
        await stopping
    assert (warm.started, cold.started) == ([long.id], [job.id])


async def test_two_idle_slots_of_one_worker_take_two_jobs_that_come_together(jobs: Jobs, put: Any) -> None:
    hand = Hand(jobs, "gpu", {"default"}, slots=3, held=True)
    async with jobs.serve(hand.worker, hand.run):
        for _ in range(5):
            await asyncio.sleep(0.02)
            hand.go.clear()
            ids = [job.id for job in await asyncio.gather(*(put("default") for _ in range(3)))]
            async with asyncio.timeout(5):
                await hand.begun(*ids)
            hand.go.set()
        await painted(jobs, 15)


async def test_what_a_worker_serves_may_change_while_it_works(jobs: Jobs, put: Any) -> None:
    lanes = {"default"}
    hand = Hand(jobs, "gpu1", lanes)
    async with jobs.serve(hand.worker, hand.run):
        first, second = await put("default"), await put("gpu1")
        await hand.begun(first.id)
        await asyncio.sleep(SETTLED_S)
        assert hand.started == [first.id]
        lanes.add("gpu1")
        jobs.ring()
        await hand.begun(second.id)
        lanes.clear()
        await put("default")
        await asyncio.sleep(SETTLED_S)
        assert hand.started == [first.id, second.id]


async def test_place_and_time_to_wait_are_those_of_the_lane(jobs: Jobs, put: Any, queue: Queue) -> None:
    for backend, seconds in (("gpu1", 2.0), ("gpu2", 8.0)):
        job = await put("default")
        await jobs.paint(await leased(jobs, job.id), Result((), backend, seconds))
    both = [await put("default") for _ in range(3)]
    own = [await put("gpu2") for _ in range(3)]
    nobody = await put("gpu3")
    waits: list[tuple[int, int | None]] = []
    begun: set[str] = set()

    async def run(backend: str, job_id: int) -> None:
        await jobs.start(job_id, backend=backend)
        begun.add(backend)
        await asyncio.Event().wait()

    async with (
        jobs.serve(Worker("gpu1", 1, lambda lane: lane == "default"), partial(run, "gpu1")),
        jobs.serve(Worker("gpu2", 1, lambda lane: lane == "gpu2"), partial(run, "gpu2")),
    ):
        while len(begun) < 2:  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.01)
        queue.clock.now += 1
        places = await jobs.places([*(job.id for job in (*both, *own)), nobody.id])
        for job in (both[2], own[2], nobody):
            eta_s = places[job.id].eta_s
            waits.append((places[job.id].ahead, None if eta_s is None else round(eta_s)))
    assert waits == [(1, 3), (1, 15), (0, None)]


async def test_jobs_in_a_lane_of_workers_that_are_gone_are_moved_after_a_restart(queue: Queue) -> None:
    jobs = await queue.open()
    waiting = [await add(jobs, replace(queue.new(), lane="old1+old2")) for _ in range(2)]
    await leased(jobs, waiting[0].id)
    await jobs.close()
    jobs = await queue.open()
    assert await in_lane(jobs, "old1+old2") == [job.id for job in waiting]
    assert len(await jobs.relane(lambda _job: "default")) == 2
    hand = Hand(jobs, "new", {"default"})
    async with jobs.serve(hand.worker, hand.run):
        await painted(jobs, 2)
    assert hand.started == [job.id for job in waiting]


async def test_a_move_locks_every_lane_and_guild_before_its_job(jobs: Jobs, put: Any) -> None:
    asked: list[str] = []

    def note(_: object, __: object, statement: str, values: object, *___: object) -> None:
        whole = " ".join(statement.split())
        if "FROM lanes JOIN flows" in whole:
            asked.extend(lane for lane in ("default", "gpu1") if lane in str(values))
        elif whole.startswith("SELECT") and "jobs.spec" in whole:
            asked.append("job")

    def in_turn() -> list[str]:
        return [words for words, _ in groupby(asked)]  # what is not there yet is looked for twice

    locks = ["default", "gpu1", "job"]
    waiting, running = await put("gpu1"), await leased(jobs, (await put("gpu1", user=12)).id)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert [job.id for job in await jobs.relane(lambda _: "default")] == [waiting.id]
        assert in_turn() == ["job", *locks]
        asked.clear()
        await jobs.release(running, lane="default")
        assert in_turn() == locks
    finally:
        event.remove(Engine, "before_cursor_execute", note)
