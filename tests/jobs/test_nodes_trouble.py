"""Several processes on one PostgreSQL database when answers, notices or the database itself are lost."""

# ruff: noqa: ASYNC110 - tests may poll

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import OperationalError

from bot.domain.errors import Failure
from bot.domain.job import State
from bot.jobs.floors import NOBODY, Floors
from bot.jobs.forgetting import Forgetting
from bot.jobs.service import Jobs
from bot.storage import postgres as storage
from bot.storage.database import DatabaseAwayError, RetryError
from bot.storage.tables import flows, usage
from tests.engines import url_of
from tests.jobs.queues import DONE, Queue, add, leased
from tests.jobs.test_nodes import taking_part
from tests.postgres import Postgres


@pytest.fixture
async def queue(request: pytest.FixtureRequest, postgres: Postgres) -> AsyncIterator[Queue]:
    del postgres
    queue = Queue(url_of("postgresql", None, request))
    yield queue
    await queue.close()


def lose_answer(jobs: Jobs, patch: pytest.MonkeyPatch) -> None:
    """Have the next transaction committed and its answer lost, as by a server that is restarted just then."""
    write = jobs._database.write

    async def lost(work: Callable[[Connection], Any], *, synced: bool = True) -> Any:
        patch.setattr(jobs._database, "write", write)
        await write(work, synced=synced)
        raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))

    patch.setattr(jobs._database, "write", lost)


async def test_nobody_is_taken_for_dead_because_the_database_was_away_for_all(queue: Queue) -> None:
    first, second = [queue.make(dead_s=0.6) for _ in range(2)]
    for each in (first, second):
        await each.open()
    job = await add(first, queue.new())
    lease = await leased(second, job.id)
    for _ in range(8):
        for each in (first, second):
            await each._engine.beat()
    node = second._engine.node
    await asyncio.sleep(0.8)  # neither gets through to the database
    await first._engine.beat()
    assert (await first.restore()).requeued == ()
    await second._engine.beat()
    assert second._engine.node == node
    assert await second.paint(lease, DONE) is not None


async def test_an_order_whose_answer_is_lost_is_in_line_once(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await queue.open()
    new = queue.new()
    lose_answer(jobs, monkeypatch)
    job = await add(jobs, new)
    assert (job.key, job.state) == (new.key, State.QUEUED)
    assert [each.id for each in await jobs.live()] == [job.id]


async def test_what_a_run_writes_is_written_once_though_the_answer_is_lost(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await queue.open()
    leases = [await leased(jobs, (await add(jobs, queue.new(user=user))).id) for user in range(3)]
    lose_answer(jobs, monkeypatch)
    assert await jobs.note_task(leases[0], "sketch", "a task")
    lose_answer(jobs, monkeypatch)
    await jobs.paint(leases[0], DONE)
    lose_answer(jobs, monkeypatch)
    await jobs.fail(leases[1], Failure("It broke.", ""))
    lose_answer(jobs, monkeypatch)
    await jobs.release(leases[2])
    states = [job.state for lease in leases if (job := await jobs.get(lease.job.id)) is not None]
    assert states == [State.PAINTED, State.FAILED, State.QUEUED]
    doomed = await jobs._database.read(lambda tx: tx.execute(text("SELECT blob FROM doomed")).all())
    assert doomed == []


async def test_what_a_database_never_took_is_put_back(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = await queue.open()
    lease = await leased(jobs, (await add(jobs, queue.new())).id)
    write = jobs._database.write

    async def away(*_: object, **__: object) -> None:
        raise DatabaseAwayError

    monkeypatch.setattr(jobs._database, "write", away)
    jobs.hurry()
    with pytest.raises(DatabaseAwayError):
        await jobs.fail(lease, Failure("It broke.", ""))
    monkeypatch.setattr(jobs._database, "write", write)
    await jobs.restore()
    assert [job.id for job in (await jobs.restore()).requeued] == [lease.job.id]


async def test_two_servers_that_come_back_to_an_idle_line_do_not_wait_for_each_other(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [await queue.open() for _ in range(2)]
    errors: list[Exception] = []
    again = storage._again

    def noted(error: Exception, attempt: int) -> bool:
        errors.append(error)
        return again(error, attempt)

    monkeypatch.setattr(storage, "_again", noted)
    for _ in range(30):
        ordered = await asyncio.gather(*(add(jobs, queue.new(guild)) for guild, jobs in enumerate(both, start=1)))
        for job in ordered:
            await both[0].paint(await leased(both[0], job.id), DONE)
            await both[0].tell(job.id)
    assert not [each for each in errors if "deadlock" in str(each)]


async def test_what_moves_for_ever_is_no_fault_of_ours(queue: Queue) -> None:
    jobs = await queue.open()

    def moving(_tx: Connection) -> None:
        raise RetryError

    with pytest.raises(DatabaseAwayError):
        await jobs._database.write(moving)


async def test_what_a_dead_process_saw_and_did_not_queue_is_found_by_one_that_was_there_before(
    queue: Queue,
) -> None:
    there, gone = [await queue.open() for _ in range(2)]
    await there.note_intake(queue.intake(7))
    await gone.note_intake(queue.intake(8))
    assert await there.orphans() == []
    await gone.close()
    assert [each.interaction_id for each in await there.orphans()] == [8]


async def test_the_floors_of_many_jobs_pass_on_together(queue: Queue) -> None:
    gone, first, second = [await queue.open() for _ in range(3)]
    ids = [(await add(gone, queue.new(user=user))).id for user in range(60)]
    await gone.close()
    floors = [Floors(jobs._database, jobs._engine, queue.clock) for jobs in (first, second)]
    adopted = await asyncio.gather(*(each.adopt(ids) for each in floors))
    assert sorted(map(len, adopted)) == [0, len(ids)]
    winner = floors[0] if adopted[0] else floors[1]
    assert set(await winner.own([State.QUEUED])) == set(ids)
    assert await winner.give(ids[0], NOBODY)
    assert [job.id for job in await winner.orphans()] == [ids[0]]


async def test_a_notice_that_nobody_understands_stops_no_others(queue: Queue) -> None:
    jobs = await queue.open()
    heard: list[int] = []
    async with taking_part(jobs) as engine:
        engine._notices.hear("number", lambda said: heard.append(int(said)))
        await engine._notices.tell("number", "one")
        await engine._notices.tell("number", "2")
        while not heard:
            await asyncio.sleep(0.02)
    assert heard == [2]


@pytest.mark.parametrize(
    ("before", "told"), [("DELETE FROM charges WHERE ", False), ("DELETE FROM usage WHERE usage.user_id", True)]
)
async def test_what_a_person_orders_while_being_forgotten_still_counts(
    queue: Queue, before: str, told: bool
) -> None:
    jobs, other = [await queue.open() for _ in range(2)]
    loop = asyncio.get_running_loop()
    painted: list[int] = []

    async def order(lane: str) -> None:
        job = await add(other, replace(queue.new(1, 11), lane=lane))
        await other.paint(await leased(other, job.id), DONE)
        painted.append(job.id)

    async def meanwhile() -> None:
        await order("theirs")
        if told:
            await other.tell(painted[-1])

    def interrupt(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith(before) and "job_id IN" not in statement and len(painted) == 1:
            asyncio.run_coroutine_threadsafe(meanwhile(), loop).result(5)

    await order("*")
    await other.tell(painted[0])
    event.listen(jobs._database._threads[-1]._engine, "before_cursor_execute", interrupt)
    await Forgetting(jobs._database, jobs._engine, queue.clock).person(11)
    assert (await other.tell(painted[1])).state is State.DELIVERED
    booked = await jobs._database.read(lambda tx: sum(tx.scalars(select(usage.c.ms))))
    assert booked == 2 * 2000


async def test_who_orders_while_another_is_forgotten_keeps_its_turn(queue: Queue) -> None:
    jobs, other = [await queue.open() for _ in range(2)]
    loop = asyncio.get_running_loop()
    ordering: list[asyncio.Task[Any]] = []

    async def order() -> None:
        ordering.append(asyncio.create_task(add(other, queue.new(1, 33))))
        await asyncio.wait(ordering, timeout=0.5)  # it may have to wait for whoever forgets

    def interrupt(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE flows SET users="):
            asyncio.run_coroutine_threadsafe(order(), loop).result(5)

    await add(other, queue.new(1, 22))
    done = await add(other, queue.new(1, 11))
    await other.paint(await leased(other, done.id), DONE)
    await other.tell(done.id)
    event.listen(jobs._database._threads[-1]._engine, "before_cursor_execute", interrupt)
    await Forgetting(jobs._database, jobs._engine, queue.clock).person(11)
    await asyncio.gather(*ordering)
    users = await jobs._database.read(lambda tx: tx.scalar(select(flows.c.users)))
    assert sorted(json.loads(users or "")) == ["22", "33"]
