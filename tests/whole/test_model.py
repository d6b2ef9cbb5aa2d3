"""``/model``: finding models, what is known of them, and which a server allows."""

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import ask, draw, private, result

TXT2IMG = "/sdapi/v1/txt2img"


async def chosen(discord: Discord, typed: str = "") -> list[str]:
    """Return the models that Ada is offered."""
    choices = await discord.as_(discord.world.ada).autocomplete("draw", "model", typed, prompt="x")
    return [choice["value"] for choice in choices]


async def test_models_are_searched_and_turned_page_by_page(discord: Discord, start: Start) -> None:
    ada = discord.world.ada
    async with StandInWebUI() as gpu:
        gpu.models += [f"anime_{number:02}" for number in range(40)]
        async with start(EASEL_BACKENDS=f"webui={gpu.url}"):
            await draw(discord)
            act = await discord.as_(ada).slash("model list")
            text = await private(discord, act)
            assert "page 1 of 3" in text
            assert "anime\\_12" in text
            turned = await discord.as_(ada).press(act.message, "▶")
            await discord.until(lambda: "page 2 of 3" in act.message.text)
            assert turned.replies == [] or turned.text
            assert "anime\\_13" in act.message.text
            assert "dreamshaper\\_8" in await ask(discord, ada, "model search", words="dream shaper")
            assert "No model is called like that" in await ask(discord, ada, "model search", words="zzzzqqq")


async def test_all_that_is_known_of_a_model_is_shown(discord: Discord, start: Start) -> None:
    ada = discord.world.ada
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1"):
        await draw(discord, ada, model="dreamshaper_8")
        text = await ask(discord, ada, "model info", name="DreamShaper_8")
        assert "SD 1.5" in text
        assert "`gpu1` · in memory" in text
        assert "standard pictures a minute" in text
        assert "hash `dba7816360`" in await ask(discord, ada, "model info", name="random15")
        assert "The nearest is “dreamshaper" in await ask(discord, ada, "model info", name="dreamshapr")


async def test_an_admins_card_is_shown_with_its_sample(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1"):
        await draw(discord)
        sample = Attachment("s.png", png())
        act = await discord.as_(world.ada).slash("model card", name="random15", trigger="rnd", sample=sample)
        assert "Manage Server" in await private(discord, act)
        act = await discord.as_(world.admin).slash(
            "model card", name="random15", trigger="rnd style", note="for tests", sample=sample
        )
        assert "Answers to: rnd style" in await private(discord, act)
        act = await discord.as_(world.ada).slash("model info", name="random15")
        text = await private(discord, act)
        assert "Answers to: rnd style" in text
        assert "for tests" in text
        [file] = act.message.attachments
        assert file.description == "random15"
        act = await discord.as_(world.admin).slash("model card", name="random15", forget=True)
        assert "rnd style" not in await private(discord, act)


async def test_a_server_denies_a_model_to_its_members_on_every_way(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1"):
        message = await draw(discord, world.ada, model="dreamshaper_8")
        assert "Manage Server" in await ask(discord, world.ada, "model deny", pattern="dream*")
        assert "Denied: dream\\*" in await ask(discord, world.admin, "model deny", pattern="dream*")
        assert await chosen(discord) == ["random15"]
        assert "dreamshaper" not in await ask(discord, world.ada, "model list")
        refused = await ask(discord, world.ada, "draw", prompt="a fox", model="dreamshaper_8")
        assert "does not allow the model “dreamshaper\\_8”" in refused
        act = await discord.as_(world.ada).press(message, "Reroll")
        assert "does not allow the model" in await private(discord, act)
        assert "does not allow" in await ask(discord, world.ada, "model use", model="dreamshaper_8")
        assert "not allowed in this server" in await ask(discord, world.ada, "model info", name="dreamshaper_8")
        assert "every model" in await ask(discord, world.admin, "model allow")
        assert await chosen(discord) == ["random15", "dreamshaper_8"]


async def test_an_open_choice_falls_on_an_allowed_model(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1"):
        await draw(discord)
        await ask(discord, world.ada, "model use", model="random15")
        assert "Allowed: dream\\*" in await ask(discord, world.admin, "model only", pattern="dream*")
        await draw(discord, world.ada)
        assert gpu.posts(TXT2IMG)[-1]["override_settings"]["sd_model_checkpoint"] == "dreamshaper_8"
        await ask(discord, world.admin, "model allow", pattern="random15")
        assert set(await chosen(discord)) == {"random15", "dreamshaper_8"}
        refused = await ask(discord, world.admin, "model only", pattern="nothing")
        assert "leave no model" in refused
        own = await discord.as_(world.ada, world.direct_channel(world.ada)).slash(
            "draw", prompt="a fox", model="random15"
        )
        await result(own)


async def test_an_admin_has_all_backends_look_for_new_files(discord: Discord, start: Start) -> None:
    world = discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url} name=gpu1, webui=http://127.0.0.1:9"):
        await draw(discord)
        gpu.models.append("brand_new")
        assert "may have the backends look" in await ask(discord, world.ada, "model refresh")
        act = await discord.as_(world.admin).slash("model refresh")
        assert "Fresh, but for webui-2" in await private(discord, act)
        assert "brand_new" in await chosen(discord, "brand")


@pytest.mark.usefixtures("easel")
async def test_a_server_is_needed_to_say_something_of_models_in_it(discord: Discord) -> None:
    ada = discord.world.ada
    act = await discord.as_(ada, discord.world.direct_channel(ada)).slash("model deny", pattern="x")
    assert "no server here" in await private(discord, act)
