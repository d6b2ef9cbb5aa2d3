"""A bot that does not paint itself, and a worker that does: what people and the host see of it."""

from pathlib import Path

import pytest

from bot.rehearsal import Discord
from tests.engines import url_of
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, eventually, result
from tests.whole.workers import working


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    return {**environ, "EASEL_BACKENDS": "none", "DATABASE_URL": url_of("postgresql", tmp_path, request)}


async def test_jobs_wait_for_a_worker_which_then_shows_and_obeys_like_a_painter_of_ones_own(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    world = discord.world
    async with start(), StandInWebUI() as gpu:
        act = await discord.as_(world.ada).slash("draw", prompt="a fox", model="random15")
        await act.until(lambda message: "Waiting for a painter" in message.text)
        assert "No painter is connected to this bot." in act.text
        assert "No painter is connected" in await ask(discord, world.owner, "backends show")
        async with working(environ, "gpu box", f"webui={gpu.url}"):
            await result(act)

            async def shown(words: str) -> str:
                text = await ask(discord, world.owner, "backends show")
                return text if words in text else ""

            text = await eventually(lambda: shown("models: 2"))
            assert "**gpu-box/webui** · gpu box · works" in text
            [offered] = await discord.as_(world.owner).autocomplete("backends drain", "backend", "gpu")
            assert offered["value"] == "gpu-box/webui"
            assert "gets no more jobs" in await ask(
                discord, world.owner, "backends drain", backend="gpu-box/webui"
            )
            await eventually(lambda: shown("drained"))
            waiting = await discord.as_(world.ada).slash("draw", prompt="an owl")
            await waiting.until(lambda message: "drained" in message.text)
            await ask(discord, world.owner, "backends resume", backend="gpu-box/webui")
            await result(waiting)
            gpu.models.append("brand_new")
            refresh = await discord.as_(world.owner).slash("backends refresh", backend="gpu-box/webui")
            await refresh.until(lambda message: "looks for new files" in message.text)

            async def listed() -> bool:
                return "brand\\_new" in await ask(discord, world.ada, "model list")

            await eventually(listed)
        await eventually(lambda: shown("is gone"))
