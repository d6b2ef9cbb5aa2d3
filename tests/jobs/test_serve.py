"""Slots: what starts, what stops, and what becomes of a run that is cut off."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from bot.domain.errors import RejectedError
from bot.domain.job import Job, State
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from tests.jobs.queues import DONE, Queue, add, leased, line, serve_all


async def state_of(jobs: Jobs, job_id: int) -> State:
    job = await jobs.get(job_id)
    assert job is not None
    return job.state


async def test_jobs_are_served_as_they_come_and_by_as_many_slots_as_there_are(jobs: Jobs, queue: Queue) -> None:
    together, most = 0, 0
    done = asyncio.Event()

    async def run(job_id: int) -> None:
        nonlocal together, most
        lease = await leased(jobs, job_id)
        together += 1
        most = max(most, together)
        while most < 3:  # noqa: ASYNC110 - the other slots raise it
            await asyncio.sleep(0)
        together -= 1
        await jobs.paint(lease, DONE)
        if len(await jobs.untold()) == 12:
            done.set()

    async with jobs.serve(Worker(slots=2), run), jobs.serve(Worker(), run):
        for _ in range(12):
            await add(jobs, queue.new())
        await done.wait()
    assert most == 3


async def test_a_queue_that_is_served_by_nobody_keeps_its_jobs(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    async with jobs.serve(Worker(), lambda _job: asyncio.sleep(0)):
        pass
    assert await state_of(jobs, job.id) is State.QUEUED
    assert await serve_all(jobs) == [job.id]


async def test_a_cancelled_job_is_stopped_in_its_run_and_the_slot_goes_on(jobs: Jobs, queue: Queue) -> None:
    running, stopped, painted = asyncio.Event(), asyncio.Event(), asyncio.Event()
    job = await add(jobs, queue.new())

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        if job_id != job.id:
            await jobs.paint(lease, DONE)
            painted.set()
            return
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with jobs.serve(Worker(), run):
        await running.wait()
        await jobs.cancel(job.id, by=11)
        await stopped.wait()
        await add(jobs, queue.new())
        await painted.wait()
    assert await state_of(jobs, job.id) is State.CANCELLED


async def test_leaving_waits_for_what_runs_and_fetches_nothing_more(queue: Queue) -> None:
    jobs = await queue.open(drain_s=30)
    running, go = asyncio.Event(), asyncio.Event()
    first, second = await add(jobs, queue.new()), await add(jobs, queue.new())

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        running.set()
        await go.wait()
        await jobs.paint(lease, DONE)

    async with jobs.serve(Worker(), run):
        await running.wait()
        asyncio.get_running_loop().call_later(0.05, go.set)
    assert await state_of(jobs, first.id) is State.PAINTED
    assert await state_of(jobs, second.id) is State.QUEUED


async def test_a_drain_that_takes_too_long_puts_the_job_back_first_in_line(jobs: Jobs, queue: Queue) -> None:
    changed: list[Job] = []
    jobs.on_change(changed.append)
    running = asyncio.Event()
    first, second = await add(jobs, queue.new()), await add(jobs, queue.new())

    async def run(job_id: int) -> None:
        await leased(jobs, job_id)
        running.set()
        await asyncio.Event().wait()

    async with jobs.serve(Worker(), run):
        await running.wait()
    assert await line(jobs) == [first.id, second.id]
    (released,) = changed
    assert (released.id, released.state, released.crashes) == (first.id, State.QUEUED, 0)


async def test_a_job_cancelled_while_it_starts_is_not_left_running(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    starting = asyncio.create_task(jobs.start(job.id))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert await state_of(jobs, job.id) is State.QUEUED


@pytest.mark.parametrize("leases", [True, False])
async def test_a_run_that_breaks_fails_its_job_with_a_code_that_the_log_has(
    jobs: Jobs, queue: Queue, caplog: pytest.LogCaptureFixture, leases: bool
) -> None:
    changed: asyncio.Queue[Job] = asyncio.Queue()
    jobs.on_change(changed.put_nowait)

    async def run(job_id: int) -> None:
        if leases:
            await leased(jobs, job_id)
        raise ZeroDivisionError

    async with jobs.serve(Worker(), run):
        job = await add(jobs, queue.new())
        failed = await changed.get()
    assert (failed.id, failed.state) == (job.id, State.FAILED)
    assert failed.failure is not None
    assert failed.failure.code is not None
    assert failed.failure.code in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_run_that_raises_words_fails_its_job_with_them(jobs: Jobs, queue: Queue) -> None:
    changed: asyncio.Queue[Job] = asyncio.Queue()
    jobs.on_change(changed.put_nowait)

    async def run(job_id: int) -> None:
        await leased(jobs, job_id)
        raise RejectedError("It says no: {reason}", reason="NaN")

    async with jobs.serve(Worker(), run):
        await add(jobs, queue.new())
        failed = await changed.get()
    assert failed.failure is not None
    assert (failed.failure.message, failed.failure.values) == ("It says no: {reason}", {"reason": "NaN"})
    assert failed.failure.code is None


async def test_a_job_given_back_by_one_server_is_taken_by_another(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    given_back, painted = asyncio.Event(), asyncio.Event()

    async def broken(job_id: int) -> None:
        await jobs.release(await leased(jobs, job_id))
        given_back.set()

    async def sound(job_id: int) -> None:
        await jobs.paint(await leased(jobs, job_id), DONE)
        painted.set()

    async with jobs.serve(Worker(), broken):
        await given_back.wait()
        async with jobs.serve(Worker(), sound):
            await painted.wait()
    kept = await jobs.get(job.id)
    assert kept is not None
    assert (kept.state, kept.attempt) == (State.PAINTED, 2)


async def test_a_slot_may_go_on_while_its_last_job_is_still_being_stored(jobs: Jobs, queue: Queue) -> None:
    async with asyncio.TaskGroup() as stores:
        both = asyncio.Event()
        leases = []

        async def run(job_id: int) -> None:
            leases.append(await leased(jobs, job_id))
            if len(leases) == 2:
                both.set()

        async with jobs.serve(Worker(), run):
            await add(jobs, queue.new())
            await add(jobs, queue.new())
            await both.wait()
        for lease in leases:
            stores.create_task(jobs.paint(lease, DONE))
    assert len(await jobs.untold()) == 2


async def test_a_queue_that_cannot_be_read_for_a_moment_is_served_again(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = await queue.open()
    read = jobs._database.read
    monkeypatch.setattr("bot.jobs.serving.REFUSED_S", 0.01)

    async def locked(_work: object) -> object:
        monkeypatch.setattr(jobs._database, "read", read)
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    job = await add(jobs, queue.new())
    monkeypatch.setattr(jobs._database, "read", locked)
    assert await serve_all(jobs) == [job.id]
    assert "could not be read" in caplog.text


async def test_a_process_that_ends_does_not_wait_for_a_database_that_refuses(
    jobs: Jobs, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = await leased(jobs, (await add(jobs, queue.new())).id)

    async def refuse(*_: object, **__: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(jobs._database, "write", refuse)
        painting = asyncio.create_task(jobs.paint(lease, DONE))
        await asyncio.sleep(0.05)
        assert not painting.done()
        jobs.hurry()
        with pytest.raises(OperationalError):
            await painting
    await jobs.close()
    again = await queue.open()
    assert await state_of(again, lease.job.id) is State.QUEUED


async def test_a_job_given_back_while_the_database_refuses_it_waits_again_though_its_server_closes(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await queue.open()
    write, refused, full = jobs._database.write, asyncio.Event(), False

    async def refuse(work: Callable[[Connection], Any], **options: Any) -> Any:
        if full:
            refused.set()
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return await write(work, **options)

    async def run(job_id: int) -> None:
        nonlocal full
        lease = await leased(jobs, job_id)
        full = True
        await jobs.release(lease)

    def free() -> None:
        nonlocal full
        full = False

    monkeypatch.setattr(jobs._database, "write", refuse)
    job = await add(jobs, queue.new())
    async with jobs.serve(Worker(), run):
        await refused.wait()
        asyncio.get_running_loop().call_later(0.4, free)
    assert await state_of(jobs, job.id) is State.QUEUED


async def test_a_body_that_fails_ends_its_slots_and_tells_its_own_error(jobs: Jobs, queue: Queue) -> None:
    running = asyncio.Event()
    job = await add(jobs, queue.new())

    async def run(job_id: int) -> None:
        await leased(jobs, job_id)
        running.set()
        await asyncio.Event().wait()

    async def body() -> None:
        async with jobs.serve(Worker(slots=2), run):
            await running.wait()
            raise LookupError

    with pytest.raises(ExceptionGroup) as caught:
        await body()
    assert caught.group_contains(LookupError)
    assert await line(jobs) == [job.id]


async def test_a_long_queue_drains_in_order_on_a_constant_stack(
    jobs: Jobs, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The whole 10,000 are drained by bench/queue.py.
    depths: set[int] = set()
    ids = [(await add(jobs, queue.new(guild, guild))).id for _ in range(15) for guild in range(1, 21)]
    begun: list[int] = []
    done = asyncio.Event()
    start = jobs.start

    async def counting(job_id: int) -> object:
        depths.add(len(asyncio.current_task().get_stack()))  # type: ignore[union-attr]
        begun.append(job_id)
        return await start(job_id)

    monkeypatch.setattr(jobs, "start", counting)

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        await jobs.paint(lease, DONE)
        if len(begun) == len(ids):
            done.set()

    async with jobs.serve(Worker(), run):
        await done.wait()
    assert begun == ids
    assert len(depths) == 1


async def test_a_transaction_of_the_service_is_all_or_nothing(
    jobs: Jobs, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await add(jobs, queue.new())

    def broken(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr("bot.jobs.charging.reserve", broken)  # the last that is written of a job
    await jobs.note_intake(queue.intake(1))
    with pytest.raises(LookupError):
        await add(jobs, queue.new(), intake=1)
    assert await line(jobs) == [job.id]
    assert all(one < other for one, other in pairwise([0, *await line(jobs)]))
