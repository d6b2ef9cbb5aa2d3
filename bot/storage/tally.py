"""Counting what was delivered; a server's by one covering index."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, literal, select

from bot.domain.gallery import Tally
from bot.domain.job import State
from bot.storage.database import Database
from bot.storage.functions import whole
from bot.storage.tables import counts, jobs

DAY_S = 86400
_MODELS = 5
_Counts = Select[*tuple[Any, ...]]
# Written out, not bound: only so does SQLite see that the index of delivered jobs has them all.
_DELIVERED = jobs.c.state == literal(State.DELIVERED.value, literal_execute=True)
_pictures = func.sum(jobs.c.pictures)
_day = whole((jobs.c.ended_at - bindparam("since")) / DAY_S)
_wait_s = jobs.c.started_at - jobs.c.created_at
_paint_s = jobs.c.ended_at - jobs.c.started_at

_DAYS = select(_day, _pictures).group_by(_day)
_WHOLE = select(func.count(), func.count(jobs.c.user_id.distinct()))
_TOP = select(jobs.c.painted_with, _pictures).where(jobs.c.painted_with.is_not(None)).group_by(jobs.c.painted_with)
_DELETED = select(counts).where(
    counts.c.guild_id == bindparam("guild"), counts.c.day >= bindparam("first"), counts.c.day < bindparam("end")
)


class StoredTally:
    """Counts over the ``jobs`` table, and over what a server's deleted jobs came to.

    Those no longer tell of people and waits, so people and medians are of what is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, *, guild: int | None = None, user: int | None = None, since: float, days: int) -> Tally:
        """Return what was delivered from unix time ``since`` on, for ``days`` days, of a guild or of a person."""
        owner = jobs.c.guild_id == guild if user is None else jobs.c.user_id == user
        of = {"since": since}

        def asked(statement: _Counts) -> _Counts:
            until = since + days * DAY_S
            within = (jobs.c.ended_at >= since, jobs.c.ended_at < until, jobs.c.pictures > 0)
            return statement.where(_DELIVERED, owner, *within)

        def median(tx: Connection, value: Any, count: int) -> float | None:
            middle = asked(select(value)).order_by(value).offset((count - 1) // 2).limit(1)
            return tx.scalar(middle) if count else None

        def work(tx: Connection) -> Tally:
            count, people = tx.execute(asked(_WHOLE)).one()
            by_day = Counter({row[0]: row[1] for row in tx.execute(asked(_DAYS), of)})
            models = Counter({row[0]: row[1] for row in tx.execute(asked(_TOP))})
            first = int(since // DAY_S)
            for row in tx.execute(_DELETED, {"guild": guild, "first": first, "end": first + days}):
                by_day[row.day - first] += row.pictures
                models[row.model] += row.pictures if row.model else 0
            return Tally(
                days=tuple(by_day[day] for day in range(days)),
                people=people,
                models=_top(models),
                wait_s=median(tx, _wait_s, count),
                paint_s=median(tx, _paint_s, count),
            )

        return await self._database.read(work)


def _top(models: Counter[str]) -> tuple[tuple[str, int], ...]:
    used = ((name, pictures) for name, pictures in models.items() if pictures)
    return tuple(sorted(used, key=lambda each: (-each[1], each[0]))[:_MODELS])
