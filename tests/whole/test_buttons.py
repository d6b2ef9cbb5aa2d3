"""Who gets what from each button, menu and form under a picture, whatever has become of it since."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.world import User
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, draw, eventually, painted, private, raw_press, recipe, result

FORM, PICTURE, DELETED = "a form", "a picture", "the message goes"
GONE = "no longer kept"
NOT_YOURS = "This picture is not yours."
ROLES = ("owner", "member", "moderator")
Entry = tuple[str, str]

# By menu and choice (or button): what the owner, another member and a moderator get.
ONE: Mapping[Entry, tuple[str, str, str]] = {
    ("Reroll", ""): (PICTURE, PICTURE, PICTURE),
    ("Edit", ""): (FORM, FORM, FORM),
    ("Remix", ""): (FORM, FORM, FORM),
    ("Settings", ""): ("/draw prompt:", "/draw prompt:", "/draw prompt:"),
    ("Delete", ""): (DELETED, NOT_YOURS, DELETED),
    ("More", "Vary"): (PICTURE, PICTURE, PICTURE),
    ("More", "Upscale"): (PICTURE, PICTURE, PICTURE),
    ("More", "Cut out"): (PICTURE, PICTURE, PICTURE),
    ("More", "Describe"): ("a fox", "a fox", "a fox"),
    ("More", "Favourite"): ("Kept among your", "Kept among your", "Kept among your"),
    ("More", "Send to me"): ("Sent to your", "Sent to your", "Sent to your"),
}
SEVERAL: Mapping[Entry, tuple[str, str, str]] = {
    ("Take one", "Send 2"): (PICTURE, PICTURE, PICTURE),
    ("Take one", "Upscale 2"): (PICTURE, PICTURE, PICTURE),
    ("Take one", "Vary 2"): (PICTURE, PICTURE, PICTURE),
    ("Take one", "Remix 2"): (FORM, FORM, FORM),
    ("Take one", "Cut out 2"): (PICTURE, PICTURE, PICTURE),
    ("More", "Favourite"): ("Kept among your", "Kept among your", "Kept among your"),
    ("More", "Send to me"): ("Sent to your", "Sent to your", "Sent to your"),
}
ALL = [(1, entry) for entry in ONE] + [(2, entry) for entry in SEVERAL]
IDS = [" ".join((str(count), *filter(None, entry))) for count, entry in ALL]
PAINTS_ON = {"Reroll", "Edit", "Remix", "Vary", "Upscale", "Cut out"}
CUSTOM_IDS = {
    ("Reroll", ""): ("easel:reroll:{}", ()),
    ("Edit", ""): ("easel:edit:{}", ()),
    ("Remix", ""): ("easel:remix:{}", ()),
    ("Settings", ""): ("easel:settings:{}", ()),
    ("Delete", ""): ("easel:delete:{}", ()),
    ("Cancel", ""): ("easel:cancel:{}", ()),
    ("Run again", ""): ("easel:again:{}", ()),
    ("Smaller", ""): ("easel:smaller:{}", ()),
    ("Take one", "older"): ("easel:take:{}", ("1",)),
    ("Take one", "Upscale 1"): ("easel:take:{}", ("upscale:1",)),
    ("More", "Vary"): ("easel:more:{}", ("vary",)),
    ("More", "Upscale"): ("easel:more:{}", ("upscale",)),
    ("More", "Cut out"): ("easel:more:{}", ("cutout",)),
    ("More", "Describe"): ("easel:more:{}", ("describe",)),
    ("More", "Favourite"): ("easel:more:{}", ("favourite",)),
    ("More", "Send to me"): ("easel:more:{}", ("dm",)),
    ("More", "Original file"): ("easel:more:{}", ("original",)),
}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[StandInWebUI]:
    """A WebUI that can do all there is a button for."""
    async with StandInWebUI() as server:
        server.rembg = True
        yield server


@pytest.fixture
def begin(start: Start, server: StandInWebUI) -> Callable[..., object]:
    return lambda: start(EASEL_BACKENDS=f"webui={server.url}")


async def able(discord: Discord) -> None:
    """Wait until the bot knows what its painter can do."""
    ada = discord.as_(discord.world.ada)
    await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN"))


def person(discord: Discord, role: str) -> User:
    world = discord.world
    return {"owner": world.ada, "member": world.bruno, "moderator": world.moderator}[role]


def what(act: Interaction, message: Message) -> str:
    """What came of it, empty for as long as nothing did."""
    if act.modal is not None:
        return FORM
    if message.deleted:
        return DELETED
    if any(reply.private_to == act.user.id and not reply.loading for reply in act.replies):
        return act.text
    if act.original is not None and painted(act.original):
        return PICTURE
    told = "Not painted" in act.text or "describe" in str(act.data)
    return act.text if told and act.original is not None and not act.original.loading else ""


async def outcome(discord: Discord, act: Interaction, message: Message) -> str:
    await discord.until(lambda: what(act, message), 20)
    return what(act, message)


async def use(discord: Discord, who: User, message: Message, entry: Entry) -> str:
    name, choice = entry
    there = discord.as_(who, message.channel)
    act = await (there.choose(message, name, choice) if choice else there.press(message, name))
    return await outcome(discord, act, message)


@pytest.mark.parametrize(("count", "entry"), ALL, ids=IDS)
async def test_each_button_and_choice_answers_owner_member_and_moderator(
    discord: Discord, begin: Start, count: int, entry: Entry
) -> None:
    async with begin():
        await able(discord)
        for role, wanted in zip(ROLES, (ONE if count == 1 else SEVERAL)[entry], strict=True):
            message = await draw(discord, seed=7, count=count)
            who = person(discord, role)
            assert wanted in await use(discord, who, message, entry), role
            if entry[1] == "Send to me":
                assert len(who.dms[-1].attachments) == count


async def test_a_server_may_keep_its_pictures_to_those_who_asked_for_them(discord: Discord, begin: Start) -> None:
    world = discord.world
    async with begin():
        await able(discord)
        assert "`others_may_reroll`  off" in await ask(
            discord, world.admin, "settings server", others_may_reroll=False
        )
        one, two = await draw(discord, seed=7), await draw(discord, seed=7, count=2)
        for count, entry in ALL:
            said = await use(discord, world.bruno, one if count == 1 else two, entry)
            refused = (entry[1] or entry[0]).removesuffix(" 2") in PAINTS_ON
            assert ("Here only its asker" in said) == refused, entry
        menu = await discord.as_(world.bruno).menu("Remix", one)
        assert "Here only its asker" in await private(discord, menu)
        for who in (world.ada, world.moderator):
            assert await use(discord, who, one, ("Reroll", "")) == PICTURE
            assert await use(discord, who, one, ("Edit", "")) == FORM


async def test_a_forgotten_job_and_one_of_another_server_are_no_longer_kept(
    discord: Discord, begin: Start
) -> None:
    world = discord.world
    async with begin():
        await able(discord)
        message = await draw(discord)
        theirs = await result(await discord.as_(world.carla, world.other_channel).slash("draw", prompt="an owl"))
        for entry, (custom_id, values) in CUSTOM_IDS.items():
            act = await raw_press(discord, world.ada, custom_id.format(999), message, values)
            assert GONE in await private(discord, act), entry
            act = await raw_press(discord, world.carla, custom_id.format(1), theirs, values)
            assert GONE in await private(discord, act), entry


async def test_under_a_message_that_was_deleted_meanwhile_everything_still_has_an_answer(
    discord: Discord, begin: Start
) -> None:
    ada = discord.world.ada
    async with begin():
        await able(discord)
        message = await draw(discord)
        await discord.as_(discord.world.moderator).delete(message)
        message.deleted = False  # what was pressed was still on the screen
        for entry, (custom_id, values) in CUSTOM_IDS.items():
            act = await raw_press(discord, ada, custom_id.format(1), message, values)
            if entry[0] == "Delete":
                continue
            said = await outcome(discord, act, message)
            assert not re.search(r"^code \w", said, re.MULTILINE), entry


async def test_a_result_says_what_was_done_to_which_message(discord: Discord, begin: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with begin():
        await able(discord)
        first = await draw(discord, seed=7)
        link = f"https://discord.com/channels/{discord.world.guild.id}/{first.channel.id}/{first.id}"
        for entry, words in (
            (("Reroll", ""), "Rerolled from"),
            (("More", "Vary"), "Varied from"),
            (("More", "Upscale"), "Upscaled from"),
            (("More", "Cut out"), "Cut out of"),
        ):
            act = await (ada.choose(first, *entry) if entry[1] else ada.press(first, entry[0]))
            assert f"\n-# {words} {link}\n" in (await result(act)).text
        remixed = await result(await ada.submit(await ada.press(first, "Remix"), {"prompt": "an owl"}))
        assert f"-# Remixed from {link}" in remixed.text
        edited = await result(await ada.submit(await ada.press(first, "Edit"), {"prompt": "an owl"}))
        assert f"-# Edited from {link}" in edited.text


async def test_vary_mixes_another_seed_into_that_picture_or_paints_it_over(
    discord: Discord, begin: Start, server: StandInWebUI
) -> None:
    ada = discord.as_(discord.world.ada)
    async with begin():
        await able(discord)
        grid = await draw(discord, seed=40, count=2, negative_prompt="snow")
        varied = await result(await ada.choose(grid, "Take one", "Vary 2"))
        body = server.posts("/sdapi/v1/txt2img")[-1]
        assert (body["seed"], body["subseed_strength"], body["negative_prompt"]) == (41, 0.2, "snow")
        await result(await ada.choose(varied, "More", "Vary"))
        body = server.posts("/sdapi/v1/img2img")[-1]
        assert (body["prompt"], body["denoising_strength"]) == ("a fox", 0.3)


@pytest.mark.usefixtures("easel")
async def test_a_painter_that_mixes_no_seeds_varies_by_painting_over(discord: Discord) -> None:
    first = await draw(discord, seed=7, width=192)
    varied = recipe(await result(await discord.as_(discord.world.ada).choose(first, "More", "Vary")))
    assert (varied.prompt, varied.fields["Denoising strength"], varied.fields["Size"]) == (
        "a fox",
        "0.3",
        "192x128",
    )
    assert varied.seed != 7


async def test_reroll_of_a_reroll_of_an_upscaled_remix_works_after_two_restarts(
    discord: Discord, begin: Start
) -> None:
    ada, bruno = discord.as_(discord.world.ada), discord.as_(discord.world.bruno)
    async with begin():
        await able(discord)
        first = await draw(discord, prompt="a fox", seed=7, steps=3)
        opened = await ada.press(first, "Remix")
        remixed = await result(await ada.submit(opened, {"prompt": "a fox at night", "strength": "0.4"}))
    async with begin():
        await able(discord)
        upscaled = await result(await ada.choose(remixed, "More", "Upscale"))
        assert upscaled.attachments[0].width == 256
        rerolled = await result(await bruno.press(upscaled, "Reroll"))
    async with begin():
        await able(discord)
        again = await result(await ada.press(rerolled, "Reroll"))
        for message in (rerolled, again):
            found = recipe(message)
            assert (found.prompt, found.fields["Denoising strength"]) == ("a fox at night", "0.4")
            assert (message.attachments[0].width, found.fields["Steps"]) == (128, "3")
        assert len({recipe(message).seed for message in (remixed, rerolled, again)}) == 3
        assert await use(discord, ada.user, upscaled, ("More", "Vary")) == PICTURE
        assert await use(discord, ada.user, upscaled, ("More", "Upscale")) == PICTURE
        assert await use(discord, ada.user, again, ("Edit", "")) == FORM


async def test_what_was_remade_keeps_its_source_for_as_long_again(
    discord: Discord, start: Start, clock: Time, environ: dict[str, str]
) -> None:
    ada, blobs = discord.as_(discord.world.ada), Path(environ["EASEL_DATA_DIR"]) / "blobs"
    async with start():
        first = await draw(discord, seed=7)
        remixed = await result(await ada.submit(await ada.press(first, "Remix"), {"prompt": "an owl"}))
    clock.ahead_s = 5 * 86400
    async with start():
        rerolled = await result(await ada.press(remixed, "Reroll"))
    clock.ahead_s = 10 * 86400
    async with start():
        assert "seed" in (await result(await ada.press(rerolled, "Reroll"))).text
    clock.ahead_s = 30 * 86400
    async with start():
        await discord.until(lambda: not list(blobs.glob("*/*")))
        assert GONE in await private(discord, await ada.press(rerolled, "Reroll"))


async def test_past_the_days_that_originals_are_kept_a_message_gives_its_picture_to_every_choice(
    discord: Discord, begin: Start, clock: Time
) -> None:
    ada = discord.world.ada
    async with begin():
        await able(discord)
        first = await draw(discord, seed=7)
        grid = await draw(discord, seed=9, count=2)
    clock.ahead_s = 8 * 86400
    async with begin():
        await able(discord)
        for choice in ("Vary", "Upscale", "Cut out"):
            assert await use(discord, ada, first, ("More", choice)) == PICTURE
        assert "Sent to your" in await use(discord, ada, first, ("More", "Send to me"))
        for choice in ("Send 1", "Upscale 1", "Cut out 1"):
            assert GONE in await use(discord, ada, grid, ("Take one", choice))
        assert GONE in await use(discord, ada, grid, ("More", "Send to me"))
        assert await use(discord, ada, grid, ("Take one", "Vary 1")) == PICTURE


@pytest.mark.usefixtures("easel")
async def test_a_favourite_is_one_until_it_is_chosen_again(discord: Discord) -> None:
    message = await draw(discord)
    for words in ("Kept among your favourites.", "No longer among your favourites.", "Kept among"):
        assert words in await use(discord, discord.world.ada, message, ("More", "Favourite"))
    assert "Kept among" in await use(discord, discord.world.bruno, message, ("More", "Favourite"))


@pytest.mark.usefixtures("easel")
async def test_pictures_come_home_by_direct_message_unless_that_is_closed(discord: Discord) -> None:
    bruno = discord.world.bruno
    grid = await draw(discord, seed=7, count=2)
    await use(discord, bruno, grid, ("More", "Send to me"))
    [sent] = bruno.dms
    assert [file.filename.rpartition("-")[2] for file in sent.attachments] == ["1.png", "2.png"]
    assert f"/{grid.channel.id}/{grid.id}" in sent.text
    bruno.takes_direct_messages = False
    assert "your direct messages are closed" in await use(discord, bruno, grid, ("More", "Send to me"))


async def test_the_untouched_file_is_to_be_had_where_it_had_to_shrink(discord: Discord, begin: Start) -> None:
    world = discord.world
    async with begin():
        await able(discord)
        whole = (await draw(discord, seed=7, width=256, height=256)).attachments[0].data
        world.guild.upload_limit = len(whole) - 1
        message = await draw(discord, seed=7, width=256, height=256)
        assert len(message.attachments[0].data) < len(whole)
        said = await use(discord, world.ada, message, ("More", "Original file"))
        assert "this place takes" in said
        world.guild.upload_limit = None
        act = await discord.as_(world.ada).choose(message, "More", "Original file")
        await discord.until(lambda: act.replies and act.replies[0].attachments)
        [file] = act.replies[0].attachments
        assert file.data == whole
        assert act.replies[0].private_to == world.ada.id
