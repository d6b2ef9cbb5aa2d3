"""How fast and how fair the queue is with 10,000 jobs in it, on both engines, beside bare inserts of the same run.

Every figure stands beside its bar (DESIGN, "What must be fast"); the exit status is 1 if one is missed.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import argparse
import asyncio
import random
import resource
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from itertools import count, pairwise
from typing import Any

from bench import postgres
from bench.figures import Sheet, quantile
from bench.parts import running
from bot.domain.job import Address, Job, JobSpec, NewJob, Result
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest
from bot.jobs.distributed import Distributed
from bot.jobs.embedded import Embedded
from bot.jobs.engine import Worker
from bot.jobs.notices import PostgresNotices
from bot.jobs.service import Jobs
from bot.ops.loop import loaded
from bot.storage.postgres import PostgresDatabase
from bot.storage.sqlite import SqliteDatabase

GUILDS, USERS, EACH = 50, 10, 20
QUEUED = GUILDS * USERS * EACH
FAIR = QUEUED // 5
"""Jobs after which it is looked how fairly they were served."""
DRAINED = FAIR + 500
PROBES = 400
STARTS = 200
LIMITS = Limits(max_queued_guild=USERS * EACH + PROBES, max_queued_user=EACH + PROBES)
KINDS = ("sqlite", "postgresql")


def rss_mb() -> float:
    """Return the most memory this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def floor_s(execute: Callable[[str], object]) -> float:
    """Return the p95 in seconds of one durable insert of a row of the same size, with nothing around it."""
    took = []
    execute("CREATE TABLE floor (spec TEXT)")
    row = "x" * 800
    for _ in range(PROBES):
        begun = time.perf_counter()
        execute("BEGIN")
        execute(f"INSERT INTO floor (spec) VALUES ('{row}')")  # noqa: S608 - no values of anybody's
        execute("COMMIT")
        took.append(time.perf_counter() - begun)
    return quantile(took, 0.95)


class Bench:
    """One queue, filled, probed and drained; ``floor`` is what one bare insert takes in seconds."""

    def __init__(self, sheet: Sheet, kind: str, jobs: Jobs, floor: float) -> None:
        self._sheet = sheet
        self._kind = kind
        self._jobs = jobs
        self._floor = floor
        self._random = random.Random(1)
        self._keys = count()

    def report(self, what: str, value: float, unit: str, bar: float, **options: Any) -> None:
        """Print one figure of this engine."""
        self._sheet.report(f"{self._kind}: {what}", value, unit, bar, **options)

    def new(self, guild: int, user: int) -> NewJob:
        """Return one job of a size between 512² and 1024²."""
        side = self._random.choice((512, 768, 1024))
        request = PaintRequest("a lighthouse in a storm, oil on canvas", 1, width=side, height=side)
        return NewJob(f"i:{next(self._keys)}:0", guild, user, JobSpec(request), Address(1, 1, guild))

    async def enqueue(self, guild: int, user: int) -> Job:
        """Queue one job."""
        return await self._jobs.enqueue(self.new(guild, user), limits=LIMITS)

    async def start(self) -> None:
        """Queue job after job for a painter who has nothing else to do."""
        begun, took = 0.0, []
        started = asyncio.Event()

        async def run(job_id: int) -> None:
            lease = await self._jobs.start(job_id)
            took.append((time.perf_counter() - begun) * 1000)
            assert lease is not None
            await self._jobs.paint(lease, Result((), "none", 1.0))
            started.set()

        async with self._jobs.serve(Worker(), run):
            for _ in range(STARTS):
                begun = time.perf_counter()
                await self.enqueue(1, 1)
                await started.wait()
                started.clear()
                await asyncio.sleep(0.005)  # the slot lies down again
        self.report("enqueue → start p95", quantile(took, 0.95), "ms", 30)

    async def fill(self) -> list[int]:
        """Queue everything, one user of every guild after the other; report on the last thousand."""
        owners = [(g, g * 100 + u) for _ in range(EACH) for u in range(USERS) for g in range(1, GUILDS + 1)]
        ids, took = [], []
        for owner in owners:
            begun = time.perf_counter()
            job = await self.enqueue(*owner)
            took.append((time.perf_counter() - begun) * 1000)
            ids.append(job.id)
        p95 = quantile(took[-1000:], 0.95)
        self.report(f"enqueue p95, {QUEUED} queued", p95, "ms", 10, floor=self._floor * 1000)
        return ids

    async def probe(self, ids: list[int]) -> None:
        """Ask for places, one by one and in a sheet of a hundred."""
        single, sheet = [], []
        for _ in range(PROBES):
            begun = time.perf_counter()
            await self._jobs.place(self._random.choice(ids))
            single.append((time.perf_counter() - begun) * 1000)
        for _ in range(PROBES // 10):
            begun = time.perf_counter()
            await self._jobs.places(self._random.sample(ids, 100))
            sheet.append((time.perf_counter() - begun) * 1000)
        self.report("place p95", quantile(single, 0.95), "ms", 10)
        self.report("100 places at once p95", quantile(sheet, 0.95), "ms", 50)

    async def drain(self) -> None:
        """Serve some of it with a painter that takes no time; a quiet guild asks on the way."""
        served: Counter[int] = Counter()
        order: list[int] = []
        depths: set[int] = set()
        gaps: list[float] = []
        fair: Counter[int] = Counter()
        quiet: list[Job] = []
        ended = 0.0
        done = asyncio.Event()

        async def run(job_id: int) -> None:
            nonlocal ended
            lease = await self._jobs.start(job_id)
            assert lease is not None
            gaps.append((time.perf_counter() - ended) * 1000)
            depths.add(depth(sys._getframe))  # noqa: SLF001 - there is no public way to count frames
            await self._jobs.paint(lease, Result((), "none", 1.0))
            served[lease.job.guild] += lease.job.cost
            order.append(job_id)
            if len(order) == FAIR:
                fair.update(served)
                quiet.append(await self.enqueue(10**6, 1))
            if len(order) == DRAINED:
                done.set()
            ended = time.perf_counter()

        begun = time.perf_counter()
        async with self._jobs.serve(Worker(), run):
            await done.wait()
            took = time.perf_counter() - begun
        self.report("idle gap of a slot p95", quantile(gaps[1:], 0.95), "ms", 20)
        self.report("frames on the stack, most less least", max(depths) - min(depths), "", 0)
        shares = list(fair.values())
        jain = sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
        self.report(f"Jain index of cost served, {FAIR} drained", jain, "", 0.99, least=True)
        self.report("jobs before a quiet guild's first", order.index(quiet[0].id) - FAIR, "", 0)
        self.report("drained a second", DRAINED / took, "", 50, floor=1 / (2 * self._floor), least=True)
        assert all(a != b for a, b in pairwise(sorted(order)))


def depth(frame_at: Callable[[int], object]) -> int:
    """Return how many frames are on the stack."""
    for frames in count(1):
        try:
            frame_at(frames)
        except ValueError:
            return frames
    raise AssertionError


@asynccontextmanager
async def opened(kind: str, stack: ExitStack) -> AsyncIterator[tuple[Jobs, float]]:
    """Open an empty queue of one ``kind`` as a bot does, and say what one bare insert there takes in seconds."""
    if kind == "sqlite":
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with closing(sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)) as bare:
            bare.execute("PRAGMA journal_mode=WAL")
            bare.execute("PRAGMA synchronous=FULL")
            floor = floor_s(bare.execute)
        database = SqliteDatabase(SqliteDatabase.in_folder(folder))
        jobs = Jobs(database, Embedded(database), clock=time.time)
        await jobs.open()
        yield jobs, floor
        await jobs.close()
        return
    import psycopg  # noqa: PLC0415 - an extra

    server = stack.enter_context(postgres.server())
    with psycopg.connect(server.empty(), autocommit=True) as bare:
        floor = floor_s(bare.execute)
    shared = PostgresDatabase(server.empty())
    notices = PostgresNotices(shared)
    jobs = Jobs(shared, Distributed(shared, notices, kind="bot", name="bench"), clock=time.time)
    await jobs.open()
    try:
        async with running(jobs, notices):
            yield jobs, floor
    finally:
        await jobs.close()


async def main() -> int:
    """Run the bench and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--engine", choices=KINDS, help="leave the other one out")
    chosen = options.parse_args().engine
    why = postgres.missing()
    sheet = Sheet()
    for kind in [chosen] if chosen else KINDS:
        if kind == "postgresql" and why:
            print(f"postgresql left out: {why}")
            continue
        with ExitStack() as stack:
            async with opened(kind, stack) as (jobs, floor):
                stack.enter_context(loaded())
                bench = Bench(sheet, kind, jobs, floor)
                await bench.start()
                await bench.probe(await bench.fill())
                await bench.drain()
    sheet.report("peak memory", rss_mb(), "MB", 150)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
