"""The engine for one process: the ``jobs`` table is its queue, an event per slot its bell."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, select

from bot.domain.job import State
from bot.jobs.engine import Interrupted
from bot.jobs.lock import lock_of
from bot.jobs.serving import Serving
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import jobs

ONLY = 0
"""The number of a node that is the only one."""

_RUNNING = select(jobs.c.id, jobs.c.attempt).where(jobs.c.state == State.RUNNING.value)


class Embedded(Serving):
    """``JobEngine`` for one process on one database file."""

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(database)
        self._lock = lock_of(database.file)

    @property
    def node(self) -> int:
        """Return the number that stands for this process."""
        return ONLY

    @property
    def sure(self) -> bool:
        """Return that it is: there is no other."""
        return True

    def on_reborn(self, tell: Callable[[], None]) -> None:
        """Do nothing: nobody can take it for dead."""

    def count_elsewhere(self, slots: Callable[[str], Mapping[str, int]]) -> None:
        """Do nothing: there is nobody else."""

    async def open(self) -> None:
        """Take the lock that keeps a second process out, then open; raises ``BotError`` where there is one."""
        self._lock.take()
        await self._database.open()

    async def close(self) -> None:
        """Close the database and drop the lock."""
        await self._database.close()
        self._lock.drop()

    async def beat(self) -> None:
        """Wait until cancelled: there is nobody else."""
        await asyncio.get_running_loop().create_future()

    def interrupted(self, tx: Connection) -> Sequence[Interrupted]:
        """Return all that is running: whoever ran it held the lock and is gone."""
        return [Interrupted(job, attempt) for job, attempt in tx.execute(_RUNNING)]
