"""The fair queue as rows: one guild's share of a lane, read, changed by ``domain.fairness`` and written back."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Select, bindparam, column, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.domain import fairness
from bot.domain.fairness import AGAIN, Flow, Waiting
from bot.domain.job import State
from bot.storage.database import RetryError
from bot.storage.tables import flows, jobs, lanes, waiting

_NEWEST = 2**63 - 1
"""The id that a job plans with before it has one."""

_HEAD = select(func.min(waiting.c.tag)).where(waiting.c.lane == bindparam("of_lane")).scalar_subquery()
"""The lowest tag that waits in the lane: read when that is locked."""
_SHARE = (
    select(lanes.c.clock, flows.c.next, flows.c.uv, flows.c.weight, flows.c.users)
    .select_from(lanes.join(flows, flows.c.lane == lanes.c.lane))
    .where(lanes.c.lane == bindparam("of_lane"), flows.c.guild_id == bindparam("of_guild"))
    .with_for_update()
)
"""The lane's row is locked first, then the flow's: in the order they are joined in."""
_NEW_FLOW = insert(flows).on_conflict_do_nothing()
_SAVE_FLOW = (
    update(flows)
    .where(flows.c.lane == bindparam("of_lane"), flows.c.guild_id == bindparam("of_guild"))
    .values({name: bindparam(f"new_{name}") for name in ("next", "uv", "weight", "users")})
)
_DROP_FLOWS = delete(flows).where(flows.c.lane == bindparam("of_lane"))
_NEW_LANE = insert(lanes).on_conflict_do_nothing()
_SAVE_CLOCK = update(lanes).where(lanes.c.lane == bindparam("of_lane")).values(clock=bindparam("new_clock"))
_WAITING: Select[Any] = select(
    *(waiting.c[name] for name in ("job_id", "lane", "user_id", "cost", "tag", "rank")), _HEAD.label("head")
).where(waiting.c.guild_id == bindparam("of_guild"))
_RETAG = update(waiting).where(waiting.c.job_id == bindparam("of_id")).values(tag=bindparam("new_tag"))
_MOVED = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("tags", type_=ARRAY(BigInteger)))
    .table_valued(column("id", BigInteger), column("tag", BigInteger))
    .render_derived()
)
_RETAG_ALL = update(waiting).where(waiting.c.job_id == _MOVED.c.id).values(tag=_MOVED.c.tag)
_BUSY = select(
    select(waiting.c.job_id).where(waiting.c.lane == bindparam("of_lane")).exists()
    | select(jobs.c.id).where(jobs.c.lane == bindparam("of_lane"), jobs.c.state == State.RUNNING.value).exists(),
)


class Share:
    """One guild's share of a lane inside one transaction: the lane is locked, then its flow, then any job row."""

    def __init__(self, tx: Connection, lane: str, guild: int) -> None:
        self._tx = tx
        self.lane = lane
        self._guild = guild
        self._saved_clock, self._saved = self._load()
        self._clock, self._flow = self._saved_clock, self._saved
        rows = tx.execute(_WAITING, self._of).all()
        self._head = rows[0].head if rows else 0
        self.users = [row.user_id for row in rows]
        """Who has queued jobs, once for each, in any lane: what the caps count."""
        self._waiting = {
            job: Waiting(job, user, cost, tag, rank)
            for job, of_lane, user, cost, tag, rank, _ in rows
            if of_lane == lane and rank != AGAIN
        }

    def enqueue(self, user: int, cost: int, weight: int, *, job: int = _NEWEST) -> tuple[int, int]:
        """Make room for one more ``job`` and return its tag and rank; a new one will have the highest id."""
        if not self._waiting:
            self._rebase()
        flow = replace(self._flow, weight=weight)
        self._flow, rank = fairness.enqueue(self._clock, flow, self._waiting.values(), user)
        self._waiting[job] = Waiting(job, user, cost)
        self.save()
        return self._waiting.pop(job).tag, rank

    @property
    def weight(self) -> int:
        """The guild's weight in this lane."""
        return self._flow.weight

    def waits(self, job: int) -> bool:
        """Return whether ``job`` waits here and was not charged yet."""
        return job in self._waiting

    def start(self, job: int) -> None:
        """Charge ``job``, which waits, on its first start."""
        waiting = list(self._waiting.values())
        self._clock, self._flow = fairness.start(self._clock, self._flow, waiting, self._waiting[job], self._head)
        del self._waiting[job]

    def leave(self, job: int, user: int, cost: int, unserved: float) -> None:
        """Take out a job that ends: one that was charged is refunded by its unserved share (0–1)."""
        if self._waiting.pop(job, None) is None:
            self._flow = fairness.refund(self._clock, self._flow, user, cost, unserved)
        self._flow = fairness.forget(self._flow, self._waiting.values())

    def front(self, tag: int) -> int:
        """Return the tag of a job that is to be served again, before all that waits."""
        return min(tag, self._clock)

    def save(self) -> None:
        """Plan the guild anew and write what changed."""
        tags = fairness.plan(self._flow, self._waiting.values())
        moved = {job: tag for job, tag in tags.items() if self._waiting[job].tag != tag}
        for job, tag in moved.items():
            self._waiting[job] = self._waiting[job]._replace(tag=tag)
        moved.pop(_NEWEST, None)  # it has no row yet
        if moved:
            self._retag(moved)
        if self._flow != self._saved:
            self._tx.execute(_SAVE_FLOW, self._of | self._row(self._flow, "new_"))
        if self._clock != self._saved_clock:
            self._tx.execute(_SAVE_CLOCK, {"of_lane": self.lane, "new_clock": self._clock})

    def _retag(self, moved: Mapping[int, int]) -> None:
        """Give jobs new tags by their ids, in one statement where each would go to a server and back."""
        if self._tx.dialect.name == "postgresql":
            self._tx.execute(_RETAG_ALL, {"ids": list(moved), "tags": list(moved.values())})
        else:
            self._tx.execute(_RETAG, [{"of_id": job, "new_tag": tag} for job, tag in moved.items()])

    def _rebase(self) -> None:
        """Start the lane's clock at 0 again if nothing waits or runs there."""
        if (self._clock or self._flow.next) and not self._tx.scalar(_BUSY, {"of_lane": self.lane}):
            self._tx.execute(_DROP_FLOWS, {"of_lane": self.lane})
            self._clock, self._saved = 0, Flow()
            self._flow = self._saved
            self._found()

    @property
    def _of(self) -> dict[str, object]:
        return {"of_lane": self.lane, "of_guild": self._guild}

    @staticmethod
    def _row(flow: Flow, prefix: str = "") -> dict[str, object]:
        users = json.dumps({str(user): turn for user, turn in flow.users.items()})
        return {
            f"{prefix}next": flow.next,
            f"{prefix}uv": flow.uv,
            f"{prefix}weight": flow.weight,
            f"{prefix}users": users,
        }

    def _load(self) -> tuple[int, Flow]:
        """Lock the lane and the guild's flow, and return the lane's clock and the flow."""
        row = self._tx.execute(_SHARE, self._of).one_or_none()
        if row is None:
            self._tx.execute(_NEW_LANE, {"lane": self.lane, "clock": 0})
            self._found()
            row = self._tx.execute(_SHARE, self._of).one_or_none()
        if row is None:
            raise RetryError  # somebody began the lane anew meanwhile
        users = {int(user): turn for user, turn in json.loads(row.users).items()}
        return row.clock, Flow(row.next, row.uv, row.weight, users)

    def _found(self) -> None:
        """See that the guild has a flow."""
        self._tx.execute(_NEW_FLOW, {"lane": self.lane, "guild_id": self._guild, **self._row(Flow())})
