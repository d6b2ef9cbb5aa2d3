"""One SQLite file: opening, migrating, and whole transactions run off the event loop.

A transaction is a plain function of a ``Connection``, run in one thread hop. The same six statements cost
5 ms of CPU through aiosqlite, which hops for each of them, and 0.9 ms this way (measured, SQLAlchemy 2.1.9).
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from bot.domain.errors import BotError
from bot.domain.text import N_

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
_READERS = 2
_GROUP = 16
"""Most transactions that share one sync of the disk: the first of them waits for the last."""


class Database:
    """The durable truth. ``url`` is ``sqlite:///path`` (four slashes for an absolute path)."""

    def __init__(self, url: str) -> None:
        self.file = _file(url)
        self._writer = _Writer(self.file)
        self._readers = _Threads(self.file, _READERS, write=False)

    @staticmethod
    def in_folder(folder: Path) -> str:
        """Return the URL of the database that a data directory holds by default."""
        return f"sqlite:///{folder / 'easel.sqlite3'}"

    async def open(self) -> None:
        """Make the file where it is missing, for its owner alone, and bring its tables up to date."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file.touch(mode=0o600)
        await self.write(_migrate)

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Turn what makes the file unusable into a ``BotError`` for the host."""
        try:
            yield
        except (OSError, DBAPIError, CommandError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise BotError(
                N_("The database {file} cannot be used: {reason}."),
                N_("Free space on its disk, mend its rights, or put a backup of this version in its place."),
                file=str(self.file),
                reason=str(reason).rstrip("."),
            ) from error

    async def close(self) -> None:
        """Wait for what is under way and close the file; twice is fine."""
        await asyncio.to_thread(self._shut)

    async def write(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        """Run ``work`` in one durable transaction, one at a time; it is undone if ``work`` raises.

        What waits together becomes durable together, by one sync of the disk. A cancelled caller waits until it
        is decided: a transaction is never left running behind its back. ``synced=False`` is for what a power
        failure may undo, though the death of this process may not: it does not wait for the disk.
        """
        return await self._writer.run(work, synced=synced)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one unchanging view of the data, beside any write."""
        return await self._readers.run(work)

    def _shut(self) -> None:
        self._readers.close()
        self._writer.close()


def _file(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BotError(
            N_("DATABASE_URL is not the address of a database."),
            N_("Write it like {example}, or leave it out."),
            example="sqlite:///data/easel.sqlite3",
        ) from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BotError(
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


class _Threads:
    """Threads that keep one connection each, and run one transaction at a time on it."""

    def __init__(self, file: Path, size: int, *, write: bool) -> None:
        self._engine = _engine(file, write=write)
        self._begin = "BEGIN IMMEDIATE" if write else "BEGIN"
        self._threads = ThreadPoolExecutor(size, "database")
        self._local = threading.local()
        self._connections: list[Connection] = []

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction of its own."""
        return await self._hop(partial(self._transaction, work))

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()
        while self._connections:
            self._connections.pop().close()
        self._engine.dispose()

    async def _hop(self, call: Callable[[], T]) -> T:
        hop = asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await asyncio.shield(hop)
        except asyncio.CancelledError:
            await asyncio.wait([hop])
            raise

    def _transaction(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._engine.connect()
            self._connections.append(connection)
        with connection.begin():
            # Not by an event of the engine: one listener costs every statement a tenth of its time.
            driver = _driver(connection)
            driver.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            driver.execute(self._begin)
            return work(connection)


class _Writer(_Threads):
    """One thread in which all that waits is committed at once: a sync of the disk costs more than the work."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, 1, write=True)
        self._waiting: deque[tuple[Callable[[Connection], Any], Future[Any], bool]] = deque()

    async def run(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        """Run ``work`` so that it fails or succeeds by itself, and return once its whole group is durable."""
        outcome: Future[T] = Future()
        self._waiting.append((work, outcome, synced))

        def settled() -> T:
            if not outcome.done():
                self._commit_group()
            return outcome.result()

        return await self._hop(settled)

    def _commit_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP))]
        try:
            synced = any(each for _, _, each in group)
            results = self._transaction(lambda tx: [_attempt(tx, work) for work, *_ in group], synced=synced)
        except Exception as error:  # noqa: BLE001 - every caller of the group gets it
            results = [error] * len(group)
        for (_, outcome, _), result in zip(group, results, strict=True):
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)


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


def _migrate(connection: Connection) -> None:
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
