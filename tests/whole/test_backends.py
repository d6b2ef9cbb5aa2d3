"""``/backends``: who may look at the painters and who decides about them."""

import pytest

from bot.rehearsal import Discord
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, eventually, private, raw_command, result


async def test_admins_see_every_backend_with_what_ails_it_and_its_cure(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1, webui=http://127.0.0.1:9"):
        await draw(discord)

        async def shown() -> str:
            text = await ask(discord, world.admin, "backends show")
            return text if "away" in text and "standard pictures a minute" in text else ""

        text = await eventually(shown)
        assert "**gpu1** · works" in text
        assert "painting 0 of 1" in text
        assert "models: 2" in text
        assert "webui-2 cannot be reached." in text
        assert "Is it started" in text
        assert "127.0.0.1" not in text
        refused = await private(discord, await raw_command(discord, world.ada, "backends show"))
        assert "Only members with Manage Server" in refused


@pytest.mark.usefixtures("easel")
async def test_only_the_host_drains_and_refreshes(discord: Discord) -> None:
    world = discord.world
    for path in ("backends drain", "backends resume", "backends refresh"):
        assert "Only its host" in await ask(discord, world.admin, path, backend="sketch")


async def test_a_drained_backend_finishes_its_job_and_gets_no_other(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI(step_s=0.02) as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1"):
        running = await discord.as_(world.ada).slash("draw", prompt="a fox")
        await discord.until(lambda: gpu.running is not None)
        assert "gets no more jobs" in await ask(discord, world.owner, "backends drain", backend="gpu1")
        waiting = await discord.as_(world.ada).slash("draw", prompt="an owl")
        await result(running)
        assert "drained" in await ask(discord, world.owner, "backends show")
        assert len(gpu.painted) == 1
        assert "gets jobs again" in await ask(discord, world.owner, "backends resume", backend="gpu1")
        await result(waiting)
        assert "nearest is “gpu1”" in await ask(discord, world.owner, "backends drain", backend="gpu")


async def test_refreshing_shows_a_model_that_is_new_on_the_disk(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1"):
        await draw(discord)
        gpu.models.append("brand_new")
        act = await discord.as_(world.owner).slash("backends refresh", backend="gpu1")
        await act.until(lambda message: "are fresh" in message.text)
        assert "brand\\_new" in await ask(discord, world.ada, "model list")


async def test_refreshing_one_that_is_away_says_to_its_host_what_to_do(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"sketch, webui={gpu.url} name=gpu1"):
        gpu.auth = ("bot", "secret")
        act = await discord.as_(discord.world.owner).slash("backends refresh", backend="gpu1")
        await discord.until(lambda: "does not let the bot in" in act.text)
        assert "Give it user:password in EASEL_BACKEND_2_AUTH." in act.text
