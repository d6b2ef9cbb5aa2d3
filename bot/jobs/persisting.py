"""What became of a run, written in spite of a database that refuses it for a while."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.storage.database import REFUSED, Database

T = TypeVar("T")

PERSIST_S = 600.0
"""How long a write is offered to a database that refuses it, as one on a full disk does."""


class Persisting:
    """Writes until it is taken: what became of a run would else seem to run until the next start."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ending = asyncio.Event()

    def hurry(self) -> None:
        """Offer every write once more and no longer: this process is to end."""
        self._ending.set()

    async def once_more(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work``, which may be done twice, does in its own transaction, whose answer may be lost."""
        try:
            return await self._database.write(work)
        except DBAPIError:
            return await self._database.write(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work`` does in its own transaction; raises what ``REFUSED`` names once it is given up."""
        until = asyncio.get_running_loop().time() + PERSIST_S
        wait_s = 0.5
        while True:
            last = self._ending.is_set() or asyncio.get_running_loop().time() > until
            try:
                return await self._database.write(work)
            except REFUSED:
                if last:
                    raise
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._ending.wait()
            wait_s = min(2 * wait_s, 30.0)
