"""Putting back what processes broke off by dying."""

from collections.abc import Container
from dataclasses import dataclass
from functools import partial

from sqlalchemy import bindparam, select

from bot.domain.job import Job, State
from bot.jobs.engine import Interrupted, JobEngine
from bot.jobs.ledger import Ledger
from bot.storage.database import Database
from bot.storage.tables import jobs

_OF_NODE = select(jobs.c.id, jobs.c.attempt).where(
    jobs.c.state == State.RUNNING.value, jobs.c.node_id == bindparam("of_node")
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of jobs that a dead process was painting."""

    requeued: tuple[Job, ...] = ()
    failed: tuple[Job, ...] = ()


class Restoring:
    """Finds attempts that nobody is at any more; each job is put back, or ended, in a transaction of its own."""

    def __init__(self, database: Database, engine: JobEngine, ledger: Ledger) -> None:
        self._database = database
        self._engine = engine
        self._ledger = ledger
        self._suspects: frozenset[Interrupted] = frozenset()

    async def restore(self, leased: Container[int]) -> Recovery:
        """Put back what dead nodes ran, and what runs in this one's name without being ``leased`` here."""
        broken_off = await self._database.write(self._engine.interrupted)
        strays = await self._strays(leased)
        requeued: list[Job] = []
        failed: list[Job] = []
        for each in sorted({*broken_off, *strays}, key=lambda each: each.job):
            job = await self._database.write(partial(self._ledger.recover, broken_off=each))
            if job is not None:
                (requeued if job.state is State.QUEUED else failed).append(job)
        return Recovery(tuple(requeued), tuple(failed))

    async def _strays(self, leased: Container[int]) -> frozenset[Interrupted]:
        """Return what has been running here for a beat and nobody runs: its start was lost on the way back."""
        rows = await self._database.read(lambda tx: tx.execute(_OF_NODE, {"of_node": self._engine.node}).all())
        unknown = (row for row in rows if row.id not in leased and not self._engine.runs(row.id))
        before, self._suspects = self._suspects, frozenset(Interrupted(row.id, row.attempt) for row in unknown)
        return before & self._suspects
