"""A bot and workers on one PostgreSQL database when what they tell each other is lost, or rules change midway."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from bot.rehearsal import Discord
from bot.rehearsal.world import Channel
from tests.engines import url_of
from tests.jobs.queues import Queue
from tests.whole.conftest import Start
from tests.whole.play import ask, eventually
from tests.whole.process import painted
from tests.whole.reviewing import card, is_held, press
from tests.whole.workers import working

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def environ(environ: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    return environ | {"DATABASE_URL": url_of("postgresql", None, request), "EASEL_BACKENDS": "none"}


@pytest.fixture
async def other(environ: dict[str, str]) -> AsyncIterator[Queue]:
    """Another process on the same database."""
    queue = Queue(environ["DATABASE_URL"])
    yield queue
    await queue.close()


async def rows(queue: Queue, query: str) -> Sequence[Any]:
    database = queue.opened[0]._database
    return await database.read(lambda tx: tx.execute(text(query)).all())


async def test_a_job_that_ended_elsewhere_says_so_though_no_notice_came(
    discord: Discord, start: Start, other: Queue
) -> None:
    jobs = await other.open()
    async with start():
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=4)
        await act.until(lambda m: "Waiting for a painter" in m.text, 10)
        await jobs._database.write(lambda tx: tx.execute(text("ALTER TABLE jobs DISABLE TRIGGER USER")))
        [job] = await jobs.live()
        assert await jobs.cancel(job.id, by=None) is not None
        await act.until(lambda m: "ancelled" in m.text, 15)


async def test_what_is_to_be_looked_at_since_a_worker_has_it_comes_before_moderators_and_is_shown_once(
    discord: Discord, start: Start, environ: dict[str, str], other: Queue, mods: Channel
) -> None:
    await other.open()
    async with start(), working(environ, "gpu1", "sketch=0.8"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=4)
        workers = "SELECT 1 FROM jobs j, nodes n WHERE j.speaker_id = n.id AND n.kind = 'worker'"
        await eventually(lambda: rows(other, workers))
        await ask(discord, discord.world.admin, "review channel", channel=mods)
        held = await card(discord, mods)
        await act.until(is_held, 20)
        await press(discord, discord.world.moderator, held, "Approve")
        await act.until(painted, 20)
