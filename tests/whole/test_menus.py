"""The menus on messages: on the bot's own, on taken pictures, and on anybody's message with a picture."""

import re

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.standins.webui_pictures import png as labelled
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import draw, eventually, painted, private, recipe, result

RECIPE = "an owl\nSteps: 9, Sampler: Euler a, CFG scale: 5.5, Seed: 77, Size: 64x48, Model: random15"


@pytest.mark.usefixtures("easel")
async def test_remix_opens_its_form_on_ones_own_and_on_anybodys_picture(discord: Discord) -> None:
    ada, bruno = discord.as_(discord.world.ada), discord.as_(discord.world.bruno)
    first = await draw(discord, prompt="a fox")
    mine = recipe(await result(await bruno.submit(await bruno.menu("Remix", first), {"strength": "0.4"})))
    assert (mine.prompt, mine.fields["Denoising strength"]) == ("a fox", "0.4")
    said = await ada.say("look", Attachment("cat.png", png(192, 96)))
    act = await bruno.submit(await bruno.menu("Remix", said), {"prompt": "a cat"})
    assert recipe(await result(act)).prompt == "a cat"


async def test_upscale_and_describe_work_on_any_picture(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        bruno = discord.as_(discord.world.bruno)
        await eventually(lambda: bruno.autocomplete("upscale", "upscaler", "ESRGAN"))
        first = await draw(discord, prompt="a fox", seed=7)
        said = await discord.as_(discord.world.ada).say("look", Attachment("owl.png", labelled(64, 48, 5, RECIPE)))
        for source, seed, width in ((first, 7, 256), (said, 77, 128)):
            larger = await result(await bruno.menu("Upscale", source))
            assert (recipe(larger).seed, larger.attachments[0].width) == (seed, width)
        for source, prompt in ((first, "a fox"), (said, "an owl")):
            act = await bruno.menu("Describe", source)
            await act.until(lambda m: "/draw prompt:" in m.text, 20)
            assert f"/draw prompt:{prompt}" in act.text
            assert ("How it was painted" if source is first else "Read from the file") in act.text
        plain = await discord.as_(discord.world.ada).say("", Attachment("c.png", png()))
        act = await bruno.menu("Describe", plain)
        await act.until(lambda m: "a cat" in m.text, 20)


@pytest.mark.usefixtures("easel")
async def test_a_taken_picture_is_known_as_the_one_it_is(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    grid = await draw(discord, prompt="a fox", seed=7, count=2)
    act = await ada.choose(grid, "Take one", "Send 2")
    taken = await act.until(painted, 20)
    act = await ada.menu("Describe", taken)
    await act.until(lambda m: "seed:8" in m.text, 20)
    assert "/draw prompt:a fox" in await private(discord, await ada.menu("Show settings", taken))
    bruno = discord.as_(discord.world.bruno)
    assert "not yours" in await private(discord, await bruno.menu("Cancel or delete", taken))
    await (await ada.menu("Cancel or delete", taken)).until(lambda m: "Deleted." in m.text, 20)
    assert taken.deleted
    assert not grid.deleted


async def test_cancel_or_delete_does_what_there_is_to_do(discord: Discord, start: Start) -> None:
    world = discord.world
    ada, bruno, mod = discord.as_(world.ada), discord.as_(world.bruno), discord.as_(world.moderator)
    async with start(EASEL_BACKENDS="sketch=30"):
        acts = [await ada.slash("draw", prompt=f"fox {n}") for n in range(2)]
        running, waiting = [await act.until(lambda m: m.controls) for act in acts]
        assert "not yours" in await private(discord, await bruno.menu("Cancel or delete", waiting))
        assert "Cancelled." in await private(discord, await ada.menu("Cancel or delete", waiting))
        await acts[1].until(lambda m: "Cancelled" in m.text)
        assert "Cancelled." in await private(discord, await mod.menu("Cancel or delete", running))
        await acts[0].until(lambda m: "Cancelled" in m.text)
        await (await mod.menu("Cancel or delete", running)).until(lambda m: "Deleted." in m.text, 20)
    assert running.deleted


@pytest.mark.usefixtures("easel")
async def test_a_copy_says_whose_it_is_and_whoever_had_it_sent_takes_it_away(discord: Discord) -> None:
    world = discord.world
    bruno, carla = discord.as_(world.bruno), discord.as_(world.moderator)
    grid = await draw(discord, prompt="a fox", count=2)
    first, second = [await result(await bruno.choose(grid, "Take one", "Send 2")) for _ in range(2)]
    [embed] = first.embeds
    assert embed["author"]["name"] == grid.embeds[0]["author"]["name"]
    link = f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/{grid.id}"
    assert f"Picture 2 of {link}, sent by <@{world.bruno.id}>" in first.text
    assert [control["label"] for control in first.controls] == ["Delete"]
    third = await result(await carla.choose(grid, "Take one", "Send 1"))
    assert "not yours" in await private(discord, await bruno.press(third, "Delete"))
    assert "not yours" in await private(discord, await bruno.press(grid, "Delete"))
    await bruno.press(first, "Delete")
    await discord.until(lambda: first.deleted)
    await (await bruno.menu("Cancel or delete", second)).until(lambda m: "Deleted." in m.text, 20)
    await discord.as_(world.ada).press(third, "Delete")
    await discord.until(lambda: third.deleted)
    assert second.deleted
    assert not grid.deleted


@pytest.mark.usefixtures("easel")
async def test_where_there_is_nothing_to_be_had_the_menus_say_so(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    said = await ada.say("no picture at all")
    for name in ("Remix", "Upscale", "Describe"):
        assert "no picture attached" in await private(discord, await ada.menu(name, said)), name
    for name in ("Show settings", "Cancel or delete"):
        assert "no picture of mine" in await private(discord, await ada.menu(name, said)), name
    text = Attachment("notes.txt", b"words", content_type="text/plain")
    assert "no picture attached" in await private(discord, await ada.menu("Upscale", await ada.say("", text)))


async def test_settings_and_descriptions_name_what_the_backend_chose_at_every_remove(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        ada = discord.as_(discord.world.ada)
        await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN"))
        first = await draw(discord, prompt="a fox", seed=7)
        larger = await result(await ada.choose(first, "More", "Upscale"))
        told = [await private(discord, await ada.press(message, "Settings")) for message in (first, larger)]
        for message in (first, larger):
            described = await ada.choose(message, "More", "Describe")
            await described.until(lambda m: "/draw prompt:" in m.text, 20)
            told.append(described.text)
        for text in told:
            assert re.search(r" model:\S.* sampler:\S", text), text
