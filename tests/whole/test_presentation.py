"""What a server chose for the looks of its messages, and previews that stay small."""

import io

import pytest
from PIL import Image

from bot.rehearsal import Discord, Message
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, painted

GREEN = 0x3BA55D


def footers(message: Message) -> list[str]:
    """Return what stood under a message while its picture was being painted."""
    embeds = [version.embeds[0] for version in message.history if version.embeds]
    return [embed["footer"]["text"] for embed in embeds if embed.get("title", "").startswith("Painting")]


@pytest.mark.usefixtures("easel")
async def test_a_server_has_its_own_colour_for_what_is_done(discord: Discord) -> None:
    world = discord.world
    assert (await draw(discord)).embeds[0]["color"] == GREEN
    text = await ask(discord, world.admin, "settings server", accent="FF8800")
    assert "`accent`  \\#ff8800  · this server" in text or "`accent`  #ff8800  · this server" in text
    assert (await draw(discord)).embeds[0]["color"] == 0xFF8800
    assert "no colour" in await ask(discord, world.admin, "settings server", accent="orange")
    await ask(discord, world.admin, "settings server", reset="accent")
    assert (await draw(discord)).embeds[0]["color"] == GREEN


async def test_who_paints_is_told_where_the_server_wants_it(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=0.6 name=atelier"):
        act = await discord.as_(world.ada).slash("draw", prompt="a fox", steps=6)
        plain = await act.until(painted, 20)
        await ask(discord, world.admin, "settings server", show_backend=True)
        act = await discord.as_(world.ada).slash("draw", prompt="a fox", steps=6)
        told = await act.until(painted, 20)
    assert footers(plain)
    assert not any("atelier" in text for text in footers(plain))
    assert footers(told)
    assert all(text.endswith(" · atelier") for text in footers(told))


async def test_a_preview_is_a_small_webp_beside_the_words(discord: Discord, start: Start) -> None:
    async with start(EASEL_BACKENDS="sketch=0.6"):
        act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=6, width=1024, height=512)
        message = await act.until(painted, 20)
    shown = [version for version in message.history if version.attachments]
    assert shown
    for version in shown:
        [preview] = version.attachments
        with Image.open(io.BytesIO(preview.data)) as image:
            assert image.format == "WEBP"
            assert max(image.size) <= 256
        assert version.embeds[0]["thumbnail"]["url"] == preview.url
        assert "image" not in version.embeds[0]
