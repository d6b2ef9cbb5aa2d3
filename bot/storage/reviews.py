"""Held results, strikes and blocks as rows, inside a transaction of the caller."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.domain.reviewing import STRIKE_S, Cause, Review, Strike, Verdict
from bot.storage.tables import blocks, jobs, reviews, strikes

_HELD = reviews.c.state == Verdict.HELD.value
_OF = reviews.c.job_id == bindparam("of_job")
_KEEP = insert(reviews)
_KEEP = _KEEP.on_conflict_do_update(
    index_elements=["job_id"],
    set_={name: _KEEP.excluded[name] for name in ("state", "reason", "label", "score", "at", "by")},
    where=reviews.c.state.not_in([Verdict.HELD.value, Verdict.APPROVED.value]),
)
_BY_ID = select(reviews).where(_OF)
_DECIDE = (
    update(reviews)
    .where(_OF, _HELD)
    .values(state=bindparam("new_state"), by=bindparam("new_by"), at=bindparam("new_at"))
    .returning(reviews)
)
_POST = (
    update(reviews)
    .where(_OF)
    .values(channel_id=bindparam("new_channel"), message_id=bindparam("new_message"), shown=bindparam("new_shown"))
)
_SHOW = update(reviews).where(_OF).values(shown=bindparam("new_shown"))
_UNFINISHED = select(reviews).where(_HELD | (reviews.c.shown != reviews.c.state)).order_by(reviews.c.job_id)
_FORGET = delete(reviews).where(
    _OF, reviews.c.shown == reviews.c.state, ~exists().where(jobs.c.id == reviews.c.job_id)
)
_STALE = select(reviews.c.job_id).where(_HELD, reviews.c.at <= bindparam("before"))
_THEIRS = (strikes.c.guild_id == bindparam("of_guild")) & (strikes.c.user_id == bindparam("of_user"))
_COUNTING = strikes.c.at > bindparam("since")
_STRIKES = select(strikes).where(_THEIRS, _COUNTING).order_by(strikes.c.at.desc())
_COUNT = select(func.count()).select_from(strikes).where(_THEIRS, _COUNTING)
_PARDON = delete(strikes).where(_THEIRS)
_BLOCK = insert(blocks)
_BLOCK = _BLOCK.on_conflict_do_update(
    index_elements=["guild_id", "user_id"], set_={"until": _BLOCK.excluded.until}
)
_UNBLOCK = delete(blocks).where(
    blocks.c.guild_id == bindparam("of_guild"), blocks.c.user_id == bindparam("of_user")
)


def keep(tx: Connection, review: Review) -> Review:
    """Note that a result is held, and return what is known of it, which may have been approved before.

    What had ended otherwise is held anew: it is there again.
    """
    row = {
        "job_id": review.job_id,
        "guild_id": review.guild_id,
        "channel_id": review.channel_id,
        "message_id": None,
        "state": review.verdict.value,
        "reason": review.cause.value,
        "label": review.label,
        "score": review.score,
        "at": review.at,
        "by": None,
        "shown": None,
    }
    tx.execute(_KEEP, row)
    return _read(tx.execute(_BY_ID, {"of_job": review.job_id}).one())


def get(tx: Connection, job_id: int) -> Review | None:
    """Return what is known of a result that is or was held."""
    row = tx.execute(_BY_ID, {"of_job": job_id}).one_or_none()
    return None if row is None else _read(row)


def decide(tx: Connection, job_id: int, verdict: Verdict, by: int | None, now: float) -> Review | None:
    """Decide on a result that is held; ``None``: it is not (any more)."""
    row = {"of_job": job_id, "new_state": verdict.value, "new_by": by, "new_at": now}
    decided = tx.execute(_DECIDE, row).one_or_none()
    return None if decided is None else _read(decided)


def post(tx: Connection, job_id: int, channel_id: int, message_id: int) -> None:
    """Note where the card is that moderators see."""
    row = {"new_channel": channel_id, "new_message": message_id, "new_shown": Verdict.HELD.value}
    tx.execute(_POST, {"of_job": job_id, **row})


def show(tx: Connection, job_id: int, shown: Verdict | None) -> None:
    """Note what that card says, or that it is gone; if all is said and the job is no more, the review goes too."""
    tx.execute(_SHOW, {"of_job": job_id, "new_shown": shown})
    tx.execute(_FORGET, {"of_job": job_id})


def unfinished(tx: Connection) -> list[Review]:
    """Return what is held, and what was decided and the card does not say."""
    return [_read(row) for row in tx.execute(_UNFINISHED)]


def stale(tx: Connection, before: float) -> Sequence[int]:
    """Return the jobs held since before unix time ``before``."""
    return tx.scalars(_STALE, {"before": before}).all()


def strike(tx: Connection, given: Strike, reason: Cause) -> int:
    """Give a strike and return how many of theirs count now."""
    row = {
        "job_id": given.job_id,
        "guild_id": given.guild_id,
        "user_id": given.user_id,
        "at": given.at,
        "by": given.by,
        "reason": reason.value,
    }
    tx.execute(insert(strikes).on_conflict_do_nothing(), row)
    return tx.scalar(_COUNT, _whose(given.guild_id, given.user_id) | {"since": given.at - STRIKE_S}) or 0


def strikes_of(tx: Connection, guild_id: int, user_id: int, now: float) -> list[Strike]:
    """Return somebody's strikes that count, the latest first."""
    rows = tx.execute(_STRIKES, _whose(guild_id, user_id) | {"since": now - STRIKE_S})
    return [Strike(row.guild_id, row.user_id, row.job_id, row.at, row.by) for row in rows]


def pardon(tx: Connection, guild_id: int, user_id: int) -> int:
    """Take somebody's strikes away and return how many there were."""
    return tx.execute(_PARDON, _whose(guild_id, user_id)).rowcount


def block(tx: Connection, guild_id: int, user_id: int, until: float) -> None:
    """Take no order of theirs there until unix time ``until``."""
    tx.execute(_BLOCK, {"guild_id": guild_id, "user_id": user_id, "until": until})


def unblock(tx: Connection, guild_id: int, user_id: int) -> bool:
    """Take their orders again; return whether they were blocked."""
    return tx.execute(_UNBLOCK, _whose(guild_id, user_id)).rowcount > 0


def blocked(tx: Connection, now: float) -> dict[tuple[int, int], float]:
    """Return until when whom (server, member) is blocked."""
    rows = tx.execute(select(blocks).where(blocks.c.until > now))
    return {(row.guild_id, row.user_id): row.until for row in rows}


def _whose(guild_id: int, user_id: int) -> dict[str, Any]:
    return {"of_guild": guild_id, "of_user": user_id}


def _read(row: Row[*tuple[Any, ...]]) -> Review:
    return Review(
        job_id=row.job_id,
        guild_id=row.guild_id,
        verdict=Verdict(row.state),
        cause=Cause(row.reason),
        at=row.at,
        by=row.by,
        label=row.label,
        score=row.score,
        channel_id=row.channel_id,
        message_id=row.message_id,
        shown=None if row.shown is None else Verdict(row.shown),
    )
