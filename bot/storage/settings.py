"""What servers, channels and persons set for themselves."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from bot.storage import locks
from bot.storage.database import Database
from bot.storage.tables import settings

_OWNED = (settings.c.scope == bindparam("of_scope")) & (settings.c.owner == bindparam("of_owner"))
_LOAD = select(settings.c["values"]).where(_OWNED)
_DROP = delete(settings).where(_OWNED)
_ALTERING = 0x414C5452
"""The lock of whoever changes a part of what was set: of two that read at once one would undo the other's."""
CHANNEL = "channel"
"""The scope whose rows name the server that their owner belongs to."""
_OF_SERVER = (
    select(settings.c.owner, settings.c["values"])
    .where(settings.c.scope == CHANNEL, settings.c.guild_id == bindparam("of_guild"))
    .order_by(settings.c.owner)
)


class StoredSettings:
    """``ports.SettingsStore`` in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, scope: str, owner: int) -> Mapping[str, object]:
        """Return what was set; empty if nothing."""
        return await self._database.read(lambda tx: _loaded(tx, scope, owner))

    async def save(
        self, scope: str, owner: int, values: Mapping[str, object], guild_id: int | None = None
    ) -> None:
        """Replace what was set; ``guild_id`` is the server that a channel belongs to."""
        await self._database.write(lambda tx: _replace(tx, scope, owner, values, guild_id))

    async def alter(self, scope: str, owner: int, changes: Mapping[str, object]) -> Mapping[str, object]:
        """Change some of what was set, as several processes may at once; return all. ``None`` takes one back."""

        def work(tx: Connection) -> Mapping[str, object]:
            locks.hold(tx, [_ALTERING])
            altered = {**_loaded(tx, scope, owner), **changes}
            values = {name: value for name, value in altered.items() if value is not None}
            _replace(tx, scope, owner, values, None)
            return values

        return await self._database.write(work)

    async def save_all(self, guild_id: int, changed: Mapping[tuple[str, int], Mapping[str, object]]) -> None:
        """Replace what a server and its channels set, by scope and owner, in one transaction."""

        def work(tx: Connection) -> None:
            for (scope, owner), values in changed.items():
                _replace(tx, scope, owner, values, guild_id if scope == CHANNEL else None)

        await self._database.write(work)

    async def channels(self, guild_id: int) -> Mapping[int, Mapping[str, object]]:
        """Return what a server's channels set, by their ids."""

        def work(tx: Connection) -> Mapping[int, Mapping[str, object]]:
            rows = tx.execute(_OF_SERVER, {"of_guild": guild_id})
            return {owner: json.loads(values) for owner, values in rows}

        return await self._database.read(work)


def _loaded(tx: Connection, scope: str, owner: int) -> Mapping[str, object]:
    values = tx.scalar(_LOAD, {"of_scope": scope, "of_owner": owner})
    loaded: dict[str, object] = json.loads(values) if values else {}
    return loaded


def _replace(tx: Connection, scope: str, owner: int, values: Mapping[str, object], guild_id: int | None) -> None:
    tx.execute(_DROP, {"of_scope": scope, "of_owner": owner})
    if values:
        row = {"scope": scope, "owner": owner, "guild_id": guild_id, "values": json.dumps(dict(values))}
        tx.execute(insert(settings), row)
