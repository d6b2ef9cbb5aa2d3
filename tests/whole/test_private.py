"""Private orders: what comes of them is for the asker's eyes alone, by whichever way it comes."""

import pytest
from PIL import Image

from bot.rehearsal import Discord, Overwrite, Permission
from bot.rehearsal.world import Attachment
from tests.whole import pictures
from tests.whole.conftest import Start, Time
from tests.whole.play import painted, private


def picture(colour: str = "teal") -> Attachment:
    """Return an attached PNG of one colour."""
    return Attachment(f"{colour}.png", pictures.encoded(Image.new("RGB", (192, 96), colour), "PNG"))


@pytest.mark.usefixtures("easel")
async def test_a_private_order_is_seen_by_its_asker_alone_and_needs_no_permission_of_the_bot(
    discord: Discord,
) -> None:
    world = discord.world
    denied = int(Permission.ATTACH_FILES | Permission.EMBED_LINKS)
    world.set_overwrite(world.channel, Overwrite(world.role_of_bot(world.guild).id, deny=denied))
    ada = discord.as_(world.ada)
    act = await ada.slash("remix", image=picture(), prompt="a fox", private=True)
    message = await act.until(painted)
    assert message.private_to == world.ada.id
    again = await ada.press(message, "Reroll")
    assert (await again.until(painted)).private_to == world.ada.id, "what is private stays so"
    cut = Attachment("cut.png", pictures.truncated_png())
    act = await ada.slash("remix", image=cut, prompt="a fox", private=True)
    await discord.until(lambda: "damaged or incomplete" in act.text)
    public = await ada.slash("remix", image=picture(), prompt="a fox")
    assert "Embed Links, Attach Files is missing" in await private(discord, public)
    assert not [each for each in world.channel.messages if not each.ephemeral]


async def test_a_private_picture_that_comes_late_comes_by_direct_message(
    discord: Discord, start: Start, clock: Time
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=0.4"):
        act = await ada.slash("remix", image=picture(), prompt="a slow fox", steps=6, private=True)
        await act.until(lambda m: m.embeds)
        clock.ahead_s = 20 * 60
        await discord.until(lambda: any(message.attachments for message in discord.world.ada.dms), 20)
    assert not [each for each in discord.world.channel.messages if not each.ephemeral]
