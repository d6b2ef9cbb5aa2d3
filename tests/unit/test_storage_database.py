import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.domain.errors import BotError
from bot.domain.job import Address, JobSpec, NewJob, Picture, Result, State
from bot.domain.request import PaintRequest
from bot.storage import migrations
from bot.storage.records import job_row, result_row
from bot.storage.settings import StoredSettings
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import jobs, metadata


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path / "data"))
    await database.open()
    yield database
    await database.close()


async def test_the_migrations_lead_to_the_tables_that_the_code_knows(database: SqliteDatabase) -> None:
    def differences(tx: Connection) -> object:
        return compare_metadata(MigrationContext.configure(tx), metadata)

    assert await database.read(differences) == []


async def test_jobs_of_an_earlier_version_are_counted_and_searched_like_new_ones(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    file = tmp_path / "easel.sqlite3"
    result = Result((Picture("ab" * 32, "image/png", 64, 64, 1, ""),), "gpu", 1.0, model="ink")
    painted = {State.PAINTED, State.DELIVERED}
    with create_engine(f"sqlite:///{file}").begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0002")
        for number, state in enumerate(State):
            new = NewJob(f"i:{number}:0", 1, 1, JobSpec(PaintRequest(f"cat {number}", 1)), Address(1))
            row = {**job_row(new, cost=1, tag=1, rank=0, now=1.0), "state": state.value}
            row["result"] = result_row(result)["new_result"] if state in painted else None
            del row["prompt"]
            tx.execute(insert(jobs), row)
    database = SqliteDatabase(SqliteDatabase.in_folder(tmp_path))
    await database.open()
    columns = select(jobs.c.state, jobs.c.prompt, jobs.c.pictures, jobs.c.painted_with).order_by(jobs.c.id)
    found = await database.read(lambda tx: [tuple(row) for row in tx.execute(columns)])
    await database.close()
    assert found == [
        (state.value, f"cat {number}", *((1, "ink") if state in painted else (0, None)))
        for number, state in enumerate(State)
    ]


async def test_opening_again_changes_nothing_and_keeps_what_is_there(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    await StoredSettings(database).save("server", 1, {"steps": 20})
    again = SqliteDatabase(SqliteDatabase.in_folder(tmp_path / "data"))
    await again.open()
    assert await StoredSettings(again).load("server", 1) == {"steps": 20}
    await again.close()


async def test_a_commit_is_on_the_disk_when_it_returns(database: SqliteDatabase) -> None:
    def pragmas(tx: Connection) -> tuple[str, int]:
        mode = tx.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        return mode, tx.exec_driver_sql("PRAGMA synchronous").scalar_one()

    assert await database.write(pragmas) == ("wal", 2)
    assert await database.write(pragmas, synced=False) == ("wal", 1)
    assert await database.write(pragmas) == ("wal", 2)


async def test_what_need_not_wait_for_the_disk_waits_with_what_must(database: SqliteDatabase) -> None:
    def level(tx: Connection) -> int:
        return int(tx.exec_driver_sql("PRAGMA synchronous").scalar_one())

    held = threading.Event()
    first = asyncio.create_task(database.write(lambda _: held.wait()))
    await asyncio.sleep(0.02)
    together = [asyncio.create_task(database.write(level, synced=synced)) for synced in (False, True)]
    await asyncio.sleep(0.02)
    held.set()
    await first
    assert await asyncio.gather(*together) == [2, 2]


async def test_settings_are_kept_by_scope_and_owner_and_replaced_whole(database: SqliteDatabase) -> None:
    store = StoredSettings(database)
    await store.save("server", 1, {"steps": 20, "model": "x", "spoiler": True, "cfg_scale": 6.5})
    await store.save("person", 1, {"steps": 30})
    await store.save("person", 1, {"count": 2})
    assert await store.load("server", 1) == {"steps": 20, "model": "x", "spoiler": True, "cfg_scale": 6.5}
    assert await store.load("person", 1) == {"count": 2}
    await store.save("person", 1, {})
    assert await store.load("person", 1) == {}


async def test_a_transaction_that_raises_is_undone(database: SqliteDatabase) -> None:
    def work(tx: Connection) -> None:
        tx.execute(text("INSERT INTO models VALUES ('a', 1)"))
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(lambda tx: tx.scalar(text("SELECT count(*) FROM models"))) == 0


async def test_of_what_waits_together_one_that_raises_undoes_only_itself(database: SqliteDatabase) -> None:
    def insert(model: str) -> Callable[[Connection], object]:
        return lambda tx: tx.execute(text("INSERT INTO models VALUES (:model, 1)"), {"model": model}).rowcount

    outcomes = await asyncio.gather(*(database.write(insert(m)) for m in "abacb"), return_exceptions=True)
    assert [isinstance(outcome, IntegrityError) for outcome in outcomes] == [False, False, True, False, True]
    assert await database.read(lambda tx: tx.scalar(text("SELECT count(*) FROM models"))) == 3


async def test_a_cancelled_caller_learns_it_only_once_the_transaction_is_decided(database: SqliteDatabase) -> None:
    begun, go = threading.Event(), threading.Event()

    def work(tx: Connection) -> None:
        begun.set()
        go.wait()
        tx.execute(text("INSERT INTO models VALUES ('a', 1)"))

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait)
    writing.cancel()
    await asyncio.sleep(0)
    assert not writing.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await database.read(lambda tx: tx.scalar(text("SELECT count(*) FROM models"))) == 1


async def test_a_reader_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        await database.read(lambda tx: tx.execute(text("INSERT INTO models VALUES ('a', 1)")))


async def test_an_error_of_the_database_shows_no_values(database: SqliteDatabase) -> None:
    def work(tx: Connection) -> None:
        for _ in range(2):
            tx.execute(text("INSERT INTO models VALUES (:model, 1)"), {"model": "s3cret"})

    with pytest.raises(IntegrityError) as caught:
        await database.write(work)
    assert "s3cret" not in str(caught.value)


async def test_the_file_is_a_plain_sqlite_file_in_the_data_directory(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    assert database.file == tmp_path / "data" / "easel.sqlite3"
    with closing(sqlite3.connect(database.file)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u:pw@host/db"])
def test_another_kind_of_address_is_refused_in_words_without_showing_it(url: str) -> None:
    with pytest.raises(BotError, match="DATABASE_URL") as caught:
        SqliteDatabase(url)
    assert "pw" not in str(caught.value)
