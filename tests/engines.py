"""Both kinds of database for tests: a file of its own each, or a database of its own on the tests' server."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine

from bot.storage.sqlite import SqliteDatabase
from bot.storage.versions import migrate
from tests.postgres import Postgres, needed, sync_url

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    needed()
    # Not below pytest's own folder, which is for its user alone.
    with TemporaryDirectory(prefix="easel-postgres-") as folder:
        server = Postgres(Path(folder))
        server.create()
        yield server
        server.stop()


def fill(url: str) -> None:
    """Make the tables."""
    engine = create_engine(sync_url(url))
    with engine.begin() as tx:
        migrate(tx, url)
    engine.dispose()


def url_of(kind: str, folder: Path | None, request: pytest.FixtureRequest) -> str:
    """Return the address of a new database of ``kind``."""
    if kind == "sqlite":
        return SqliteDatabase.in_folder(folder or Path())
    server: Postgres = request.getfixturevalue("postgres")
    return server.database(fill)
