"""The database of many processes: PostgreSQL, through psycopg 3."""

import logging
from collections.abc import Callable
from functools import partial
from time import sleep
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bot.domain.text import N_
from bot.storage.database import Database, DatabaseAwayError, DatabaseSetupError, RetryError, Threads
from bot.storage.versions import migrate

T = TypeVar("T")

WRITERS, READERS = 4, 2
"""Connections that a process keeps, beside the one that listens."""
CONNECT_TIMEOUT_S = 5
_TRIES = 5
_REST_S = 0.2
"""How long a transaction waits for a server that comes back, before each further try; this times the try."""
_OVERTAKEN = frozenset({"40001", "40P01", "23505"})
"""Serialization failure, deadlock, unique violation: another transaction came first (PostgreSQL, Error Codes)."""
_MIGRATING = 0x45415345
"""The advisory lock of whoever changes the tables."""
_SERVER_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        # A process that was stopped in the middle of a transaction must not hold up all others by its locks.
        "idle_in_transaction_session_timeout": "8s",
        "lock_timeout": "10s",
        "statement_timeout": "60s",
        "timezone": "UTC",
    }.items()
)
_DRIVER_OPTIONS: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "easel",
    "client_encoding": "UTF8",
    "options": _SERVER_OPTIONS,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""What bounds every call, in s and ms (PostgreSQL docs, Client Connection Defaults, Parameter Key Words)."""


class PostgresDatabase(Database):
    """The database that many processes share. ``url`` is ``postgresql://user:password@host/name``.

    Raises ``DatabaseSetupError`` where the extra for it is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = _address(url)
        where = self._url.host or "its socket"
        self.name = f"{self._url.database or self._url.username} at {where}"
        self._writers = Threads(_engine(self._url), WRITERS)
        unchanging = {"isolation_level": "REPEATABLE READ", "execution_options": {"postgresql_readonly": True}}
        self._readers = Threads(_engine(self._url, **unchanging), READERS)
        self._threads = (self._readers, self._writers)

    @property
    def conninfo(self) -> dict[str, Any]:
        """What a connection of one's own is opened with: the keywords of libpq."""
        named = self._url.translate_connect_args(username="user", database="dbname")
        return {**named, **self._url.query, **_DRIVER_OPTIONS}

    async def open(self) -> None:
        """Bring the tables up to date; of several processes that start at once, one does."""
        await self.write(partial(_migrate, name=self.name))

    async def write(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        """Run ``work`` in one durable transaction, beside others; anew where another came first.

        Raises ``DatabaseAwayError`` where the server is away and has changed nothing; a ``DBAPIError`` that is
        raised while it commits leaves open whether it did.
        """
        return await self._writers.hop(partial(_written, self._writers, work, synced=synced))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one unchanging view of the data; raises ``DatabaseAwayError``."""
        return await self._readers.hop(partial(_read, self._readers, work))

    @property
    def _cure(self) -> str:
        return N_("Start it, or mend DATABASE_URL or what its user may do there.")


def _address(url: str) -> URL:
    example = "postgresql://user:password@host/easel"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseSetupError(
            N_("DATABASE_URL is not the address of a database."),
            N_("Write it like {example}, or leave it out."),
            example=example,
        ) from error
    return parsed.set(drivername="postgresql+psycopg")


def _engine(url: URL, **options: Any) -> Engine:
    """Return an engine that never shows parameters and rows, which hold prompts and tokens, by error or log."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    try:
        return create_engine(url, hide_parameters=True, connect_args=_DRIVER_OPTIONS, **options)
    except (ImportError, NoSuchModuleError) as error:
        raise DatabaseSetupError(
            N_("PostgreSQL needs a part that is not installed."),
            N_("Install it: {command}"),
            command="pip install '.[postgres]' in Easel's folder",
        ) from error


def _written(threads: Threads, work: Callable[[Connection], T], *, synced: bool) -> T:
    """Do ``work`` until it was not overtaken; what is not known to be undone is not done again."""
    for attempt in range(1, _TRIES + 1):
        connection = _begun(threads)
        try:
            if not synced:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            result = work(connection)
        except (DBAPIError, RetryError) as error:
            connection.rollback()
            if not _again(error, attempt):
                raise _discreet(error) from None
            continue
        except BaseException:
            connection.rollback()
            raise
        try:
            connection.commit()
        except DBAPIError:
            connection.rollback()  # else the thread's next transaction could not begin
            raise
        return result
    raise DatabaseAwayError


def _read(threads: Threads, work: Callable[[Connection], T]) -> T:
    for attempt in range(1, _TRIES + 1):
        connection = _begun(threads)
        try:
            result = work(connection)
            connection.rollback()
        except DBAPIError as error:
            connection.rollback()
            if not _again(error, attempt):
                raise _discreet(error) from None
            continue
        except BaseException:
            connection.rollback()
            raise
        return result
    raise DatabaseAwayError


def _begun(threads: Threads) -> Connection:
    """Return the thread's connection in a transaction; raises ``DatabaseAwayError`` where none is to be had."""
    for attempt in range(1, _TRIES + 1):
        try:
            connection = threads.connection()
            connection.begin()
        except DBAPIError as error:
            if attempt == _TRIES:
                raise DatabaseAwayError from error
            sleep(_REST_S * attempt)
            continue
        return connection
    raise DatabaseAwayError


def _again(error: Exception, attempt: int) -> bool:
    """Return whether what failed by ``error`` was undone and is worth another try."""
    if isinstance(error, RetryError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        sleep(_REST_S * attempt)
        return True
    return attempt < _TRIES and getattr(error.orig, "sqlstate", None) in _OVERTAKEN


def _discreet(error: Exception) -> Exception:
    """Take from an error of the server what it says of rows and values, which hold prompts and tokens."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
        if primary:
            error.orig.args = (primary,)
            error.args = (f"({type(error.orig).__name__}) {primary}",)
    return error


def _migrate(connection: Connection, name: str) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
    connection.exec_driver_sql("SET LOCAL statement_timeout TO 0")  # a large table takes as long as it takes
    migrate(connection, name)
