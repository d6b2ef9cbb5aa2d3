"""What an order starts from, what it is asked first, and who sees it."""

from typing import Any

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, eventually, nth, painted, private, raw_submit, recipe, result

PICTURE = Attachment("picture.png", pictures.png())


@pytest.mark.usefixtures("easel")
async def test_a_picture_like_another_takes_all_that_is_not_typed(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    await draw(discord, prompt="a fox", seed=7, steps=9, negative_prompt="fog", size="16:9")
    again = recipe(await result(await ada.slash("draw", like=code(1))))
    assert (again.prompt, again.negative_prompt) == ("a fox", "fog")
    assert (again.fields["Seed"], again.fields["Steps"], again.fields["Size"]) == ("7", "9", "192x128")
    other = recipe(await result(await ada.slash("draw", prompt="an owl", like=code(1).lower(), steps=5)))
    assert (other.prompt, other.fields["Seed"], other.fields["Steps"]) == ("an owl", "7", "5")


@pytest.mark.usefixtures("easel")
async def test_a_code_that_is_none_or_of_a_picture_elsewhere_is_refused_in_words(discord: Discord) -> None:
    world = discord.world
    await draw(discord)
    assert "is no picture's code" in await ask(discord, world.ada, "draw", like="what?")
    assert "no longer kept" in await ask(discord, world.ada, "draw", like="ZZZZ")
    carla = discord.as_(world.carla, world.other_channel)
    assert "no longer kept" in await private(discord, await carla.slash("draw", like=code(1)))


@pytest.mark.usefixtures("easel")
async def test_ones_own_latest_pictures_are_suggested_by_their_first_words(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    await draw(discord, prompt="a fox in the snow")
    await draw(discord, discord.world.bruno, prompt="an owl")
    [choice] = await eventually(lambda: ada.autocomplete("draw", "like", ""))
    assert choice == {"name": f"{code(1)} · a fox in the snow", "value": code(1)}
    assert await ada.autocomplete("draw", "like", "owl") == []


@pytest.mark.usefixtures("easel")
async def test_settings_name_the_pictures_code(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    message = await draw(discord)
    assert f"Its code is {code(1)}" in await private(discord, await ada.press(message, "Settings"))


@pytest.mark.usefixtures("easel")
async def test_without_a_prompt_a_form_opens_with_what_was_typed(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    opened = await ada.slash("draw", steps=9, size="16:9", seed=7, negative_prompt="fog", more="tiling off")
    assert opened.modal is not None
    shown = {each["component"]["custom_id"]: each["component"].get("value") for each in opened.modal["components"]}
    assert shown == {
        "prompt": None,
        "negative_prompt": "fog",
        "model": None,
        "settings": "size 16:9 · steps 9 · tiling off",
        "seed": "7",
    }
    long = "x" * 1600
    made = recipe(await result(await ada.submit(opened, {"prompt": long})))
    assert (made.prompt, made.negative_prompt) == (long, "fog")
    assert (made.fields["Steps"], made.fields["Size"], made.fields["Seed"]) == ("9", "192x128", "7")


@pytest.mark.usefixtures("easel")
async def test_a_form_whose_pictures_are_forgotten_says_so(discord: Discord) -> None:
    act = await raw_submit(discord, discord.world.ada, "easel-draw:77", None, prompt="a fox", settings="steps 9")
    assert "no longer remember" in await private(discord, act)
    bare = await raw_submit(discord, discord.world.ada, "easel-draw:0", None, prompt="a fox", settings="steps 9")
    assert recipe(await result(bare)).fields["Steps"] == "9", "a form without pictures outlives a restart"


async def test_a_form_keeps_the_pictures_that_were_attached(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.scripts = ["controlnet"]
        ada = discord.as_(discord.world.ada)
        await eventually(lambda: ada.autocomplete("draw", "control_model", "canny"))
        opened = await ada.slash("draw", control_image=PICTURE, control_model=server.controlnet_models[0])
        await result(await ada.submit(opened, {"prompt": "a fox"}))
        [sent] = server.posts("/sdapi/v1/txt2img")
        assert sent["alwayson_scripts"]["controlnet"]["args"][0]["model"] == server.controlnet_models[0]
        edit = await ada.press(await nth(discord, 1), "Edit")
        await result(await ada.submit(edit, {"seed": "5"}))
        again = server.posts("/sdapi/v1/txt2img")[-1]
        assert (again["seed"], again["alwayson_scripts"]) == (5, sent["alwayson_scripts"])


@pytest.mark.usefixtures("easel")
async def test_what_looks_wrong_is_asked_first_and_painted_if_it_is_meant_so(discord: Discord) -> None:
    ada, bruno = discord.as_(discord.world.ada), discord.as_(discord.world.bruno)
    asked = await ada.slash("draw", prompt="a (fox", seed=7)
    assert "never closed" in await private(discord, asked)
    assert not [m for m in discord.world.channel.messages if not m.ephemeral]
    done = await result(await ada.press(asked.message, "Paint anyway"))
    assert recipe(done).prompt == "a (fox"
    second = await ada.press(asked.message, "Paint anyway")
    assert "no longer remember" in await private(discord, second), "one question, one picture"
    other = await ada.slash("draw", prompt="a (fox", seed=8)
    form = await ada.press(other.message, "Edit")
    mended = recipe(await result(await ada.submit(form, {"prompt": "a (fox)"})))
    assert (mended.prompt, mended.fields["Seed"]) == ("a (fox)", "8")
    assert bruno is not ada


@pytest.mark.usefixtures("easel")
async def test_what_is_not_drawn_is_asked_about_too(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    await private(discord, await ada.slash("wildcard save", name="loop", lines="a __loop__"))
    asked = await ada.slash("draw", prompt="{red|blue __nope__ __loop__")
    words = await private(discord, asked)
    for part in ("“{” is never closed", "no list “nope” here", "“loop” comes to no end"):
        assert part in words
    await result(await ada.press(asked.message, "Paint anyway"))


@pytest.mark.usefixtures("easel")
async def test_an_exploration_that_looks_wrong_is_asked_about_once(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    asked = await ada.slash("explore", prompt="a ((b", across="seed", across_values="1, 2")
    assert (await private(discord, asked)).count("never closed") == 1
    assert [control["label"] for control in asked.message.controls] == ["Paint anyway"]
    grid = await result(await ada.press(asked.message, "Paint anyway"))
    assert "Take one" in str(grid.controls)


@pytest.mark.usefixtures("easel")
async def test_a_private_picture_is_seen_by_nobody_else_and_gets_no_reaction(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    act = await ada.slash("draw", prompt="a fox", private=True)
    await discord.until(lambda: act.original is not None and painted(act.original))
    assert act.message.private_to == discord.world.ada.id
    assert not act.message.reactions
    asked = await ada.slash("draw", prompt="a fox", more="private on · steps 5")
    await discord.until(lambda: asked.original is not None and painted(asked.original))
    assert asked.message.private_to == discord.world.ada.id


@pytest.mark.usefixtures("easel")
async def test_wildcards_are_drawn_by_the_seed_and_anew_by_a_reroll(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    words = "{red|blue|green|black|white|grey|pink|brown|gold} fox {1|2|3|4|5|6|7|8|9}"
    message = await draw(discord, prompt=words, seed=7)
    drawn = recipe(message).prompt
    assert "{" not in drawn
    assert recipe(await draw(discord, prompt=words, seed=7)).prompt == drawn
    found = set()
    for number in (3, 4, 5):
        await ada.press(message, "Reroll")
        found.add(recipe(await nth(discord, number)).prompt)
    assert found != {drawn}
    form = await ada.press(message, "Edit")
    assert form.modal is not None
    assert form.modal["components"][0]["component"]["value"] == words


@pytest.mark.usefixtures("easel")
async def test_what_says_nothing_without_a_picture_is_refused_in_words(discord: Discord) -> None:
    ada = discord.world.ada
    for line, words in (
        ("strength 0.5", "says nothing without a picture to start from"),
        ("resize fill", "says nothing without a picture to start from"),
        ("mask_blur 4", "says nothing without a picture"),
        ("tiling on", "No backend here has tiling"),
        ("hires 2 · hires_upscaler Latent", "anything to choose for upscaler"),
        ("vae clear", "anything to choose for vae"),
        ("detail face_yolov8n.pt", "anything to choose for detailer"),
        ("style ink", "There is no style “ink” here."),
        ("preset ink", "There is no preset “ink” here."),
        ("clip_skip 40", "clip\\_skip 40 is outside"),
    ):
        assert words in await ask(discord, ada, "draw", prompt="a fox", more=line), line


async def test_names_and_then_values_are_suggested_for_more(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.scripts = ["adetailer"]
        ada = discord.as_(discord.world.ada)

        async def offered(typed: str) -> list[str]:
            return [choice["value"] for choice in await ada.autocomplete("draw", "more", typed)]

        await eventually(lambda: offered("detail"))
        assert {"hires", "hires_upscaler"} <= set(await offered("hir"))
        assert (await offered("steps 9 · tiling "))[:2] == ["steps 9 · tiling on", "steps 9 · tiling off"]
        assert (await offered("detail fa"))[0].startswith("detail face_yolov8")
        assert await offered("control_mo") == [], "no backend has a ControlNet"


@pytest.mark.parametrize(
    ("model", "typed", "size"),
    [
        ("sd_xl_base_1.0", {}, (1024, 1024)),
        ("sd_xl_base_1.0", {"size": "2:3"}, (832, 1216)),
        ("dreamshaper_8", {}, (512, 512)),
        ("sd_xl_base_1.0", {"width": 512, "height": 512}, (512, 512)),
    ],
)
async def test_the_size_is_that_of_the_models_family_where_nobody_chose_one(
    discord: Discord, start: Start, model: str, typed: dict[str, Any], size: tuple[int, int]
) -> None:
    async with StandInWebUI() as server:
        server.models = [model]
        environ = {"EASEL_DEFAULT_WIDTH": "512", "EASEL_DEFAULT_HEIGHT": "512"}
        async with start(EASEL_BACKENDS=f"webui={server.url}", **environ):
            ada = discord.as_(discord.world.ada)
            await eventually(lambda: ada.autocomplete("draw", "model", ""))
            shapes = await ada.autocomplete("draw", "size", "portrait", model=model)
            sides = "832×1216" if "xl" in model else "448×640"
            assert shapes == [{"name": f"Portrait 2:3 · {sides}", "value": "2:3"}]
            await draw(discord, model=model, **typed)
        [sent] = server.posts("/sdapi/v1/txt2img")
    assert (sent["width"], sent["height"]) == size
