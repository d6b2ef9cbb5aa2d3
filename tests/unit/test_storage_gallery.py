from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from bot.domain.gallery import Search, Tally
from bot.domain.job import Address, JobSpec, NewJob, Picture, Result, State
from bot.domain.request import PaintRequest
from bot.services.stats import Stats
from bot.storage.gallery import StoredGallery
from bot.storage.records import job_row, result_row
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import jobs
from bot.storage.tally import StoredTally

DAY_S = 86400.0
NOW = 100 * DAY_S
ADA, BRUNO, GUILD, OTHER = 1, 2, 10, 11


class Shelf:
    """A database to put delivered pictures into."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.gallery = StoredGallery(database, lambda: NOW)

    async def put(
        self,
        prompt: str = "a fox",
        *,
        user: int = ADA,
        guild: int = GUILD,
        at: float = NOW - 60,
        wait_s: float = 10,
        paint_s: float = 20,
        pictures: int = 1,
        model: str | None = "dreamshaper_8.safetensors [879d]",
        state: State = State.DELIVERED,
    ) -> int:
        """Keep what was delivered at unix time ``at`` and return its id."""
        asked = at - wait_s - paint_s
        new = NewJob(
            f"{prompt}{asked}{user}{guild}", guild, user, JobSpec(PaintRequest(prompt, 1)), Address(5, 6, guild)
        )
        picture = Picture("blob", "image/png", 64, 64, 1)
        painted = result_row(Result((picture,) * pictures, "gpu", paint_s, model))
        row = job_row(new, cost=1, tag=0, rank=0, now=asked) | {
            "state": state.value,
            "started_at": asked + wait_s,
            "ended_at": at,
            "result": painted["new_result"],
            "pictures": painted["new_pictures"],
            "painted_with": painted["new_model"],
        }
        key = await self.database.write(lambda tx: tx.execute(insert(jobs), row).inserted_primary_key)
        assert key is not None
        return int(key[0])

    async def found(self, wanted: Search) -> list[int]:
        """Return the ids of all that a search finds."""
        page = await self.gallery.search(wanted, first=0, limit=50)
        assert page.total == len(page.jobs)
        return [job.id for job in page.jobs]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path))
    await database.open()
    yield Shelf(database)
    await database.close()


async def test_every_word_must_be_in_the_prompt_and_none_is_a_pattern(shelf: Shelf) -> None:
    fox = await shelf.put("A Fox, 100% red_hot")
    owl = await shelf.put("an owl \\ über allem")
    for words, found in (
        ("", [owl, fox]),
        ("fox", [fox]),
        ("RED fox", [fox]),
        ("fox owl", []),
        ("100%", [fox]),
        ("%", [fox]),
        ("_", [fox]),
        ("d_h", [fox]),
        ("o_l", []),
        ("f%x", []),
        ("\\", [owl]),
        ("/", []),
        ("ÜBER", [owl]),
        ("' OR 1=1 --", []),
    ):
        assert await shelf.found(Search(ADA, words=words)) == found, words


async def test_a_search_finds_only_what_is_ones_own_delivered_and_a_picture(shelf: Shelf) -> None:
    mine = await shelf.put()
    elsewhere = await shelf.put(guild=OTHER)
    await shelf.put(user=BRUNO)
    await shelf.put("failed", state=State.FAILED)
    await shelf.put("a description", pictures=0)
    assert await shelf.found(Search(ADA, guild=GUILD)) == [mine]
    assert await shelf.found(Search(ADA, guild=GUILD, everywhere=True)) == [elsewhere, mine]
    assert await shelf.found(Search(ADA)) == [elsewhere, mine]


async def test_a_search_is_narrowed_by_model_and_time_and_favourites(shelf: Shelf) -> None:
    old = await shelf.put(at=NOW - 3 * DAY_S)
    other = await shelf.put(at=NOW - DAY_S, model="animagine")
    unknown = await shelf.put(at=NOW, model=None)
    assert await shelf.found(Search(ADA, model="DreamShaper")) == [old]
    assert await shelf.found(Search(ADA, after=NOW - 2 * DAY_S)) == [unknown, other]
    assert await shelf.found(Search(ADA, before=NOW - 2 * DAY_S)) == [old]
    assert await shelf.gallery.favour(ADA, other)
    assert await shelf.gallery.favour(BRUNO, old), "his marks are not hers"
    assert await shelf.found(Search(ADA, favourites=True)) == [other]
    page = await shelf.gallery.search(Search(ADA), first=1, limit=1)
    assert (page.total, [job.id for job in page.jobs], page.favourites) == (3, [other], frozenset({other}))


async def test_a_favourite_is_turned_on_and_off(shelf: Shelf) -> None:
    job = await shelf.put()
    assert await shelf.gallery.favour(ADA, job)
    assert await shelf.gallery.is_favourite(ADA, job)
    assert not await shelf.gallery.is_favourite(BRUNO, job)
    assert not await shelf.gallery.favour(ADA, job)
    assert await shelf.gallery.favour(ADA, job)
    assert await shelf.gallery.unfavour(ADA, job)
    assert not await shelf.gallery.unfavour(ADA, job)
    assert not await shelf.gallery.is_favourite(ADA, job)


async def test_a_further_message_leads_to_its_job_until_it_is_deleted(shelf: Shelf) -> None:
    job = await shelf.put("an owl")
    assert await shelf.gallery.shown_by(77) is None
    for number in (0, 2):
        await shelf.gallery.show(77, job, number)
        found = await shelf.gallery.shown_by(77)
        assert found is not None
        assert (found[0].id, found[0].spec.request.prompt, found[1]) == (job, "an owl", number)
    assert await shelf.gallery.hide(77)
    assert not await shelf.gallery.hide(77)
    assert await shelf.gallery.shown_by(77) is None


async def test_a_deleted_message_is_no_jobs_message_any_more_but_that_of_one_at_work(shelf: Shelf) -> None:
    await shelf.put("an owl")
    working = await shelf.put("a fox", state=State.RUNNING)
    assert await shelf.gallery.hide(6), "the message of both"
    [owl] = (await shelf.gallery.search(Search(ADA), first=0, limit=9)).jobs
    assert owl.address.message_id is None
    await shelf.gallery.show(77, working, 0)
    found = await shelf.gallery.shown_by(77)
    assert found is not None
    assert found[0].address.message_id == 6


async def test_a_tally_counts_the_days_the_people_and_the_models_and_takes_the_middle(shelf: Shelf) -> None:
    for at, user, pictures, wait_s in ((0.5, ADA, 4, 1), (0.6, BRUNO, 1, 2), (2.5, ADA, 1, 90)):
        await shelf.put(f"{at}", at=NOW + at * DAY_S, user=user, pictures=pictures, wait_s=wait_s)
    await shelf.put("other", at=NOW + DAY_S, model="animagine", pictures=9, wait_s=3)
    await shelf.put("too old", at=NOW - 1)
    await shelf.put("too new", at=NOW + 3 * DAY_S)
    await shelf.put("elsewhere", at=NOW, guild=OTHER)
    tally = StoredTally(shelf.database)
    counted = await tally.of(guild=GUILD, since=NOW, days=3)
    assert counted == Tally(
        days=(5, 9, 1),
        people=2,
        models=(("animagine", 9), ("dreamshaper_8.safetensors [879d]", 6)),
        wait_s=2,
        paint_s=20,
    )
    assert counted.pictures == 15
    assert (await tally.of(user=BRUNO, since=NOW, days=3)).days == (1, 0, 0)
    assert await tally.of(guild=99, since=NOW, days=3) == Tally(days=(0, 0, 0))


async def test_stats_cover_thirty_days_with_today_and_are_counted_once_a_minute(shelf: Shelf) -> None:
    now = [NOW + 3600.0]
    stats = Stats(StoredTally(shelf.database), clock=lambda: now[0])
    await shelf.put(at=NOW)
    assert stats.first_day() == NOW - 29 * DAY_S
    assert (await stats.of_server(GUILD)).days == (*(0,) * 29, 1)
    await shelf.put("another", at=NOW)
    assert (await stats.of_server(GUILD)).pictures == 1
    assert (await stats.of_person(ADA)).pictures == 2
    now[0] += 61
    assert (await stats.of_server(GUILD)).pictures == 2


async def test_the_queries_of_a_tally_read_nothing_but_their_index(shelf: Shelf) -> None:
    seen: list[str] = []

    def explain(tx: Connection) -> None:
        query = (
            "EXPLAIN QUERY PLAN SELECT sum(pictures), count(DISTINCT user_id), min(started_at - created_at) "
            "FROM jobs WHERE state = 'delivered' AND guild_id = 1 AND ended_at >= 1 AND ended_at < 2 "
            "AND pictures > 0 AND painted_with IS NOT NULL"
        )
        seen.extend(row[3] for row in tx.exec_driver_sql(query))

    await shelf.database.read(explain)
    assert any("COVERING INDEX jobs_delivered" in step for step in seen), seen


async def test_the_latest_are_ones_own_delivered_pictures_newest_first(shelf: Shelf) -> None:
    first, second = await shelf.put("a fox"), await shelf.put("an owl")
    await shelf.put("a cat", user=BRUNO)
    await shelf.put("a dog", state=State.FAILED)
    assert [job.id for job in await shelf.gallery.latest(ADA, 9)] == [second, first]
    assert [job.id for job in await shelf.gallery.latest(ADA, 1)] == [second]
