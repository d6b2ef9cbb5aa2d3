"""``/explore``: two parameters, one message, one labelled picture."""

from typing import Any

from bot.rehearsal import Discord
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI, png
from tests.whole.conftest import Start
from tests.whole.exploring import TXT2IMG, begun, explored, labels, public, size, titles, typed
from tests.whole.play import done, nth, painted, private, result, told


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


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "force_task_id"}
