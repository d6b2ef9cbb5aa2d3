"""``/preset``, ``/style``, ``/wildcard``: what is kept by name, by whom, and how it reaches a backend."""

import json
from pathlib import Path

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, private, result

TXT2IMG = "/sdapi/v1/txt2img"


@pytest.mark.usefixtures("easel")
async def test_a_preset_is_kept_listed_shown_suggested_and_deleted(discord: Discord) -> None:
    ada = discord.world.ada
    kept = await ask(
        discord, ada, "preset save", name="Tall Art", settings="steps 6 · 128×192", prompt="{prompt}, ink"
    )
    assert "steps 6" in kept
    assert "128×192" in kept
    assert "{prompt}, ink" in kept
    offered = await discord.as_(ada).autocomplete("preset save", "settings", "cfg 5 · ste", name="x")
    assert "cfg 5 · steps" in [choice["value"] for choice in offered]
    assert "**Yours**\nTall Art" in await ask(discord, ada, "preset list")
    assert "steps 6" in await ask(discord, ada, "preset show", name="tall art")
    choices = await discord.as_(ada).autocomplete("preset show", "name", "tal")
    assert [choice["value"] for choice in choices] == ["Tall Art"]
    assert "is deleted" in await ask(discord, ada, "preset delete", name="TALL ART")
    assert "Nothing is kept here yet" in await ask(discord, ada, "preset list")
    assert not await discord.as_(ada).autocomplete("preset show", "name", "")


@pytest.mark.usefixtures("easel")
async def test_ones_own_is_seen_by_nobody_else_and_the_servers_by_all(discord: Discord) -> None:
    ada, bruno, admin = discord.world.ada, discord.world.bruno, discord.world.admin
    await ask(discord, ada, "preset save", name="mine", settings="steps 6")
    assert "There is no preset “mine”" in await ask(discord, bruno, "preset show", name="mine")
    assert "Manage Server" in await ask(discord, ada, "preset save", name="ours", settings="steps 5", server=True)
    await ask(discord, admin, "preset save", name="ours", settings="steps 5", server=True)
    assert "steps 5" in await ask(discord, bruno, "preset show", name="ours")
    assert "The nearest is “ours”" in await ask(discord, bruno, "preset show", name="our")
    await ask(discord, bruno, "preset save", name="Ours", settings="steps 3")
    assert "steps 3" in await ask(discord, bruno, "preset show", name="ours")
    assert "steps 5" in await ask(discord, ada, "preset show", name="ours")


async def test_what_is_kept_outlives_a_restart(discord: Discord, start: Start) -> None:
    ada = discord.world.ada
    async with start():
        await ask(discord, ada, "style save", name="ink", prompt="{prompt}, ink drawing", negative_prompt="colour")
        await ask(discord, ada, "wildcard save", name="colour", lines="red | green | 3::blue")
    async with start():
        text = await ask(discord, ada, "style show", name="ink")
        assert "ink drawing" in text
        assert "colour" in text
        assert "- red" in await ask(discord, ada, "wildcard show", name="colour")


async def test_a_preset_a_style_and_a_list_reach_the_backend(discord: Discord, start: Start) -> None:
    ada = discord.world.ada
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        gpu.styles["Neon"] = ("neon lights", "")
        await ask(discord, ada, "preset save", name="quick", settings="steps 3 · cfg 5", negative_prompt="blur")
        await ask(
            discord, ada, "style save", name="ink", prompt="ink drawing of {prompt}", negative_prompt="colour"
        )
        act = await discord.as_(ada).slash("wildcard save", name="animal", lines="heron")
        await private(discord, act)
        await draw(discord, ada, "a __animal__ by a lake", preset="quick", style="ink")
        [sent] = gpu.posts(TXT2IMG)
        assert sent["prompt"] == "ink drawing of a heron by a lake"
        assert sent["steps"] == 3
        assert sent["cfg_scale"] == 5
        assert "blur" in sent["negative_prompt"]
        assert "colour" in sent["negative_prompt"]


async def test_an_admins_file_brings_what_no_option_can_say(discord: Discord, start: Start) -> None:
    world = discord.world
    raw = {"name": "raw", "options": {"steps": 2, "overrides": {"eta_ancestral": 0.5}, "extra": {"s_churn": 1}}}
    file = Attachment("presets.json", json.dumps({"presets": [raw]}).encode())
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        await draw(discord, world.ada)
        assert "Manage Server" in await ask(discord, world.ada, "preset import", file=file)
        act = await discord.as_(world.admin).slash("preset import", file=file)
        assert "1 preset kept: raw" in await private(discord, act)
        assert "overrides, extra" in await ask(discord, world.ada, "preset show", name="raw")
        await draw(discord, world.ada, preset="raw")
        sent = gpu.posts(TXT2IMG)[-1]
        assert sent["override_settings"]["eta_ancestral"] == 0.5
        assert sent["s_churn"] == 1


async def test_what_an_admin_put_into_a_preset_stays_in_that_server(discord: Discord, start: Start) -> None:
    world = discord.world
    raw = {"name": "raw", "options": {"overrides": {"eta_ancestral": 0.5}, "extra": {"s_churn": 1}}}
    file = Attachment("presets.json", json.dumps({"presets": [raw]}).encode())
    elsewhere = discord.as_(world.ada, world.direct_channel(world.ada))
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        await draw(discord, world.ada)
        await private(discord, await discord.as_(world.admin).slash("preset import", file=file))
        message = await draw(discord, world.ada, preset="raw")
        await result(await discord.as_(world.ada).press(message, "Reroll"))
        await draw(discord, world.ada, like=code(2))
        assert [sent.get("s_churn") for sent in gpu.posts(TXT2IMG)] == [None, 1, 1, 1]
        shown = await result(await elsewhere.slash("show", id=code(2)))
        await result(await elsewhere.slash("draw", prompt="an owl", like=code(2)))
        await result(await elsewhere.press(shown, "Reroll"))
        await result(await elsewhere.submit(await elsewhere.press(shown, "Edit")))
        await result(await elsewhere.choose(shown, "More", "Vary"))
        larger = await result(await elsewhere.choose(shown, "More", "Upscale"))
        await result(await elsewhere.press(larger, "Reroll"))
        taken = gpu.posts(TXT2IMG)[4:]
        assert len(taken) == 5
        assert not any("s_churn" in sent or "eta_ancestral" in sent["override_settings"] for sent in taken)


@pytest.mark.usefixtures("easel")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "That file is no JSON."),
        ("[]", "That is no file of presets."),
        ("{}", "In that file “presets” is missing."),
        ('{"presets": []}', "In that file “presets” has a value that does not fit."),
        ('{"presets": [{"name": "x", "options": {"stepz": 3}}]}', "“preset 1: options.stepz” is nothing I know"),
        (
            '{"presets": [{"name": "x", "options": {"hires": {"scal": 2}}}]}',
            "“preset 1: options.hires.scal” is no",
        ),
        ('{"presets": [{"name": "x", "options": {"steps": "many"}}]}', "“preset 1: options.steps” has a value"),
        (
            '{"presets": [{"name": "x", "options": {"mask": {"image": "x"}}}]}',
            "“preset 1: options.mask” needs a pic",
        ),
        ('{"presets": [{"name": "x", "options": {"steps": 99999}}]}', "Choose steps between 1 and 60"),
        ("[" * 40_000, "That file is no JSON."),
        (" " * 70_000, "too large"),
    ],
)
async def test_a_file_that_does_not_fit_is_refused_in_words(discord: Discord, text: str, words: str) -> None:
    act = await discord.as_(discord.world.admin).slash("preset import", file=Attachment("p.json", text.encode()))
    assert words in await private(discord, act)


@pytest.mark.usefixtures("easel")
async def test_what_could_never_be_painted_is_not_kept(discord: Discord) -> None:
    ada = discord.world.ada
    assert "steps 999 is outside" in await ask(discord, ada, "preset save", name="x", settings="steps 999")
    await ask(discord, discord.world.admin, "settings server", max_steps=10)
    assert "between 1 and 10" in await ask(discord, ada, "preset save", name="x", settings="steps 11")
    assert "Nothing is kept here yet" in await ask(discord, ada, "preset list")


@pytest.mark.usefixtures("easel")
async def test_what_takes_the_place_of_another_says_so(discord: Discord) -> None:
    admin = discord.world.admin
    kept, replaced = "Kept.", "Kept in place of the one of that name."
    for values in ({"settings": "steps 3"}, {"settings": "steps 4"}):
        text = await ask(discord, admin, "preset save", name="quick", server=True, **values)
        assert (replaced if "steps 4" in text else kept) in text
    assert kept in await ask(discord, admin, "style save", name="ink", prompt="ink")
    assert replaced in await ask(discord, admin, "style save", name="Ink", prompt="ink")
    for words in (kept, replaced):
        act = await discord.as_(admin).slash("wildcard save", name="colour", lines="red")
        assert words in await private(discord, act)
    file = Attachment("p.json", b'{"presets": [{"name": "Quick"}, {"name": "new"}]}')
    act = await discord.as_(admin).slash("preset import", file=file)
    assert "2 presets kept: Quick, new\nIn place of those of the same name: Quick" in await private(discord, act)


@pytest.mark.usefixtures("easel")
async def test_an_export_can_be_imported_again(discord: Discord) -> None:
    ada, admin = discord.world.ada, discord.world.admin
    assert "no preset to export" in await ask(discord, ada, "preset export")
    await ask(discord, ada, "preset save", name="quick", settings="steps 3 · hires 2", prompt="a {prompt}")
    act = await discord.as_(ada).slash("preset export")
    message = await act.until(lambda made: made.attachments)
    assert message.private_to == ada.id
    [file] = message.attachments
    act = await discord.as_(admin).slash("preset import", file=Attachment("p.json", file.data))
    assert "quick" in await private(discord, act)
    shown = await ask(discord, discord.world.bruno, "preset show", name="quick")
    assert "steps 3" in shown
    assert "hires 2" in shown


@pytest.mark.usefixtures("easel")
async def test_a_preset_is_made_from_a_picture_by_its_code(discord: Discord) -> None:
    ada = discord.world.ada
    await draw(discord, ada, steps=3, seed=7, negative_prompt="fog")
    kept = await ask(discord, ada, "preset save", name="again", like=code(1))
    assert "steps 3" in kept
    assert "fog" in kept
    assert "seed" not in kept


@pytest.mark.usefixtures("easel")
async def test_nothing_is_not_kept_and_odd_names_are_refused(discord: Discord) -> None:
    ada = discord.world.ada
    assert "nothing to keep" in await ask(discord, ada, "preset save", name="x")
    assert "nothing to keep" in await ask(discord, ada, "style save", name="x")
    act = await discord.as_(ada).slash("wildcard save", name="a__b", lines="red")
    assert "cannot stand in a prompt" in await private(discord, act)
    act = await discord.as_(ada).slash("wildcard save", name="x", lines=" | ")
    assert "nothing to keep" in await private(discord, act)
    assert "There is no style “x”" in await ask(discord, ada, "style delete", name="x")


async def test_the_hosts_lists_are_for_everybody_and_read_again(
    discord: Discord, start: Start, tmp_path: Path
) -> None:
    world, folder = discord.world, tmp_path / "lists"
    (folder / "animals").mkdir(parents=True)
    (folder / "animals" / "birds.txt").write_text("# birds\nheron\n\nowl\n", "utf-8")
    (folder / "bad.txt").write_bytes(b"\xff\xfe\x00")
    async with start(EASEL_WILDCARDS_DIR=str(folder)):
        assert "**For everybody**\nanimals/birds" in await ask(discord, world.ada, "wildcard list")
        assert "- heron\n- owl" in await ask(discord, world.ada, "wildcard show", name="Animals/Birds")
        (folder / "colour.txt").write_text("red", "utf-8")
        assert "Manage Server" in await ask(discord, world.ada, "wildcard refresh")
        act = await discord.as_(world.admin).slash("wildcard refresh")
        assert "2 lists are for everybody" in await private(discord, act)
        choices = await discord.as_(world.ada).autocomplete("wildcard show", "name", "col")
        assert "colour" in [choice["value"] for choice in choices]


@pytest.mark.usefixtures("easel")
async def test_a_list_comes_from_a_text_file(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    act = await ada.slash("wildcard save", name="colour", file=Attachment("c.txt", b"red\n# no\ngreen | blue\n"))
    assert "- red\n- green \\| blue" in await private(discord, act)
    act = await ada.slash("wildcard save", name="colour", file=Attachment("c.txt", b"\xff\xfe\xfa"))
    assert "no text file" in await private(discord, act)


@pytest.mark.usefixtures("easel")
async def test_what_is_kept_cannot_be_used_in_a_direct_message_for_a_server(discord: Discord) -> None:
    ada = discord.world.ada
    act = await discord.as_(ada, discord.world.direct_channel(ada)).slash(
        "style save", name="x", prompt="ink", server=True
    )
    assert "no server here" in await private(discord, act)
