"""Which process has which of Discord's shards, as rows, so that no two bots answer the same servers."""

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, func, select, update

from bot.domain.errors import TakenError
from bot.domain.shards import Shards
from bot.domain.text import N_
from bot.storage.database import Database
from bot.storage.locks import hold
from bot.storage.roster import SILENT_S
from bot.storage.tables import nodes

_CLAIMING = 0x53484152
"""The advisory lock of whoever claims shards."""
_NOW = func.extract("epoch", func.clock_timestamp())
_SILENCE_S = _NOW - nodes.c.seen_at
_OTHERS = select(nodes.c.id, nodes.c.name, nodes.c.shards, nodes.c.seen_at, _SILENCE_S.label("silence_s")).where(
    nodes.c.shards.is_not(None), nodes.c.id != bindparam("own")
)
# Whoever had to wait for them was silent meanwhile.
_HAVE = update(nodes).where(nodes.c.id == bindparam("own")).values(shards=bindparam("of_shards"), seen_at=_NOW)
_LOSE = update(nodes).where(nodes.c.id == bindparam("other")).values(shards=None)


class StoredShards:
    """Claims shards for a process; ``node`` is its number, which may become another one.

    Whoever was silent for ``silent_s`` loses its own to the next that asks: that is its own next life, mostly.
    """

    def __init__(self, database: Database, node: Callable[[], int], *, silent_s: float = SILENT_S) -> None:
        self._database = database
        self._node = node
        self._silent_s = silent_s

    async def claim(self, shards: Shards) -> None:
        """Have ``shards``, or have them still; raises ``TakenError`` where a bot that lives has one of them."""
        await self._database.write(lambda tx: self._claim(tx, shards), synced=False)

    def _claim(self, tx: Connection, shards: Shards) -> None:
        hold(tx, [_CLAIMING])
        own = self._node()
        for other in tx.execute(_OTHERS, {"own": own}).all():
            if not Shards.parse(other.shards).overlaps(shards):
                continue
            if other.silence_s < self._silent_s:
                raise TakenError(
                    N_("Another bot, {node}, has the shards {taken}: both would answer the same servers."),
                    N_("Stop one, or share the shards out: easel run --shards 0/2 here, --shards 1/2 there."),
                    node=other.name,
                    taken=other.shards,
                    seen_at=other.seen_at,
                )
            tx.execute(_LOSE, {"other": other.id})
        tx.execute(_HAVE, {"own": own, "of_shards": str(shards)})
