"""Interaction tokens and intakes: kept while they are good, never shown, gone when they expire."""

import logging

import pytest
from sqlalchemy import text

from bot.jobs.service import Jobs
from tests.jobs.queues import Queue, add


async def stored_tokens(jobs: Jobs) -> list[str | None]:
    statement = text("SELECT token FROM jobs UNION ALL SELECT token FROM intakes")
    return list(await jobs._database.read(lambda tx: tx.scalars(statement).all()))


async def test_a_token_is_never_in_a_repr_or_in_the_log(
    jobs: Jobs, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await jobs.note_intake(queue.intake(1))
    job = await add(jobs, queue.new())
    lease = await jobs.start(job.id)
    assert job.token is not None
    assert job.token.value == "t0ken"
    queue.clock.now += 1
    await jobs.close()
    jobs = await queue.open()
    shown = repr((job, lease, await jobs.orphans(), await jobs.live()))
    assert "orphans" not in shown
    assert "t0ken" not in shown + caplog.text


async def test_an_expired_token_is_shown_to_nobody_and_wiped_by_the_sweep(jobs: Jobs, queue: Queue) -> None:
    job = await add(jobs, queue.new())
    queue.clock.now += 901
    kept = await jobs.get(job.id)
    assert kept is not None
    assert kept.token is None
    assert await stored_tokens(jobs) == ["t0ken"]
    await jobs.sweep()
    assert await stored_tokens(jobs) == [None]


async def test_an_interaction_without_a_job_is_an_orphan_of_the_next_start(jobs: Jobs, queue: Queue) -> None:
    for interaction in (1, 2, 3):
        await jobs.note_intake(queue.intake(interaction))
    await jobs.drop_intake(2)
    await add(jobs, queue.new(), intake=3)
    assert await jobs.orphans() == []
    queue.clock.now += 10
    await jobs.close()
    jobs = await queue.open()
    await jobs.note_intake(queue.intake(4))
    (orphan,) = await jobs.orphans()
    assert (orphan.interaction_id, orphan.application_id, orphan.reply_locale) == (1, 99, "de")
    assert orphan.token.value == "t0ken"


async def test_an_intake_noted_twice_is_one(jobs: Jobs, queue: Queue) -> None:
    await jobs.note_intake(queue.intake(1))
    await jobs.note_intake(queue.intake(1))
    assert len(await stored_tokens(jobs)) == 1


async def test_a_stale_intake_is_no_orphan_and_is_swept(jobs: Jobs, queue: Queue) -> None:
    await jobs.note_intake(queue.intake(1))
    queue.clock.now += 1000
    await jobs.close()
    jobs = await queue.open()
    assert await jobs.orphans() == []
    await jobs.sweep()
    assert await stored_tokens(jobs) == []


async def test_a_job_seen_before_strikes_off_the_intake_of_its_repetition(jobs: Jobs, queue: Queue) -> None:
    new = queue.new()
    await add(jobs, new)
    await jobs.note_intake(queue.intake(1))
    await add(jobs, new, intake=1)
    assert await stored_tokens(jobs) == ["t0ken"]
