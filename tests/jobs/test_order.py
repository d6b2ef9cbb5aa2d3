"""Whose turn it is, and what people are told about it."""

import asyncio

from bot.domain.job import Result
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from tests.jobs.queues import DONE, Queue, add, leased, line, serve_all


async def test_guild_a_queues_fifty_and_guild_bs_one_runs_next(jobs: Jobs, queue: Queue) -> None:
    many = [(await add(jobs, queue.new(1, 11 + n % 3))).id for n in range(50)]
    running = await leased(jobs, (await line(jobs))[0])
    one = await add(jobs, queue.new(2, 21))
    await jobs.paint(running, DONE)
    order = await serve_all(jobs)
    assert order[0] == one.id
    assert sorted(order[1:]) == sorted(many[1:])


async def test_two_people_in_one_guild_take_turns(jobs: Jobs, queue: Queue) -> None:
    first = [(await add(jobs, queue.new(1, 11))).id for _ in range(4)]
    second = [(await add(jobs, queue.new(1, 12))).id for _ in range(4)]
    assert await serve_all(jobs) == [job for pair in zip(first, second, strict=True) for job in pair]


async def test_a_heavier_guild_is_served_three_times_as_often(jobs: Jobs, queue: Queue) -> None:
    heavy = {(await add(jobs, queue.new(1, 11), weight=300)).id for _ in range(12)}
    for _ in range(12):
        await add(jobs, queue.new(2, 21), weight=100)
    order = await serve_all(jobs)
    assert len(heavy & set(order[:12])) == 9


async def test_cancelled_work_is_given_back_in_turns(jobs: Jobs, queue: Queue) -> None:
    mine = [(await add(jobs, queue.new(1, 11))).id for _ in range(2)]
    theirs = [(await add(jobs, queue.new(1, 12))).id for _ in range(2)]
    assert await line(jobs) == [mine[0], theirs[0], mine[1], theirs[1]]
    await leased(jobs, mine[0])
    await jobs.cancel(mine[0], by=11, unserved=1.0)
    # All of it was given back: both have had nothing, so the older job goes first again.
    assert await line(jobs) == [mine[1], theirs[0], theirs[1]]


async def test_what_was_painted_before_the_cancel_stays_charged(jobs: Jobs, queue: Queue) -> None:
    mine = [(await add(jobs, queue.new(1, 11))).id for _ in range(2)]
    theirs = [(await add(jobs, queue.new(1, 12))).id for _ in range(2)]
    await leased(jobs, mine[0])
    await jobs.cancel(mine[0], by=11, unserved=0.0)
    assert await line(jobs) == [theirs[0], mine[1], theirs[1]]


async def test_a_cancelled_run_gives_back_only_the_steps_not_done(jobs: Jobs, queue: Queue) -> None:
    mine = [(await add(jobs, queue.new(1, 11))).id for _ in range(2)]
    theirs = [(await add(jobs, queue.new(1, 12))).id for _ in range(2)]
    lease = await leased(jobs, mine[0])
    jobs.progressed(lease, 0.9)
    await jobs.cancel(mine[0], by=11)
    assert await line(jobs) == [theirs[0], mine[1], theirs[1]]


async def test_an_idle_lane_forgets_the_past(jobs: Jobs, queue: Queue) -> None:
    for _ in range(5):
        await add(jobs, queue.new(1, 11))
    await serve_all(jobs)
    again = await add(jobs, queue.new(1, 11))
    other = await add(jobs, queue.new(2, 21))
    assert (again.tag, other.tag) == (0, 0)
    assert await line(jobs) == [again.id, other.id]


async def test_a_place_counts_the_jobs_and_the_cost_ahead(jobs: Jobs, queue: Queue) -> None:
    ids = [(await add(jobs, queue.new(1 + n % 2, 11, steps=15 + n))).id for n in range(6)]
    order = await line(jobs)
    costs = {job.id: job.cost for job in await jobs.waiting()}
    places = await jobs.places([*ids, 999])
    assert set(places) == set(ids)
    for ahead, job in enumerate(order):
        assert places[job] == await jobs.place(job)
        assert places[job].ahead == ahead
        assert places[job].cost_ahead == sum(costs[other] for other in order[:ahead])
        assert places[job].eta_s is None
    await leased(jobs, order[0])
    assert await jobs.place(order[0]) is None


async def test_the_wait_is_told_from_the_measured_pace_and_the_slots_at_work(jobs: Jobs, queue: Queue) -> None:
    ids = [(await add(jobs, queue.new())).id for _ in range(6)]
    waits: list[float | None] = []
    enough = asyncio.Event()

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        if job_id != ids[2]:
            await jobs.paint(lease, Result((), "sketch", 8.0))
            return
        places = await jobs.places(ids)
        waits.extend(places[job].eta_s for job in ids[3:])
        queue.clock.now += 6
        place = await jobs.place(ids[3])
        waits.append(place.eta_s if place else None)
        enough.set()
        await asyncio.Event().wait()

    async with jobs.serve(Worker(), run):
        await enough.wait()
        await jobs.cancel(ids[2], by=None)
    assert [round(wait or 0) for wait in waits] == [8, 16, 24, 2]
    place = await jobs.place(ids[-1])
    assert place is not None
    assert place.eta_s is None


async def test_a_slow_models_jobs_cost_more_once_it_was_measured(jobs: Jobs, queue: Queue) -> None:
    for _ in range(12):
        for model, seconds in (("fast", 2.0), ("slow", 8.0)):
            job = await add(jobs, queue.new(model=model))
            await jobs.paint(await leased(jobs, job.id), Result((), "gpu", seconds))
    fast, slow = [await add(jobs, queue.new(model=model)) for model in ("fast", "slow")]
    assert slow.cost > 2 * fast.cost


async def test_a_loaded_model_is_preferred_within_the_window_only(queue: Queue) -> None:
    jobs = await queue.open(affinity_window=1.0)
    models = ["a", "b", "a", "b", "a", "b", "a"]
    for user, model in enumerate(models):
        await add(jobs, queue.new(1, user, model=model, width=1024, height=1024, steps=30))
    loaded: list[str] = ["b"]
    order: list[str] = []
    idle = asyncio.Event()

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        loaded[0] = lease.job.spec.request.model or ""
        order.append(loaded[0])
        await jobs.paint(lease, DONE)
        if len(order) == len(models):
            idle.set()

    async with jobs.serve(Worker(loaded=lambda: loaded[0]), run):
        await idle.wait()
    switches = sum(one != other for one, other in zip(["b", *order], order, strict=False))
    assert order[0] == "b"
    assert switches < 6


async def test_without_a_window_the_loaded_model_changes_nothing(jobs: Jobs, queue: Queue) -> None:
    ids = [(await add(jobs, queue.new(1, user, model="ab"[user % 2]))).id for user in range(6)]
    assert await serve_all(jobs, loaded=lambda: "b") == ids


async def test_waiting_shows_what_runs_first_and_keeps_to_a_guild_or_a_person(jobs: Jobs, queue: Queue) -> None:
    ids = [(await add(jobs, queue.new(guild, user))).id for guild, user in ((1, 11), (1, 12), (2, 11), (1, 11))]
    await leased(jobs, ids[0])
    assert await line(jobs) == [ids[0], ids[2], ids[1], ids[3]]
    assert [job.id for job in await jobs.waiting(guild=1)] == [ids[0], ids[1], ids[3]]
    assert [job.id for job in await jobs.waiting(user=11)] == [ids[0], ids[2], ids[3]]
    assert [job.id for job in await jobs.waiting(guild=1, user=11, limit=1)] == [ids[0]]
    assert [job.id for job in await jobs.live()] == ids
