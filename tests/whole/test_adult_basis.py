"""What an order is made from counts too: adult wishes and children never meet; unknown models paint nothing."""

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord
from tests.whole.conftest import Start
from tests.whole.play import ask, painted, private, result
from tests.whole.test_adult import REFUSED, allow, draw

NEVER = "not be painted anywhere"


@pytest.mark.usefixtures("easel")
async def test_no_child_gets_into_an_adult_picture_by_what_it_is_made_from(discord: Discord) -> None:
    world = discord.world
    night = discord.as_(world.ada, world.night_channel)
    await allow(discord)
    adult = await draw(discord, world.night_channel, "a naked woman")
    for act in (
        await night.submit(await night.press(adult, "Edit"), {"prompt": "a child"}),
        await night.submit(await night.menu("Remix", adult), {"prompt": "a 9yo"}),
        await night.slash("draw", prompt="a 12-year-old", like=code(1)),
        await night.slash("remix", prompt="a baby", like=code(1)),
    ):
        assert NEVER in await private(discord, act)
    owl = await result(await night.submit(await night.press(adult, "Edit"), {"prompt": "an owl"}))
    act = await night.submit(await night.press(owl, "Edit"), {"prompt": "a child"})
    assert NEVER in await private(discord, act), "what is made from an adult picture stays one"


@pytest.mark.usefixtures("easel")
async def test_no_picture_of_a_child_gets_adult(discord: Discord) -> None:
    world = discord.world
    night = discord.as_(world.ada, world.night_channel)
    await draw(discord, world.channel, "a child with a kite")
    await allow(discord)
    kite = await draw(discord, world.night_channel, "a {child|kid} with a kite")
    for act in (
        await night.submit(await night.press(kite, "Edit"), {"prompt": "a naked woman"}),
        await night.slash("draw", prompt="nsfw", like=code(1)),
        await night.slash("remix", prompt="a naked woman", like=code(2)),
    ):
        assert NEVER in await private(discord, act)
    again = await result(await night.press(kite, "Reroll"))
    assert painted(
        await result(await night.submit(await night.press(again, "Edit"), {"prompt": "a child, a dog"}))
    )
    assert painted(await draw(discord, world.channel, "a 12 year old whisky for a baby elephant"))


async def test_an_open_choice_is_refused_while_nobody_knows_what_it_would_fall_on(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    night = discord.as_(world.ada, world.night_channel)
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9", EASEL_ADULT_MODELS="spicy*"):
        await allow(discord)
        assert "no backend has told yet" in await ask(discord, world.ada, "draw", prompt="a fox")
        assert REFUSED in await ask(discord, world.ada, "draw", prompt="a fox", model="spicymix")
        for act in (
            await discord.as_(world.ada).slash("draw", prompt="a fox", model="dreamshaper_8"),
            await night.slash("draw", prompt="a fox"),
        ):
            await act.until(lambda m: m.controls)
            assert act.message.private_to is None
