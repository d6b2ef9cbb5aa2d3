"""What only one process may have, and how long the next one waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import structlog

from bot.domain.errors import TakenError
from bot.domain.ports import ShardStore
from bot.domain.shards import Shards

log = structlog.get_logger(__name__)

TICK_S = 1.0
"""How often it is asked for what another one has."""
LOOK_S = 5.0
"""How often a bot makes sure that it still has its shards."""


async def claimed(claim: Callable[[], Awaitable[None]], *, tick_s: float = TICK_S) -> None:
    """Return once ``claim`` succeeds; raises ``TakenError`` if whoever has the thing is seen to live.

    It may be this process's own former life, which died a moment ago and is not known to be dead.
    """
    seen_at = inf
    while True:
        try:
            await claim()
        except TakenError as taken:
            if taken.seen_at > seen_at:
                raise
            if seen_at == inf:
                log.info("taken; waiting a moment in case whoever has it has just died", **taken.values)
            seen_at = taken.seen_at
            await asyncio.sleep(tick_s)
        else:
            return


class OwnShards:
    """The shards that this process connects, and no other one that shares its database."""

    def __init__(self, store: ShardStore, *, tick_s: float = TICK_S, look_s: float = LOOK_S) -> None:
        self._store = store
        self._shards: Shards | None = None
        self._tick_s, self._look_s = tick_s, look_s

    async def open(self, shards: Shards | None) -> None:
        """Have ``shards`` (``None``: none) before they are connected; raises ``TakenError`` for another bot's."""
        self._shards = shards
        if shards is not None:
            await claimed(lambda: self._store.claim(shards), tick_s=self._tick_s)

    async def run(self) -> None:
        """Keep them until cancelled; raises ``TakenError`` where another bot took this one for dead."""
        while True:
            await asyncio.sleep(self._look_s)
            if self._shards is None:
                continue
            try:
                await self._store.claim(self._shards)
            except TakenError:
                raise
            except Exception as error:  # noqa: BLE001 - what was had is had until the database answers again
                log.warning("shards not looked after", reason=type(error).__name__, again_s=self._look_s)
