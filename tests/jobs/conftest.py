from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.jobs.service import Jobs
from tests.jobs.queues import Queue


@pytest.fixture(params=["embedded"])
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Queue]:
    queue = Queue(tmp_path / "data", request.param)
    yield queue
    await queue.close()


@pytest.fixture
async def jobs(queue: Queue) -> Jobs:
    return await queue.open()
