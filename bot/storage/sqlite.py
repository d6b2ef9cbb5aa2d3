"""The database of one process: one SQLite file."""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.domain.text import N_
from bot.storage.database import Database, DatabaseSetupError, Threads
from bot.storage.versions import migrate

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
_READERS = 2
_GROUP = 16
"""Most transactions that share one sync of the disk: the first of them waits for the last."""


class SqliteDatabase(Database):
    """The database of one process. ``url`` is ``sqlite:///path`` (four slashes for an absolute path).

    Writes run one at a time; what waits together becomes durable together, by one sync of the disk.
    """

    def __init__(self, url: str) -> None:
        self.file = _file(url)
        self.name = str(self.file)
        self._writer = _Writer(self.file)
        self._readers = _Readers(self.file)
        self._threads = (self._readers, self._writer)

    @staticmethod
    def in_folder(folder: Path) -> str:
        """Return the URL of the database that a data directory holds by default."""
        return f"sqlite:///{folder / 'easel.sqlite3'}"

    async def open(self) -> None:
        """Make the file where it is missing, for its owner alone, and bring its tables up to date."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file.touch(mode=0o600)
        await self.write(partial(migrate, name=self.name))

    async def write(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        """Run ``work`` in one durable transaction, one at a time."""
        return await self._writer.run(work, synced=synced)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one unchanging view of the data, beside any write."""
        return await self._readers.run(work)

    @property
    def _cure(self) -> str:
        return N_("Free space on its disk, mend its rights, or put a backup of this version in its place.")


def _file(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseSetupError(
            N_("DATABASE_URL is not the address of a database."),
            N_("Write it like {example}, or leave it out."),
            example="sqlite:///data/easel.sqlite3",
        ) from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise DatabaseSetupError(
            N_("DATABASE_URL does not name an SQLite file."),
            N_("Write it like {example}, or leave it out."),
            example="sqlite:///data/easel.sqlite3",
        )
    return Path(parsed.database)


def _engine(file: Path, *, write: bool) -> Engine:
    """Return an engine that never shows parameters and rows, which hold prompts and tokens, by error or log."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    engine = create_engine(f"sqlite:///{file}", hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: see _transaction
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        if not write:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return engine


class _Readers(Threads):
    def __init__(self, file: Path) -> None:
        super().__init__(_engine(file, write=False), _READERS)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction of its own."""
        return await self.hop(partial(_transaction, self.connection, work, "BEGIN"))


class _Writer(Threads):
    """One thread in which all that waits is committed at once: a sync of the disk costs more than the work."""

    def __init__(self, file: Path) -> None:
        super().__init__(_engine(file, write=True), 1)
        self._waiting: deque[tuple[Callable[[Connection], Any], Future[Any], bool]] = deque()

    async def run(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        """Run ``work`` so that it fails or succeeds by itself, and return once its whole group is durable."""
        outcome: Future[T] = Future()
        self._waiting.append((work, outcome, synced))

        def settled() -> T:
            if not outcome.done():
                self._commit_group()
            return outcome.result()

        return await self.hop(settled)

    def _commit_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP))]
        try:
            synced = any(each for _, _, each in group)

            def attempt_all(tx: Connection) -> list[Any]:
                return [_attempt(tx, work) for work, *_ in group]

            results = _transaction(self.connection, attempt_all, "BEGIN IMMEDIATE", synced=synced)
        except Exception as error:  # noqa: BLE001 - every caller of the group gets it
            results = [error] * len(group)
        for (_, outcome, _), result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)


def _transaction(
    connect: Callable[[], Connection], work: Callable[[Connection], T], begin: str, *, synced: bool = True
) -> T:
    connection = connect()
    with connection.begin():
        # Not by an event of the engine: one listener costs every statement a tenth of its time.
        driver = _driver(connection)
        driver.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
        driver.execute(begin)
        return work(connection)


def _attempt(tx: Connection, work: Callable[[Connection], Any]) -> Any:
    """Return what ``work`` returns; or undo it alone and return what it raised."""
    driver = _driver(tx)
    driver.execute("SAVEPOINT attempt")
    try:
        return work(tx)
    except Exception as error:  # noqa: BLE001 - its caller gets it
        driver.execute("ROLLBACK TO attempt")
        return error
    finally:
        driver.execute("RELEASE attempt")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
