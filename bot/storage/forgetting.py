"""Deleting what is kept of persons, of servers, and of jobs past their days, inside a transaction of the caller.

Files cannot be deleted in it: their hashes stand in ``doomed`` until they are gone, whatever happens in between.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    exists,
    func,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from bot.domain.job import Result, State
from bot.domain.reviewing import STRIKE_S, Verdict
from bot.domain.shards import Shards
from bot.storage.functions import whole
from bot.storage.tables import (
    blocks,
    charges,
    counts,
    departures,
    doomed,
    favourites,
    flows,
    jobs,
    quotas,
    reviews,
    settings,
    showings,
    snippets,
    strikes,
    usage,
)
from bot.storage.tally import DAY_S

PERSON, SERVER = "person", "server"
"""Whose settings and snippets are whose, by their column ``scope``."""
NOBODY = 0
"""Who made what a server keeps, once its maker is forgotten."""
REACHED = frozenset(
    {
        "jobs.user_id",
        "jobs.guild_id",
        "jobs.cancelled_by",
        "favourites.user_id",
        "settings.owner",
        "snippets.owner",
        "snippets.made_by",
        "flows.guild_id",
        "flows.users",
        "charges.user_id",
        "charges.guild_id",
        "usage.user_id",
        "usage.guild_id",
        "reviews.by",
        "strikes.user_id",
        "strikes.by",
    }
)
"""Every column that may hold a person's id; ``person`` leaves it in none of them. In direct messages the person
is the guild."""
FOLLOWING = frozenset({"waiting.user_id", "waiting.guild_id"})
"""Where the database deletes a person's id with the job whose row holds it too."""
OUTLASTING = frozenset({"blocks.user_id"})
"""Where a person's id stays until its time is over: who deletes everything is blocked as long as before."""
BATCH = 40
"""Most jobs that one transaction deletes where there may be very many."""
COUNTED_DAYS = 31
"""How long counts are of use: statistics look back 30 days, and today is not over."""
USED_DAYS = 62
"""How long is known what was used of quotas: those of this month and the last."""
_SLICE = 500
_HASH = re.compile(r'"([0-9a-f]{64})"')
"""A blob's name as stored JSON has it."""
_IDS = jobs.c.id.in_(bindparam("ids", expanding=True))
_REVIEWED = reviews.c.job_id.in_(bindparam("ids", expanding=True))
_TEXTS = select(jobs.c.spec, jobs.c.result)
_DELETE_JOBS = (
    delete(showings).where(showings.c.job_id.in_(bindparam("ids", expanding=True))),
    delete(favourites).where(favourites.c.job_id.in_(bindparam("ids", expanding=True))),
    delete(charges).where(charges.c.job_id.in_(bindparam("ids", expanding=True))),
    # A card that still shows a picture has to be found and changed first, even after a crash; its row goes then.
    update(reviews)
    .where(_REVIEWED, reviews.c.state == Verdict.HELD.value)
    .values(state=Verdict.WITHDRAWN.value, at=bindparam("now")),
    delete(reviews).where(_REVIEWED, reviews.c.shown.is_(None) | (reviews.c.shown == reviews.c.state)),
    delete(jobs).where(_IDS),
)
_day = whole(jobs.c.ended_at / DAY_S)
_model = func.coalesce(jobs.c.painted_with, "")
_TO_COUNT = (
    select(jobs.c.guild_id, _day, _model, func.sum(jobs.c.pictures))
    .where(
        _IDS,
        jobs.c.state == State.DELIVERED.value,
        jobs.c.pictures > 0,
        jobs.c.guild_id != jobs.c.user_id,
        _day > bindparam("before_day"),
    )
    .group_by(jobs.c.guild_id, _day, _model)
)
_COUNT = insert(counts).from_select(["guild_id", "day", "model", "pictures"], _TO_COUNT)
_COUNT = _COUNT.on_conflict_do_update(
    index_elements=["guild_id", "day", "model"], set_={"pictures": counts.c.pictures + _COUNT.excluded.pictures}
)
_USED = ("guild_id", "day", "user_id", "channel_id")
"""By what is known how much was used of quotas."""
_THEIRS = delete(usage).where(usage.c.user_id == bindparam("of_user")).returning(usage)
_AS_NOBODYS = insert(usage)
_AS_NOBODYS = _AS_NOBODYS.on_conflict_do_update(
    index_elements=_USED, set_={"ms": usage.c.ms + _AS_NOBODYS.excluded.ms}
)
_DOOM = insert(doomed).on_conflict_do_nothing()
_ENDED = [state.value for state in State if state.ended]
_OVERDUE = (
    select(jobs.c.id)
    .where(
        jobs.c.state.in_(_ENDED),
        jobs.c.told_at <= bindparam("before"),
        ~exists().where(favourites.c.user_id == jobs.c.user_id, favourites.c.job_id == jobs.c.id),
    )
    .limit(BATCH)
)
_SERVERS = union(
    select(jobs.c.guild_id).where(jobs.c.guild_id != jobs.c.user_id),
    select(settings.c.owner).where(settings.c.scope == SERVER),
    select(settings.c.guild_id).where(settings.c.guild_id.is_not(None)),
    select(snippets.c.owner).where(snippets.c.scope == SERVER),
    select(counts.c.guild_id),
    select(quotas.c.guild_id),
    select(strikes.c.guild_id),
    select(blocks.c.guild_id),
)


def person(tx: Connection, user_id: int, now: float) -> None:
    """Delete whatever holds a person's id but for jobs that still live, which have to be ended before.

    What they made for servers stays with those, made by ``NOBODY``; pictures and what they took still count there.
    """
    mine = select(jobs.c.id).where((jobs.c.user_id == user_id) | (jobs.c.guild_id == user_id))
    _delete_jobs(tx, tx.scalars(mine).all(), now)
    tx.execute(delete(favourites).where(favourites.c.user_id == user_id))
    _delete_kept(tx, user_id)
    tx.execute(update(snippets).where(snippets.c.made_by == user_id).values(made_by=NOBODY))
    tx.execute(update(jobs).where(jobs.c.cancelled_by == user_id).values(cancelled_by=None))
    tx.execute(delete(flows).where(flows.c.guild_id == user_id))
    _leave_flows(tx, user_id)
    _leave_usage(tx, user_id)
    tx.execute(delete(strikes).where(strikes.c.user_id == user_id))
    for table in (reviews, strikes):
        tx.execute(update(table).where(table.c.by == user_id).values(by=NOBODY))


def server(tx: Connection, guild_id: int, now: float) -> bool:
    """Delete a batch of a server's jobs, and with the last of them all else it has; return whether that was it."""
    found = tx.scalars(select(jobs.c.id).where(jobs.c.guild_id == guild_id).limit(BATCH)).all()
    _delete_jobs(tx, found, now)
    if len(found) == BATCH:
        return False
    _delete_kept(tx, guild_id)
    for table in (flows, counts, departures, quotas, settings, usage, reviews, strikes, blocks):
        tx.execute(delete(table).where(table.c.guild_id == guild_id))
    return True


def prune(tx: Connection, before: float, now: float) -> int:
    """Delete a batch of jobs whose message had its last word before unix time ``before``; return how many.

    What its own asker marked as a favourite stays, and so do the files, which have days of their own.
    """
    found = tx.scalars(_OVERDUE, {"before": before}).all()
    _delete_jobs(tx, found, now, files=False)
    tx.execute(delete(counts).where(counts.c.day <= now // DAY_S - COUNTED_DAYS))
    tx.execute(delete(usage).where(usage.c.day <= now // DAY_S - USED_DAYS))
    tx.execute(delete(strikes).where(strikes.c.at <= now - STRIKE_S))
    tx.execute(delete(blocks).where(blocks.c.until <= now))
    return len(found)


def disown(tx: Connection, job_id: int, result: Result) -> None:
    """Doom what was painted for a job that was deleted meanwhile."""
    if tx.scalar(select(jobs.c.id).where(jobs.c.id == job_id)) is None:
        discard(tx, result)


def discard(tx: Connection, result: Result) -> None:
    """Doom what was painted and nobody is to see."""
    _doom(tx, (picture.blob for picture in result.pictures))


def unused(tx: Connection) -> tuple[frozenset[str], frozenset[str]]:
    """Return the doomed files, and those of them that no job and no snippet names."""
    all_of_them = frozenset(tx.scalars(select(doomed.c.blob)))
    if not all_of_them:
        return all_of_them, all_of_them
    named = {found for text in _texts(tx) if text for found in _HASH.findall(text) if found in all_of_them}
    return all_of_them, all_of_them - named


def bury(tx: Connection, blobs: Collection[str]) -> None:
    """Strike off doomed files that are gone, or that somebody else uses."""
    for part in _slices(list(blobs)):
        tx.execute(delete(doomed).where(doomed.c.blob.in_(part)))


def part_from(tx: Connection, guild_id: int, now: float) -> None:
    """Note that the bot left a server, unless that is known."""
    tx.execute(insert(departures).on_conflict_do_nothing(), {"guild_id": guild_id, "left_at": now})


def rejoin(tx: Connection, present: Iterable[int]) -> None:
    """Note that the bot is in these servers."""
    for part in _slices(list(present)):
        tx.execute(delete(departures).where(departures.c.guild_id.in_(part)))


def compare(tx: Connection, present: Collection[int], shards: Shards, now: float) -> int:
    """Note which servers that something is kept of are not among those ``present``; return how many were left.

    Those of other shards than ``shards`` cannot be among them.
    """
    rejoin(tx, present)
    known = {guild_id for guild_id in tx.scalars(_SERVERS) if shards.owns(guild_id)}
    missing = known - set(present) - set(tx.scalars(select(departures.c.guild_id)))
    for guild_id in missing:
        part_from(tx, guild_id, now)
    return len(missing)


def departed(tx: Connection, before: float) -> Sequence[int]:
    """Return the servers that the bot left before unix time ``before``."""
    return tx.scalars(select(departures.c.guild_id).where(departures.c.left_at <= before)).all()


def _delete_jobs(tx: Connection, ids: Sequence[int], now: float, *, files: bool = True) -> None:
    for part in _slices(ids):
        of = {"ids": part, "now": now}
        tx.execute(_COUNT, of | {"before_day": int(now // DAY_S) - COUNTED_DAYS})
        if files:
            rows = tx.execute(_TEXTS.where(_IDS), of).all()
            _doom(tx, (found for row in rows for text in row if text for found in _HASH.findall(text)))
        for statement in _DELETE_JOBS:
            tx.execute(statement, of)


def _leave_usage(tx: Connection, user_id: int) -> None:
    """Take a person out of what was used, but for jobs that they have ordered since this began."""
    theirs = (charges.c.user_id == user_id) | (charges.c.guild_id == user_id)
    tx.execute(delete(charges).where(theirs, ~exists().where(jobs.c.id == charges.c.job_id)))
    tx.execute(delete(usage).where(usage.c.guild_id == user_id))
    # In one stroke: between reading rows and deleting them, another process could add to them.
    if rows := tx.execute(_THEIRS, {"of_user": user_id}).all():
        tx.execute(_AS_NOBODYS, [row._asdict() | {"user_id": NOBODY} for row in rows])


def _delete_kept(tx: Connection, owner: int) -> None:
    """Delete what a person or a server set and keeps, in whichever scope: no two of Discord's ids are the same."""
    own = snippets.c.owner == owner
    bodies = tx.scalars(select(snippets.c.body).where(own)).all()
    _doom(tx, (found for body in bodies for found in _HASH.findall(body)))
    tx.execute(delete(snippets).where(own))
    tx.execute(delete(settings).where(settings.c.owner == owner))


def _leave_flows(tx: Connection, user_id: int) -> None:
    """Take a person, who has nothing in line any more, out of every server's turns."""
    remembers: ColumnElement[bool] = flows.c.users.contains(f'"{user_id}"')
    for row in tx.execute(select(flows).where(remembers).with_for_update()).all():
        users = {user: turn for user, turn in json.loads(row.users).items() if user != str(user_id)}
        here = (flows.c.lane == row.lane) & (flows.c.guild_id == row.guild_id)
        tx.execute(update(flows).where(here).values(users=json.dumps(users)))


def _doom(tx: Connection, blobs: Iterable[str]) -> None:
    rows = [{"blob": blob} for blob in dict.fromkeys(blobs)]
    if rows:
        tx.execute(_DOOM, rows)


def _texts(tx: Connection) -> Iterator[str | None]:
    for row in tx.execute(_TEXTS):
        yield from row
    yield from tx.scalars(select(snippets.c.body))


def _slices(items: Sequence[int] | Sequence[str]) -> Iterator[Sequence[int] | Sequence[str]]:
    for first in range(0, len(items), _SLICE):
        yield items[first : first + _SLICE]
