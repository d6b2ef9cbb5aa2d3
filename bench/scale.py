"""How many workers one database and one Discord carry: pictures a second with 1, 2, 4 and 8 of them.

    python bench/scale.py [--push]

Workers are processes (``easel worker``) with four simulated backends each, which take a fixed time a picture and
no CPU: so long that what 32 of them ask for leaves room on two cores, which a bot, a stand-in for Discord and
PostgreSQL share with them. Every backend always has orders in line. What is counted is pictures that arrive at
Discord. ``--push`` then lets the backends of 8 workers paint faster and faster, to see what gives in first.

Prints a Markdown table; the exit status is 1 if fewer than 0.9 of what one worker does come of each of more.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path:
    sys.path.pop(0)  # this folder: its queue.py would hide the standard library's
sys.path.insert(0, str(Path(__file__).parents[1]))

import argparse
import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass

import psycopg

from bench import postgres
from bench.figures import Sheet, quantile
from bench.installation import Installation
from bench.usage import Server, cpu_s, machine_s
from tests.postgres import Postgres

WORKERS = (1, 2, 4, 8)
EACH = 4
JOB_S = 6.0
PUSHED_S = (3.0, 2.0, 1.5, 1.0)
WATCHED_S = 30.0
COLUMNS = (
    "workers",
    "backends",
    "s a picture",
    "pictures/s",
    "of what the backends can",
    "p95 s from backend to Discord",
    "CPU ms a picture: workers",
    "bot",
    "PostgreSQL",
    "stand-ins",
    "machine busy",
    "commits a picture",
    "reads a picture",
    "waits for the disk a picture",
    "kB logged a picture",
    "PostgreSQL waits for",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What was seen of one installation; ``rate`` is in pictures a second, ``row`` goes into the table."""

    rate: float
    row: tuple[str, ...]


async def watched(server: Postgres, workers: int, job_s: float, watched_s: float) -> Scene:
    """Watch an installation at work."""
    async with Installation(server, workers, EACH, job_s) as house:
        ordering = asyncio.create_task(house.order())
        warming = asyncio.create_task(house.warm())
        await asyncio.wait({ordering, warming}, return_when=asyncio.FIRST_COMPLETED)
        if ordering.done():
            warming.cancel()
            await ordering
        await warming
        async with await psycopg.AsyncConnection.connect(house.url, autocommit=True) as line:
            scene = await observed(house, Server(line), watched_s, job_s)
        if ordering.done():
            await ordering  # whoever orders no more has failed, and so has the measure
        ordering.cancel()
        await asyncio.wait([ordering])
    return scene


async def observed(house: Installation, database: Server, watched_s: float, job_s: float) -> Scene:
    """Take stock before and after."""

    def used() -> list[float]:
        return [
            cpu_s(house.workers),
            cpu_s([house.bot]),
            cpu_s([house.server.pid]),
            time.process_time(),
            *machine_s(),
        ]

    watching = asyncio.create_task(database.watch())
    begun, before, counts = time.time(), used(), await database.counts()
    await asyncio.sleep(watched_s)
    ended, after, counted = time.time(), used(), await database.counts()
    if watching.done():
        await watching
    watching.cancel()
    await asyncio.wait([watching])
    prompts = [prompt for prompt, at in house.delivered.items() if begun < at <= ended]
    pictures = len(prompts)
    cpu = [1000 * (late - early) / pictures for early, late in zip(before[:4], after[:4], strict=True)]
    busy = (after[4] - before[4]) / (after[5] - before[5])
    done = [(late - early) / pictures for early, late in zip(counts, counted, strict=True)]
    rate = rate_of(house, prompts)
    lags = [house.delivered[prompt] - house.webui.answered.get(prompt, begun) for prompt in prompts]
    waits = ", ".join(
        f"{wait} {100 * seen // database.waits.total()} %" for wait, seen in database.waits.most_common(3)
    )
    row = (
        *(str(house.backends // EACH), str(house.backends), f"{job_s:g}", f"{rate:.2f}"),
        *(f"{100 * rate * job_s / house.backends:.0f} %", f"{quantile(lags, 0.95):.2f}"),
        *(f"{ms:.0f}" for ms in cpu),
        f"{100 * busy:.0f} %",
        *(f"{each:.1f}" for each in (done[0], done[1], done[3], done[2] / 1000)),
        waits,
    )
    return Scene(rate, row)


def rate_of(house: Installation, prompts: list[str]) -> float:
    """Return pictures a second: what each backend delivered between its first and its last, added up."""
    times = defaultdict(list)
    for prompt in prompts:
        times[house.webui.painter[prompt]].append(house.delivered[prompt])
    return sum((len(each) - 1) / (max(each) - min(each)) for each in times.values() if len(each) > 1)


async def main() -> int:
    """Run the bench and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--push", action="store_true", help="paint faster and faster at last")
    options.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    options.add_argument("--seconds", type=float, default=JOB_S, help="what a picture takes")
    options.add_argument("--watch", type=float, default=WATCHED_S, help="seconds to watch each")
    told = options.parse_args()
    plan = [(workers, told.seconds) for workers in told.workers]
    plan += [(max(told.workers), job_s) for job_s in PUSHED_S] if told.push else []
    scenes = {}
    print("| " + " | ".join(COLUMNS) + " |\n" + "| --- " * len(COLUMNS) + "|", flush=True)
    with postgres.server() as server:
        for workers, job_s in plan:
            scene = scenes[workers, job_s] = await watched(server, workers, job_s, told.watch)
            print("| " + " | ".join(scene.row) + " |", flush=True)
    sheet = Sheet()
    one = told.workers[0], told.seconds
    for workers in told.workers[1:]:
        share = scenes[workers, told.seconds].rate / scenes[one].rate / (workers / one[0])
        sheet.report(f"{workers} workers, of {workers // one[0]} × {one[0]}", share, "×", 0.9, least=True)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
