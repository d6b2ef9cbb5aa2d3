"""From a command to a picture, as the person in Discord sees it."""

import pytest

from bot.rehearsal import Discord
from tests.whole.conftest import Start

DONE = "Reroll"


@pytest.mark.usefixtures("easel")
async def test_draw_turns_its_own_message_into_the_picture(discord: Discord) -> None:
    act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox in the snow", seed=7)
    message = await act.until(lambda m: m.attachments)
    assert len(discord.world.channel.messages) == 1
    [picture] = message.attachments
    assert picture.description == "Prompt: a fox in the snow"
    assert (picture.width, picture.height) == (128, 128)
    assert "seed 7" in message.text
    assert "sketch" in message.text
    buttons = {c["label"] for c in message.controls if "label" in c}
    assert buttons == {"Reroll", "Edit", "Remix", "Settings", "Delete"}


@pytest.mark.usefixtures("easel")
async def test_a_reaction_rerolls_and_the_rerolls_reroll_too(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    first = await (await ada.slash("draw", prompt="a fox", seed=7)).until(lambda m: m.reactions)
    await ada.react(first, "🔁")
    channel = discord.world.channel
    await discord.until(lambda: len(channel.messages) == 2 and channel.messages[1].reactions)
    second = channel.messages[1]
    await discord.as_(discord.world.bruno).react(second, "🔁")
    await discord.until(lambda: len(channel.messages) == 3 and channel.messages[2].attachments)
    assert len({m.attachments[0].data for m in channel.messages}) == 3


async def test_progress_shows_steps_and_a_bar_before_the_picture(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.5"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=9)
        await act.until(lambda m: m.attachments and "Painting" not in m.text)
    texts = [version.embeds[0]["title"] for version in act.message.history if version.embeds]
    assert any(title.startswith("Painting · ") for title in texts if title)
