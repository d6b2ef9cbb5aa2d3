"""What a code stands for wherever it is typed, and what is said where it stands for nothing."""

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import ask, draw, eventually, raw_command, result

BY_CODE = (("show", "id"), ("draw", "like"), ("preset save", "like"), ("remix", "like"), ("queue cancel", "job"))


@pytest.mark.usefixtures("easel")
@pytest.mark.parametrize(("command", "option"), BY_CODE)
async def test_a_code_that_stands_for_nothing_is_named_with_where_to_find_others(
    discord: Discord, command: str, option: str
) -> None:
    ada, more = discord.world.ada, {"name": "x"} if command == "preset save" else {}
    words = await ask(discord, ada, command, **{option: "0zzz"}, **more)
    assert "0ZZZ" in words
    assert ("/queue show" if option == "job" else "/history") in words
    for wrong in ("1", "-1", "00001", "!?"):
        act = await raw_command(discord, ada, command, **{option: wrong}, **more)
        assert "is no picture's code" in act.text, wrong


async def test_the_line_the_history_and_show_mean_the_same_by_a_code(discord: Discord, start: Start) -> None:
    ada = discord.world.ada
    async with start(EASEL_BACKENDS="sketch=30"):
        for n in range(11):
            await (await discord.as_(ada).slash("draw", prompt=f"fox {n}")).until(lambda m: m.embeds)
        assert "`000B`" in await ask(discord, ada, "queue show")
        assert "Cancelled job 000B." in await ask(discord, ada, "queue cancel", job="000b")
        assert "Cancelled job 000A." in await ask(discord, ada, "queue cancel")


async def test_what_nobody_knows_the_recipe_of_is_no_pattern_for_another(discord: Discord, start: Start) -> None:
    ada, picture = discord.as_(discord.world.ada), Attachment("c.png", png(64, 48))
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN"))
        await result(await ada.slash("upscale", image=picture))
        for command, values in (("draw", {"prompt": "x"}), ("preset save", {"name": "x"})):
            words = await ask(discord, ada.user, command, like="0001", **values)
            assert "Nobody knows how this picture was painted." in words
            assert "/describe" in words


@pytest.mark.usefixtures("easel")
async def test_a_picture_is_shown_by_its_code_alone(discord: Discord) -> None:
    await draw(discord, discord.world.bruno)
    assert "is no picture's code" in await ask(discord, discord.world.ada, "show", id="1")
