"""Every change of a job's state that touches the fair queue, inside one transaction of the caller.

The row is the truth. Locks are taken in one order: the lane's row, the guild's flow, then the job's.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Executable, bindparam, insert, select

from bot.domain.errors import Failure
from bot.domain.fairness import AGAIN
from bot.domain.job import Job, Lease, NewJob, Result, State, task_of
from bot.domain.limits import Limits
from bot.domain.ports import Clock
from bot.domain.quotas import Allowance
from bot.jobs import charging, pace, statements, words
from bot.jobs.engine import Interrupted, JobEngine
from bot.jobs.flows import Share
from bot.jobs.statements import prefix
from bot.storage import forgetting, locks
from bot.storage.database import RetryError
from bot.storage.records import failure_json, fetch_job, job_row, read_job, result_row
from bot.storage.tables import jobs

_INSERT = insert(jobs).returning(jobs.c.id)
_LOOK = select(
    locks.held(bindparam("of_guild", type_=BigInteger)),
    statements.ID_OF_KEY.scalar_subquery().label("known"),
    *pace.LEARNT,
)
"""All that an order has to know before its lane is locked; a key that is taken meanwhile has it begun anew."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job whose lane, guild's flow and own row are locked by ``tx``; so are those it may go ``to``."""

    tx: Connection
    share: Share
    job: Job
    to: Share


class Ledger:
    """Changes jobs; ``max_crashes`` process deaths during its runs end a job."""

    def __init__(self, engine: JobEngine, clock: Clock, max_crashes: int) -> None:
        self._engine = engine
        self._clock = clock
        self._max_crashes = max_crashes

    def add(self, tx: Connection, new: NewJob, limits: Limits, weight: int) -> Job:
        """Queue a job, or return the one of the same key; raises ``BusyError`` above the caps of ``limits``."""
        now = self._clock()
        order = new.spec.order
        look = tx.execute(_LOOK, {"of_guild": new.guild, "of_key": new.key, **pace.whose(order)}).one()
        if look.known is not None:
            return read_job(tx.execute(statements.BY_ID, {"of_id": look.known}).one(), now)
        share = Share(tx, new.lane, new.guild)
        cost, ms = pace.estimate(order, permille=look.permille, usual=look.usual)
        if words.over_caps(share.users, new.user, limits):
            wait_s = pace.Forecast(tx, new.lane, self._engine.slots(new.lane), now).wait_s(cost)
            raise words.busy(share.users, new.user, limits, wait_s or 0.0)
        tag, rank = share.enqueue(new.user, cost, weight)
        row = job_row(new, cost=cost, tag=tag, rank=rank, now=now) | {"speaker_id": self._engine.node}
        job_id: int = tx.execute(_INSERT, row).scalar_one()
        charging.reserve(tx, job_id, new.spender, ms)
        return Job.queued(new, job_id, cost=cost, tag=tag, now=now, speaker=self._engine.node)

    def add_all(
        self,
        tx: Connection,
        news: Sequence[NewJob],
        limits: Limits,
        weight: int,
        held_to: Sequence[Allowance] = (),
    ) -> list[Job]:
        """Queue jobs of one guild and user as ``add`` does; raises ``BusyError`` if there is no room for all.

        Raises ``QuotaError`` where they take more together than is left of what they are ``held_to``.
        """
        if len(news) > 1 or held_to:
            self._check_room(tx, news, limits, held_to)
        # Rows are locked lane by lane, in one order for everybody.
        return [self.add(tx, each, limits, weight) for each in sorted(news, key=lambda each: each.lane)]

    def _check_room(
        self, tx: Connection, news: Sequence[NewJob], limits: Limits, held_to: Sequence[Allowance]
    ) -> None:
        new = news[0]
        everywhere = any(allowance.everywhere for allowance in held_to)
        locks.hold(tx, [new.guild, *([new.user] if everywhere else [])])
        if tx.scalar(statements.ID_OF_KEY, {"of_key": new.key}) is not None:
            return
        if len(news) > 1:
            users = list(tx.scalars(statements.QUEUED_BY, {"of_guild": new.guild}))
            words.check_room(users, new.user, limits, len(news))
        need_ms = charging.needed_ms(tx, (each.spec.order for each in news))
        charging.check(tx, new.spender, held_to, need_ms, self._clock())

    def cancel_sheet(
        self, tx: Connection, key: str, by: int | None, served: Mapping[int, float], painted: bool
    ) -> list[Job]:
        """Cancel the cells of a sheet, also those ``painted`` if so wished; ``served`` are shares (0–1) by id."""
        states = (State.QUEUED, State.RUNNING, *([State.PAINTED] if painted else []))
        rows = tx.execute(statements.OF_SHEET, prefix(key)).all()
        held = (self.hold(tx, row.id, states) for row in sorted(rows, key=lambda row: str(row.lane)))

        def unserved(job: Job) -> float:
            # Whoever cancels a picture that is painted already has had it painted.
            had = by is not None and job.state is State.PAINTED
            return 0.0 if had else 1.0 - served.get(job.id, 0.0)

        return [
            self.end(each, State.CANCELLED, by=by, unserved=unserved(each.job))
            for each in held
            if each is not None
        ]

    def start(self, tx: Connection, job_id: int, backend: str | None = None) -> Job | None:
        """Make a queued job run, charged if it is its first start; ``None`` if it does not wait (any more).

        Whoever finds another at it does not wait for that one: there are other jobs. The first attempt is noted
        down as ``backend``'s; a later one still names the task before it.
        """
        found = tx.execute(statements.TO_START, {"of_id": job_id}).one_or_none()
        if found is None or not found.alone:
            return None
        share = Share(tx, found.lane, found.guild_id)
        if share.waits(job_id):
            share.start(job_id)
            share.save()
        row = {
            "of_id": job_id,
            "of_lane": found.lane,
            "of_attempt": found.attempt,
            "now": self._clock(),
            "new_node": self._engine.node,
            "new_backend": found.backend,
            "new_task": found.task,
        }
        if found.task is None and backend is not None:
            row |= {"new_backend": backend, "new_task": task_of(job_id, found.attempt + 1)}
        job = fetch_job(tx, statements.START, row, self._clock())
        if job is None:
            raise RetryError  # it changed before its lane was locked
        return job

    def hold(
        self,
        tx: Connection,
        job_id: int,
        states: Container[State],
        *,
        attempt: int | None = None,
        lane: str | None = None,
    ) -> Held | None:
        """Lock a job that is in one of ``states``, and in ``attempt`` if that is given.

        ``lane`` is where it may go, if not where it is; of two lanes the first by name is locked first.
        """
        owner = tx.execute(statements.OWNER, {"of_id": job_id}).one_or_none()
        # States only go where the locks will show again: who comes too late need not wait for them.
        if owner is None or State(owner.state) not in states:
            return None
        lanes = sorted({owner.lane, lane or owner.lane})
        shares = {each: Share(tx, each, owner.guild_id) for each in lanes}
        job = fetch_job(tx, statements.BY_ID_LOCKED, {"of_id": job_id}, self._clock())
        if job is not None and job.lane != owner.lane:
            raise RetryError  # it moved before its lane was locked
        if job is None or job.state not in states or attempt not in {None, job.attempt}:
            return None
        return Held(tx, shares[owner.lane], job, shares[lane or owner.lane])

    def paint(self, tx: Connection, lease: Lease, result: Result) -> Job | None:
        """Keep what was painted and learn how fast; ``None`` if the lease is lost, or the job was deleted."""
        now = self._clock()
        row = {**result_row(result), "now": now, "of_id": lease.job.id, "of_attempt": lease.attempt}
        job = fetch_job(tx, statements.PAINT, row, now)
        if job is None:
            forgetting.disown(tx, lease.job.id, result)
        else:
            charging.settle(tx, job.id, result, now)
            if job.spec.work is None:
                pace.measure(tx, job.spec.request, result.backend, result.seconds)
        return job

    def requeue(self, held: Held, *, queued_at: float | None = None, crashes: int = 0) -> Job:
        """Let a charged job wait again before all others; its wait counts from ``queued_at`` if that is given."""
        row = {
            "of_id": held.job.id,
            "new_lane": held.to.lane,
            "new_tag": held.to.front(held.job.tag),
            "new_rank": AGAIN,
            "new_crashes": held.job.crashes + crashes,
            "new_queued_at": queued_at,
        }
        charging.reopen(held.tx, held.job.id)
        return self._changed(held.tx, statements.REQUEUE, row)

    def relane(self, tx: Connection, job_id: int, lane: str) -> Job | None:
        """Let a queued job wait in ``lane``, by its age among its user's; one that was charged stays first."""
        held = self.hold(tx, job_id, (State.QUEUED,), lane=lane)
        if held is None:
            return None
        job, share = held.job, held.to
        if held.share.waits(job_id):
            held.share.leave(job_id, job.user, job.cost, 0.0)
            held.share.save()
            tag, rank = share.enqueue(job.user, job.cost, held.share.weight, job=job_id)
        else:
            tag, rank = share.front(job.tag), AGAIN
        row = {"of_id": job_id, "new_lane": lane, "new_tag": tag, "new_rank": rank}
        return self._changed(tx, statements.RELANE, row)

    def end(
        self,
        held: Held,
        state: State,
        *,
        failure: Failure | None = None,
        by: int | None = None,
        unserved: float = 1.0,
        crashes: int = 0,
        charged: bool = False,
    ) -> Job:
        """End a job, and throw away what was painted; one that was charged gets its ``unserved`` share (0–1) back.

        Of quotas it takes nothing any more, unless it is to be ``charged``.
        """
        job = held.job
        held.share.leave(job.id, job.user, job.cost, unserved)
        held.share.save()
        if not charged:
            charging.refund(held.tx, job.id)
        if job.result is not None:
            forgetting.discard(held.tx, job.result)
        row = {
            "of_id": job.id,
            "new_state": state.value,
            "now": self._clock(),
            "new_failure": None if failure is None else failure_json(failure),
            "new_cancelled_by": by,
            "new_crashes": job.crashes + crashes,
        }
        return self._changed(held.tx, statements.END, row)

    def fail(self, held: Held | None, failure: Failure, *, unserved: float = 1.0) -> Job | None:
        """End what is held, if anything is, by ``failure``."""
        return None if held is None else self.end(held, State.FAILED, failure=failure, unserved=unserved)

    def withhold(self, tx: Connection, job_id: int, failure: Failure, *, charged: bool) -> Job | None:
        """End a painted job whose pictures nobody is to see; ``None`` if it is not painted (any more)."""
        held = self.hold(tx, job_id, (State.PAINTED,))
        if held is None:
            return None
        return self.end(held, State.FAILED, failure=failure, unserved=0.0, charged=charged)

    def recover(self, tx: Connection, broken_off: Interrupted) -> Job | None:
        """Put back what a dead process was painting, or end what they died of too often; ``None`` if it ended."""
        held = self.hold(tx, broken_off.job, (State.RUNNING,), attempt=broken_off.attempt)
        if held is None:
            return None
        crashes = held.job.crashes + 1
        if crashes < self._max_crashes:
            return self.requeue(held, crashes=1)
        return self.end(held, State.FAILED, failure=words.crashed(crashes), crashes=1)

    def _changed(self, tx: Connection, statement: Executable, row: dict[str, Any]) -> Job:
        return read_job(tx.execute(statement, row).one(), self._clock())
