"""What several processes on one PostgreSQL database owe each other: how soon one hears of another's jobs.

A job is started by another process, cancelled there, and begun anew where its process was killed or frozen, with
the beats and the patience that a real one has. Every figure stands beside its bar (DESIGN, "What must be fast");
the exit status is 1 if one is missed.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import Any

from bench import postgres
from bench.figures import Sheet, quantile
from bench.parts import running
from bot.domain.job import Address, JobSpec, NewJob
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest
from bot.jobs.distributed import Distributed
from bot.jobs.notices import PostgresNotices
from bot.jobs.service import Jobs
from bot.storage.postgres import PostgresDatabase

STARTS, CANCELS = 150, 30
CROWD, CROWD_SLOTS = 8, 4
CROWD_MS = 100.0
"""A bar of the bench's own: all of them wake for one job, on two cores."""
LONG_S = 300.0
PATIENCE_S = 60.0
GOODBYE_S = 5.0
LIMITS = Limits(max_queued_guild=10, max_queued_user=10)
_ROOT = Path(__file__).parents[1]


class Painter:
    """One process of ``bench.painter``; what it says goes to ``said``."""

    def __init__(self, process: asyncio.subprocess.Process, said: asyncio.Queue[dict[str, Any]]) -> None:
        self._process = process
        self._said = said

    async def listen(self) -> None:
        """Hear it out."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._said.put_nowait(json.loads(line))

    def send(self, what: signal.Signals) -> None:
        """Send its process a signal."""
        self._process.send_signal(what)

    async def end(self) -> None:
        """Ask it to end; one that cannot hear is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Company:
    """A queue, and painters in processes of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database = PostgresDatabase(url)
        self._notices = PostgresNotices(self._database)
        engine = Distributed(self._database, self._notices, kind="bot", name="bench")
        self.jobs = Jobs(self._database, engine, clock=time.time)
        self._keys = count()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Be there as a bot without backends is."""
        await self.jobs.open()
        try:
            async with running(self.jobs, self._notices):
                yield
        finally:
            await self.jobs.close()

    @asynccontextmanager
    async def painter(self, *, slots: int = 1, hold_s: float = 0.0) -> AsyncIterator[Painter]:
        """Start a painter and wait until it is ready."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bench.painter", self._url, "--slots", str(slots), "--hold", str(hold_s)),
            cwd=_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        painter = Painter(process, self._said)
        listening = asyncio.create_task(painter.listen())
        try:
            await self.hear("ready")
            yield painter
        finally:
            await painter.end()
            await listening

    async def hear(self, event: str, job: int = 0) -> float:
        """Wait until a painter says this and return when it was, in unix seconds."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said = await self._said.get()
                if (said["event"], said["job"]) == (event, job):
                    return float(said["at"])

    async def enqueue(self) -> int:
        """Queue one job."""
        number = next(self._keys)
        spec = JobSpec(PaintRequest("a lighthouse in a storm, oil on canvas", 1, width=512, height=512))
        new = NewJob(f"k{number}", number % 5, number % 11, spec, Address(1, 1, 1))
        return (await self.jobs.enqueue(new, limits=LIMITS)).id

    async def start(self) -> list[float]:
        """Return how long jobs took from being queued here to being started there, in ms."""
        took = []
        for _ in range(STARTS):
            begun = time.time()
            job = await self.enqueue()
            took.append((await self.hear("started", job) - begun) * 1000)
            await asyncio.sleep(0.05)
        return took

    async def cancel(self) -> list[float]:
        """Return how long painters took to stop what was cancelled here, in ms."""
        took = []
        for _ in range(CANCELS):
            job = await self.enqueue()
            await self.hear("started", job)
            begun = time.time()
            await self.jobs.cancel(job, by=1)
            took.append((await self.hear("cancelled", job) - begun) * 1000)
        return took

    async def lose(self, how: signal.Signals) -> float:
        """Return how long a job waited for another painter once its own was sent a signal, in s."""
        async with self.painter(hold_s=LONG_S) as lost:
            job = await self.enqueue()
            await self.hear("started", job)
            async with self.painter(hold_s=LONG_S):
                begun = time.time()
                lost.send(how)
                took = await self.hear("started", job) - begun
                await self.jobs.cancel(job, by=1)
        return took


async def main() -> int:
    """Run the bench and return the exit status."""
    sheet = Sheet()
    with postgres.server() as server:
        company = Company(server.empty())
        async with company.open():
            async with company.painter():
                sheet.report("enqueue → start elsewhere, p95", quantile(await company.start(), 0.95), "ms", 30)
            async with AsyncExitStack() as stack:
                for _ in range(CROWD):
                    await stack.enter_async_context(company.painter(slots=CROWD_SLOTS))
                what = f"the same, {CROWD} × {CROWD_SLOTS} slots idle, p95"
                sheet.report(what, quantile(await company.start(), 0.95), "ms", CROWD_MS)
            async with company.painter(hold_s=LONG_S):
                sheet.report("cancel → stopped elsewhere, p95", quantile(await company.cancel(), 0.95), "ms", 300)
            sheet.report("job of a killed process starts anew", await company.lose(signal.SIGKILL), "s", 30)
            sheet.report("job of a frozen process starts anew", await company.lose(signal.SIGSTOP), "s", 30)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
