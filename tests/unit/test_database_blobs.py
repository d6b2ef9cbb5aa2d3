"""What is special about pictures in a database; what all stores do is in ``test_blobs_contract``."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.domain.errors import AwayError, GoneError
from bot.storage import database_blobs
from bot.storage.database_blobs import DatabaseBlobs
from bot.storage.opening import database_at
from bot.storage.postgres import PostgresDatabase
from tests.engines import url_of
from tests.postgres import Postgres

PICTURE = os.urandom(3_000_000)


@pytest.fixture
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PostgresDatabase]:
    database = database_at(url_of("postgresql", tmp_path, request), tmp_path)
    assert isinstance(database, PostgresDatabase)
    await database.open()
    yield database
    await database.close()


async def test_a_server_that_crashes_loses_nothing_and_is_asked_again(
    postgres: Postgres, database: PostgresDatabase
) -> None:
    blob = await DatabaseBlobs(database, time.time).put(b"picture")
    blobs = DatabaseBlobs(database, time.time)
    postgres.stop()
    try:
        with pytest.raises(AwayError):
            await blobs.put(PICTURE)
        with pytest.raises(AwayError):
            await blobs.get(blob)
    finally:
        postgres.start()
    assert await blobs.get(blob) == b"picture"
    more = await blobs.put(PICTURE)
    assert await DatabaseBlobs(database, time.time).get(more) == PICTURE


async def test_a_connection_that_breaks_while_it_commits_is_no_reason_to_give_a_picture_up(
    database: PostgresDatabase,
) -> None:
    def cut(tx: Connection) -> None:
        driver = tx.connection.driver_connection
        assert driver is not None
        driver.pgconn.finish()

    blobs = DatabaseBlobs(database, time.time)
    write = database.write

    async def write_and_break(work: object, *, synced: bool = True) -> None:
        assert callable(work)

        def work_and_break(tx: Connection) -> None:
            work(tx)
            cut(tx)

        await write(work_and_break, synced=synced)

    database.write = write_and_break  # type: ignore[method-assign, assignment]
    with pytest.raises(AwayError):
        await blobs.put(PICTURE)
    database.write = write  # type: ignore[method-assign]
    assert await blobs.get(await blobs.put(PICTURE)) == PICTURE


async def test_pictures_leave_connections_to_the_queue(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, most = 0, 0
    write = database.write

    async def counted(work: object, *, synced: bool = True) -> object:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        try:
            return await write(work, synced=synced)  # type: ignore[arg-type]
        finally:
            busy -= 1

    monkeypatch.setattr(database, "write", counted)
    blobs = DatabaseBlobs(database, time.time)
    await asyncio.gather(*(blobs.put(b"%d" % number) for number in range(20)))
    assert most == 1


async def test_a_large_sweep_is_done_in_parts(database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = DatabaseBlobs(database, time.time)
    monkeypatch.setattr(database_blobs, "BATCH", 3)
    names = [await blobs.put(b"%d" % number) for number in range(10)]
    assert await blobs.sweep(-60.0, keep=names[:2]) == 8
    with pytest.raises(GoneError):
        await blobs.get(names[2])
    assert await blobs.get(names[0]) == b"0"
