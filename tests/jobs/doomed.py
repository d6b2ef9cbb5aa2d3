"""A process that starts one job of six and is then killed: ``python -m tests.jobs.doomed <url>``."""

import asyncio
import sys
import time

from bot.jobs.engine import Worker
from tests.jobs.queues import Queue, add, leased


async def main(url: str) -> None:
    queue = Queue(url)
    jobs = await queue.open(clock=time.time)
    if not await jobs.live():
        for _ in range(6):
            await add(jobs, queue.new())

    async def run(job_id: int) -> None:
        lease = await leased(jobs, job_id)
        await jobs.note_task(lease, "sketch", f"{job_id}-{lease.attempt}")
        print(job_id, flush=True)  # noqa: T201 - the test waits for it
        await asyncio.Event().wait()

    async with jobs.serve(Worker(), run):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
