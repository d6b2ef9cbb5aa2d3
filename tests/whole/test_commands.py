"""Every command as people type it: what arrives where, what is suggested, what only the asker sees."""

import re

import pytest

from bot.rehearsal import Discord, commands
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import ask, draw, eventually, private, raw_command, recipe, result, told

ANYWHERE = ([0, 1, 2], [0, 1])


async def test_every_option_of_draw_arrives_at_the_backend(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        ada = discord.as_(discord.world.ada)
        await eventually(lambda: ada.autocomplete("draw", "lora", "detail"))
        act = await ada.slash(
            "draw",
            prompt="a fox",
            negative_prompt="snow",
            model="dreamshaper_8",
            width=192,
            height=128,
            count=2,
            steps=9,
            cfg_scale=5.5,
            sampler="Euler a",
            scheduler="Karras",
            seed=77,
            lora="add-detail:0.5, watercolour",
            spoiler=True,
        )
        message = await result(act)
    [sent] = server.posts("/sdapi/v1/txt2img")
    assert sent["prompt"].startswith("a fox")
    assert "<lora:add-detail:0.5>" in sent["prompt"]
    assert "<lora:watercolour:1>" in sent["prompt"]
    wanted = {
        "negative_prompt": "snow",
        "width": 192,
        "height": 128,
        "n_iter": 2,
        "steps": 9,
        "cfg_scale": 5.5,
        "sampler_name": "Euler a",
        "scheduler": "Karras",
        "seed": 77,
    }
    assert {name: sent[name] for name in wanted} == wanted
    assert "dreamshaper_8" in sent["override_settings"]["sd_model_checkpoint"]
    assert message.attachments[0].spoiler
    assert not server.posts("/sdapi/v1/options"), "the server's own options are nobody's business"


async def test_remix_sends_the_picture_and_how_far_to_go(discord: Discord, start: Start) -> None:
    square = {"EASEL_DEFAULT_WIDTH": "256", "EASEL_DEFAULT_HEIGHT": "256"}
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}", **square):
        act = await discord.as_(discord.world.ada).slash(
            "remix", image=Attachment("cat.png", png(192, 96)), prompt="a cat", strength=0.35
        )
        await result(act)
    [sent] = server.posts("/sdapi/v1/img2img")
    assert sent["denoising_strength"] == 0.35
    assert len(sent["init_images"]) == 1
    assert sent["width"] == 2 * sent["height"], "without a size the picture keeps its shape"


async def test_lists_are_suggested_from_memory_even_when_the_backend_is_gone(
    discord: Discord, start: Start
) -> None:
    async with StandInWebUI() as server:
        server.models = [f"model-{n:04}" for n in range(1000)]
        async with start(EASEL_BACKENDS=f"webui={server.url}"):
            ada = discord.as_(discord.world.ada)
            await eventually(lambda: ada.autocomplete("draw", "model", "model-0999"))
            await server.stop()
            assert (await ada.autocomplete("draw", "model", "0777"))[0]["value"].startswith("model-0777")
            assert len(await ada.autocomplete("draw", "model", "model")) == 25
            assert {"name": "Euler a", "value": "Euler a"} in await ada.autocomplete("draw", "sampler", "euler")
            assert "Karras" in {c["value"] for c in await ada.autocomplete("remix", "scheduler", "kar")}
            [second] = await ada.autocomplete("draw", "lora", "add-detail:0.5, waterc")
            assert second["value"] == "add-detail:0.5, watercolour"


async def test_a_shape_keeps_the_usual_number_of_pixels(discord: Discord, start: Start) -> None:
    async with start(EASEL_DEFAULT_WIDTH="256", EASEL_DEFAULT_HEIGHT="256"):
        sizes = {}
        for shape in ("1:1", "2:3", "3:2", "9:16", "16:9"):
            [picture] = (await draw(discord, size=shape)).attachments
            sizes[shape] = (picture.width, picture.height)
    assert sizes == {
        "1:1": (256, 256),
        "2:3": (192, 320),
        "3:2": (320, 192),
        "9:16": (192, 320),
        "16:9": (320, 192),
    }


@pytest.mark.usefixtures("easel")
async def test_what_is_typed_covers_ones_own_default_and_that_the_servers_and_that_the_hosts(
    discord: Discord,
) -> None:
    world = discord.world
    assert recipe(await draw(discord)).fields["Steps"] == "4"
    await ask(discord, world.admin, "settings server", steps=5, negative_prompt="fog", width=192)
    assert recipe(await draw(discord)).fields["Steps"] == "5"
    await ask(discord, world.ada, "preferences", steps=6)
    mine = recipe(await draw(discord))
    assert (mine.fields["Steps"], mine.negative_prompt) == ("6", "fog")
    typed = recipe(await draw(discord, steps=7, negative_prompt="rain", size="1:1"))
    assert (typed.fields["Steps"], typed.negative_prompt, typed.fields["Size"]) == ("7", "rain", "128x128")
    assert recipe(await draw(discord, world.bruno)).fields["Steps"] == "5", "mine are not his"
    shown = await ask(discord, world.ada, "preferences")
    assert "`steps`  6  · you" in shown
    assert "`negative_prompt`  fog  · this server" in shown
    assert "`height`  128  · this bot" in shown


@pytest.mark.usefixtures("easel")
async def test_another_servers_settings_hold_there_only(discord: Discord) -> None:
    world = discord.world
    await ask(discord, world.admin, "settings server", steps=5)
    carla = discord.as_(world.carla, world.other_channel)
    assert "4 steps" in (await result(await carla.slash("draw", prompt="an owl"))).text


@pytest.mark.usefixtures("easel")
async def test_a_servers_limits_are_within_the_hosts_and_hold_for_what_is_typed_and_set(discord: Discord) -> None:
    world = discord.world
    assert "Choose max\\_steps between 1 and 60" in await ask_raw(discord, "settings server", max_steps=10_000)
    await ask(discord, world.admin, "settings server", max_steps=9, max_count=2, max_side=192)
    assert "steps 10" in await ask(discord, world.ada, "draw", prompt="a fox", steps=10)
    assert "count 3" in await ask(discord, world.ada, "draw", prompt="a fox", count=3)
    assert "width 256" in await ask(discord, world.ada, "draw", prompt="a fox", width=256)
    await ask(discord, world.ada, "preferences", steps=30)
    assert recipe(await draw(discord)).fields["Steps"] == "9", "a default is lowered, never refused"


async def ask_raw(discord: Discord, path: str, **values: int) -> str:
    return await private(discord, await raw_command(discord, discord.world.admin, path, **values))


@pytest.mark.usefixtures("easel")
async def test_every_command_says_where_it_may_be_used(discord: Discord) -> None:
    registered = {c["name"]: (c["contexts"], c["integration_types"]) for c in discord.commands.all(None)}
    assert registered == {
        "backends": ANYWHERE,
        "draw": ANYWHERE,
        "explore": ANYWHERE,
        "remix": ANYWHERE,
        "upscale": ANYWHERE,
        "cutout": ANYWHERE,
        "describe": ANYWHERE,
        "Remix": ANYWHERE,
        "Upscale": ANYWHERE,
        "Describe": ANYWHERE,
        "Show settings": ANYWHERE,
        "Cancel or delete": ANYWHERE,
        "model": ANYWHERE,
        "preset": ANYWHERE,
        "style": ANYWHERE,
        "wildcard": ANYWHERE,
        "preferences": ANYWHERE,
        "privacy": ANYWHERE,
        "queue": ANYWHERE,
        "quota": ANYWHERE,
        "adult": ANYWHERE,
        "history": ANYWHERE,
        "show": ANYWHERE,
        "stats": ANYWHERE,
        "about": ANYWHERE,
        "help": ANYWHERE,
        "settings": ([0], [0]),
        "roles": ([0], [0]),
        "log": ([0], [0]),
        "review": ([0], [0]),
        "words": ([0], [0]),
    }


@pytest.mark.usefixtures("easel")
async def test_all_but_pictures_is_for_the_askers_eyes_only(discord: Discord) -> None:
    world = discord.world
    for path in ("help", "queue show", "model list", "preferences"):
        assert await ask(discord, world.ada, path), path
    assert await ask(discord, world.admin, "settings show")
    assert "nothing in line" in await ask(discord, world.ada, "queue cancel")
    message = await draw(discord)
    assert not message.ephemeral


@pytest.mark.usefixtures("easel")
async def test_the_commands_that_help_names_are_there(discord: Discord) -> None:
    named = re.findall(r"</([a-z ]+):(\d+)>", await ask(discord, discord.world.ada, "help"))
    offered = {path: c["id"] for c in discord.commands.all(None) for path, _ in commands.leaves(c)}
    assert len(named) > 4
    assert all(offered[path] == command_id for path, command_id in named)


async def test_models_are_listed_with_ones_own_first(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        ada = discord.as_(discord.world.ada)
        names = [c["value"] for c in await eventually(lambda: ada.autocomplete("model use", "model", ""))]
        shown = await ask(discord, discord.world.ada, "model use", model=names[1])
        assert "**dreamshaper\\_8** · your default" in shown
        await draw(discord)
    [sent] = server.posts("/sdapi/v1/txt2img")
    assert "dreamshaper_8" in sent["override_settings"]["sd_model_checkpoint"]


@pytest.mark.usefixtures("easel")
async def test_an_unknown_name_is_refused_with_the_nearest_one(discord: Discord) -> None:
    ada = discord.world.ada
    for path, values, nearest in (
        ("draw", {"sampler": "Eular a"}, "Euler a"),
        ("draw", {"scheduler": "Karas"}, "Karras"),
        ("draw", {"model": "sketchy"}, "sketch (no model)"),
        ("model use", {"model": "sketchy"}, "sketch (no model)"),
        ("preferences", {"sampler": "DPM2M"}, "DPM++ 2M"),
    ):
        prompt = {"prompt": "a fox"} if path == "draw" else {}
        assert f"The nearest is “{nearest}”" in await ask(discord, ada, path, **prompt, **values), values
    assert "Leave lora out." in await ask(discord, ada, "draw", prompt="a fox", lora="nothing:1")
    assert not [m for m in discord.world.channel.messages if not m.ephemeral]


@pytest.mark.usefixtures("easel")
async def test_everything_works_in_direct_messages(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada, discord.world.direct_channel(discord.world.ada))
    message = await result(await ada.slash("draw", prompt="a fox", seed=7))
    again = await result(await ada.press(message, "Reroll"))
    assert again.text != message.text
    await private(discord, await ada.press(message, "Settings"))
    await ada.react(message, "🔁")
    await discord.until(lambda: len([m for m in discord.world.ada.dms if m.attachments]) == 3)
    await ada.press(again, "Delete")
    await discord.until(lambda: again.deleted)
    await ada.react(message, "❌")
    await discord.until(lambda: message.deleted)


@pytest.mark.usefixtures("easel")
async def test_a_thread_is_as_good_as_its_channel(discord: Discord) -> None:
    thread = discord.world.add_thread(discord.world.channel, "foxes")
    bruno = discord.as_(discord.world.bruno, thread)
    message = await result(await discord.as_(discord.world.ada, thread).slash("draw", prompt="a fox"))
    await bruno.react(message, "❌")
    assert "not yours" in await told(discord, discord.world.bruno, "not yours")
    await discord.as_(discord.world.moderator, thread).react(message, "❌")
    await discord.until(lambda: message.deleted)


@pytest.mark.usefixtures("easel")
async def test_a_command_of_an_older_version_is_answered_in_words(discord: Discord) -> None:
    command = discord.commands.find("draw")
    assert command is not None
    command["name"] = "paint"
    act = await raw_command(discord, discord.world.ada, "paint", prompt="a fox")
    assert "Reload Discord" in await private(discord, act)


async def test_a_server_that_is_no_longer_the_testing_one_loses_its_commands(
    discord: Discord, start: Start
) -> None:
    guild = discord.world.guild
    async with start(EASEL_SYNC_GUILD=str(guild.id)):
        await discord.until(lambda: discord.commands.find("draw", 1, guild.id))
    async with start():
        await discord.until(lambda: discord.commands.find("draw", 1, None))
        cleared = [r.body for r in discord.requests if r.method == "PUT" and "guilds" in r.route]
        assert cleared[-1] == []


async def test_a_former_testing_server_that_is_gone_keeps_nobody_from_starting(
    discord: Discord, start: Start
) -> None:
    async with start(EASEL_SYNC_GUILD=str(discord.world.guild.id)):
        pass
    discord.faults.answer("PUT", r"/guilds/", 403, code=50001)
    async with start():
        await discord.until(lambda: discord.commands.find("draw", 1, None))
