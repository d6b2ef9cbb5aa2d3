from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.jobs.service import Jobs
from bot.storage.sqlite import SqliteDatabase
from tests.engines import KINDS, url_of
from tests.jobs.queues import Queue


@pytest.fixture(params=KINDS)
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Queue]:
    queue = Queue(url_of(request.param, tmp_path / "data", request))
    yield queue
    await queue.close()


@pytest.fixture
async def jobs(queue: Queue) -> Jobs:
    return await queue.open()


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[Queue]:
    queue = Queue(SqliteDatabase.in_folder(tmp_path / "data"))
    yield queue
    await queue.close()
