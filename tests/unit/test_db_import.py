"""``easel db import``: everything of an SQLite database comes into PostgreSQL, or nothing, with the reason."""

import asyncio
import hashlib
import math
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    SmallInteger,
    Table,
    create_engine,
    insert,
    text,
)

from bot.cli.databases import InUseError, StoppedError, TargetError
from bot.domain.errors import BotError
from bot.jobs.importing import COPIED, OF_PROCESSES, ImportRefusedError
from bot.jobs.lock import lock_of
from bot.storage.bucket import Bucket
from bot.storage.opening import blobs_in
from bot.storage.source import SourceError
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import blobs, metadata, models, nodes, settings
from bot.storage.versions import NewerError
from tests.engines import fill
from tests.jobs.copied import copy, dump, held, import_into, put
from tests.postgres import Postgres, sync_url
from tests.standins.s3 import KEYS, StandInS3

TEXT = "kötter “ß” 🎨 \u202e\u2028 \\ ' % \r\n\t"
EDGES: Mapping[type, Callable[[int], object]] = {
    Boolean: lambda number: number == 0,
    Float: lambda number: (0.1 + 0.2, -math.inf, 5e-324)[number],
    SmallInteger: lambda number: -(2**15) + number,
    BigInteger: lambda number: -(2**63) + number,
    Integer: lambda number: 2**31 - 1 - number,
}
KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("INSERT INTO models VALUES ('ink', 1)")
os.kill(os.getpid(), 9)
"""
"""A process that is killed once it has written something."""
OF_PROCESS_NAMES = [each.name for each in OF_PROCESSES]


def value(column: Column[object], number: int) -> object:
    """Return a value at the edge of what a column takes, another one for each ``number``."""
    if column is column.table.autoincrement_column:
        return 2**40 + number
    if column.nullable and number == 1:
        return None
    found = (edge for kind, edge in EDGES.items() if isinstance(column.type, kind))
    return next(found, lambda number: f"{TEXT}{number}")(number)


def edges(table: Table) -> list[dict[str, object]]:
    return [{column.name: value(column, number) for column in table.columns} for number in range(3)]


async def filled(folder: Path) -> str:
    """Make an SQLite database with rows in every table and two pictures, and return its address."""
    url = SqliteDatabase.in_folder(folder)
    await put(url, models)
    engine = create_engine(url)
    with engine.begin() as tx:
        for table in COPIED:
            tx.execute(insert(table), edges(table))
    engine.dispose()
    picture(folder, b"one", 1_000_000_000.5)
    picture(folder, b"two", 1_500_000_000.25)
    return url


def picture(folder: Path, data: bytes, put_at: float) -> Path:
    blob = hashlib.sha256(data).hexdigest()
    file = folder / "blobs" / blob[:2] / blob
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (put_at, put_at))
    return file


@pytest.fixture
def target(postgres: Postgres) -> str:
    return postgres.database(fill)


def test_every_table_is_copied_or_named_as_left_out() -> None:
    left_out = {"nodes", "backends", "rate_leases", "blobs"}
    assert {table.name for table in COPIED} == set(metadata.tables) - left_out


async def test_every_row_of_every_table_and_every_picture_comes_over(tmp_path: Path, target: str) -> None:
    source = await filled(tmp_path)
    words = await import_into(target, tmp_path)
    assert dump(target, "blobs") == dump(source, "blobs")
    assert all(len(rows) == 3 for name, rows in dump(target, "blobs", *OF_PROCESS_NAMES).items() if name)
    assert sorted(row[1:] for row in dump(target)["blobs"]) == [(b"one", 1e9 + 0.5), (b"two", 1.5e9 + 0.25)]
    assert "  jobs 3\n" in words
    assert "  pictures 2 (0.0 MB)\n" in words


async def test_more_rows_than_fit_into_a_batch_come_over_in_order(tmp_path: Path, target: str) -> None:
    rows = [{"model": f"model {number}", "permille": number} for number in range(1001)]
    await put(SqliteDatabase.in_folder(tmp_path), models, *rows)
    told: list[tuple[str, int, int]] = []
    done = await copy(tmp_path, target, lambda *what: told.append(what))
    assert done.rows["models"] == 1001
    assert told == [("models", count, 1001) for count in (200, 400, 600, 800, 1000, 1001)]


async def test_the_file_may_be_named_itself_with_its_pictures_elsewhere(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    (tmp_path / "blobs").rename(tmp_path / "pictures #1")
    file = (tmp_path / "easel.sqlite3").rename(tmp_path / "old ?%41#.db")
    await import_into(target, file, tmp_path / "pictures #1")
    assert (held(target)["jobs"], held(target)["blobs"]) == (3, 2)


async def test_the_source_is_not_changed(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    before = (tmp_path / "easel.sqlite3").read_bytes()
    await import_into(target, tmp_path)
    assert (tmp_path / "easel.sqlite3").read_bytes() == before


async def test_what_a_killed_easel_left_in_the_log_beside_the_file_comes_too(tmp_path: Path, target: str) -> None:
    await put(SqliteDatabase.in_folder(tmp_path), models)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path / "easel.sqlite3"))
    assert await process.wait() == -signal.SIGKILL
    assert (tmp_path / "easel.sqlite3-wal").stat().st_size > 0
    await import_into(target, tmp_path)
    assert dump(target)["models"] == [("ink", 1)]


async def test_a_nul_becomes_the_replacement_character_and_is_told(tmp_path: Path, target: str) -> None:
    await put(SqliteDatabase.in_folder(tmp_path), models, {"model": "a\0b\0", "permille": 1})
    words = await import_into(target, tmp_path)
    assert dump(target)["models"] == [("a\ufffdb\ufffd", 1)]
    assert "In 1 rows a NUL character" in words


async def test_a_damaged_picture_is_left_out_and_told(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    picture(tmp_path, b"three", 1.0).write_bytes(b"thr")
    (tmp_path / "blobs" / "ab").mkdir(exist_ok=True)
    (tmp_path / "blobs" / "ab" / "new-x1").write_bytes(b"half of a pict")
    words = await import_into(target, tmp_path)
    assert held(target)["blobs"] == 2
    assert "1 files of pictures were damaged" in words


@pytest.mark.parametrize("when", ["models", "usage", "pictures"])
async def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, target: str, when: str) -> None:
    await filled(tmp_path)

    def tell(what: str, _done: int, _total: int) -> None:
        if what == when:
            raise LookupError

    with pytest.raises(LookupError):
        await copy(tmp_path, target, tell)
    assert held(target) == {}


async def test_a_copy_that_is_killed_leaves_nothing_and_is_simply_made_again(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.jobs.copied", str(tmp_path), target
    )
    assert await process.wait() == -signal.SIGKILL
    assert held(target) == {}
    await import_into(target, tmp_path)
    assert held(target)["jobs"] == 3


async def test_a_copy_that_is_told_to_stop_leaves_nothing(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(StoppedError, match="nothing was copied"):
        await import_into(target, tmp_path, stop=stop)
    assert held(target) == {}


async def test_a_difference_between_the_two_undoes_it(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    engine = create_engine(sync_url(target))
    with engine.begin() as tx:
        rule = "CREATE RULE lossy AS ON INSERT TO quotas WHERE NEW.seconds % 2 <> 0 DO INSTEAD NOTHING"
        tx.execute(text(rule))
    engine.dispose()
    with pytest.raises(ImportRefusedError, match="The rows of quotas are not the same"):
        await import_into(target, tmp_path)
    assert held(target) == {}


async def test_a_database_without_tables_gets_them_first(tmp_path: Path, postgres: Postgres) -> None:
    await filled(tmp_path)
    target = postgres.empty()
    await import_into(target, tmp_path)
    assert held(target)["jobs"] == 3


async def test_a_database_in_which_something_is_is_left_alone(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    await put(target, models, {"model": "ink", "permille": 1})
    await put(target, blobs, {"blob": "ab" * 32, "data": b"x", "put_at": 1.0})
    with pytest.raises(ImportRefusedError, match=r"not empty; it has rows in: models 1, blobs 1\. Name a new one"):
        await import_into(target, tmp_path)
    assert held(target) == {"models": 1, "blobs": 1}


async def test_a_database_that_easel_was_only_started_with_counts_as_empty(tmp_path: Path, target: str) -> None:
    source = SqliteDatabase.in_folder(tmp_path)
    await put(source, settings, {"scope": "instance", "owner": 0, "values": '{"word": "old"}'})
    await put(target, settings, {"scope": "instance", "owner": 0, "values": '{"word": "new"}'})
    await put(target, nodes, {"kind": "bot", "name": "dead", "seen_at": 1.0})
    await import_into(target, tmp_path)
    assert dump(target)["settings"] == [("instance", 0, None, '{"word": "old"}')]


async def test_a_database_that_a_running_easel_has_is_left_alone(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    await put(target, nodes, {"kind": "bot", "name": "alive", "seen_at": 1e11})
    with pytest.raises(ImportRefusedError, match=r"A running Easel works with the database .* after 20 s"):
        await import_into(target, tmp_path)
    assert held(target) == {"nodes": 1}


async def test_a_source_that_a_running_easel_has_is_left_alone(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    lock = lock_of(tmp_path / "easel.sqlite3")
    lock.take()
    with pytest.raises(InUseError, match=r"A running Easel has .*easel\.sqlite3\. Stop it first"):
        await import_into(target, tmp_path)
    lock.drop()
    await import_into(target, tmp_path)


def damage(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(statement)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE alembic_version SET version_num = '0008'",
            r"earlier Easel \(0008; .*then run: DATABASE_URL=sqlite:////.*/easel\.sqlite3 easel db upgrade",
        ),
        ("UPDATE alembic_version SET version_num = '9999'", r"newer Easel \(9999; .* Update this Easel"),
        ("DROP TABLE alembic_version", "is no database of Easel"),
        ("DROP TABLE usage", r"cannot be read: no such table: usage"),
    ],
)
async def test_a_source_of_other_tables_is_refused(
    tmp_path: Path, target: str, statement: str, words: str
) -> None:
    await filled(tmp_path)
    damage(tmp_path / "easel.sqlite3", statement)
    with pytest.raises((SourceError, NewerError), match=words):
        await import_into(target, tmp_path)
    assert held(target) == {}


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path, target: str) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        await import_into(target, tmp_path)
    (tmp_path / "easel.sqlite3").write_text("Dear diary," * 100)
    with pytest.raises(SourceError, match="cannot be read: file is not a database"):
        await import_into(target, tmp_path)
    (tmp_path / "easel.sqlite3").write_bytes(b"")
    with pytest.raises(SourceError, match="is no database of Easel"):
        await import_into(target, tmp_path)


async def test_pictures_that_must_be_somewhere_are_asked_for(tmp_path: Path, target: str) -> None:
    await filled(tmp_path)
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match=r"There is no folder .*blobs\. Name that of the pictures: --pictures"):
        await import_into(target, tmp_path)
    with pytest.raises(SourceError, match=r"/nowhere is no folder"):
        await import_into(target, tmp_path, tmp_path / "nowhere")
    assert held(target) == {}


async def test_pictures_go_to_the_bucket_that_the_settings_name(tmp_path: Path, target: str) -> None:
    pytest.importorskip("obstore", reason="the extra “s3” is not installed")
    await filled(tmp_path)
    async with StandInS3(time.time) as s3:
        bucket = {"EASEL_BLOBS": s3.address, "AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1]}
        words = await import_into(target, tmp_path, bucket=bucket)
        store = blobs_in(Bucket.parse(s3.address), KEYS, time.time)
        assert await store.get(hashlib.sha256(b"one").hexdigest()) == b"one"
        with pytest.raises(ImportRefusedError, match="not empty"):
            await import_into(target, tmp_path, bucket=bucket)
    assert "  pictures 2 (0.0 MB), in s3://" in words
    assert "blobs" not in held(target)
    assert held(target)["jobs"] == 3


async def test_what_is_to_be_copied_to_has_to_be_postgresql(tmp_path: Path) -> None:
    await filled(tmp_path)
    with pytest.raises(TargetError, match="DATABASE_URL has to name the PostgreSQL database"):
        await import_into("", tmp_path)
    with pytest.raises(BotError, match=r"The database nothing at 127\.0\.0\.1 cannot be used"):
        await import_into("postgresql://easel@127.0.0.1:1/nothing", tmp_path)
