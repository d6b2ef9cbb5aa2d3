"""The engine for many processes on one PostgreSQL database: the ``jobs`` table is the queue of all of them.

Every process looks at the same rows by the same rules as a single one does, and of two that take a job at the same
time one finds it taken. What a process has to hear at once, a notice tells it; every beat it looks by itself.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Connection, select

from bot.domain.job import State
from bot.jobs import nodes
from bot.jobs.engine import Interrupted
from bot.jobs.notices import PostgresNotices, notify
from bot.jobs.serving import Serving
from bot.storage.database import REFUSED
from bot.storage.postgres import PostgresDatabase
from bot.storage.tables import jobs

log = logging.getLogger(__name__)

_ORPHANED = select(jobs.c.id, jobs.c.attempt).where(
    jobs.c.state == State.RUNNING.value, jobs.c.node_id.not_in(nodes.ALIVE)
)


class Distributed(Serving):
    """``JobEngine`` for one of many processes; ``kind`` and ``name`` tell people which one it is.

    ``beat_s`` and ``dead_s`` are how often it says that it lives, and after how long a silence others are dead.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        notices: PostgresNotices,
        *,
        kind: str,
        name: str,
        beat_s: float = nodes.BEAT_S,
        dead_s: float = nodes.DEAD_S,
    ) -> None:
        super().__init__(database)
        self._notices = notices
        self._kind, self._name = kind, name
        self._beat_s, self._dead_s = beat_s, dead_s
        self._node = 0
        self._beat_at = self._steady_since = 0.0
        self._reborn: list[Callable[[], None]] = []
        self._elsewhere: Callable[[str], Mapping[str, int]] = lambda _lane: {}
        notices.hear("wake", lambda _said: self.ring())
        notices.hear("abort", self._abort_here)
        notices.missed(self.ring)

    @property
    def node(self) -> int:
        """Return the number that stands for this process."""
        return self._node

    @property
    def sure(self) -> bool:
        """Return whether the last beat is not so long ago that others may have taken this process for dead."""
        return _now() - self._beat_at < self._dead_s - self._beat_s

    def on_reborn(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when others took this process for dead: nothing that it had is its own any more."""
        self._reborn.append(tell)

    def count_elsewhere(self, slots: Callable[[str], Mapping[str, int]]) -> None:
        """Have ``slots`` asked how many slots other processes have for a lane, by the worker's name."""
        self._elsewhere = slots

    async def open(self) -> None:
        """Open the database and join the others."""
        await self._database.open()
        await self._join()

    async def close(self) -> None:
        """Leave the others and close the database."""
        if self._node:
            with suppress(*REFUSED):
                await self._database.write(self._leave)
            self._node = 0
        await self._database.close()

    async def beat(self) -> None:
        """Say that this process lives, in a moment, and look for work that no notice told of."""
        while True:
            await asyncio.sleep(self._beat_s)
            at = _now()
            try:
                if await self._database.write(lambda tx: nodes.beat(tx, self._node), synced=False):
                    self._note_beat(at)
                else:
                    await self._rejoin()
            except REFUSED as error:
                log.warning("the database does not answer: %s", type(error).__name__)
                continue
            self.ring()
            return

    def interrupted(self, tx: Connection) -> Sequence[Interrupted]:
        """Return the attempts that are running by nodes that have died.

        Who could not have heard the others beat calls none of them dead: perhaps the database was away for all.
        """
        if self._beat_at - self._steady_since >= self._dead_s:
            nodes.bury(tx, self._dead_s)
        return [Interrupted(job, attempt) for job, attempt in tx.execute(_ORPHANED)]

    async def abort(self, job: int) -> None:
        """Cancel the run of ``job``, here or wherever it runs."""
        if self.runs(job):
            await super().abort(job)
        else:
            await self._notices.tell("abort", str(job))

    def slots(self, lane: str) -> Mapping[str, int]:
        """Return how many slots serve ``lane`` now, in all processes, by the worker's name."""
        return {**self._elsewhere(lane), **super().slots(lane)}

    def _abort_here(self, said: str) -> None:
        run = self._runs.get(int(said))
        if run is not None:
            run.cancel()

    async def _rejoin(self) -> None:
        """Begin anew under another number, with empty hands: others do by now what this process was at."""
        log.warning("this process was silent for so long that others took over its work")
        for run in tuple(self._runs.values()):
            run.cancel()
        await self._join()
        for tell in self._reborn:
            tell()

    def _note_beat(self, at: float) -> None:
        if at - self._beat_at > 2 * self._beat_s:
            self._steady_since = at
        self._beat_at = at

    async def _join(self) -> None:
        at = _now()
        self._node = await self._database.write(lambda tx: nodes.join(tx, self._kind, self._name))
        self._beat_at = self._steady_since = at

    def _leave(self, tx: Connection) -> None:
        nodes.leave(tx, self._node)
        notify(tx, "left")


def _now() -> float:
    """Return seconds that pass while the machine sleeps too, as those of ``monotonic`` do not on Linux."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()
