"""Several processes on one PostgreSQL database, each played by its own ``Jobs``."""

# ruff: noqa: ASYNC110 - tests may poll

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from bot.domain.job import Job, State
from bot.jobs import nodes, statements
from bot.jobs.distributed import Distributed
from bot.jobs.engine import Worker
from bot.jobs.floors import Floors
from bot.jobs.service import Jobs
from bot.storage.database import DatabaseAwayError
from bot.storage.tables import lanes
from tests.engines import url_of
from tests.jobs.queues import DONE, LIMITS, Queue, add, leased
from tests.postgres import Postgres


@pytest.fixture
async def queue(request: pytest.FixtureRequest, postgres: Postgres) -> AsyncIterator[Queue]:
    del postgres
    queue = Queue(url_of("postgresql", None, request))
    yield queue
    await queue.close()


@asynccontextmanager
async def taking_part(jobs: Jobs) -> AsyncIterator[Distributed]:
    """Have a process beat and listen."""
    engine = jobs._engine
    assert isinstance(engine, Distributed)
    tasks = [asyncio.create_task(jobs.run()), asyncio.create_task(engine._notices.run())]
    heard = asyncio.Event()
    engine._notices.hear("hello", lambda _said: heard.set())
    while not heard.is_set():
        await engine._notices.tell("hello")
        await asyncio.sleep(0.02)
    try:
        yield engine
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until_state(jobs: Jobs, job_id: int, state: State) -> Job:
    while True:
        job = await jobs.get(job_id)
        if job is not None and job.state is state:
            return job
        await asyncio.sleep(0.02)


async def test_of_two_processes_each_job_is_painted_by_one(queue: Queue) -> None:
    both = [await queue.open() for _ in range(2)]
    started: list[tuple[int, int]] = []

    async def run(which: int, job_id: int) -> None:
        lease = await both[which].start(job_id)
        if lease is not None:
            started.append((which, job_id))
            await asyncio.sleep(0.01)
            await both[which].paint(lease, DONE)

    async with AsyncExitStack() as stack:
        for which, jobs in enumerate(both):
            await stack.enter_async_context(taking_part(jobs))
            await stack.enter_async_context(jobs.serve(Worker(slots=2), partial(run, which)))
        ids = [(await add(both[0], queue.new(1, user % 5))).id for user in range(20)]
        while len(await both[0].untold()) < 20:
            await asyncio.sleep(0.02)
    assert sorted(job for _, job in started) == ids
    assert {which for which, _ in started} == {0, 1}


async def test_a_job_is_cancelled_where_it_runs(queue: Queue) -> None:
    bot, worker = await queue.open(), await queue.open()
    running, stopped = asyncio.Event(), asyncio.Event()

    async def run(job_id: int) -> None:
        await leased(worker, job_id)
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with taking_part(worker), worker.serve(Worker(), run):
        job = await add(bot, queue.new())
        await running.wait()
        assert await bot.cancel(job.id, by=11) is not None
        await stopped.wait()
    assert (await until_state(bot, job.id, State.CANCELLED)).attempt == 1


async def test_who_was_taken_for_dead_finds_its_result_refused_and_begins_anew(queue: Queue) -> None:
    frozen, other = await queue.open(), queue.make(dead_s=0.5)
    job = await add(frozen, queue.new())
    lease = await leased(frozen, job.id)
    former = frozen._engine.node
    await other.open()
    while not (recovery := await other.restore()).requeued:
        await other._engine.beat()
    (again,) = recovery.requeued
    assert (again.id, again.crashes) == (job.id, 1)
    second = await leased(other, job.id)
    lost: list[bool] = []
    frozen._engine.on_reborn(lambda: lost.append(True))
    assert await frozen.paint(lease, DONE) is None
    async with taking_part(frozen):
        while frozen._engine.node == former:
            await asyncio.sleep(0.02)
    assert lost == [True]
    assert await other.paint(second, DONE) is not None


async def test_a_start_whose_answer_was_lost_is_put_back_after_a_while(queue: Queue) -> None:
    jobs = await queue.open()
    job = await add(jobs, queue.new())
    await jobs._database.write(lambda tx: jobs._ledger.start(tx, job.id))
    assert (await jobs.restore()).requeued == ()
    (again,) = (await jobs.restore()).requeued
    assert (again.id, again.state) == (job.id, State.QUEUED)


async def test_a_server_that_was_restarted_is_used_again_and_heard_again(queue: Queue, postgres: Postgres) -> None:
    jobs = await queue.open()
    async with taking_part(jobs) as engine:
        first = await add(jobs, queue.new())
        postgres.stop()
        with pytest.raises(DatabaseAwayError):
            await add(jobs, queue.new())
        postgres.start()
        while True:
            with suppress(DatabaseAwayError):
                second = await add(jobs, queue.new())
                break
        painted = asyncio.Event()

        async def run(job_id: int) -> None:
            await jobs.paint(await leased(jobs, job_id), DONE)
            painted.set()

        async with jobs.serve(Worker(), run):
            await until_state(jobs, second.id, State.PAINTED)
            await until_state(jobs, first.id, State.PAINTED)
        heard = asyncio.Event()
        engine._notices.hear("again", lambda _said: heard.set())
        while not heard.is_set():
            await engine._notices.tell("again")
            await asyncio.sleep(0.05)


async def test_an_error_of_the_server_shows_no_values(queue: Queue) -> None:
    jobs = await queue.open()

    def wrong(tx: Connection) -> Any:
        return tx.execute(insert(lanes), {"lane": "my secret prompt", "clock": None})

    with pytest.raises(Exception, match="clock") as caught:
        await jobs._database.write(wrong)
    shown = "".join(map(str, (caught.value, caught.value.__cause__, getattr(caught.value, "orig", ""))))
    assert "secret" not in shown


async def test_what_was_overtaken_is_done_anew(queue: Queue) -> None:
    jobs = await queue.open()
    tried: list[int] = []

    def work(tx: Connection) -> None:
        tried.append(tx.execute(text("SELECT count(*) FROM lanes")).scalar_one())
        if len(tried) == 1:
            tx.execute(text("INSERT INTO lanes VALUES ('a', 1), ('a', 1)"))

    await jobs._database.write(work)
    assert tried == [0, 0]


async def test_caps_hold_for_a_server_that_orders_at_two_processes_at_once(queue: Queue) -> None:
    both = [await queue.open() for _ in range(2)]
    limits = LIMITS.__class__(max_queued_user=4)
    orders = (add(both[n % 2], queue.new(), limits=limits) for n in range(12))
    answers = await asyncio.gather(*orders, return_exceptions=True)
    assert sum(isinstance(answer, Job) for answer in answers) == 4


async def test_a_floor_is_one_nodes_at_a_time_and_passes_on_when_that_one_is_gone(queue: Queue) -> None:
    bot, worker, third = [await queue.open() for _ in range(3)]
    floors = [Floors(jobs._database, jobs._engine, queue.clock) for jobs in (bot, worker, third)]
    job = await add(bot, queue.new())
    assert [each.has(job) for each in floors] == [True, False, False]
    assert await floors[0].give(job.id, floors[1].node)
    assert not await floors[0].give(job.id, floors[1].node)
    assert await floors[2].orphans() == []
    await worker.close()
    assert [each.id for each in await floors[2].orphans()] == [job.id]
    adopted = await asyncio.gather(floors[0].adopt([job.id]), floors[2].adopt([job.id]))
    assert sorted(map(len, adopted)) == [0, 1]
    await bot.cancel(job.id, by=None)
    await bot.tell(job.id)
    now = next(each for each, taken in zip((floors[0], floors[2]), adopted, strict=True) if taken)
    assert not await now.give(job.id, floors[1].node)


async def test_a_dead_node_is_buried_once_its_silence_is_long_enough(queue: Queue) -> None:
    jobs = await queue.open()
    assert await jobs._database.write(lambda tx: nodes.bury(tx, 20.0)) == 0
    assert await jobs._database.write(lambda tx: nodes.bury(tx, 0.0)) == 1
    assert not await jobs._database.write(lambda tx: nodes.beat(tx, jobs._engine.node))


async def test_a_job_that_another_process_is_starting_is_passed_over(queue: Queue) -> None:
    one, other = await queue.open(), await queue.open()
    first, second = await add(one, queue.new()), await add(one, queue.new())
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def starting(tx: Connection) -> None:
        assert tx.execute(statements.TO_START, {"of_id": first.id}).one().alone
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)

    started: asyncio.Queue[int] = asyncio.Queue()

    async def run(job_id: int) -> None:
        if await other.start(job_id) is not None:
            started.put_nowait(job_id)

    held_up = asyncio.create_task(one._database.write(starting))
    await begun.wait()
    async with taking_part(other), other.serve(Worker(), run):
        assert await started.get() == second.id
        go_on.set()
        await held_up
        other._engine.ring()
        assert await started.get() == first.id
