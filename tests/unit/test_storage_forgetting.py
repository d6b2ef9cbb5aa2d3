"""Nothing that holds a person's id outlives them: by every table, every column, every stored text."""

import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, insert, select

from bot.domain.job import Address, JobSpec, NewJob, Picture, Result, State
from bot.domain.request import PaintRequest
from bot.domain.shards import Shards
from bot.storage import forgetting
from bot.storage.forgetting import FOLLOWING, OUTLASTING, REACHED
from bot.storage.own import StoredOwn
from bot.storage.records import job_row, result_row
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import (
    departures,
    favourites,
    jobs,
    metadata,
    settings,
    showings,
    snippets,
)
from bot.storage.tally import StoredTally

DAY_S = 86400.0
NOW = 100 * DAY_S
ADA, BRUNO, GUILD, OTHER = 111_111, 222_222, 10_000, 11_000
PERSONAL = re.compile(r"user|owner|member|author|asker|person|people|_by$|who|made_for|moderator|admin")
"""What a column is called that holds people."""
NOT_PERSONS = frozenset(
    {
        "jobs.id",
        "jobs.node_id",
        "jobs.speaker_id",
        "intakes.node_id",
        "nodes.id",
        "backends.node_id",
        "jobs.channel_id",
        "jobs.message_id",
        "jobs.place_guild_id",
        "jobs.reply_to",
        "jobs.cost",
        "jobs.tag",
        "waiting.job_id",
        "waiting.cost",
        "waiting.tag",
        "lanes.clock",
        "flows.next",
        "flows.uv",
        "intakes.interaction_id",
        "intakes.application_id",
        "showings.message_id",
        "showings.job_id",
        "favourites.job_id",
        "counts.guild_id",
        "departures.guild_id",
        "settings.guild_id",
        "charges.job_id",
        "charges.channel_id",
        "charges.ms",
        "usage.channel_id",
        "usage.ms",
        "quotas.guild_id",
        "quotas.about",
        "quotas.seconds",
        "reviews.job_id",
        "reviews.guild_id",
        "reviews.channel_id",
        "reviews.message_id",
        "strikes.job_id",
        "strikes.guild_id",
        "blocks.guild_id",
        "rate_leases.node_id",
    }
)
"""Large numbers of which each was looked at: none of them is ever a person's id."""


def columns() -> dict[str, Column[Any]]:
    return {f"{table.name}.{column.name}": column for table in metadata.sorted_tables for column in table.columns}


def blob(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path))
    await database.open()
    yield database
    await database.close()


async def put(database: SqliteDatabase, user: int = ADA, guild: int = GUILD, **values: Any) -> int:
    """Keep a delivered job and return its id."""
    picture = Picture(values.pop("blob", blob(1)), "image/png", 64, 64, 1)
    source = values.pop("source", None)
    request = PaintRequest(f"a fox of {user}", 1, init_image=source)
    new = NewJob(uuid.uuid4().hex, guild, user, JobSpec(request), Address(5, 6, guild))
    done = result_row(Result((picture,), "gpu", 2.0, "ink"))
    row = job_row(new, cost=1, tag=0, rank=0, now=NOW - 60) | {
        "state": State.DELIVERED.value,
        "started_at": NOW - 50,
        "ended_at": NOW - 40,
        "told_at": NOW - 40,
        "result": done["new_result"],
        "pictures": 1,
        "painted_with": "ink",
    }
    row |= values
    key = await database.write(lambda tx: tx.execute(insert(jobs), row).inserted_primary_key)
    assert key is not None
    return int(key[0])


async def add(database: SqliteDatabase, table: Any, **row: Any) -> None:
    await database.write(lambda tx: tx.execute(insert(table), row))


async def dump(database: SqliteDatabase) -> dict[str, list[tuple[Any, ...]]]:
    def work(tx: Connection) -> dict[str, list[tuple[Any, ...]]]:
        return {table.name: [tuple(row) for row in tx.execute(select(table))] for table in metadata.sorted_tables}

    return await database.read(work)


async def forget(database: SqliteDatabase, user: int) -> None:
    await database.write(lambda tx: forgetting.person(tx, user, NOW))


def test_every_column_that_may_hold_a_persons_id_is_one_that_forgetting_reaches() -> None:
    named = {name for name, column in columns().items() if PERSONAL.search(column.name)}
    numbered = {name for name, column in columns().items() if isinstance(column.type, BigInteger)}
    numbered |= {name for name, column in columns().items() if column.name.endswith("_id")}
    unknown = (named | numbered) - REACHED - FOLLOWING - OUTLASTING - NOT_PERSONS
    assert not unknown, "Say in forgetting.REACHED how a person's id leaves it, or here that it never holds one."
    assert columns().keys() >= REACHED | FOLLOWING, "no longer there"
    assert not (REACHED | FOLLOWING | OUTLASTING) & NOT_PERSONS


def sample(column: Column[Any], number: int) -> Any:
    """Return some value that such a column may hold."""
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Integer | Float):
        return number
    return {"users": "{}", "scope": "person", "state": "delivered", "values": "{}", "body": "{}"}.get(
        column.name, f"text {number}"
    )


@pytest.mark.parametrize("name", sorted(REACHED))
async def test_a_row_loses_a_person_wherever_the_id_stands_and_keeps_another(
    name: str, database: SqliteDatabase
) -> None:
    wanted = columns()[name]
    for number, who in enumerate((ADA, BRUNO), start=1):
        row = {column.name: sample(column, number) for column in wanted.table.columns}
        row[wanted.name] = json.dumps({str(who): 5}) if wanted.name == "users" else who
        await add(database, wanted.table, **row)
    await forget(database, ADA)
    left = str(await dump(database))
    assert str(ADA) not in left
    assert str(BRUNO) in left


async def test_what_follows_a_job_goes_with_it(database: SqliteDatabase) -> None:
    for who in (ADA, BRUNO):
        await put(database, who, state=State.QUEUED.value)
    before = await dump(database)
    assert all(str(who) in str(before["waiting"]) for who in (ADA, BRUNO))
    await forget(database, ADA)
    after = await dump(database)
    assert str(ADA) not in str(after)
    assert str(BRUNO) in str(after["waiting"])


async def rich(database: SqliteDatabase, who: int, other: int) -> int:
    """Keep something of a person in every table there is."""
    mine = await put(database, who, blob=blob(who))
    await add(database, showings, message_id=who + 1_000_000, job_id=mine, number=1)
    await add(database, favourites, user_id=who, job_id=mine, made_at=1.0)
    await add(database, favourites, user_id=who, job_id=7_000, made_at=1.0)
    await put(database, other, cancelled_by=who, blob=blob(other))
    await add(database, settings, scope="person", owner=who, values='{"steps": 9}')
    made: dict[str, Any] = {"kind": "preset", "body": "{}", "made_by": who, "made_at": 1.0}
    await add(database, snippets, scope="person", owner=who, name="mine", **made)
    await add(database, snippets, scope="server", owner=GUILD, name=f"of {who % 1000}", **made)
    return mine


async def test_all_of_one_person_goes_and_all_of_another_stays(database: SqliteDatabase) -> None:
    own = StoredOwn(database)
    await rich(database, ADA, 333_333)
    alone = await dump(database)
    his = await rich(database, BRUNO, 444_444)
    before = await own.export(BRUNO)
    assert str(BRUNO) not in str(alone)
    await forget(database, ADA)
    left = await dump(database)
    assert str(ADA) not in str({name: rows for name, rows in left.items() if name != "doomed"})
    assert await own.export(BRUNO) == before
    assert [row[0] for row in left["favourites"]] == [BRUNO, BRUNO]
    assert [row[1] for row in left["showings"]] == [his]
    assert len(left["snippets"]) == 3, "what a server keeps is the server's"
    assert not json.loads(await own.export(ADA))["jobs"]
    assert (await own.count(ADA)).nothing


async def test_an_export_holds_jobs_settings_favourites_and_what_is_kept_by_name(database: SqliteDatabase) -> None:
    own = StoredOwn(database)
    mine = await rich(database, ADA, BRUNO)
    found = json.loads(await own.export(ADA))
    assert found["user_id"] == str(ADA)
    assert found["settings"] == {"steps": 9}
    assert [job["order"]["request"]["prompt"] for job in found["jobs"]] == [f"a fox of {ADA}"]
    assert found["jobs"][0]["server_id"] == str(GUILD)
    assert found["jobs"][0]["result"]["pictures"][0]["seed"] == 1
    assert len(found["favourites"]) == 2
    assert [each["name"] for each in found["kept"]] == ["mine"]
    assert [each["server_id"] for each in found["made_for_servers"]] == [str(GUILD)]
    kept = await own.count(ADA)
    assert (kept.jobs, kept.pictures, kept.favourites, kept.snippets, kept.for_servers) == (1, 1, 2, 1, 1)
    assert mine


async def test_files_are_doomed_but_those_that_somebody_elses_job_or_a_server_needs(
    database: SqliteDatabase,
) -> None:
    await put(database, ADA, blob=blob(1), source=blob(2))
    await put(database, ADA, blob=blob(3))
    await put(database, BRUNO, blob=blob(4), source=blob(3))
    sampled = {"kind": "model", "scope": "server", "owner": GUILD, "name": "ink", "made_by": BRUNO, "made_at": 1.0}
    await add(database, snippets, **sampled, body=json.dumps({"sample": blob(2)}))
    await forget(database, ADA)
    all_of_them, unused = await database.read(forgetting.unused)
    assert all_of_them == {blob(1), blob(2), blob(3)}
    assert unused == {blob(1)}
    await database.write(lambda tx: forgetting.bury(tx, all_of_them))
    assert await database.read(forgetting.unused) == (frozenset(), frozenset())


async def test_old_jobs_go_but_favourites_of_their_own_asker_and_what_is_not_done(
    database: SqliteDatabase,
) -> None:
    old: dict[str, Any] = {"told_at": NOW - 40 * DAY_S}
    gone = await put(database, **old)
    marked = await put(database, **old)
    marked_by_another = await put(database, **old)
    untold = await put(database, state=State.FAILED.value, told_at=None)
    young = await put(database)
    for user, job in ((ADA, marked), (BRUNO, marked_by_another)):
        await add(database, favourites, user_id=user, job_id=job, made_at=1.0)
    await add(database, showings, message_id=77, job_id=gone, number=1)
    count = await database.write(lambda tx: forgetting.prune(tx, NOW - 30 * DAY_S, NOW))
    left = await dump(database)
    assert count == 2
    assert [row[0] for row in left["jobs"]] == [marked, untold, young]
    assert [(row[0], row[1]) for row in left["favourites"]] == [(ADA, marked)]
    assert left["showings"] == []
    assert left["doomed"] == [], "the files have days of their own"


async def test_one_batch_holds_the_writer_no_longer_than_a_batch(database: SqliteDatabase) -> None:
    for _ in range(forgetting.BATCH + 3):
        await put(database, told_at=NOW - 40 * DAY_S)
    prune = [await database.write(lambda tx: forgetting.prune(tx, NOW - 30 * DAY_S, NOW)) for _ in range(3)]
    assert prune == [forgetting.BATCH, 3, 0]


async def test_a_servers_numbers_stay_when_its_jobs_go_and_no_persons_do(database: SqliteDatabase) -> None:
    tally = StoredTally(database)
    since, days = 71 * DAY_S, 30
    for user in (ADA, ADA, BRUNO):
        await put(database, user)
    await put(database, ADA, guild=ADA)
    before = await tally.of(guild=GUILD, since=since, days=days)
    await forget(database, ADA)
    after = await tally.of(guild=GUILD, since=since, days=days)
    assert (after.days, after.models) == (before.days, before.models)
    assert (before.people, after.people) == (2, 1)
    rows = (await dump(database))["counts"]
    assert rows == [(GUILD, 99, "ink", 2)]
    await put(database, BRUNO, told_at=NOW - 40 * DAY_S)
    await database.write(lambda tx: forgetting.prune(tx, NOW - 30 * DAY_S, NOW))
    assert (await dump(database))["counts"] == [(GUILD, 99, "ink", 3)]
    later = NOW + 40 * DAY_S
    await database.write(lambda tx: forgetting.prune(tx, NOW - 30 * DAY_S, later))
    assert (await dump(database))["counts"] == [], "counts are of no use beyond the days that statistics show"


async def test_a_server_goes_in_batches_and_its_settings_with_the_last(database: SqliteDatabase) -> None:
    for _ in range(forgetting.BATCH + 1):
        await put(database)
    other = await put(database, guild=OTHER)
    for guild in (GUILD, OTHER):
        await add(database, settings, scope="server", owner=guild, values="{}")
        await add(database, departures, guild_id=guild, left_at=1.0)
    assert not await database.write(lambda tx: forgetting.server(tx, GUILD, NOW))
    assert len((await dump(database))["departures"]) == 2, "cut off here, it is found again"
    assert await database.write(lambda tx: forgetting.server(tx, GUILD, NOW))
    left = await dump(database)
    assert [row[0] for row in left["jobs"]] == [other]
    assert [row[1] for row in left["settings"]] == [OTHER]
    assert left["departures"] == [(OTHER, 1.0)]
    assert left["counts"] == []


async def test_servers_that_are_gone_are_found_by_whatever_is_kept_of_them(database: SqliteDatabase) -> None:
    await put(database, guild=GUILD)
    await put(database, ADA, guild=ADA)
    await add(database, settings, scope="server", owner=OTHER, values="{}")
    await add(database, settings, scope="person", owner=BRUNO, values="{}")
    await add(database, departures, guild_id=12, left_at=1.0)
    assert await database.write(lambda tx: forgetting.compare(tx, [12, 13], Shards.all(1), NOW)) == 2
    assert await database.read(lambda tx: forgetting.departed(tx, NOW)) == [GUILD, OTHER]
    assert await database.write(lambda tx: forgetting.compare(tx, [GUILD], Shards.all(1), NOW + 9)) == 0
    assert (await dump(database))["departures"] == [(OTHER, NOW)], "known ones keep their day"


async def test_no_server_of_another_shard_counts_as_left(database: SqliteDatabase) -> None:
    ours, theirs = 2 << 22, 3 << 22
    await put(database, guild=ours)
    await put(database, ADA, guild=theirs)
    await add(database, departures, guild_id=5 << 22, left_at=1.0)
    even = Shards.parse("0/2")
    assert await database.write(lambda tx: forgetting.compare(tx, [], even, NOW)) == 1
    assert sorted((await dump(database))["departures"]) == [(ours, NOW), (5 << 22, 1.0)]
