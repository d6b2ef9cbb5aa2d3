"""What can be asked about jobs without changing any."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Executable

from bot.domain.job import Job, Place
from bot.domain.limits import Limits
from bot.domain.ports import Clock
from bot.domain.quotas import Allowance, Spender, Use
from bot.domain.request import Order
from bot.jobs import charging, pace, statements, words
from bot.jobs.engine import JobEngine
from bot.jobs.pace import Forecast
from bot.storage.database import Database
from bot.storage.records import fetch_job, read_job
from bot.storage.tables import jobs

_SLICE = 500
"""Ids in one query, well below SQLite's bound of 32,766 parameters."""


class JobReader:
    """Reads the ``jobs`` rows; every answer is one moment's truth."""

    def __init__(self, database: Database, engine: JobEngine, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock

    @property
    def sure(self) -> bool:
        """Whether no other process can have taken this one for dead."""
        return self._engine.sure

    def speaks_for(self, job: Job) -> bool:
        """Return whether this process may speak in the message of ``job``."""
        return job.speaker == self._engine.node

    async def get(self, job_id: int) -> Job | None:
        """Return a job, or ``None`` if there is none of that id."""
        return await self._database.read(self._reads_one(statements.BY_ID, {"of_id": job_id}))

    async def by_message(self, message_id: int) -> Job | None:
        """Return the latest job that a message shows."""
        return await self._database.read(
            self._reads_one(statements.BY_MESSAGE, {"of_message": message_id}),
        )

    async def last_result(self, user: int, channel: int) -> Job | None:
        """Return the latest job of a person in a channel that has come to pictures."""
        of: dict[str, object] = {"of_user": user, "of_channel": channel}
        return await self._database.read(self._reads_one(statements.LAST_RESULT, of))

    async def count_keys(self, prefix: str) -> int:
        """Return how many jobs have a key that begins with ``prefix``."""
        of = statements.prefix(prefix)
        return await self._database.read(lambda tx: int(tx.scalar(statements.COUNT_KEYS, of) or 0))

    async def sheet(self, key: str) -> list[Job]:
        """Return all cells of a sheet, in the order they are shown."""
        cells = await self._database.read(lambda tx: self._jobs(tx, statements.OF_SHEET, statements.prefix(key)))
        return sorted(cells, key=lambda cell: cell.spec.sheet.index if cell.spec.sheet else 0)

    async def check_room(self, guild: int, user: int, limits: Limits, *, count: int = 1) -> None:
        """Raise the ``BusyError`` that queueing ``count`` more would, so that a refusal can come first."""

        def work(tx: Connection) -> list[int]:
            return list(tx.scalars(statements.QUEUED_BY, {"of_guild": guild}))

        words.check_room(await self._database.read(work), user, limits, count)

    async def uses(self, spender: Spender, held_to: Sequence[Allowance]) -> list[Use]:
        """Return how much is gone of each allowance."""
        return await self._database.read(lambda tx: charging.uses(tx, spender, held_to, self._clock()))

    async def check_quotas(self, spender: Spender, orders: Sequence[Order], held_to: Sequence[Allowance]) -> None:
        """Raise the ``QuotaError`` that queueing ``orders`` would, so that a refusal can come first."""

        def work(tx: Connection) -> None:
            charging.check(tx, spender, held_to, charging.needed_ms(tx, orders), self._clock())

        await self._database.read(work)

    async def waiting(self, *, guild: int | None = None, user: int | None = None, limit: int = 200) -> list[Job]:
        """Return at most ``limit`` jobs that run, then those that wait, in the order of service."""

        def work(tx: Connection) -> list[Job]:
            found: list[Job] = []
            for statement in (statements.RUNNING_FIRST, statements.IN_LINE):
                query = statement
                if guild is not None:
                    query = query.where(jobs.c.guild_id == guild)
                if user is not None:
                    query = query.where(jobs.c.user_id == user)
                found += self._jobs(tx, query.limit(limit - len(found)))
            return found

        return await self._database.read(work)

    async def live(self) -> list[Job]:
        """Return what waits or runs, in the order it was accepted."""
        return await self._in_states((statements.QUEUED, statements.RUNNING))

    async def untold(self) -> list[Job]:
        """Return what is painted, failed or cancelled and whose message does not say so yet."""
        return await self._in_states(statements.UNTOLD)

    async def blobs_in_use(self) -> set[str]:
        """Return the blobs that unfinished jobs still need, whatever their age."""
        unfinished = await self._in_states((statements.QUEUED, statements.RUNNING, statements.PAINTED))
        inputs = {blob for job in unfinished for blob in job.spec.order.images()}
        pictures = {picture.blob for job in unfinished if job.result for picture in job.result.pictures}
        return inputs | pictures

    async def place(self, job_id: int) -> Place | None:
        """Return a queued job's place in line; ``None`` if it does not wait."""

        def work(tx: Connection) -> Place | None:
            ahead = tx.execute(statements.AHEAD, {"of_id": job_id}).one()
            if ahead.lane is None:
                return None
            return self._forecast(tx, ahead.lane).place(ahead.jobs, int(ahead.cost))

        return await self._database.read(work)

    async def places(self, ids: Sequence[int]) -> dict[int, Place]:
        """Return the places of those of ``ids`` that wait, by id, in one pass over the line."""

        def work(tx: Connection) -> dict[int, Place]:
            found: dict[int, Place] = {}
            for lane in tx.scalars(statements.LANES).all():
                forecast = self._forecast(tx, lane)
                for first in range(0, len(ids), _SLICE):
                    of = {"of_lane": lane, "of_ids": ids[first : first + _SLICE]}
                    for row in tx.execute(statements.PLACES, of):
                        found[row.id] = forecast.place(row.ahead, int(row.cost_ahead))
            return found

        return await self._database.read(work)

    async def paces(self) -> dict[str, dict[str, float]]:
        """Return what was learnt of speeds, in standard ticks per second, by backend and model."""
        return await self._database.read(pace.learnt)

    def _forecast(self, tx: Connection, lane: str) -> Forecast:
        return Forecast(tx, lane, self._engine.slots(lane), self._clock())

    async def _in_states(self, states: Sequence[str]) -> list[Job]:
        return await self._database.read(
            lambda tx: self._jobs(tx, statements.IN_STATES, {"of_states": states}),
        )

    def _reads_one(self, statement: Executable, of: dict[str, object]) -> Callable[[Connection], Job | None]:
        return lambda tx: fetch_job(tx, statement, of, self._clock())

    def _jobs(self, tx: Connection, statement: Executable, of: dict[str, Any] | None = None) -> list[Job]:
        now = self._clock()
        return [read_job(row, now) for row in tx.execute(statement, of)]
