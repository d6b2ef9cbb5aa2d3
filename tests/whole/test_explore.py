"""``/explore``: two parameters, one message, one labelled picture."""

import asyncio
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment
from tests.standins.webui import Fault, StandInWebUI, png
from tests.whole.conftest import Start, Time
from tests.whole.play import done, nth, painted, private, result, told
from tests.whole.process import running

TXT2IMG = "/sdapi/v1/txt2img"
GRID: dict[str, Value] = {
    "prompt": "a red fox",
    "across": "sampler",
    "across_values": "Euler, DPM++ 2M",
    "down": "cfg",
    "down_values": "4..8 step 4",
}


async def explored(discord: Discord, **values: Value) -> Interaction:
    return await discord.as_(discord.world.ada).slash("explore", **{**GRID, **values})


def size(message: Message) -> tuple[int, int]:
    [file] = message.attachments
    with Image.open(io.BytesIO(file.data)) as image:
        return image.size


def labels(message: Message) -> list[str]:
    [menu] = [control for control in message.controls if control.get("placeholder") == "Take one"]
    return [option["label"] for option in menu["options"]]


def begun(message: Message) -> bool:
    """Return whether some cells are painted and some are not."""
    return re.search("Exploring · [123] of 4", message.text) is not None


def public(discord: Discord) -> list[Message]:
    return [message for message in discord.world.channel.messages if message.private_to is None]


def titles(message: Message) -> list[str]:
    shown = [*(version.embeds for version in message.history), message.embeds]
    return [embeds[0].get("title") or "" for embeds in shown if embeds]


async def test_every_cell_is_asked_for_once_and_one_picture_has_them_all(start: Start, discord: Discord) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        message = await result(await explored(discord))
        sent = server.posts(TXT2IMG)
    asked = [(body["sampler_name"], body["cfg_scale"]) for body in sent]
    assert asked == [("Euler", 4), ("DPM++ 2M", 4), ("Euler", 8), ("DPM++ 2M", 8)]
    assert len({body["seed"] for body in sent}) == 1
    assert all(body["prompt"] == "a red fox" and body.get("n_iter", 1) == 1 for body in sent)
    assert len(discord.world.channel.messages) == 1
    [picture] = message.attachments
    assert picture.description == (
        "A grid of pictures. Columns, sampler: Euler, DPM++ 2M. Rows, cfg: 4, 8. Prompt: a red fox"
    )
    assert size(message)[0] > 2 * 128
    assert "→ **sampler** Euler · DPM++ 2M" in message.text
    assert "↓ **cfg** 4 · 8" in message.text
    assert labels(message) == ["Euler · 4", "DPM++ 2M · 4", "Euler · 8", "DPM++ 2M · 8"]
    assert [control["label"] for control in message.controls if "label" in control] == [
        "Reroll",
        "Settings",
        "Delete",
    ]


async def test_each_parameter_reaches_the_backend(start: Start, discord: Discord) -> None:
    def field(body: Any, path: str) -> Any:
        for name in path.split("."):
            body = body[name]
        return body

    cases = {
        ("steps", "3-7:2"): ("steps", [3, 5, 7]),
        ("seed", "5, 9"): ("seed", [5, 9]),
        ("model", "dreamshaper_8, random15"): ("override_settings.sd_model_checkpoint", None),
        ("scheduler", "Karras, Exponential"): ("scheduler", ["Karras", "Exponential"]),
        ("clip_skip", "1, 2"): ("override_settings.CLIP_stop_at_last_layers", [1, 2]),
        ("size", "1:1, 192x128"): ("width", [128, 192]),
        ("hires", "1.5, 2"): ("hr_scale", [1.5, 2]),
        ("lora", "0.4, 0.8"): ("prompt", ["a red fox <lora:add-detail:0.4>", "a red fox <lora:add-detail:0.8>"]),
        ("prompt", "red, blue"): ("prompt", ["a red fox", "a blue fox"]),
    }
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        for (name, values), (path, wanted) in cases.items():
            before = len(server.posts(TXT2IMG))
            more: dict[str, Value] = {"lora": "add-detail"} if name == "lora" else {}
            ada = discord.as_(discord.world.ada)
            act = await ada.slash("explore", prompt="a red fox", across=name, across_values=values, **more)
            await result(act)
            found = [field(body, path) for body in server.posts(TXT2IMG)[before:]]
            assert len(found) == len(set(found)) == len(wanted or (1, 2)), name
            assert wanted is None or found == wanted, name


async def test_a_source_picture_is_painted_from_with_every_strength(start: Start, discord: Discord) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await result(
            await explored(
                discord,
                image=Attachment("in.png", png(128, 64, 1)),
                across="strength",
                across_values="0.3, 0.6",
                down="seed",
                down_values="1-2",
            )
        )
        sent = server.posts("/sdapi/v1/img2img")
    assert [(body["denoising_strength"], body["seed"]) for body in sent] == [
        (0.3, 1),
        (0.6, 1),
        (0.3, 2),
        (0.6, 2),
    ]
    assert len({body["init_images"][0] for body in sent}) == 1


async def test_the_message_counts_its_cells_and_draws_nothing_else(start: Start, discord: Discord) -> None:
    async with start(EASEL_BACKENDS="sketch=0.2"):
        act = await explored(discord)
        await act.until(begun, 20)
        await act.until(painted, 20)
    counts = [title for title in titles(act.message) if title]
    assert set(counts) <= {f"Exploring · {n} of 4" for n in range(5)}
    assert len(discord.world.channel.messages) == 1


async def test_those_who_wait_see_the_place_of_the_next_cell(start: Start, discord: Discord) -> None:
    async with start(EASEL_BACKENDS="sketch=0.1"):
        await discord.as_(discord.world.bruno).slash("draw", prompt="an owl", steps=20)
        act = await explored(discord)
        waiting = await act.until(lambda m: "Exploring · 0 of 4" in m.text, 20)
        assert "In line · 1st" in waiting.text
        await act.until(painted, 40)


async def test_cancel_takes_what_is_left_out_of_the_line_and_shows_what_is_painted(
    start: Start, discord: Discord
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.25"):
        act = await explored(discord)
        await act.until(begun, 20)
        await discord.as_(discord.world.ada).press(act.message, "Cancel")
        message = await act.until(painted, 20)
        assert "cancelled" in message.text
        assert 1 <= len(labels(message)) < 4
        assert "a red fox" not in await private(discord, await discord.as_(discord.world.ada).slash("queue show"))
    assert len(public(discord)) == 1


async def test_cancelled_before_the_first_cell_it_says_so_and_can_be_run_again(
    start: Start, discord: Discord
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=0.1"):
        await discord.as_(discord.world.bruno).slash("draw", prompt="an owl", steps=25)
        act = await explored(discord)
        await act.until(lambda m: "Exploring · 0 of 4" in m.text, 20)
        await ada.press(act.message, "Cancel")
        message = await act.until(lambda m: "Cancelled" in m.text, 20)
        assert not painted(message)
        again = await ada.press(message, "Run again")
        assert labels(await result(again)) == ["Euler · 4", "DPM++ 2M · 4", "Euler · 8", "DPM++ 2M · 8"]


async def test_deleting_the_message_withdraws_every_cell(start: Start, discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI(step_s=0.3) as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        act = await explored(discord)
        await act.until(begun, 20)
        discord.stage.post.delete(act.message)
        sent, server.step_s = len(server.posts(TXT2IMG)), 0.0
        message = await ada.slash("draw", prompt="an owl")
        await result(message)
        assert len(server.posts(TXT2IMG)) <= sent + 1
    assert len(discord.world.channel.messages) == 1


async def test_a_cell_that_fails_is_crossed_out_and_the_rest_is_there(start: Start, discord: Discord) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.OUT_OF_MEMORY, 1
        message = await result(await explored(discord))
    assert labels(message) == ["DPM++ 2M · 4", "Euler · 8", "DPM++ 2M · 8"]
    assert "1 failed: " in message.text
    assert "graphics memory" in message.text


async def test_where_every_cell_fails_it_says_why_and_offers_to_try_again(start: Start, discord: Discord) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.OUT_OF_MEMORY, 4
        act = await explored(discord)
        message = await act.until(lambda m: "Not painted" in m.text, 20)
        assert [control["label"] for control in message.controls] == ["Try again"]
        again = await discord.as_(discord.world.ada).press(message, "Try again")
        assert painted(await result(again))


async def test_a_cell_is_taken_with_its_values_and_rerolls_alone(start: Start, discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        message = await result(await explored(discord, seed=7))
        taken = await result(await ada.choose(message, "Take one", "DPM++ 2M · 8"))
        assert "seed 7" in taken.text
        assert "DPM++ 2M" in taken.text
        assert {"Reroll", "Edit", "Remix"} <= {control.get("label") for control in taken.controls}
        before = len(server.posts(TXT2IMG))
        await result(await ada.press(taken, "Reroll"))
        [alone] = server.posts(TXT2IMG)[before:]
    assert (alone["sampler_name"], alone["cfg_scale"]) == ("DPM++ 2M", 8)
    assert alone["seed"] != 7


async def test_reroll_explores_again_with_one_new_seed_even_after_a_restart(
    start: Start, discord: Discord
) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server:
        async with start(EASEL_BACKENDS=f"webui={server.url}"):
            message = await result(await explored(discord, seed=7))
        async with start(EASEL_BACKENDS=f"webui={server.url}"):
            second = await result(await ada.press(message, "Reroll"))
            third = await result(await ada.press(second, "Reroll"))
            seeds = [body["seed"] for body in server.posts(TXT2IMG)]
    assert labels(third) == labels(message)
    assert seeds[:4] == [7] * 4
    assert [len(set(seeds[first : first + 4])) for first in (4, 8)] == [1, 1]
    assert len(set(seeds)) == 3


async def test_settings_give_the_command_that_explores_the_same(start: Start, discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        message = await result(await explored(discord, seed=7, negative_prompt="blurry", more="clip_skip 2"))
        answer = await private(discord, await ada.press(message, "Settings"))
        command = answer.strip("`\n")
        again = await result(await ada.slash("explore", **typed(command)))
        sent = server.posts(TXT2IMG)
    assert command.startswith("/explore prompt:a red fox across:sampler across_values:Euler, DPM++ 2M down:cfg ")
    assert labels(again) == labels(message)
    assert [_plain(body) for body in sent[4:]] == [_plain(body) for body in sent[:4]]


def typed(command: str) -> dict[str, Value]:
    """Return the options of a pasted command, each as its type."""
    parts = re.split(r"\s(\w+):", command)
    values: dict[str, Value] = dict(zip(parts[1::2], parts[2::2], strict=True))
    kinds = {"steps": int, "seed": int, "cfg_scale": float}
    return {name: kinds.get(name, str)(value) for name, value in values.items()}


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "force_task_id"}


async def test_a_reaction_explores_again_in_a_message_of_its_own(start: Start, discord: Discord) -> None:
    ada, channel = discord.as_(discord.world.ada), discord.world.channel
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        message = await result(await explored(discord, seed=7))
        await ada.react(message, "🔁")
        second = await nth(discord, 2, done)
        await ada.react(second, "🔁")
        third = await nth(discord, 3, done)
        seeds = [body["seed"] for body in server.posts(TXT2IMG)]
        assert labels(second) == labels(third) == labels(message)
        assert [len(set(seeds[first : first + 4])) for first in (0, 4, 8)] == [1, 1, 1]
        await ada.react(third, "⬆️")
        assert "Take one" in await told(discord, discord.world.ada, "whole grid")
        await ada.react(third, "❌")
        await discord.until(lambda: third.deleted)
    assert len(channel.messages) == 2


async def test_a_slow_exploration_by_reaction_waits_in_one_message(start: Start, discord: Discord) -> None:
    ada, channel = discord.as_(discord.world.ada), discord.world.channel
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        message = await result(await explored(discord))
        server.step_s = 0.2
        await ada.react(message, "🔁")
        await discord.until(lambda: len(channel.messages) == 2 and "Exploring · " in channel.messages[1].text, 20)
        await nth(discord, 2, done)
    assert len(channel.messages) == 2


async def test_menus_know_a_grid_from_a_picture(start: Start, discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        message = await result(await explored(discord, seed=7))
        assert "/explore prompt:a red fox across:sampler" in await private(
            discord, await ada.menu("Show settings", message)
        )
        assert "whole grid" in await private(discord, await ada.menu("Remix", message))
        taken = await result(await ada.choose(message, "Take one", "Euler · 4"))
        assert "/draw prompt:a red fox" in await private(discord, await ada.menu("Show settings", taken))


async def test_past_the_tokens_end_it_comes_by_the_channel_and_mentions_once(
    start: Start, discord: Discord, clock: Time
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.2"):
        act = await explored(discord)
        await act.until(lambda m: "Exploring · " in m.text, 20)
        clock.ahead_s = 20 * 60
        message = await act.until(painted, 20)
        await discord.until(lambda: len(discord.world.channel.messages) == 2)
    assert len(labels(message)) == 4
    assert "your picture is ready" in discord.world.channel.messages[1].text
    assert sum(len(each.mentions) for each in discord.world.channel.messages) == 1


async def test_cells_whose_files_are_lost_are_painted_again(
    start: Start, discord: Discord, environ: dict[str, str]
) -> None:
    async with StandInWebUI() as server:
        environ["EASEL_BACKENDS"] = f"webui={server.url}"
        server.step_s = 0.1
        async with start():
            act = await explored(discord, across="seed", across_values="1-4", down_values="7")
            while len(server.posts(TXT2IMG)) < 3:  # noqa: ASYNC110 - the stand-in tells nobody
                await asyncio.sleep(0.01)
        for blob in (Path(environ["EASEL_DATA_DIR"]) / "blobs").glob("*/*"):
            blob.unlink()
        async with start():
            message = await act.until(painted, 20)
        assert 6 <= len(server.posts(TXT2IMG)) <= 8
    assert len(labels(message)) == 4
    assert results_of(message) == 1


async def test_a_place_that_takes_less_gets_a_smaller_grid(start: Start, discord: Discord) -> None:
    async with start():
        discord.faults.answer("PATCH", "/webhooks/.*/messages/", 413, code=40005)
        message = await result(await explored(discord, size="512x512"))
    assert "Sent smaller than painted" in message.text


async def test_delete_takes_the_grid_away(start: Start, discord: Discord) -> None:
    async with start():
        message = await result(await explored(discord))
        await discord.as_(discord.world.ada).press(message, "Delete")
        await discord.until(lambda: not discord.world.channel.messages)


async def test_too_many_cells_are_refused_with_how_many_fit(start: Start, discord: Discord) -> None:
    async with start(EASEL_MAX_QUEUED_USER="10"):
        words = await private(discord, await explored(discord, across="seed", across_values="random*6"))
        assert "That would be 12 pictures, and there is room for 10 in line." in words
        words = await private(discord, await explored(discord, across="seed", across_values="1-100000"))
        assert "at most 25 pictures fit in one grid" in words
        words = await private(discord, await explored(discord, across="seed", across_values="1-20"))
        assert "That would be 40 pictures." in words
    assert not public(discord)


async def test_what_makes_no_sense_is_refused_in_words(start: Start, discord: Discord) -> None:
    cases: dict[str, dict[str, Value]] = {
        "“colour” cannot be explored.": {"across": "colour"},
        "“cat” is no number for cfg.": {"down_values": "4, cat"},
        "“blue” is not in the prompt.": {"across": "prompt", "across_values": "blue, red"},
        "cannot be both parameters": {"across": "cfg", "across_values": "1, 2"},
        "There is no sampler “Oiler” here.": {"across_values": "Euler, Oiler"},
        "cfg\\_scale 99": {"down_values": "4, 99"},
        "without a picture to start from": {"across": "strength", "across_values": "0.3, 0.6"},
    }
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await result(await discord.as_(discord.world.ada).slash("draw", prompt="an owl"))
        for words, values in cases.items():
            assert words in await private(discord, await explored(discord, **values)), words
        act = await discord.as_(discord.world.ada).slash(
            "explore", prompt="a fox", across="cfg", across_values="7", down="seed"
        )
        assert "go together" in await private(discord, act)
    assert len(public(discord)) == 1


async def test_names_and_values_are_suggested_while_typing(start: Start, discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await result(await ada.slash("draw", prompt="an owl"))
        names = [choice["value"] for choice in await ada.autocomplete("explore", "across", "s")]
        assert {"sampler", "seed", "steps", "strength"} <= set(names)
        found = await ada.autocomplete("explore", "across_values", "Euler, DPM++ 2", prompt="x", across="sampler")
        assert any(choice["value"].startswith("Euler, DPM++ 2M") for choice in found)
        seeds = await ada.autocomplete("explore", "down_values", "", prompt="x", across="cfg", down="seed")
        assert "random*3" in [choice["value"] for choice in seeds]


async def test_a_private_exploration_is_seen_by_its_asker_alone(start: Start, discord: Discord) -> None:
    async with start():
        act = await explored(discord, private=True)
        message = await act.until(painted, 20)
    assert message.private_to == discord.world.ada.id


async def test_25_cells_hold_up_nobody_in_another_server(start: Start, discord: Discord) -> None:
    async with start(EASEL_BACKENDS="sketch=0.1", EASEL_MAX_QUEUED_USER="60"):
        act = await explored(discord, across="seed", across_values="1-5", down_values="1-5")
        await act.until(lambda m: "Exploring · " in m.text, 20)
        carla = discord.as_(discord.world.carla, discord.world.other_channel)
        lone = await carla.slash("draw", prompt="one owl")
        await lone.until(painted, 20)
        assert not painted(act.message)


@pytest.mark.timeout(120)
async def test_killed_in_the_middle_every_cell_is_painted_and_the_picture_comes_once(
    discord: Discord, environ: dict[str, str]
) -> None:
    environ["EASEL_BACKENDS"] = "sketch=0.2"
    async with running(discord, environ) as first:
        act = await explored(discord)
        await act.until(begun, 20)
        await first.kill()
    assert not painted(act.message)
    async with running(discord, environ) as second:
        message = await act.until(painted, 60)
        assert await second.stop() == 0
    assert len(labels(message)) == 4
    assert len(discord.world.channel.messages) == 1
    assert results_of(message) == 1


@pytest.mark.timeout(120)
async def test_killed_after_the_picture_got_through_it_is_not_sent_again(
    discord: Discord, environ: dict[str, str]
) -> None:
    discord.faults.cut("PATCH", r"/webhooks/", times=5, after=True)
    async with running(discord, environ) as first:
        act = await explored(discord)
        await act.until(painted, 20)
        await first.kill()
    discord.faults.clear()
    uploads = sum(bool(request.files) for request in discord.requests)
    async with running(discord, environ) as second:
        taken = await discord.as_(discord.world.ada).choose(act.message, "Take one", "Euler · 8")
        await result(taken)
        await second.stop()
    assert sum(bool(request.files) for request in discord.requests) == uploads + 1
    assert results_of(act.message) == 1


def results_of(message: Message) -> int:
    """Count how often a picture appeared in a message."""
    shown = [*(version.attachments for version in message.history), message.attachments]
    return len({file.id for files in shown for file in files if "easel-" in file.filename})
