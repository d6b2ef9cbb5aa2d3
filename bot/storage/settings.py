"""What servers and persons set for themselves."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from bot.storage.database import Database
from bot.storage.tables import settings

_OWNED = (settings.c.scope == bindparam("of_scope")) & (settings.c.owner == bindparam("of_owner"))
_LOAD = select(settings.c["values"]).where(_OWNED)
_DROP = delete(settings).where(_OWNED)


class StoredSettings:
    """``ports.SettingsStore`` in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, scope: str, owner: int) -> Mapping[str, object]:
        """Return what was set; empty if nothing."""

        def work(tx: Connection) -> Mapping[str, object]:
            values = tx.scalar(_LOAD, {"of_scope": scope, "of_owner": owner})
            loaded: dict[str, object] = json.loads(values) if values else {}
            return loaded

        return await self._database.read(work)

    async def save(self, scope: str, owner: int, values: Mapping[str, object]) -> None:
        """Replace what was set."""

        def work(tx: Connection) -> None:
            tx.execute(_DROP, {"of_scope": scope, "of_owner": owner})
            if values:
                row = {"scope": scope, "owner": owner, "values": json.dumps(dict(values))}
                tx.execute(insert(settings), row)

        await self._database.write(work)
