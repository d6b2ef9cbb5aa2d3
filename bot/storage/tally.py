"""Counting what was delivered; a server's by one covering index."""

from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, cast, func, literal, select

from bot.domain.gallery import Tally
from bot.domain.job import State
from bot.storage.database import Database
from bot.storage.tables import jobs

DAY_S = 86400
_MODELS = 5
_Counts = Select[*tuple[Any, ...]]
# Written out, not bound: only so does SQLite see that the index of delivered jobs has them all.
_DELIVERED = jobs.c.state == literal(State.DELIVERED.value, literal_execute=True)
_pictures = func.sum(jobs.c.pictures)
_day = cast((jobs.c.ended_at - bindparam("since")) / DAY_S, Integer)
_wait_s = jobs.c.started_at - jobs.c.created_at
_paint_s = jobs.c.ended_at - jobs.c.started_at

_DAYS = select(_day, _pictures).group_by(_day)
_WHOLE = select(func.count(), func.count(jobs.c.user_id.distinct()))
_TOP = (
    select(jobs.c.painted_with, _pictures)
    .where(jobs.c.painted_with.is_not(None))
    .group_by(jobs.c.painted_with)
    .order_by(_pictures.desc(), jobs.c.painted_with)
    .limit(_MODELS)
)


class StoredTally:
    """Counts over the ``jobs`` table."""

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
            by_day = {row[0]: row[1] for row in tx.execute(asked(_DAYS), of)}
            return Tally(
                days=tuple(by_day.get(day, 0) for day in range(days)),
                people=people,
                models=tuple((row[0], row[1]) for row in tx.execute(asked(_TOP))),
                wait_s=median(tx, _wait_s, count),
                paint_s=median(tx, _paint_s, count),
            )

        return await self._database.read(work)
