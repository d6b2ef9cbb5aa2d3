"""Interactions that were seen and whose jobs are not queued yet."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from bot.domain.job import Intake
from bot.jobs import nodes
from bot.storage.records import intake_row, read_intake
from bot.storage.tables import intakes

_DROP = delete(intakes).where(intakes.c.interaction_id == bindparam("of_interaction"))
_ORPHANS = (
    select(intakes)
    .where(
        # A process that is the only one has no number: its own are those of this life.
        (intakes.c.noted_at < bindparam("before")) | (intakes.c.node_id != 0),
        intakes.c.token_expires_at > bindparam("now"),
        intakes.c.node_id.not_in(nodes.ALIVE),
    )
    .order_by(intakes.c.interaction_id)
)
_EXPIRED = delete(intakes).where(intakes.c.token_expires_at <= bindparam("now"))


def note(tx: Connection, intake: Intake, now: float, node: int) -> None:
    """Write an intake of ``node`` down; a second time is the same one."""
    drop(tx, intake.interaction_id)
    tx.execute(insert(intakes), intake_row(intake, now) | {"node_id": node})


def drop(tx: Connection, interaction_id: int) -> None:
    """Strike an intake off."""
    tx.execute(_DROP, {"of_interaction": interaction_id})


def orphans(tx: Connection, before: float, now: float) -> list[Intake]:
    """Return what dead processes noted, the only one before ``before``, and can still be answered."""
    return [read_intake(row) for row in tx.execute(_ORPHANS, {"before": before, "now": now})]


def expire(tx: Connection, now: float) -> None:
    """Strike off what can no longer be answered."""
    tx.execute(_EXPIRED, {"now": now})
