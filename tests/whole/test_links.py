"""Pictures from links, in the whole bot: followed after the answer, refused in words, switched off."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image

from bot.fetching.network import Network
from bot.rehearsal import Discord, Interaction
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment
from tests.standins.web import HOST, StandInWeb
from tests.standins.webui import StandInWebUI
from tests.standins.webui_pictures import other
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.play import ask, eventually, private, recipe, result

URL = f"https://{HOST}/a.jpg"
RECIPE = "a quiet harbour\nSteps: 9, Sampler: Euler a, CFG scale: 5.5, Seed: 77, Size: 128x64, Model: random15"


@pytest_asyncio.fixture
async def site() -> AsyncIterator[StandInWeb]:
    async with StandInWeb() as site:
        site.pages["/a.jpg"] = pictures.encoded(Image.new("RGB", (192, 96), "teal"), "JPEG")
        yield site


@pytest.fixture
def network(site: StandInWeb) -> Network:
    return site.network()


@pytest_asyncio.fixture
async def server(discord: Discord, start: Start) -> AsyncIterator[StandInWebUI]:
    """A WebUI that the bot works with and knows already."""
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        ada = discord.as_(discord.world.ada)
        await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN_4x"))
        yield server


async def order(discord: Discord, command: str, **values: Value) -> Interaction:
    more: dict[str, Value] = {"prompt": "a fox"} if command == "remix" else {}
    return await discord.as_(discord.world.ada).slash(command, **more, **values)


async def refused(discord: Discord, command: str, **values: Value) -> str:
    """Return the private words of a refusal that left nothing in public."""
    text = await private(discord, await order(discord, command, **values))
    assert not [message for message in discord.world.channel.messages if not message.ephemeral]
    return text


@pytest.mark.usefixtures("server")
async def test_a_link_is_remixed_as_an_attachment_is(discord: Discord, site: StandInWeb) -> None:
    message = await result(await order(discord, "remix", link=f"<{URL}>", strength=0.5))
    [made] = message.attachments
    assert (made.width, made.height) == (192, 64), "the shape follows the picture"
    assert recipe(message).prompt == "a fox"
    assert len(site.requests) == 1


@pytest.mark.usefixtures("server")
async def test_a_link_is_made_larger(discord: Discord) -> None:
    [made] = (await result(await order(discord, "upscale", link=URL, scale=1.5))).attachments
    assert (made.width, made.height) == (288, 144)


async def test_a_link_is_described_by_what_it_tells_or_by_a_backend(
    discord: Discord, site: StandInWeb, server: StandInWebUI
) -> None:
    site.pages["/told.webp"] = other("WEBP", 64, 48, 5, RECIPE)
    act = await order(discord, "describe", link=f"https://{HOST}/told.webp")
    await act.until(lambda m: "a quiet harbour" in m.text)
    act = await order(discord, "describe", link=URL)
    await act.until(lambda m: bool(server.posts("/sdapi/v1/interrogate")) and "Draw" in str(m.controls))


@pytest.mark.usefixtures("easel")
async def test_what_cannot_be_followed_is_refused_before_anybody_is_asked(
    discord: Discord, site: StandInWeb
) -> None:
    for link in ("http://pictures.example/a.png", "https://127.0.0.1/a", "https://2130706433/", "come and see"):
        assert "I cannot follow that link." in await refused(discord, "remix", link=link)
    both = Attachment("a.png", pictures.png())
    assert "A file and a link" in await refused(discord, "remix", link=URL, image=both)
    assert not site.looked_up


@pytest.mark.usefixtures("server")
async def test_what_turns_out_to_be_no_picture_is_refused_and_leaves_no_placeholder(
    discord: Discord, site: StandInWeb
) -> None:
    site.addresses["inside.example"] = [["10.0.0.1"]]
    site.pages |= {"/page": b"<!doctype html><title>A page</title>", "/bomb.png": pictures.bomb()}
    for path, words in (
        (f"{HOST}/page", "no picture behind that link"),
        (f"{HOST}/gone.png", "it says 404"),
        (f"{HOST}/bomb.png", "too large: 900 megapixels"),
        ("inside.example/a.png", "No picture could be fetched from that link."),
    ):
        for command in ("remix", "upscale", "describe"):
            assert words in await refused(discord, command, link=f"https://{path}"), command
    assert set(site.dialled) == {"93.184.215.14:443"}
    assert "Nobody waits here" in await ask(discord, discord.world.ada, "queue show")


async def test_a_host_may_follow_no_links(discord: Discord, start: Start, site: StandInWeb) -> None:
    async with start(EASEL_LINKS="off"):
        for command in ("remix", "describe"):
            assert "Discord's own files only" in await refused(discord, command, link=URL)
    assert not site.looked_up


@pytest.mark.usefixtures("easel")
async def test_a_server_may_follow_no_links(discord: Discord, site: StandInWeb) -> None:
    world = discord.world
    assert "`links`  off" in await ask(discord, world.admin, "settings server", links=False)
    assert "This server has links switched off." in await refused(discord, "remix", link=URL)
    assert not site.looked_up
    await result(await discord.as_(world.carla, world.other_channel).slash("remix", link=URL, prompt="a fox"))


@pytest.mark.usefixtures("easel")
async def test_whoever_stands_in_for_discord_is_no_place_that_people_may_link_to(
    discord: Discord, site: StandInWeb
) -> None:
    first = await result(await order(discord, "draw", prompt="a fox"))
    act = await order(discord, "remix", link=first.attachments[0].url)
    assert "I cannot follow that link." in await private(discord, act)
    assert not site.looked_up
