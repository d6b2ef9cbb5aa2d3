"""What the service asks of the ``jobs`` table, built once: SQLAlchemy compiles each only the first time."""

from typing import Any

from sqlalchemy import Float, Update, bindparam, delete, func, select, tuple_, update

from bot.domain.job import State
from bot.storage.locks import start_alone
from bot.storage.tables import jobs, lanes, waiting

QUEUED = State.QUEUED.value
RUNNING = State.RUNNING.value
PAINTED = State.PAINTED.value
UNTOLD = (PAINTED, State.FAILED.value, State.CANCELLED.value)

ORDER = (waiting.c.tag, waiting.c.rank, waiting.c.job_id)
"""The order of service within a lane."""

OF_ID = jobs.c.id == bindparam("of_id")
OF_LEASE = OF_ID & (jobs.c.state == RUNNING) & (jobs.c.attempt == bindparam("of_attempt"))


def _set(condition: Any, **values: Any) -> Update:
    """Return the update of the one job that meets ``condition``, giving back its whole new row."""
    return update(jobs).where(condition).values(**values)


BY_ID = select(jobs).where(OF_ID)
BY_ID_LOCKED = BY_ID.with_for_update()
ID_OF_KEY = select(jobs.c.id).where(jobs.c.key == bindparam("of_key"))
BY_MESSAGE = select(jobs).where(jobs.c.message_id == bindparam("of_message")).order_by(jobs.c.id.desc()).limit(1)
LAST_RESULT = (
    select(jobs)
    .where(
        jobs.c.user_id == bindparam("of_user"), jobs.c.channel_id == bindparam("of_channel"), jobs.c.pictures > 0
    )
    .order_by(jobs.c.id.desc())
    .limit(1)
)
OWNER = select(jobs.c.lane, jobs.c.guild_id, jobs.c.state).where(OF_ID)
TO_START = select(
    *(jobs.c[name] for name in ("lane", "guild_id", "attempt", "backend", "task")),
    start_alone(jobs.c.id).label("alone"),
).where(OF_ID, jobs.c.state == QUEUED)
COUNT_KEYS = (
    select(func.count())
    .select_from(jobs)
    .where(jobs.c.key >= bindparam("first"), jobs.c.key < bindparam("beyond"))
)
OF_SHEET = (
    select(jobs).where(jobs.c.key >= bindparam("first"), jobs.c.key < bindparam("beyond")).order_by(jobs.c.id)
)
IN_STATES = (
    select(jobs)
    .where(jobs.c.state.in_(bindparam("of_states", expanding=True)), jobs.c.told_at.is_(None))
    .order_by(jobs.c.id)
)
OVERDUE = (
    select(jobs.c.id)
    .where(jobs.c.state == QUEUED, jobs.c.told_at.is_(None), jobs.c.queued_at <= bindparam("before"))
    .order_by(jobs.c.id)
)

# By now the guild's other orders may have moved it.
_STOOD = func.coalesce(
    select(waiting.c.tag).where(waiting.c.job_id == jobs.c.id).correlate(jobs).scalar_subquery(), jobs.c.tag
)
START = _set(
    OF_ID
    & (jobs.c.state == QUEUED)
    & (jobs.c.lane == bindparam("of_lane"))
    & (jobs.c.attempt == bindparam("of_attempt")),
    state=RUNNING,
    attempt=jobs.c.attempt + 1,
    started_at=bindparam("now"),
    backend=bindparam("new_backend"),
    task=bindparam("new_task"),
    node_id=bindparam("new_node"),
    tag=_STOOD,
).returning(jobs)
NOTE_TASK = _set(OF_LEASE, backend=bindparam("new_backend"), task=bindparam("new_task"))
PAINT = _set(
    OF_LEASE,
    state=PAINTED,
    result=bindparam("new_result"),
    pictures=bindparam("new_pictures"),
    painted_with=bindparam("new_model"),
    failure=None,
    ended_at=bindparam("now"),
).returning(jobs)
RELANE = _set(
    OF_ID & (jobs.c.state == QUEUED),
    lane=bindparam("new_lane"),
    tag=bindparam("new_tag"),
    rank=bindparam("new_rank"),
).returning(jobs)
REQUEUE = _set(
    OF_ID,
    state=QUEUED,
    lane=bindparam("new_lane"),
    tag=bindparam("new_tag"),
    rank=bindparam("new_rank"),
    crashes=bindparam("new_crashes"),
    queued_at=func.coalesce(bindparam("new_queued_at", type_=Float), jobs.c.queued_at),
    ended_at=None,
    result=None,
).returning(jobs)
END = _set(
    OF_ID,
    state=bindparam("new_state"),
    ended_at=bindparam("now"),
    failure=bindparam("new_failure"),
    cancelled_by=bindparam("new_cancelled_by"),
    crashes=bindparam("new_crashes"),
    result=None,
    pictures=0,
).returning(jobs)
DELIVER = _set(OF_ID & (jobs.c.state == PAINTED), state=State.DELIVERED.value, told_at=bindparam("now")).returning(
    jobs
)
TELL = _set(OF_ID & jobs.c.state.in_(UNTOLD) & jobs.c.told_at.is_(None), told_at=bindparam("now")).returning(jobs)
DROP = delete(jobs).where(
    OF_ID, jobs.c.told_at.is_not(None), jobs.c.state.in_([each.value for each in State if each.ended])
)
MOVE = _set(
    OF_ID,
    **{
        name: bindparam(f"new_{name}")
        for name in ("channel_id", "message_id", "place_guild_id", "reply_to", "ephemeral", "reachable")
    },
).returning(jobs)
PING = _set(OF_ID & jobs.c.pinged_at.is_(None), pinged_at=bindparam("now"))
WIPE_TOKENS = update(jobs).where(jobs.c.token_expires_at <= bindparam("now"))
WIPE_TOKENS = WIPE_TOKENS.values(token=None, token_expires_at=None)

RUNNING_FIRST = select(jobs).where(jobs.c.state == RUNNING).order_by(jobs.c.started_at, jobs.c.id)
IN_LINE = select(jobs).join(waiting, waiting.c.job_id == jobs.c.id).order_by(waiting.c.lane, *ORDER)

_own = waiting.alias("own")
_lane, *_turn = (
    select(_own.c[name]).where(_own.c.job_id == bindparam("of_id")).scalar_subquery()
    for name in ("lane", *(column.name for column in ORDER))
)
AHEAD = select(
    _lane.label("lane"), func.count().label("jobs"), func.coalesce(func.sum(waiting.c.cost), 0).label("cost")
).where(waiting.c.lane == _lane, tuple_(*ORDER) < tuple_(*_turn))
"""One job's lane and what is before it there; its lane is ``None`` if it does not wait."""
QUEUED_BY = select(waiting.c.user_id).where(waiting.c.guild_id == bindparam("of_guild"))
_sum = func.sum(waiting.c.cost).over(order_by=ORDER, rows=(None, 0))
_line = (
    select(
        waiting.c.job_id.label("id"),
        (func.row_number().over(order_by=ORDER) - 1).label("ahead"),
        (_sum - waiting.c.cost).label("cost_ahead"),
    )
    .where(waiting.c.lane == bindparam("of_lane"))
    .subquery()
)
LANES = select(lanes.c.lane)
PLACES = select(_line).where(_line.c.id.in_(bindparam("of_ids", expanding=True)))
RUNNING_COSTS = select(jobs.c.cost, jobs.c.started_at, jobs.c.backend, jobs.c.lane).where(jobs.c.state == RUNNING)


def prefix(beginning: str) -> dict[str, str]:
    """Return the bounds of all keys that begin with ``beginning``: the second one is beyond them."""
    return {"first": beginning, "beyond": beginning[:-1] + chr(ord(beginning[-1]) + 1)}
