"""The durable truth, whichever server or file keeps it: whole transactions, run off the event loop.

A transaction is a plain function of a ``Connection``, run in one thread hop. The same six statements cost
5 ms of CPU through aiosqlite, which hops for each of them, and 0.9 ms this way (measured, SQLAlchemy 2.1.9).
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import AwayError, BotError
from bot.domain.text import N_

T = TypeVar("T")


class DatabaseAwayError(AwayError):
    """The database cannot be reached just now; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            N_("The bot cannot reach its own memory just now, so nothing was queued or changed."),
            N_("Try again in a minute."),
        )


class DatabaseSetupError(BotError):
    """The host has to change a setting, or install something, before a database can be used."""


REFUSED = (DBAPIError, DatabaseAwayError)
"""What a database that takes nothing raises: one on a full disk, one that is away."""


class RetryError(Exception):
    """What a transaction was about has changed under it: it is to be begun anew."""


class Database(ABC):
    """What every database gives; ``name`` is what the host may be shown of where it is."""

    name: str
    _threads: "tuple[Threads, ...]"

    @abstractmethod
    async def open(self) -> None:
        """Make it ready for use, and bring its tables up to date."""

    async def close(self) -> None:
        """Wait for what is under way and let go; twice is fine."""
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        for each in self._threads:
            each.close()

    @abstractmethod
    async def write(self, work: Callable[[Connection], T], *, synced: bool = True) -> T:
        """Run ``work`` in one durable transaction; it is undone if ``work`` raises.

        A cancelled caller waits until it is decided: a transaction is never left running behind its back. Work
        whose transaction lost against another one is run anew, so it changes nothing but the database.
        ``synced=False`` is for what a power failure may undo, though the death of this process may not: it does
        not wait for the disk.
        """

    @abstractmethod
    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one unchanging view of the data, beside any write."""

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Turn what makes the database unusable into a ``BotError`` for the host."""
        try:
            yield
        except (OSError, *REFUSED) as error:
            cause = error.__cause__ if isinstance(error, DatabaseAwayError) else error
            reason = cause.orig if isinstance(cause, DBAPIError) else cause
            raise BotError(
                N_("The database {file} cannot be used: {reason}."),
                self._cure,
                file=self.name,
                reason=" ".join(str(reason).split()).rstrip(".?"),
            ) from error

    @property
    @abstractmethod
    def _cure(self) -> str:
        """What the host can do about a database that cannot be used."""


class Threads:
    """Threads that keep one connection each, and run one transaction at a time on it."""

    def __init__(self, engine: Engine, size: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(size, "database")
        self._local = threading.local()
        self._connections: list[Connection] = []

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()
        while self._connections:
            self._connections.pop().close()
        self._engine.dispose()

    async def hop(self, call: Callable[[], T]) -> T:
        """Return what ``call`` does in one of the threads."""
        hop = asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await asyncio.shield(hop)
        except asyncio.CancelledError:
            await asyncio.wait([hop])
            if not hop.cancelled():
                hop.exception()  # nobody is left to hear of it
            raise

    def connection(self) -> Connection:
        """Return the connection of the thread that asks."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._engine.connect()
            self._connections.append(connection)
        return connection
