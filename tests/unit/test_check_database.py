"""What ``easel check`` says of the database: whether it is there, what may be done in it, whose tables it has."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from bot import cli
from bot.storage.versions import CURRENT
from tests.engines import url_of
from tests.logs import logs_given_back
from tests.postgres import Postgres, sync_url

RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
)
POOR = "easel_poor"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with logs_given_back():
        yield


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> str:
    """The address of a PostgreSQL database with this version's tables."""
    return url_of("postgresql", None, request)


def checked(url: str) -> tuple[int, str]:
    """Return the exit code of a check, and its line about the database."""
    environ = {"DATABASE_URL": url, "EASEL_BACKENDS": "sketch=0", "EASEL_DATA_DIR": "data"}
    result = CliRunner().invoke(cli.app, ["check", "--no-discord"], env=environ)
    assert "Traceback" not in result.output
    [line] = [line for line in result.stdout.splitlines() if "atabase" in line or "DATABASE" in line]
    return result.exit_code, line


def do(url: str, *statements: str) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as tx:
        for statement in statements:
            tx.execute(text(statement))
    engine.dispose()


def role(url: str, *rights: str) -> str:
    """Return the address of a database for somebody who owns nothing there."""
    do(url, f"DO $$ BEGIN CREATE ROLE {POOR} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    do(url, *(right.format(role=POOR) for right in rights))
    return url.replace("easel@", f"{POOR}@")


def test_a_file_that_is_not_there_yet_is_fine_and_stays_away(tmp_path: Path) -> None:
    assert checked("") == (0, "ok    database data/easel.sqlite3, which the first start makes")
    assert not (tmp_path / "data" / "easel.sqlite3").exists()
    code, line = checked("sqlite:////proc/nowhere/easel.sqlite3")
    assert (code, line.startswith("wrong DATABASE_URL: /proc/nowhere cannot be written")) == (78, True)


def test_a_file_is_told_with_its_tables(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "data").mkdir()
    url = url_of("sqlite", tmp_path / "data", request)
    assert CliRunner().invoke(cli.app, ["db", "upgrade"], env={"DATABASE_URL": url}).exit_code == 0
    code, line = checked("")
    assert (code, line.endswith(f"· tables {CURRENT}")) == (0, True)
    do(url, "UPDATE alembic_version SET version_num = '9999'")
    code, line = checked(url)
    assert (code, line.startswith("wrong database")) == (69, True)
    assert "has the tables of a newer Easel (9999" in line


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("Dear diary," * 100)
    code, line = checked(f"sqlite:///{tmp_path / 'diary'}")
    assert (code, "cannot be used: file is not a database." in line) == (69, True)


def test_a_server_is_told_with_its_version_and_its_tables(shared: str, postgres: Postgres) -> None:
    code, line = checked(shared)
    assert (code, line.startswith("ok    database easel_")) == (0, True)
    assert line.endswith(f"· tables {CURRENT}")
    code, line = checked(postgres.empty())
    assert (code, line.endswith(f"· no tables yet; the next start brings them to {CURRENT}")) == (0, True)


def test_tables_of_an_earlier_version_are_fine_for_who_may_change_them(shared: str) -> None:
    do(shared, "UPDATE alembic_version SET version_num = '0008'")
    code, line = checked(shared)
    assert (code, line.endswith(f"· tables 0008; the next start brings them to {CURRENT}")) == (0, True)
    code, line = checked(role(shared, *RIGHTS))
    assert (code, "its user may not bring them to" in line, "easel db upgrade" in line) == (78, True, True)


def test_a_user_who_may_not_make_tables_is_told_the_cure(postgres: Postgres) -> None:
    code, line = checked(role(postgres.empty()))
    assert code == 78
    assert "it has no tables yet, and its user may not bring them to" in line
    assert "make its user the owner of it" in line


def test_a_user_without_rights_is_told_where_they_stand_and_one_with_them_is_fine(shared: str) -> None:
    code, line = checked(role(shared))
    assert code == 78
    assert "its user may not work with" in line
    assert "docs/hosting.md" in line
    do(shared, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {POOR}")
    assert checked(role(shared))[0] == 78, "to read is not enough"
    assert checked(role(shared, *RIGHTS))[0] == 0


def test_a_database_that_cannot_hold_every_letter_is_refused(postgres: Postgres) -> None:
    url = postgres.empty()
    name = url.rpartition("/")[2]
    engine = create_engine(sync_url(postgres.url("postgres")), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(f"CREATE DATABASE {name}_a ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        )
    engine.dispose()
    code, line = checked(f"{url}_a")
    assert (code, "its encoding is SQL_ASCII" in line, "ENCODING 'UTF8'" in line) == (78, True, True)


@pytest.mark.parametrize("name", ["nowhere", "hidden"])
def test_a_server_that_lets_nobody_in_is_told_without_the_password(postgres: Postgres, name: str) -> None:
    port = postgres.port if name == "nowhere" else 1
    code, line = checked(f"postgresql://easel:top-secret@127.0.0.1:{port}/{name}")
    assert (code, line.startswith(f"away  The database {name} at 127.0.0.1 cannot be used")) == (69, True)
    assert "top-secret" not in line


def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    environ = {"DATABASE_URL": "postgresql://easel@127.0.0.1:1/easel", "EASEL_BACKENDS": "sketch=0"}
    result = CliRunner().invoke(cli.app, ["check", "--no-discord"], env=environ)
    assert result.exit_code == 78
    assert (
        "wrong PostgreSQL needs a part that is not installed. Install it: pip install '.[postgres]'"
        in result.stdout
    )
    upgrade = CliRunner().invoke(cli.app, ["db", "upgrade"], env=environ)
    assert (upgrade.exit_code, upgrade.stderr.startswith("PostgreSQL needs a part")) == (78, True)


def test_the_start_says_the_same_of_tables_of_a_newer_version(shared: str) -> None:
    do(shared, "UPDATE alembic_version SET version_num = '9999'")
    environ = {"DATABASE_URL": shared, "DISCORD_TOKEN": "a-token-of-my-own", "EASEL_BACKENDS": "sketch=0"}
    for command in ("run", "worker"):
        result = CliRunner().invoke(cli.app, [command], env=environ)
        assert result.exit_code == 69
        assert (
            f"has the tables of a newer Easel (9999; this one's are {CURRENT}). Update this Easel" in result.stderr
        )
