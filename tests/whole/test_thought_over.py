"""Orders that were thought over: held to what holds by the time of the answer, and to the place they were for."""

from collections.abc import Awaitable, Callable

import pytest

from bot.rehearsal import Discord, Interaction
from tests.whole.conftest import Start
from tests.whole.play import ask, painted, private, raw_press, result

Change = Callable[[Discord], Awaitable[str]]


async def deny_word(discord: Discord) -> str:
    return await ask(discord, discord.world.admin, "words deny", words="fox")


async def keep_for_a_role(discord: Discord) -> str:
    world = discord.world
    role = world.add_role(world.guild, "Painters")
    await ask(discord, world.admin, "roles command", command="draw", role=role)
    return await ask(discord, world.admin, "roles command", command="explore", role=role)


async def cap(discord: Discord) -> str:
    return await ask(discord, discord.world.admin, "settings server", max_steps=2)


async def block(discord: Discord) -> str:
    return await ask(discord, discord.world.moderator, "review block", member=discord.world.ada)


CHANGES: dict[str, tuple[Change, str]] = {
    "a word is denied": (deny_word, "is not allowed in prompts"),
    "it is for a role": (keep_for_a_role, "may use /"),
    "a limit is lower": (cap, "steps"),
    "they are blocked": (block, "blocked"),
}


async def refused(discord: Discord, act: Interaction, words: str) -> None:
    assert words in await private(discord, act)
    assert [message for message in discord.world.channel.messages if painted(message)] == []


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_ruled_out_meanwhile_is_not_painted_anyway(
    discord: Discord, start: Start, change: str
) -> None:
    ada = discord.as_(discord.world.ada)
    make, words = CHANGES[change]
    async with start(EASEL_MAX_COST="0.5"):
        doubted = await ada.slash("draw", prompt="a ((fox")
        grid = await ada.slash("explore", prompt="a ((fox", across="seed", across_values="1, 2")
        dear = await ada.slash("draw", prompt="a fox", width=2048, height=1024, count=4)
        for asked in (doubted, grid, dear):
            await private(discord, asked)
        await make(discord)
        await refused(discord, await ada.press(doubted.message, "Paint anyway"), words)
        await refused(discord, await ada.press(grid.message, "Paint anyway"), words)
        [instead] = [control for control in dear.message.controls if control.get("label")]
        await refused(discord, await ada.press(dear.message, instead["label"]), words)


@pytest.mark.usefixtures("easel")
async def test_an_order_is_for_the_place_it_was_made_in(discord: Discord) -> None:
    world = discord.world
    doubted = await discord.as_(world.ada).slash("draw", prompt="a ((fox")
    await private(discord, doubted)
    [anyway] = [each["custom_id"] for each in doubted.message.controls if each.get("label") == "Paint anyway"]
    there = await result(await discord.as_(world.ada, world.night_channel).slash("draw", prompt="an owl"))
    act = await raw_press(discord, world.ada, anyway, there)
    assert "meant for another place" in await private(discord, act)
    await result(await discord.as_(world.ada).press(doubted.message, "Paint anyway"))
