"""A painter in a process of its own on a shared queue: it takes jobs and says on standard output when.

    python -m bench.painter URL --slots N --hold SECONDS

Each line is one JSON object: ``event`` (``ready``, ``started``, ``cancelled``), ``job``, and ``at`` in unix
seconds. It ends when standard input is closed.
"""

import argparse
import asyncio
import json
import sys
import time

from bench.parts import running
from bot.domain.job import Result
from bot.jobs.distributed import Distributed
from bot.jobs.engine import Worker
from bot.jobs.notices import PostgresNotices
from bot.jobs.service import Jobs
from bot.storage.postgres import PostgresDatabase


def say(event: str, job: int = 0) -> None:
    """Tell the bench what happened, and when."""
    print(json.dumps({"event": event, "job": job, "at": time.time()}), flush=True)


async def paint(url: str, slots: int, hold_s: float) -> None:
    """Serve so many slots; every job takes ``hold_s``."""
    database = PostgresDatabase(url)
    notices = PostgresNotices(database)
    jobs = Jobs(database, Distributed(database, notices, kind="worker", name="bench"), clock=time.time)

    async def run(job_id: int) -> None:
        lease = await jobs.start(job_id)
        if lease is None:
            return
        say("started", job_id)
        try:
            await asyncio.sleep(hold_s)
        except asyncio.CancelledError:
            say("cancelled", job_id)
            raise
        await jobs.paint(lease, Result((), "none", 1.0))

    await jobs.open()
    try:
        async with running(jobs, notices), jobs.serve(Worker(slots=slots), run):
            say("ready")
            await asyncio.to_thread(sys.stdin.read)
    finally:
        await jobs.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("url")
    options.add_argument("--slots", type=int, default=1)
    options.add_argument("--hold", type=float, default=0.0)
    told = options.parse_args()
    asyncio.run(paint(told.url, told.slots, told.hold))
