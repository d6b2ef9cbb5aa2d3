"""A bot without backends and workers without a gateway, on one PostgreSQL database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bot.rehearsal import Discord
from tests.engines import url_of
from tests.whole.conftest import Start
from tests.whole.process import Process, painted, started

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def environ(environ: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    return environ | {"DATABASE_URL": url_of("postgresql", None, request), "EASEL_BACKENDS": "none"}


Working = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture
def working(environ: dict[str, str], tmp_path: Path) -> Working:
    """Start a worker: ``async with working("gpu1", "sketch=0.1"):``."""

    @asynccontextmanager
    async def working(name: str, backends: str = "sketch=0.05") -> AsyncIterator[Process]:
        own = environ | {"EASEL_DATA_DIR": str(tmp_path / name)}
        async with started(own, "worker", "--backends", backends, "--name", name) as process:
            yield process

    return working


async def test_what_a_bot_accepts_a_worker_paints_and_delivers(
    discord: Discord, start: Start, working: Working
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        act = await ada.slash("draw", prompt="a fox", steps=4)
        await act.until(lambda m: "Waiting for a painter" in m.text, 10)
        async with working("gpu1"):
            await act.until(painted, 30)
            second = await ada.slash("draw", prompt="a hare", steps=4)
            await second.until(painted, 30)
    assert len(discord.world.channel.messages) == 2
