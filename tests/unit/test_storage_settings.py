"""What is set for channels is found by their server, and goes with it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.shards import Shards
from bot.storage import forgetting
from bot.storage.opening import database_at
from bot.storage.settings import StoredSettings
from bot.storage.sqlite import SqliteDatabase
from tests.engines import KINDS, url_of

GUILD, OTHER, ADA, CHANNEL = 10, 11, 1, 5


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path))
    await database.open()
    yield database
    await database.close()


async def test_a_servers_channels_are_found_and_go_with_it(database: SqliteDatabase) -> None:
    stored = StoredSettings(database)
    await stored.save("channel", CHANNEL, {"steps": 3}, GUILD)
    await stored.save("channel", 6, {"steps": 4}, OTHER)
    await stored.save("person", ADA, {"steps": 9})
    await stored.save_all(GUILD, {("server", GUILD): {"steps": 5}, ("channel", 7): {"count": 2}})
    assert await stored.channels(GUILD) == {CHANNEL: {"steps": 3}, 7: {"count": 2}}
    await database.write(lambda tx: forgetting.server(tx, GUILD, 0.0))
    assert await stored.channels(GUILD) == {}
    assert await stored.load("server", GUILD) == {}
    assert await stored.channels(OTHER) == {6: {"steps": 4}}
    assert await stored.load("person", ADA) == {"steps": 9}


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_who_change_a_part_at_once_neither_undoes_the_other(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    databases = [database_at(url, tmp_path) for url in [url_of(kind, tmp_path, request)] * 2]
    for each in databases:
        await each.open()
    both = [StoredSettings(each) for each in databases]
    await asyncio.gather(*(both[n % 2].alter("paused", 0, {str(n): float(n)}) for n in range(1, 9)))
    assert set(await both[0].alter("paused", 0, {"3": None})) == set("1245678")
    for each in databases:
        await each.close()


async def test_a_server_that_only_its_channels_tell_of_is_missed_when_the_bot_left_it(
    database: SqliteDatabase,
) -> None:
    await StoredSettings(database).save("channel", CHANNEL, {"steps": 3}, GUILD)
    assert await database.write(lambda tx: forgetting.compare(tx, [OTHER], Shards.all(1), 0.0)) == 1
    assert await database.read(lambda tx: list(forgetting.departed(tx, 1.0))) == [GUILD]


async def test_a_channels_settings_are_changed_and_taken_away_by_their_own_id(database: SqliteDatabase) -> None:
    stored = StoredSettings(database)
    await stored.save("channel", CHANNEL, {"steps": 3}, GUILD)
    await stored.save("channel", CHANNEL, {"steps": 4}, GUILD)
    assert await stored.load("channel", CHANNEL) == {"steps": 4}
    await stored.save("channel", CHANNEL, {})
    assert await stored.channels(GUILD) == {}
