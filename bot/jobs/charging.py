"""What jobs take of quotas: an estimate while they wait, what was measured once painted, nothing if not delivered.

Every change stands in the transaction that changes the job's state, so the sums are those of the jobs.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.errors import LimitError
from bot.domain.job import Result
from bot.domain.quotas import DAY_S, Allowance, Period, Scope, Spender, Use
from bot.domain.request import Order
from bot.domain.text import N_
from bot.jobs import pace
from bot.storage.tables import charges, usage

_OF_JOB = charges.c.job_id == bindparam("of_job")
_RESERVE = insert(charges)
_SETTLE = update(charges).where(_OF_JOB).values(ms=bindparam("new_ms"), day=bindparam("new_day"))
_REOPEN = update(charges).where(_OF_JOB).values(day=None)
_DROP = delete(charges).where(_OF_JOB)
_MEASURED = _OF_JOB & charges.c.day.is_not(None)
_TAKEN = select(*(charges.c[name] for name in ("guild_id", "day", "user_id", "channel_id", "ms"))).where(_MEASURED)
_DROP_TAKEN = delete(charges).where(_MEASURED)
_BOOK = upsert(usage).from_select(["guild_id", "day", "user_id", "channel_id", "ms"], _TAKEN)
_BOOK = _BOOK.on_conflict_do_update(
    index_elements=["guild_id", "day", "user_id", "channel_id"], set_={"ms": usage.c.ms + _BOOK.excluded.ms}
)
_LEARNT = select(*pace.LEARNT)
_WORDS = {
    (Scope.PERSON, Period.DAY): N_(
        "You have {left} s of {most} s of painting left today; this takes about {need} s."
    ),
    (Scope.PERSON, Period.MONTH): N_(
        "You have {left} s of {most} s of painting left this month; this takes about {need} s."
    ),
    (Scope.CHANNEL, Period.DAY): N_(
        "This channel has {left} s of {most} s of painting left today; this takes about {need} s."
    ),
    (Scope.CHANNEL, Period.MONTH): N_(
        "This channel has {left} s of {most} s of painting left this month; this takes about {need} s."
    ),
    (Scope.SERVER, Period.DAY): N_(
        "This server has {left} s of {most} s of painting left today; this takes about {need} s."
    ),
    (Scope.SERVER, Period.MONTH): N_(
        "This server has {left} s of {most} s of painting left this month; this takes about {need} s."
    ),
}


class QuotaError(LimitError):
    """An order takes more than is left of a quota."""


def needed_ms(tx: Connection, orders: Iterable[Order]) -> int:
    """Return about how long orders take together, in ms."""
    return sum(_estimate(tx, order).ms for order in orders)


def _estimate(tx: Connection, order: Order) -> pace.Estimate:
    known = tx.execute(_LEARNT, pace.whose(order)).one()
    return pace.estimate(order, permille=known.permille, usual=known.usual)


def check(tx: Connection, spender: Spender, held_to: Sequence[Allowance], need_ms: int, now: float) -> None:
    """Raise ``QuotaError`` unless every allowance has room for ``need_ms`` more."""
    for use in uses(tx, spender, held_to, now):
        if need_ms > use.left_s * 1000:
            ever = need_ms <= use.allowance.seconds * 1000
            raise QuotaError(
                _WORDS[use.allowance.scope, use.allowance.period],
                N_("There is more from <t:{renews}:f> on. See what is left: /quota show")
                if ever
                else N_("That is more than there ever is: choose fewer or smaller pictures, or fewer steps."),
                left=int(use.left_s),
                most=use.allowance.seconds,
                need=max(1, round(need_ms / 1000)),
                renews=use.renews_at,
            )


def uses(tx: Connection, spender: Spender, held_to: Sequence[Allowance], now: float) -> list[Use]:
    """Return how much is gone of each allowance."""
    return [_use(tx, spender, allowance, now) for allowance in held_to]


def _use(tx: Connection, spender: Spender, allowance: Allowance, now: float) -> Use:
    first = allowance.period.first_day(now)
    booked = _total(usage).where(usage.c.day >= first, *_counted(usage, spender, allowance))
    held = _counted(charges, spender, allowance)
    measured = _total(charges).where(charges.c.day >= first, *held)
    reserved = _total(charges).where(charges.c.day.is_(None), *held)
    return Use(
        allowance,
        ((tx.scalar(booked) or 0) + (tx.scalar(measured) or 0)) / 1000,
        (tx.scalar(reserved) or 0) / 1000,
        allowance.period.renews_at(now),
    )


def _total(table: Table) -> Select[int]:
    # PostgreSQL adds up big integers to a decimal.
    return select(cast(func.coalesce(func.sum(table.c.ms), 0), BigInteger))


def _counted(table: Table, spender: Spender, allowance: Allowance) -> list[ColumnElement[bool]]:
    if allowance.everywhere:
        return [table.c.user_id == spender.user]
    here = [table.c.guild_id == spender.guild]
    if allowance.scope is Scope.PERSON:
        here.append(table.c.user_id == spender.user)
    elif allowance.scope is Scope.CHANNEL:
        here.append(table.c.channel_id == spender.channel)
    return here


def reserve(tx: Connection, job_id: int, spender: Spender, need_ms: int) -> None:
    """Set an estimate aside for a job that is queued."""
    row = {"guild_id": spender.guild, "user_id": spender.user, "channel_id": spender.channel}
    tx.execute(_RESERVE, {"job_id": job_id, "ms": need_ms, "day": None, **row})


def settle(tx: Connection, job_id: int, result: Result, now: float) -> None:
    """Put what was measured in the place of the estimate, on the day it was painted."""
    tx.execute(_SETTLE, {"of_job": job_id, "new_ms": round(result.seconds * 1000), "new_day": int(now // DAY_S)})


def reopen(tx: Connection, job_id: int) -> None:
    """Take what a job took for an estimate again: it is painted anew."""
    tx.execute(_REOPEN, {"of_job": job_id})


def refund(tx: Connection, job_id: int) -> None:
    """Give back all that a job took: it failed or was cancelled."""
    tx.execute(_DROP, {"of_job": job_id})


def book(tx: Connection, job_id: int) -> None:
    """Write down for good what a delivered job took."""
    if tx.execute(_BOOK, {"of_job": job_id}).rowcount:
        tx.execute(_DROP_TAKEN, {"of_job": job_id})
