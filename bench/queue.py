"""How fast and how fair the queue is with 10,000 jobs in it, beside a bare SQLite insert of the same run.

Every figure stands beside its bar (DESIGN, "What must be fast"); the exit status is 1 if one is missed.
"""

import sys

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's

import asyncio
import random
import resource
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import count, pairwise
from pathlib import Path

from bot.domain.job import Address, Job, JobSpec, NewJob, Result
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest
from bot.jobs.embedded import Embedded
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from bot.storage.database import Database

GUILDS, USERS, EACH = 50, 10, 20
QUEUED = GUILDS * USERS * EACH
PROBES = 400
LIMITS = Limits(max_queued_guild=USERS * EACH + PROBES, max_queued_user=EACH + PROBES)

missed: list[str] = []


def p95(samples: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(samples)[int(len(samples) * 0.95)]


def report(what: str, value: float, bar: float, unit: str, *, least: bool = False, floor: str = "") -> None:
    """Print one figure beside its bar; ``least``: the bar is a minimum."""
    held = value >= bar if least else value <= bar
    if not held:
        missed.append(what)
    sign = "≥" if least else "≤"
    print(f"{what:<44}{value:>10.3f} {unit:<3} {sign} {bar:g} {'' if held else 'MISSED'}  {floor}")


def rss_mb() -> float:
    """Return the most memory this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def floor_s(folder: Path) -> float:
    """Return the p95 in seconds of one durable insert of a row of the same size, with nothing around it."""
    took = []
    with closing(sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, spec TEXT)")
        for _ in range(PROBES):
            begun = time.perf_counter()
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO t (spec) VALUES (?)", ("x" * 800,))
            bare.execute("COMMIT")
            took.append(time.perf_counter() - begun)
    return p95(took)


class Bench:
    """One queue, filled, probed and drained."""

    def __init__(self, folder: Path) -> None:
        database = Database(Database.in_folder(folder))
        self.jobs = Jobs(database, Embedded(database), clock=time.time)
        self.floor = floor_s(folder)
        self.random = random.Random(1)
        self.keys = count()

    async def enqueue(self, guild: int, user: int) -> Job:
        """Queue one job of a size between 512² and 1024²."""
        side = self.random.choice((512, 768, 1024))
        request = PaintRequest("a lighthouse in a storm, oil on canvas", 1, width=side, height=side)
        new = NewJob(f"i:{next(self.keys)}:0", guild, user, JobSpec(request), Address(1, 1, guild))
        return await self.jobs.enqueue(new, limits=LIMITS)

    async def fill(self) -> list[int]:
        """Queue everything, one user of every guild after the other; report on the last thousand."""
        owners = [(g, g * 100 + u) for _ in range(EACH) for u in range(USERS) for g in range(1, GUILDS + 1)]
        ids, took = [], []
        for guild, user in owners:
            begun = time.perf_counter()
            job = await self.enqueue(guild, user)
            took.append((time.perf_counter() - begun) * 1000)
            ids.append(job.id)
        beside = f"bare insert {self.floor * 1000:.2f} ms"
        report(f"enqueue p95, {QUEUED} queued", p95(took[-1000:]), 10, "ms", floor=beside)
        return ids

    async def probe(self, ids: list[int]) -> None:
        """Ask for places, one by one and in a sheet of a hundred."""
        single, sheet = [], []
        for _ in range(PROBES):
            begun = time.perf_counter()
            await self.jobs.place(self.random.choice(ids))
            single.append((time.perf_counter() - begun) * 1000)
        for _ in range(PROBES // 10):
            begun = time.perf_counter()
            await self.jobs.places(self.random.sample(ids, 100))
            sheet.append((time.perf_counter() - begun) * 1000)
        report("place p95", p95(single), 10, "ms")
        report("100 places at once p95", p95(sheet), 50, "ms")

    async def drain(self) -> None:
        """Serve everything with painters that take no time; a quiet guild asks in the middle."""
        served: Counter[int] = Counter()
        order: list[int] = []
        depths: set[int] = set()
        gaps: list[float] = []
        half: Counter[int] = Counter()
        quiet: list[Job] = []
        ended = 0.0
        done = asyncio.Event()

        async def run(job_id: int) -> None:
            nonlocal ended
            lease = await self.jobs.start(job_id)
            assert lease is not None
            gaps.append((time.perf_counter() - ended) * 1000)
            depths.add(depth(sys._getframe))  # noqa: SLF001 - there is no public way to count frames
            await self.jobs.paint(lease, Result((), "none", 1.0))
            served[lease.job.guild] += lease.job.cost
            order.append(job_id)
            if len(order) == QUEUED // 2:
                half.update(served)
                quiet.append(await self.enqueue(10**6, 1))
            if len(order) == QUEUED + 1:
                done.set()
            ended = time.perf_counter()

        begun = time.perf_counter()
        async with self.jobs.serve(Worker(), run):
            await done.wait()
        took = time.perf_counter() - begun
        report("idle gap of a slot p95", p95(gaps[1:]), 20, "ms")
        report("frames on the stack, most less least", max(depths) - min(depths), 0, "")
        shares = list(half.values())
        jain = sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
        report("Jain index of cost served, half drained", jain, 0.99, "", least=True)
        report("jobs before a quiet guild's first", order.index(quiet[0].id) - QUEUED // 2, 0, "")
        beside = f"two bare inserts a job: {1 / (2 * self.floor):.0f}/s"
        report("drained, jobs a second", (QUEUED + 1) / took, 50, "/s", least=True, floor=beside)
        assert all(a != b for a, b in pairwise(sorted(order)))


def depth(frame_at: Callable[[int], object]) -> int:
    """Return how many frames are on the stack."""
    for frames in count(1):
        try:
            frame_at(frames)
        except ValueError:
            return frames
    raise AssertionError


async def main() -> int:
    """Run the bench and return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        await bench.jobs.open()
        ids = await bench.fill()
        await bench.probe(ids)
        await bench.drain()
        report("peak memory", rss_mb(), 150, "MB")
        await bench.jobs.close()
    print("missed: " + ", ".join(missed) if missed else "every bar held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
