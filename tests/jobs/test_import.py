"""A queue that was brought from SQLite to PostgreSQL: it goes on as if it had only been started anew."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.job import Job, State
from bot.domain.quotas import Allowance, Period, Quota, Scope, Spender
from bot.domain.reviewing import Cause, Review, Verdict
from bot.domain.snippets import Kind, Snippet
from bot.jobs.floors import Floors
from bot.jobs.reviews import Reviews
from bot.jobs.service import Jobs
from bot.storage.blobs import FolderBlobs
from bot.storage.database_blobs import DatabaseBlobs
from bot.storage.gallery import StoredGallery
from bot.storage.quotas import StoredQuotas
from bot.storage.settings import StoredSettings
from bot.storage.snippets import StoredSnippets
from tests.engines import fill
from tests.jobs.copied import dump, import_into
from tests.jobs.queues import DONE, Queue, add, leased, line, serve_all
from tests.postgres import Postgres

DAY = Allowance(Scope.PERSON, Period.DAY, 10_000)
ADA = Spender(1, 11, 500)
APART = ("nodes", "backends", "rate_leases", "blobs")
"""Tables of processes, and of pictures, which were files."""


@pytest.fixture
async def other(alone: Queue, postgres: Postgres) -> AsyncIterator[Queue]:
    """The same queue, once it is imported."""
    queue = Queue(postgres.database(fill), alone.clock, keys=alone.keys)
    yield queue
    await queue.close()


async def moved(alone: Queue, other: Queue) -> None:
    """Bring all to PostgreSQL and compare every row."""
    await alone.close()
    (alone.folder / "blobs").mkdir(exist_ok=True)
    await import_into(other.url, alone.folder)
    assert dump(other.url, *APART) == dump(alone.url, *APART)


async def shown(jobs: Jobs, ids: list[int]) -> list[Job | None]:
    return [await jobs.get(each) for each in ids]


async def test_a_line_keeps_its_order(alone: Queue, other: Queue) -> None:
    jobs = await alone.open()
    for guild, user in ((1, 11), (1, 11), (1, 12), (2, 21), (3, 31), (1, 11)):
        await add(jobs, alone.new(guild, user, steps=20 + user))
    await jobs.paint(await leased(jobs, (await line(jobs))[0]), DONE)
    await jobs.release(await leased(jobs, (await line(jobs))[-1]))
    order = await line(jobs)
    before = await shown(jobs, order)
    await moved(alone, other)
    jobs = await other.open()
    assert await line(jobs) == order
    assert await shown(jobs, order) == before
    assert await serve_all(jobs) == order


async def test_a_job_that_was_running_is_painted_and_one_that_was_painted_delivered(
    alone: Queue, other: Queue
) -> None:
    jobs = await alone.open()
    running, painted, waiting = [(await add(jobs, alone.new())).id for _ in range(3)]
    await jobs.paint(await leased(jobs, painted), DONE)
    await leased(jobs, running)
    await moved(alone, other)
    jobs, recovery = await other.recovered()
    assert [job.id for job in recovery.requeued] == [running]
    assert [(job.id, job.state, job.result) for job in await jobs.untold()] == [(painted, State.PAINTED, DONE)]
    floors = Floors(jobs._database, jobs._engine, other.clock)
    assert [job.id for job in await floors.orphans()] == [running, painted, waiting]
    assert {job.id for job in await floors.adopt([running, painted, waiting])} == {running, painted, waiting}
    assert await serve_all(jobs) == [running, waiting]
    assert (await jobs.tell(painted)).state is State.DELIVERED


async def test_a_new_job_gets_a_number_that_no_job_ever_had(alone: Queue, other: Queue) -> None:
    jobs = await alone.open()
    first, last = [(await add(jobs, alone.new())).id for _ in range(2)]
    assert await jobs.cancel(last, by=None) is not None
    await jobs.tell(last)
    await jobs.drop(last)
    await moved(alone, other)
    jobs = await other.open()
    assert [job.id for job in await jobs.live()] == [first]
    assert (await add(jobs, other.new())).id == last + 1


async def test_a_key_that_was_seen_gives_the_job_that_it_made(alone: Queue, other: Queue) -> None:
    jobs = await alone.open()
    job = await add(jobs, alone.new(key="i:1:0"))
    await jobs.note_intake(alone.intake(2))
    await moved(alone, other)
    other.clock.now += 1
    jobs = await other.open()
    assert (await add(jobs, other.new(key="i:1:0"))).id == job.id
    assert [intake.interaction_id for intake in await jobs.orphans()] == [2]


async def test_settings_words_quotas_favourites_and_reviews_are_what_they_were(alone: Queue, other: Queue) -> None:
    jobs = await alone.open()
    kept = Snippet(Kind.PRESET, "server", 1, "night", {"steps": 30, "more": ["🎨"]}, 11, 1e9)
    quota = Quota(Scope.ROLE, Period.DAY, 600, 77)
    job = await add(jobs, alone.new())
    held = Review(job.id, 1, Verdict.HELD, Cause.ALL, 1e9, score=0.1 + 0.2)
    await jobs.paint(await leased(jobs, job.id), DONE)
    await StoredSettings(jobs._database).save("server", 1, {"steps": 20, "cfg_scale": 6.5, "model": "墨"})
    await StoredSnippets(jobs._database).save(kept)
    await StoredQuotas(jobs._database).save(1, [quota])
    await Reviews(jobs._database, jobs._engine, alone.clock).hold(held)
    await StoredGallery(jobs._database, alone.clock).favour(11, job.id)
    done = await add(jobs, alone.new())
    await jobs.paint(await leased(jobs, done.id), DONE)
    await jobs.tell(done.id)
    before = await jobs.uses(ADA, [DAY])
    await moved(alone, other)
    jobs = await other.open()
    assert await jobs.uses(ADA, [DAY]) == before
    assert before[0].painted_s == 2 * DONE.seconds
    assert await StoredSettings(jobs._database).load("server", 1) == {"steps": 20, "cfg_scale": 6.5, "model": "墨"}
    assert await StoredSnippets(jobs._database).load("server", 1) == (kept,)
    assert await StoredQuotas(jobs._database).load(1) == (quota,)
    assert await Reviews(jobs._database, jobs._engine, other.clock).unfinished() == [held]
    assert await StoredGallery(jobs._database, other.clock).is_favourite(11, job.id)


async def test_pictures_are_there_and_go_when_they_would_have_gone(alone: Queue, other: Queue) -> None:
    jobs = await alone.open()
    folder = FolderBlobs(alone.folder / "blobs", alone.clock)
    old = await folder.put(b"old")
    alone.clock.now += 100
    young = await folder.put(b"young")
    await moved(alone, other)
    jobs = await other.open()
    blobs = DatabaseBlobs(jobs._database, other.clock)
    assert [await blobs.get(each) for each in (old, young)] == [b"old", b"young"]
    other.clock.now += 50
    assert await blobs.sweep(100) == 1
    assert await blobs.get(young) == b"young"
