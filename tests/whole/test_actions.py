"""Buttons, menus, forms and reactions under a picture, before and after a restart."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal import Discord, Message
from bot.rehearsal.options import Value
from tests.whole.conftest import Start, Time
from tests.whole.play import (
    ask,
    done,
    draw,
    nth,
    painted,
    parameters,
    private,
    raw_press,
    raw_submit,
    recipe,
    result,
    told,
)

GONE = "no longer kept"


def pasted(text: str) -> dict[str, Value]:
    """Return the options that Discord's client makes of a copied command."""
    line = text.strip("`\n").split("\n")[0]
    names = "prompt|negative_prompt|model|width|height|count|steps|cfg_scale|sampler|scheduler|seed|lora|spoiler"
    found: dict[str, Any] = dict(re.findall(rf"\b({names}):(.*?)(?= (?:{names}):|$)", line))
    for name in ("width", "height", "count", "steps", "seed"):
        if name in found:
            found[name] = int(found[name])
    found["cfg_scale"] = float(found["cfg_scale"])
    if "spoiler" in found:
        found["spoiler"] = found["spoiler"] == "True"
    return found


def seeds(text: str) -> str:
    [found] = re.findall(r"seeds? [\d–]+", text)
    return str(found)


async def test_cancel_takes_a_waiting_and_a_running_job_out_and_run_again_brings_it_back(
    discord: Discord, start: Start
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=30"):
        acts = [await ada.slash("draw", prompt=f"fox {n}") for n in range(3)]
        running, waiting, next_one = [await act.until(lambda m: m.controls) for act in acts]
        await acts[0].until(lambda m: "Painting" in m.text)
        await ada.press(waiting, "Cancel")
        await acts[1].until(lambda m: "Cancelled" in m.text)
        assert "Painting" in running.text
        assert "Wait until it is painted." in await private(discord, await ada.menu("Remix", running))
        await ada.press(running, "Cancel")
        await acts[0].until(lambda m: "Cancelled" in m.text)
        await acts[2].until(lambda m: "Painting" in m.text)
        assert "finished already" in await private(
            discord, await raw_press(discord, ada.user, "easel:cancel:1", running)
        )
        again = await ada.press(waiting, "Run again")
        await again.until(lambda m: "fox 1" in m.text)
        await ada.press(next_one, "Cancel")
        await again.until(lambda m: "Painting" in m.text)
        await ada.press(again.message, "Cancel")
        await again.until(lambda m: "Cancelled" in m.text)


@pytest.mark.usefixtures("easel")
async def test_reroll_paints_the_same_with_a_new_seed_as_an_answer_to_the_first(discord: Discord) -> None:
    first = await draw(discord, prompt="a fox", seed=7, steps=3, negative_prompt="snow")
    second = await result(await discord.as_(discord.world.bruno).press(first, "Reroll"))
    third = await result(await discord.as_(discord.world.ada).press(second, "🔁"))
    assert [m.reference for m in (first, second, third)] == [None, first, second]
    recipes = [recipe(m) for m in (first, second, third)]
    assert len({r.seed for r in recipes}) == 3
    assert {(r.prompt, r.negative_prompt, r.fields["Steps"]) for r in recipes} == {("a fox", "snow", "3")}


@pytest.mark.usefixtures("easel")
async def test_edit_changes_what_is_changed_in_its_form_and_nothing_else(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    first = await draw(discord, prompt="a fox", seed=7, steps=3, cfg_scale=4.5, sampler="DDIM", width=192)
    same = await result(await ada.submit(await ada.press(first, "Edit")))
    assert same.attachments[0].data == first.attachments[0].data
    opened = await ada.press(first, "Edit")
    act = await ada.submit(
        opened,
        {"prompt": "an owl", "settings": "192x128; steps 6; CFG 9,5", "seed": "8", "negative_prompt": "fog"},
    )
    changed = recipe(await result(act))
    assert (changed.prompt, changed.negative_prompt, changed.seed) == ("an owl", "fog", 8)
    assert [changed.fields[name] for name in ("Steps", "CFG scale", "Size")] == ["6", "9.5", "192x128"]
    act = await ada.submit(await ada.press(first, "Edit"), {"seed": ""})
    fresh = recipe(await result(act))
    assert fresh.seed != 7
    assert (fresh.fields["Sampler"], fresh.fields["Steps"]) == ("DDIM", "3")


@pytest.mark.usefixtures("easel")
async def test_remix_starts_from_the_picture_under_which_it_was_pressed(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    first = await draw(discord, prompt="a fox", width=192, steps=3)
    act = await ada.submit(await ada.press(first, "Remix"), {"prompt": "a fox at night", "strength": "0,35"})
    remixed = recipe(await result(act))
    assert (remixed.prompt, remixed.fields["Denoising strength"]) == ("a fox at night", "0.35")
    assert remixed.fields["Size"] == "192x128"
    rerolled = recipe(await result(await ada.press(act.message, "Reroll")))
    assert rerolled.fields["Denoising strength"] == "0.35"
    edited = await ada.submit(await ada.press(act.message, "Edit"), {"prompt": "a fox at noon"})
    assert recipe(await result(edited)).fields["Denoising strength"] == "0.35"
    text = await private(discord, await ada.press(act.message, "Settings"))
    assert "/draw prompt:a fox at night " in text
    assert "more:strength 0.35 like:0002" in text, "a picture comes along by the job's code"


@pytest.mark.usefixtures("easel")
async def test_the_copied_command_pasted_again_gives_the_same_picture(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    first = await draw(
        discord,
        prompt="a *fox*: `red`, \\_/ @everyone",
        negative_prompt="snow, ice",
        seed=4294967295,
        steps=3,
        cfg_scale=7.125,
        sampler="DPM++ 2M",
        scheduler="Karras",
        width=192,
        spoiler=True,
    )
    options = pasted(await private(discord, await ada.press(first, "Settings")))
    second = await result(await ada.slash("draw", **options))
    assert recipe(second) == recipe(first)
    assert second.attachments[0].data == first.attachments[0].data
    assert second.attachments[0].spoiler


@pytest.mark.usefixtures("easel")
async def test_of_several_pictures_one_grid_comes_and_each_original_can_be_taken(discord: Discord) -> None:
    bruno = discord.as_(discord.world.bruno)
    grid = await draw(discord, seed=40, count=4)
    assert "seeds 40–43" in grid.text
    [sheet] = grid.attachments
    assert (sheet.width or 0) > 128
    third = await bruno.choose(grid, "Take one", "Send 3")
    taken = await result(third)
    alone = await draw(discord, seed=42)
    assert taken.attachments[0].data == alone.attachments[0].data
    assert "seed 42" in taken.text
    assert taken.attachments[0].description == "Prompt: a fox"
    assert parameters(taken.attachments[0].data).startswith("a fox")
    again = await result(await bruno.press(grid, "Reroll"))
    assert re.search(r"seeds \d+–\d+", again.text)
    taking = [option["label"] for option in again.controls[-2]["options"] if "Send" in option["label"]]
    assert taking == ["Send 1", "Send 2", "Send 3", "Send 4"]


@pytest.mark.usefixtures("easel")
async def test_delete_takes_the_message_away(discord: Discord) -> None:
    message = await draw(discord)
    await discord.as_(discord.world.ada).press(message, "Delete")
    await discord.until(lambda: message.deleted)
    assert not discord.world.channel.messages


@pytest.mark.usefixtures("easel")
async def test_a_reaction_counts_each_time_it_is_put_but_not_twice_for_one_time(discord: Discord) -> None:
    ada, channel = discord.as_(discord.world.ada), discord.world.channel
    await nth_after_draw(discord)
    first = channel.messages[0]
    await ada.react(first, "🔁")
    second = await nth(discord, 2)
    assert second.reference is first
    await ada.unreact(first, "🔁")
    await ada.react(first, "🔁")
    await nth(discord, 3)
    await discord.as_(discord.world.bruno).react(first, "🔁")
    await nth(discord, 4, done)
    await ada.react(first, "🎉")
    await ada.react(channel.messages[3], "🔁")
    await nth(discord, 5)
    assert len({seeds(m.text) for m in channel.messages}) == 5


@pytest.mark.usefixtures("easel")
async def test_a_reaction_told_twice_after_a_lost_connection_paints_once(discord: Discord) -> None:
    ada, channel = discord.as_(discord.world.ada), discord.world.channel
    first = await nth_after_draw(discord)
    await ada.react(first, "🔁")
    await nth(discord, 2, done)
    discord.faults.replay_again = 20
    await discord.faults.drop_gateway()
    await discord.online()
    await ada.press(first, "Settings")
    await ada.react(channel.messages[1], "🔁")
    await nth(discord, 4, done)
    assert len([m for m in channel.messages if painted(m)]) == 3


async def nth_after_draw(discord: Discord) -> Message:
    await draw(discord)
    return await nth(discord, 1, done)


@pytest.mark.usefixtures("easel")
async def test_another_bots_reaction_paints_nothing(discord: Discord) -> None:
    world = discord.world
    other = world.add_member(world.guild, world.add_user("Echo", bot=True))
    first = await nth_after_draw(discord)
    await discord.as_(other).react(first, "🔁")
    await discord.as_(world.ada).react(first, "🔁")
    await nth(discord, 2, done)
    assert "Nobody waits here" in await ask(discord, world.ada, "queue show")
    assert len([m for m in world.channel.messages if painted(m)]) == 2


async def test_a_reaction_cancels_a_job_and_takes_a_picture_away(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=30"):
        act = await ada.slash("draw", prompt="a fox")
        message = await act.until(lambda m: m.controls)
        await ada.react(message, "❌")
        await act.until(lambda m: "Cancelled" in m.text)
        await ada.unreact(message, "❌")
        await ada.react(message, "❌")
        await discord.until(lambda: message.deleted)
    async with start():
        picture = await draw(discord)
        await ada.react(picture, "❌")
        await discord.until(lambda: picture.deleted)


async def test_a_deleted_status_message_cancels_its_job(discord: Discord, start: Start) -> None:
    ada, world = discord.as_(discord.world.ada), discord.world
    async with start(EASEL_BACKENDS="sketch=30"):
        act = await ada.slash("draw", prompt="a fox")
        message = await act.until(lambda m: "Painting" in m.text)
        behind = await ada.slash("draw", prompt="an owl")
        await discord.as_(world.moderator).delete(message)
        await behind.until(lambda m: "Painting" in m.text)
        await ada.press(behind.message, "Cancel")
        await behind.until(lambda m: "Cancelled" in m.text)


async def test_everything_under_a_picture_works_after_a_restart(discord: Discord, start: Start) -> None:
    ada, channel = discord.as_(discord.world.ada), discord.world.channel
    async with start():
        first = await draw(discord, seed=7, count=2)
        await nth(discord, 1, done)
        edit, remix = await ada.press(first, "Edit"), await ada.press(first, "Remix")
        menu = await ada.menu("Remix", first)
    async with start():
        second = await result(await ada.press(first, "Reroll"))
        assert (await result(await ada.choose(first, "Take one", "Send 2"))).text.count("seed 8")
        assert "an owl" in (await result(await ada.submit(edit, {"prompt": "an owl"}))).text
        assert "a bear" in (await result(await ada.submit(remix, {"prompt": "a bear"}))).text
        assert "a crow" in (await result(await ada.submit(menu, {"prompt": "a crow"}))).text
        await result(await ada.submit(await ada.press(first, "Edit"), {"prompt": "a hare"}))
        assert "seed:7" in await private(discord, await ada.press(first, "Settings"))
        before = len(channel.messages)
        await ada.react(first, "🔁")
        rerolled = await nth(discord, before + 1)
        await nth(discord, before + 1, done)
    async with start():
        await result(await ada.press(rerolled, "Reroll"))
        before = len(channel.messages)
        await ada.react(rerolled, "🔁")
        await nth(discord, before + 1)
        await ada.press(second, "Delete")
        await discord.until(lambda: second.deleted)
        await ada.react(first, "❌")
        await discord.until(lambda: first.deleted)


async def test_a_job_can_be_cancelled_after_a_restart(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9"):
        first, second = [await ada.slash("draw", prompt=f"fox {n}") for n in range(2)]
        await first.until(lambda m: "Waiting for a painter" in m.text)
        await second.until(lambda m: "Waiting for a painter" in m.text)
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9"):
        await ada.press(first.message, "Cancel")
        await first.until(lambda m: "Cancelled" in m.text)
        await ada.react(second.message, "❌")
        await second.until(lambda m: "Cancelled" in m.text)
    async with start():
        await result(await ada.press(first.message, "Run again"))


async def test_past_the_days_that_originals_are_kept_the_message_is_the_archive(
    discord: Discord, start: Start, clock: Time, tmp_path: Path
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        first = await draw(discord, seed=7)
        grid = await draw(discord, seed=7, count=2)
        remixed = await result(await ada.submit(await ada.press(first, "Remix"), {"prompt": "a bear"}))
    clock.ahead_s = 8 * 86400
    async with start():
        await discord.until(lambda: not any((tmp_path / "data" / "blobs").glob("??/*")))
        again = await result(await ada.submit(await ada.press(first, "Remix"), {"prompt": "an owl"}))
        assert "an owl" in again.text
        opened = await ada.press(grid, "Remix")
        assert GONE in await private(discord, await ada.submit(opened, {"prompt": "an owl"}))
        assert GONE in await private(discord, await ada.choose(grid, "Take one", "Send 1"))
        assert "no longer kept" in await private(discord, await ada.press(remixed, "Reroll"))
        assert "seed" in (await result(await ada.press(first, "Reroll"))).text


@pytest.mark.usefixtures("easel")
async def test_whatever_is_old_or_unknown_is_answered_in_words(discord: Discord) -> None:
    ada, message = discord.world.ada, await draw(discord)
    for custom_id in (
        "easel:frobnicate:1",
        "upscale-7",
        "easel:reroll:999",
        "easel:edit:999",
        "easel:delete:" + "9" * 19,
    ):
        assert GONE in await private(discord, await raw_press(discord, ada, custom_id, message)), custom_id
    for custom_id in ("easel:take:999", "easel:pick:1"):
        assert GONE in await private(discord, await raw_press(discord, ada, custom_id, message, ("1",)))
    for value in ("9", "0", "-1", "one"):
        assert GONE in await private(discord, await raw_press(discord, ada, "easel:take:1", message, (value,))), (
            value
        )
    for custom_id in ("easel:edit:999", "easel:remix:999", "easel:reroll:1", "form-3"):
        act = await raw_submit(discord, ada, custom_id, message, prompt="an owl")
        assert GONE in await private(discord, act), custom_id


@pytest.mark.usefixtures("easel")
async def test_a_job_of_another_server_is_out_of_reach(discord: Discord) -> None:
    world = discord.world
    await draw(discord, count=2)
    carla = discord.as_(world.carla, world.other_channel)
    theirs = await result(await carla.slash("draw", prompt="an owl"))
    for action in ("cancel", "reroll", "again", "smaller", "edit", "remix", "settings", "delete"):
        act = await raw_press(discord, world.carla, f"easel:{action}:1", theirs)
        assert GONE in await private(discord, act), action
    assert GONE in await private(discord, await raw_press(discord, world.carla, "easel:take:1", theirs, ("1",)))
    act = await raw_submit(discord, world.carla, "easel:edit:1", theirs, prompt="an owl")
    assert GONE in await private(discord, act)
    act = await carla.slash("queue cancel", job="0001")
    assert "no job 0001 here" in await private(discord, act)


@pytest.mark.usefixtures("easel")
async def test_a_refused_reaction_says_why_in_a_direct_message(discord: Discord) -> None:
    world = discord.world
    message = await draw(discord)
    await discord.as_(world.bruno).react(message, "❌")
    assert "This picture is not yours." in await told(discord, world.bruno, "not yours")
    assert not message.deleted
