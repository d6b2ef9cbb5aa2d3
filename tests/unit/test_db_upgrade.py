"""``easel db`` in the terminal: words and exit codes; tables become this version's, and never go back."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, insert, select, text, update
from typer.testing import CliRunner, Result

from bot import cli
from bot.domain.job import Address, JobSpec, NewJob, State
from bot.domain.request import PaintRequest
from bot.jobs.lock import lock_of
from bot.storage import migrations
from bot.storage.records import job_row
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import jobs, models, waiting
from bot.storage.versions import CURRENT
from tests.engines import KINDS, url_of
from tests.jobs.copied import held, put
from tests.logs import logs_given_back
from tests.postgres import Postgres, sync_url


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("EASEL_") or name in {"DISCORD_TOKEN", "DATABASE_URL"}:
            monkeypatch.delenv(name)
    with logs_given_back():
        yield


def easel(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env=environ, prog_name="easel")


@pytest.fixture(params=KINDS)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return SqliteDatabase.in_folder(tmp_path / "data")
    server: Postgres = request.getfixturevalue("postgres")
    return server.empty()


def at(url: str, version: str) -> None:
    """Give a database the tables of an earlier version."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(sync_url(url))
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, version)
    engine.dispose()


def claim(url: str, version: str) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()


def test_tables_are_made_once(bare: str) -> None:
    first, second = easel("db", "upgrade", DATABASE_URL=bare), easel("db", "upgrade", DATABASE_URL=bare)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert f"is up to date now (tables none -> {CURRENT})." in first.stdout
    assert f"is up to date (tables {CURRENT}): nothing was changed." in second.stdout
    assert held(bare) == {}


def test_tables_of_an_earlier_version_become_those_of_this_one(bare: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    at(bare, "0007")
    result = easel("db", "upgrade", DATABASE_URL=bare)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"(tables 0007 -> {CURRENT})" in result.stdout
    assert held(bare) == {}


def test_what_waits_in_tables_of_an_earlier_version_keeps_its_place(bare: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    at(bare, "0010")
    engine = create_engine(sync_url(bare))
    with engine.begin() as tx:
        for number, state in enumerate(State, start=1):
            new = NewJob(f"i:{number}:0", 1, 11, JobSpec(PaintRequest("a cat", 1)), Address(1))
            row = job_row(new, cost=7, tag=10 * number, rank=0, now=1.0)
            tx.execute(insert(jobs), row | {"state": state.value})
    assert easel("db", "upgrade", DATABASE_URL=bare).exit_code == 0
    with engine.begin() as tx:
        of_job = select(jobs.c.id, jobs.c.tag).where(jobs.c.state == State.QUEUED.value)
        assert tx.execute(select(waiting.c.job_id, waiting.c.tag)).all() == tx.execute(of_job).all() != []
        tx.execute(update(jobs).values(state=State.CANCELLED.value))
        assert tx.execute(select(waiting)).all() == []
    engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_a_newer_version_are_left_alone(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = url_of(kind, tmp_path, request)
    at(url, "head")
    claim(url, "9999")
    result = easel("db", "upgrade", DATABASE_URL=url)
    assert (result.exit_code, result.stdout) == (69, "")
    assert f"has the tables of a newer Easel (9999; this one's are {CURRENT}). Update this Easel" in result.stderr


def test_without_a_database_url_it_is_the_file_in_the_data_folder(tmp_path: Path) -> None:
    result = easel("db", "upgrade", EASEL_DATA_DIR="here")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"here/easel.sqlite3 is up to date now (tables none -> {CURRENT}).\n"
    assert (tmp_path / "here" / "easel.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_file_that_a_running_easel_has_is_left_alone(tmp_path: Path) -> None:
    lock = lock_of(tmp_path / "data" / "easel.sqlite3")
    lock.take()
    result = easel("db", "upgrade")
    lock.drop()
    assert result.exit_code == 69
    assert result.stderr.startswith("A running Easel has data/easel.sqlite3. Stop it first")
    assert not (tmp_path / "data" / "easel.sqlite3").exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "easel.sqlite3").write_text("Dear diary," * 100)
    result = easel("db", "upgrade")
    assert result.exit_code == 69
    assert result.stderr.startswith("The database data/easel.sqlite3 cannot be used: file is not a database.")


def test_a_bot_that_may_not_change_tables_starts_on_those_that_another_role_made(postgres: Postgres) -> None:
    url = postgres.empty()
    assert easel("db", "upgrade", DATABASE_URL=url).exit_code == 0
    engine = create_engine(sync_url(url))
    with engine.begin() as tx:
        for statement in (
            "CREATE ROLE painter LOGIN",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO painter",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO painter",
        ):
            tx.execute(text(statement))
    engine.dispose()
    asyncio.run(put(url.replace("easel@", "painter@"), models, {"model": "ink", "permille": 1}))
    assert held(url) == {"models": 1}


def test_an_import_says_what_it_brought(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.empty()
    asyncio.run(put(SqliteDatabase.in_folder(tmp_path / "data"), models, {"model": "ink", "permille": 1}))
    result = easel("db", "import", "data", DATABASE_URL=url)
    assert (result.exit_code, result.stderr) == (0, "models 1/1\n")
    database = url.rpartition("/")[2]
    assert result.stdout == (
        f"Everything of data/easel.sqlite3 is in {database} at 127.0.0.1 now, counted and compared:\n"
        "  models 1\n"
        "  pictures 0 (0.0 MB)\n"
        "data/easel.sqlite3 is as it was: keep it until you have seen Easel run.\n"
    )
    again = easel("db", "import", "data", DATABASE_URL=url)
    assert (again.exit_code, again.stdout) == (69, "")
    assert "is not empty; it has rows in: models 1. Name a new one." in again.stderr


def test_an_import_without_a_server_to_go_to_is_a_wrong_setting(tmp_path: Path) -> None:
    asyncio.run(put(SqliteDatabase.in_folder(tmp_path / "data"), models))
    result = easel("db", "import", "data")
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.startswith("DATABASE_URL has to name the PostgreSQL database")


def test_an_import_of_what_is_not_there_is_told() -> None:
    result = easel("db", "import", "nowhere", DATABASE_URL="postgresql://easel@127.0.0.1:1/easel")
    assert (result.exit_code, result.stderr.split(".")[0]) == (69, "There is no file nowhere")
