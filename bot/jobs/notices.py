"""What processes tell each other in passing, by PostgreSQL's LISTEN and NOTIFY; alone there is nobody to tell.

A notice may be lost, with the connection or the process it was for: whoever needs to be sure looks at the rows.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, func, select

from bot.storage.database import REFUSED
from bot.storage.postgres import PostgresDatabase

if TYPE_CHECKING:
    from psycopg import AsyncConnection

log = logging.getLogger(__name__)

CHANNEL = "easel"
MOST_BYTES = 7900
"""A notice is shorter than 8,000 bytes (PostgreSQL docs, NOTIFY)."""
LISTEN_AGAIN_S = 0.5
ASK_S = 10.0
"""How long the line is silent before it is asked whether it still stands."""

Hear = Callable[[str], None]
"""Called on the loop with what a notice says."""


class Notices(Protocol):
    """Tells other processes and hears from them: ``topic`` is one word, what is said is one line."""

    def hear(self, topic: str, act: Hear) -> None:
        """Have ``act`` called for every notice of ``topic``, one's own included."""

    def missed(self, look: Callable[[], None]) -> None:
        """Have ``look`` called whenever notices may have been missed."""

    async def tell(self, topic: str, said: str = "") -> None:
        """Tell everybody, if that is possible now."""

    async def run(self) -> None:
        """Listen until cancelled."""


class Silence:
    """``Notices`` for a process that is the only one."""

    def hear(self, topic: str, act: Hear) -> None:
        """Do nothing: nobody else speaks."""

    def missed(self, look: Callable[[], None]) -> None:
        """Do nothing: nothing is said."""

    async def tell(self, topic: str, said: str = "") -> None:
        """Do nothing: nobody else listens."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.get_running_loop().create_future()


class PostgresNotices:
    """``Notices`` over one connection of its own, which is opened anew as often as it breaks."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._heard: defaultdict[str, list[Hear]] = defaultdict(list)
        self._looks: list[Callable[[], None]] = []
        self._hears = True

    def hear(self, topic: str, act: Hear) -> None:
        """Have ``act`` called for every notice of ``topic``, one's own included."""
        self._heard[topic].append(act)

    def missed(self, look: Callable[[], None]) -> None:
        """Have ``look`` called whenever notices may have been missed."""
        self._looks.append(look)

    async def tell(self, topic: str, said: str = "") -> None:
        """Tell everybody; whether anybody hears it is not known."""
        with suppress(*REFUSED):
            await self._database.write(lambda tx: notify(tx, topic, said), synced=False)

    async def run(self) -> None:
        """Listen until cancelled."""
        from psycopg import OperationalError  # noqa: PLC0415 - an extra

        while True:
            try:
                await self._listen()
            except (OSError, OperationalError, TimeoutError) as error:
                if self._hears:
                    log.warning("notices of other processes are not heard: %s", type(error).__name__)
                self._hears = False
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _listen(self) -> None:
        from psycopg import AsyncConnection  # noqa: PLC0415 - an extra

        line = await AsyncConnection.connect(autocommit=True, **self._database.conninfo)
        try:
            await line.execute(f"LISTEN {CHANNEL}")
            if not self._hears:
                log.info("notices of other processes are heard again")
            self._hears = True
            for look in self._looks:
                look()
            while True:
                await self._hear_some(line)
        finally:
            await line.close()

    async def _hear_some(self, line: "AsyncConnection") -> None:
        async for notice in line.notifies(timeout=ASK_S):
            topic, _, said = notice.payload.partition(" ")
            for act in self._heard[topic]:
                try:
                    act(said)
                except Exception:
                    # Another version may say it in other words: what matters is looked up by and by.
                    log.exception("a notice of %r is not understood", topic)
        async with asyncio.timeout(ASK_S):
            await line.execute("SELECT 1")


def notify(tx: Connection, topic: str, said: str = "") -> None:
    """Tell everybody once ``tx`` is committed."""
    tx.execute(select(func.pg_notify(CHANNEL, f"{topic} {said}".rstrip()[:MOST_BYTES])))
