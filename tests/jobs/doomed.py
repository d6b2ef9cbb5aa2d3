"""A process that starts one job of six and is then killed: ``python -m tests.jobs.doomed <folder>``."""

import asyncio
import sys
import time
from pathlib import Path

from bot.jobs.embedded import Embedded
from bot.jobs.engine import Worker
from bot.jobs.service import Jobs
from bot.storage.database import Database
from tests.jobs.queues import Queue, add, leased


async def main(folder: Path) -> None:
    database = Database(Database.in_folder(folder))
    jobs = Jobs(database, Embedded(database), clock=time.time)
    await jobs.open()
    queue = Queue(folder, "embedded")
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
    asyncio.run(main(Path(sys.argv[1])))
