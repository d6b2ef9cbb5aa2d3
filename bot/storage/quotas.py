"""The quotas that servers set."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from bot.domain.quotas import Period, Quota, Scope
from bot.storage.database import Database
from bot.storage.tables import quotas

_LOAD = select(quotas).where(quotas.c.guild_id == bindparam("of_guild")).order_by(*quotas.primary_key.columns)
_DROP = delete(quotas).where(quotas.c.guild_id == bindparam("of_guild"))


class StoredQuotas:
    """Keeps each server's quotas as one whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, guild_id: int) -> tuple[Quota, ...]:
        """Return a server's quotas; empty if it has set none."""

        def work(tx: Connection) -> tuple[Quota, ...]:
            rows = tx.execute(_LOAD, {"of_guild": guild_id})
            return tuple(Quota(Scope(row.scope), Period(row.period), row.seconds, row.about) for row in rows)

        return await self._database.read(work)

    async def save(self, guild_id: int, kept: Iterable[Quota]) -> None:
        """Replace a server's quotas."""
        rows = [
            {
                "guild_id": guild_id,
                "scope": quota.scope.value,
                "about": quota.about,
                "period": quota.period.value,
                "seconds": quota.seconds,
            }
            for quota in kept
        ]

        def work(tx: Connection) -> None:
            tx.execute(_DROP, {"of_guild": guild_id})
            if rows:
                tx.execute(insert(quotas), rows)

        await self._database.write(work)
