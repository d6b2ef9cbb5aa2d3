"""What people get: alt text, spoilers, files that fit, the picture's own bytes, the facts in their order."""

import io
import re

import pytest
from PIL import Image

from bot.rehearsal import Discord, Message, Overwrite, Permission
from bot.rehearsal.world import Attachment
from tests.standins.webui import Fault, StandInWebUI
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.play import (
    ask,
    done,
    draw,
    eventually,
    insist,
    nth,
    painted,
    parameters,
    private,
    recipe,
    result,
)

SMALLER = "Sent smaller than painted"
KIBIBYTE = 1024


def footer(message: Message) -> str:
    return str(message.embeds[0]["footer"]["text"])


@pytest.mark.usefixtures("easel")
async def test_the_facts_under_a_picture_stand_in_their_order(discord: Discord) -> None:
    message = await draw(
        discord, seed=7, steps=3, cfg_scale=7.5, sampler="DPM++ 2M", scheduler="Karras", width=192
    )
    facts = footer(message).split(" · ")
    assert facts[:-1] == ["seed 7", "sketch (no model)", "192×128", "3 steps", "CFG 7.5", "DPM++ 2M Karras"]
    assert re.fullmatch(r"(under )?[\d.]+ s", facts[-1])
    embed = message.embeds[0]
    assert embed["author"]["name"] == "Ada"
    assert embed["description"] == "“a fox”"
    assert embed.get("title") is None, "the picture speaks"
    assert message.hidden == {message.attachments[0].id}, "it is shown in the embed and not once more below"
    several = await draw(discord, seed=4294967294, count=4)
    assert footer(several).startswith("seeds 4294967294–1 · ")


async def test_every_picture_ever_shown_has_alt_text(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=0.7"):
        act = await ada.slash("draw", prompt="a *fox*\nin   the snow", steps=5)
        first = await act.until(done, 20)
    assert any(version.attachments for version in first.history), "a preview was shown"
    async with start():
        grid = await draw(discord, prompt="a *fox*\nin   the snow", count=2)
        await result(await ada.choose(grid, "Take one", "Send 2"))
        await ada.react(first, "🔁")
        await nth(discord, 4)
    for message in discord.world.channel.messages:
        for attachments in (message.attachments, *(version.attachments for version in message.history)):
            assert [file.description for file in attachments] == ["Prompt: a *fox* in the snow"] * len(attachments)


async def test_what_is_hidden_stays_hidden_in_everything_made_from_it(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=0.7"):
        act = await ada.slash("draw", prompt="a fox", count=2, steps=2, spoiler=True)
        first = await act.until(done, 20)
    async with start():
        await ask(discord, discord.world.ada, "preferences", spoiler=False)
        await result(await ada.press(first, "Reroll"))
        await result(await ada.submit(await ada.press(first, "Edit"), {"prompt": "an owl"}))
        await result(await ada.submit(await ada.press(first, "Remix"), {"prompt": "a crow"}))
        taken = await result(await ada.choose(first, "Take one", "Send 1"))
        menu = await result(await ada.submit(await ada.menu("Remix", taken), {"prompt": "a hare"}))
        await result(await ada.press(menu, "Reroll"))
        hidden = Attachment("SPOILER_x.png", pictures.png())
        await result(await ada.slash("remix", image=hidden, prompt="a bear"))
    results = [m for m in discord.world.channel.messages if not m.ephemeral]
    assert len(results) == 8
    for message in results:
        for version in [message.snapshot(0), *message.history]:
            assert all(file.spoiler for file in version.attachments)
            shown = [embed for embed in version.embeds if embed.get("image") or embed.get("thumbnail")]
            assert not shown, "Discord hides no picture inside an embed"


async def test_a_picture_that_fits_passes_through_byte_by_byte(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.noise_bytes = 100 * KIBIBYTE
        message = await draw(discord, seed=7)
        [file] = message.attachments
        assert len(file.data) > 100 * KIBIBYTE
        assert b"baLa" in file.data, "whatever the backend put into it is still there"
        assert "Seed: 7" in parameters(file.data)
        assert SMALLER not in message.text


async def test_a_picture_over_the_places_limit_is_fitted_and_says_so(discord: Discord, start: Start) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    world.guild.upload_limit = 20 * KIBIBYTE
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.noise_bytes = 100 * KIBIBYTE
        first = await draw(discord, seed=7)
        rerolled = await result(await ada.press(first, "Reroll"))
        await discord.until(lambda: done(first))
        await ada.react(first, "🔁")
        by_reaction = await nth(discord, 3)
        grid = await draw(discord, seed=7, count=2)
        taken = await result(await ada.choose(grid, "Take one", "Send 1"))
        elsewhere = await result(await discord.as_(world.carla, world.other_channel).slash("draw", prompt="a fox"))
    for message in (first, rerolled, by_reaction, taken):
        [file] = message.attachments
        assert len(file.data) <= 20 * KIBIBYTE
        assert SMALLER in message.text
        with Image.open(io.BytesIO(file.data)) as image:
            assert image.size == (128, 128)
            assert image.getexif(), "the infotext goes along"
    assert SMALLER not in elsewhere.text


async def test_a_place_that_takes_less_than_it_said_gets_it_smaller_yet(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.noise_bytes = 300 * KIBIBYTE
        discord.faults.answer("PATCH", "/webhooks/.*/messages/", 413, code=40005)
        first = await draw(discord, seed=7)
        assert SMALLER in first.text
        assert len(first.attachments[0].data) < 300 * KIBIBYTE
        discord.faults.answer("PATCH", "/webhooks/.*/messages/", 413)
        second = await draw(discord, seed=8)
        assert SMALLER in second.text
        grid = await draw(discord, seed=9, count=2)
        discord.faults.answer("PATCH", "/webhooks/.*/messages/", 413, code=40005)
        taken = await result(await ada.choose(grid, "Take one", "Send 1"))
        assert SMALLER in taken.text


async def test_a_long_prompt_is_whole_under_its_picture_and_in_the_settings(
    discord: Discord, start: Start
) -> None:
    async with start():
        prompt = "_fox_ " * 249 + "end"
        asked = await discord.as_(discord.world.ada).slash("draw", prompt=prompt)
        message = await result(await insist(discord, asked))
        shown = message.embeds[0]["description"].replace("\\", "")
        assert shown == f"“{prompt}”"
        assert recipe(message).prompt == prompt
        assert (message.attachments[0].description or "").endswith("…")
        settings = await discord.as_(discord.world.ada).press(message, "Settings")
        assert prompt in await private(discord, settings)


async def test_what_came_out_other_than_asked_is_said(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.LIE, 1
        message = await draw(discord, sampler="Euler a")
        assert "DPM++ 2M" in message.text


async def test_a_picture_too_large_for_the_graphics_memory_is_offered_smaller(
    discord: Discord, start: Start
) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.OUT_OF_MEMORY, 1
        act = await ada.slash("draw", prompt="a fox", width=256, height=256, seed=7)
        failed = await act.until(lambda m: "Not painted" in m.text)
        assert [c["label"] for c in failed.controls] == ["Try again", "Smaller"]
        smaller = await result(await ada.press(failed, "Smaller"))
    assert (smaller.attachments[0].width, smaller.attachments[0].height) == (192, 192)
    assert "seed 7" in smaller.text


async def test_a_reroll_whose_channel_closed_meanwhile_comes_by_direct_message(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    async with start():
        first = await draw(discord)
        await nth(discord, 1, done)

    async def accepted() -> bool:
        return world.ada.mention in await ask(discord, world.bruno, "queue show")

    async with start(EASEL_BACKENDS="sketch=0.45"):
        await discord.as_(world.ada).react(first, "🔁")
        await eventually(accepted)
        role = world.role_of_bot(world.guild)
        world.set_overwrite(world.channel, Overwrite(role.id, deny=int(Permission.SEND_MESSAGES)))
        await discord.until(lambda: any(painted(m) for m in world.ada.dms), 20)
    assert [m for m in world.channel.messages if painted(m)] == [first]


@pytest.mark.usefixtures("easel")
async def test_what_fails_behind_a_public_placeholder_is_explained_in_private(discord: Discord) -> None:
    grid = await draw(discord, count=2)
    discord.faults.answer("PATCH", "/webhooks/.*/messages/@original", 400, code=50035)
    act = await discord.as_(discord.world.ada).choose(grid, "Take one", "Send 1")
    assert "Something went wrong on our side." in await private(discord, act)
    assert act.original is not None
    assert act.original.deleted


@pytest.mark.usefixtures("easel")
async def test_an_owner_without_a_role_and_a_person_with_an_odd_name_are_shown_as_they_are(
    discord: Discord,
) -> None:
    world = discord.world
    odd = world.add_member(world.guild, world.add_user("**Zoë** @everyone"))
    assert "Zoë" in (await draw(discord, odd)).embeds[0]["author"]["name"]
    assert "Olga" in (await draw(discord, world.owner)).embeds[0]["author"]["name"]
