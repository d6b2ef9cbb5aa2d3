"""Which process may speak in a job's message, as rows: the floor is one process's at a time."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select, update

from bot.domain.job import Job, State
from bot.domain.ports import Clock
from bot.jobs import nodes
from bot.jobs.engine import JobEngine
from bot.storage.database import Database
from bot.storage.records import fetch_job, read_job
from bot.storage.tables import jobs

NOBODY = 0
"""The number of no node."""
ENDED = frozenset({State.PAINTED, State.FAILED, State.CANCELLED})
"""What wants a last word."""
_UNTOLD = jobs.c.state.in_([state.value for state in State if state is not State.DELIVERED]) & jobs.c.told_at.is_(
    None
)
_ORPHANED = _UNTOLD & jobs.c.speaker_id.not_in(nodes.ALIVE)
_ORPHANS = select(jobs).where(_ORPHANED).order_by(jobs.c.id)
_FREE = select(jobs.c.id).where(_ORPHANED, jobs.c.id.in_(bindparam("ids", expanding=True)))
_ADOPT = (
    update(jobs)
    # Locked in one order: of two processes one takes all.
    .where(jobs.c.id.in_(_FREE.order_by(jobs.c.id).with_for_update()))
    .values(speaker_id=bindparam("new_speaker"))
    .returning(jobs)
)
_GIVE = (
    update(jobs)
    .where(jobs.c.id == bindparam("of_id"), jobs.c.speaker_id == bindparam("of_speaker"), jobs.c.told_at.is_(None))
    .values(speaker_id=bindparam("new_speaker"))
    .returning(jobs)
)
_OWN = select(jobs.c.id, jobs.c.state, jobs.c.attempt).where(
    jobs.c.speaker_id == bindparam("of_speaker"),
    jobs.c.state.in_(bindparam("of_states", expanding=True)),
    jobs.c.told_at.is_(None),
)


class Floors:
    """Hands floors from process to process."""

    def __init__(self, database: Database, engine: JobEngine, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock

    @property
    def node(self) -> int:
        """Return the number that stands for this process."""
        return self._engine.node

    def has(self, job: Job) -> bool:
        """Return whether the floor of ``job`` was this process's when it was read."""
        return job.speaker == self._engine.node

    async def own(self, states: Collection[State]) -> Mapping[int, tuple[State, int]]:
        """Return state and attempt of the jobs in ``states`` for which this process has the last word to say."""
        of = {"of_speaker": self._engine.node, "of_states": [state.value for state in states]}
        rows = await self._database.read(lambda tx: tx.execute(_OWN, of).all())
        return {row.id: (State(row.state), row.attempt) for row in rows}

    async def give(self, job_id: int, to: int) -> bool:
        """Let another node, or ``NOBODY``, speak; ``False``: this one does not, or the last word is said."""
        row = {"of_id": job_id, "of_speaker": self._engine.node, "new_speaker": to}
        given = await self._database.write(lambda tx: fetch_job(tx, _GIVE, row, self._clock()), synced=False)
        return given is not None

    async def orphans(self) -> list[Job]:
        """Return the jobs without a last word for which nobody speaks who lives."""
        return await self._database.read(lambda tx: [read_job(row, self._clock()) for row in tx.execute(_ORPHANS)])

    async def adopt(self, ids: Sequence[int]) -> list[Job]:
        """Speak for those of some orphans that are still orphans, all at once; return them."""
        of = {"ids": list(ids), "new_speaker": self._engine.node}
        return await self._database.write(
            lambda tx: [read_job(row, self._clock()) for row in tx.execute(_ADOPT, of)] if ids else [],
            synced=False,
        )
