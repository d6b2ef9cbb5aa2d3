"""Delivered pictures: searching them, favourites, and the further messages that show one."""

from collections.abc import Iterator

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.gallery import Found, Search
from bot.domain.job import Job, State
from bot.domain.ports import Clock
from bot.storage.database import Database
from bot.storage.records import read_job
from bot.storage.tables import favourites, jobs, showings

_MINE = (favourites.c.user_id == bindparam("of_user")) & (favourites.c.job_id == bindparam("of_job"))
_UNFAVOUR = delete(favourites).where(_MINE)
_FAVOURITE = select(favourites.c.job_id).where(_MINE)
_SHOWN_BY = (
    select(jobs, showings.c.number)
    .join(showings, showings.c.job_id == jobs.c.id)
    .where(showings.c.message_id == bindparam("of_message"))
)
_MARKED = select(favourites.c.job_id).where(
    favourites.c.user_id == bindparam("of_user"), favourites.c.job_id.in_(bindparam("of_jobs", expanding=True))
)
_KNOWN = union_all(
    select(showings.c.job_id).where(showings.c.message_id == bindparam("of_message")),
    select(jobs.c.id).where(jobs.c.message_id == bindparam("of_message")),
).limit(1)
_UNLINK = (
    update(jobs)
    .where(jobs.c.message_id == bindparam("of_message"), jobs.c.state == State.DELIVERED.value)
    .values(message_id=None)
)
_HIDE = delete(showings).where(showings.c.message_id == bindparam("of_message"))


class StoredGallery:
    """Delivered jobs, favourites and showings in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def search(self, wanted: Search, *, first: int, limit: int) -> Found:
        """Return at most ``limit`` of what is ``wanted``, newest first, from the ``first`` (0…) on."""
        conditions = tuple(_conditions(wanted))

        def work(tx: Connection) -> Found:
            total = tx.scalar(select(func.count()).select_from(jobs).where(*conditions)) or 0
            page = select(jobs).where(*conditions).order_by(jobs.c.id.desc()).offset(first).limit(limit)
            found = tuple(read_job(row, self._clock()) for row in tx.execute(page))
            of = {"of_user": wanted.user, "of_jobs": [job.id for job in found]}
            return Found(total, found, frozenset(tx.scalars(_MARKED, of)))

        return await self._database.read(work)

    async def latest(self, user_id: int, limit: int) -> list[Job]:
        """Return a person's latest pictures, newest first, without counting how many there are."""
        newest = select(jobs).where(*_conditions(Search(user=user_id))).order_by(jobs.c.id.desc()).limit(limit)
        return await self._database.read(lambda tx: [read_job(row, self._clock()) for row in tx.execute(newest)])

    async def favour(self, user_id: int, job_id: int) -> bool:
        """Turn a favourite on, or off if it is one; return whether it is one now."""
        row = {"user_id": user_id, "job_id": job_id, "made_at": self._clock()}

        def work(tx: Connection) -> bool:
            if _changed(tx, _UNFAVOUR, {"of_user": user_id, "of_job": job_id}):
                return False
            tx.execute(insert(favourites), row)
            return True

        return await self._database.write(work)

    async def unfavour(self, user_id: int, job_id: int) -> bool:
        """Turn a favourite off; return whether it was one."""
        of = {"of_user": user_id, "of_job": job_id}
        return await self._database.write(lambda tx: _changed(tx, _UNFAVOUR, of))

    async def is_favourite(self, user_id: int, job_id: int) -> bool:
        """Return whether it is one."""
        of = {"of_user": user_id, "of_job": job_id}
        return await self._database.read(lambda tx: tx.scalar(_FAVOURITE, of) is not None)

    async def show(self, message_id: int, job_id: int, number: int) -> None:
        """Note that a further message shows picture ``number`` (from 1; 0: all of it) of a job."""
        row = {"message_id": message_id, "job_id": job_id, "number": number}
        statement = upsert(showings).on_conflict_do_update(index_elements=["message_id"], set_=row)
        await self._database.write(lambda tx: tx.execute(statement, row))

    async def shown_by(self, message_id: int) -> tuple[Job, int] | None:
        """Return the job and the number that ``show`` noted for a message, or ``None``."""

        def work(tx: Connection) -> tuple[Job, int] | None:
            row = tx.execute(_SHOWN_BY, {"of_message": message_id}).one_or_none()
            return None if row is None else (read_job(row, self._clock()), row.number)

        return await self._database.read(work)

    async def hide(self, message_id: int) -> bool:
        """Forget that a message shows anything; return whether it did."""
        of = {"of_message": message_id}
        # Most deleted messages show none of ours, and a question costs less than a change.
        if await self._database.read(lambda tx: tx.scalar(_KNOWN, of)) is None:
            return False

        def work(tx: Connection) -> bool:
            return _changed(tx, _HIDE, of) | _changed(tx, _UNLINK, of)

        return await self._database.write(work)


def _changed(tx: Connection, statement: Executable, of: dict[str, int]) -> bool:
    return tx.execute(statement, of).rowcount > 0


def _conditions(wanted: Search) -> Iterator[ColumnElement[bool]]:
    yield jobs.c.user_id == wanted.user
    yield jobs.c.state == State.DELIVERED.value
    yield jobs.c.pictures > 0
    if wanted.guild is not None and not wanted.everywhere:
        yield jobs.c.guild_id == wanted.guild
    for word in wanted.words.split():
        yield _contains(jobs.c.prompt, word)
    if wanted.model:
        yield _contains(func.coalesce(jobs.c.painted_with, jobs.c.model, ""), wanted.model)
    if wanted.after is not None:
        yield jobs.c.created_at >= wanted.after
    if wanted.before is not None:
        yield jobs.c.created_at < wanted.before
    if wanted.favourites:
        yield exists().where(favourites.c.user_id == wanted.user, favourites.c.job_id == jobs.c.id)


def _contains(text: ColumnElement[str], part: str) -> ColumnElement[bool]:
    # SQLite's lower() knows the letters of ASCII only (SQLite, Core Functions); other ones are tried in each case.
    forms = dict.fromkeys((part, part.lower(), part.upper(), part.capitalize()))
    return or_(*(text.icontains(form, autoescape=True) for form in forms))
