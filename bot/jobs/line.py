"""The line as an engine sees it: the heads of the lanes, and which job of one a worker takes."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, Row, bindparam, func, select

from bot.domain.fairness import AGAIN
from bot.jobs.engine import Worker
from bot.storage.tables import lanes, waiting

_WIDEST = 200
"""How many jobs of a lane affinity looks at."""

_LANES = select(lanes.c.lane)
_FIRST = (
    select(waiting)
    .where(waiting.c.lane == bindparam("of_lane"))
    .order_by(waiting.c.tag, waiting.c.rank, waiting.c.job_id)
    .limit(bindparam("at_most"))
)
_GUILDS = select(waiting.c.lane, func.count(waiting.c.guild_id.distinct()).label("guilds")).group_by(
    waiting.c.lane
)
JobRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """The heads of the lanes that are ``served`` by a worker, and how many guilds wait in each.

    ``lanes`` are all that there are; a head is of ``at_most`` so many jobs, or more where affinity looks further.
    """

    rows: Mapping[str, list[JobRow]]
    guilds: Mapping[str, int]
    lanes: frozenset[str]
    served: frozenset[str]
    at_most: int

    @classmethod
    def read(cls, tx: Connection, worker: Worker, at_most: int) -> Self:
        """Read at most so many jobs of each lane."""
        lanes = frozenset(tx.scalars(_LANES))
        served = frozenset(lane for lane in lanes if worker.serves(lane))
        heads = {lane: _first(tx, worker, lane, at_most) for lane in served}
        rows = {lane: found for lane, found in heads.items() if found}
        guilds = dict.fromkeys(rows, 1)
        if len(rows) > 1:
            counted = {row.lane: row.guilds for row in tx.execute(_GUILDS)}
            guilds = {lane: counted.get(lane, 1) for lane in rows}
        return cls(rows, guilds, lanes, served, at_most)

    def is_empty_for(self, worker: Worker, passed: Container[int]) -> bool:
        """Return whether it tells of another worker too that all that waits for it is among the ``passed``."""
        if not all(lane in self.served for lane in self.lanes if worker.serves(lane)):
            return False
        return all(
            len(rows) < self.at_most and all(row.job_id in passed for row in rows) for rows in self.rows.values()
        )


def pick(rows: Sequence[JobRow], worker: Worker) -> JobRow | None:
    """Return the job at the head, or one within the window whose model is loaded and whose user's first it is."""
    if not rows:
        return None
    head = rows[0]
    model = worker.loaded() if worker.window else None
    if model is None or head.rank == AGAIN:
        return head
    seen = set()
    for row in rows:
        if row.tag > head.tag + worker.window:
            break
        owner = (row.guild_id, row.user_id)
        if owner not in seen and row.model in {None, model}:
            return row
        seen.add(owner)
    return head


def _first(tx: Connection, worker: Worker, lane: str, at_most: int) -> list[JobRow]:
    """Return the head of a lane, and more of it only where another model's job may be better to take."""
    rows = list(tx.execute(_FIRST, {"of_lane": lane, "at_most": at_most}))
    if worker.window and any(row.model not in {None, worker.loaded()} for row in rows):
        rows = list(tx.execute(_FIRST, {"of_lane": lane, "at_most": at_most + _WIDEST}))
    return rows
