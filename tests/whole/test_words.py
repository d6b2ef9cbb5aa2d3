"""``/words``: a server's rules for words in prompts hold for every order, whichever way it comes."""

import json

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.world import Attachment
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import ask, draw, painted, private, raw_command, result, told

TXT2IMG = "/sdapi/v1/txt2img"
REFUSED = "is not allowed in prompts in this server."


async def refused(discord: Discord, act: Interaction, part: str = "fox") -> None:
    """Wait for the refusal, which only the asker sees."""
    assert f"“{part}” {REFUSED}" in await private(discord, act)
    assert "Leave it out" in act.text


async def ruled(discord: Discord, action: str, words: str, **values: str) -> str:
    """Let the admin make a rule and return the answer."""
    return await ask(discord, discord.world.admin, f"words {action}", words=words, **values)


async def test_a_denied_word_is_refused_in_private_before_anything_is_queued(
    discord: Discord, start: Start
) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as gpu:
        gpu.scripts = ["ADetailer"]
        async with start(EASEL_BACKENDS=f"webui={gpu.url}"):
            assert "fox, red hen" in await ruled(discord, "deny", "Fox, red  hen, watercolour")
            await refused(discord, await ada.slash("draw", prompt="a F.0.X in snow"), "F.0.X")
            await refused(discord, await ada.slash("draw", prompt="an owl", negative_prompt="fox"))
            faces = "detail face_yolov8n.pt · detail_prompt fox"
            await refused(discord, await ada.slash("draw", prompt="an owl", more=faces))
            source = Attachment("a.png", png(64, 64))
            await refused(discord, await ada.slash("remix", image=source, prompt="a fox"))
            await refused(
                discord, await ada.slash("explore", prompt="a fox", across="steps", across_values="1, 2")
            )
            await draw(discord, prompt="a foxglove, <lora:watercolour:1>")
            assert len(gpu.posts(TXT2IMG)) == 1


async def test_words_are_replaced_and_left_out_and_the_result_says_so(discord: Discord, start: Start) -> None:
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        assert "fox → wolf" in await ruled(discord, "replace", "fox", by="wolf")
        await ruled(discord, "strip", "naked")
        message = await draw(discord, prompt="a naked (FOX:1.2) in snow", negative_prompt="f o x")
        again = await result(await discord.as_(discord.world.ada).press(message, "Reroll"))
        plain = await draw(discord, prompt="an owl")
        for sent in gpu.posts(TXT2IMG)[:2]:
            assert sent["prompt"] == "a (wolf:1.2) in snow"
            assert sent["negative_prompt"] == "wolf"
        assert "Some words were changed" in message.text
        assert "Some words were changed" in again.text
        assert "FOX" not in message.text
        assert "Some words were changed" not in plain.text


async def test_what_rules_leave_empty_is_refused(discord: Discord, start: Start) -> None:
    async with start():
        await ruled(discord, "strip", "fox")
        act = await discord.as_(discord.world.ada).slash("draw", prompt="fox")
        assert "leave nothing of the prompt" in await private(discord, act)


async def _kept_words(discord: Discord) -> None:
    ada = discord.world.ada
    await ask(discord, ada, "style save", name="vulpine", prompt="{prompt} with a fox")
    await ask(discord, ada, "preset save", name="vulpine", prompt="a fox")
    act = await discord.as_(ada).slash("wildcard save", name="animal", lines="fox")
    await discord.until(lambda: act.text)


async def test_no_way_leads_round_the_rules(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        before = await draw(discord, prompt="a fox")
        drawn = await draw(discord, prompt="{a fox|an f-o-x}")
        grid = await result(await ada.slash("explore", prompt="a fox", across="steps", across_values="1, 2"))
        await _kept_words(discord)
        count = len(gpu.posts(TXT2IMG))
        await ruled(discord, "deny", "fox")
        await refused(discord, await ada.press(before, "Reroll"))
        assert REFUSED in await private(discord, await ada.press(drawn, "Reroll"))
        await refused(discord, await ada.choose(before, "More", "Vary"))
        await refused(discord, await ada.submit(await ada.press(before, "Edit")))
        await refused(discord, await ada.submit(await ada.press(before, "Remix")))
        await refused(discord, await ada.press(grid, "Reroll"))
        await refused(discord, await ada.slash("draw", prompt="an owl", style="vulpine"))
        await refused(discord, await ada.slash("draw", prompt="an owl", preset="vulpine"))
        await refused(discord, await ada.slash("draw", prompt="an owl and a __animal__"))
        await refused(discord, await ada.slash("draw", prompt="{fox|fox}"))
        await refused(discord, await ada.slash("draw", like=code(1)))
        await ada.react(before, "🔁")
        assert REFUSED in await told(discord, discord.world.ada, REFUSED)
        assert len(gpu.posts(TXT2IMG)) == count


async def test_rules_hold_in_their_own_server_alone(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start():
        await ruled(discord, "deny", "fox")
        elsewhere = discord.as_(world.ada, world.direct_channel(world.ada))
        assert painted(await result(await elsewhere.slash("draw", prompt="a fox")))


async def test_an_admins_own_negative_prompt_stands_whatever_the_rules_say(discord: Discord, start: Start) -> None:
    ada, world = discord.as_(discord.world.ada), discord.world
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        await ask(discord, world.admin, "settings server", negative_prompt="nsfw, blurry")
        await ruled(discord, "deny", "nsfw")
        message = await draw(discord, prompt="an owl")
        await result(await ada.press(message, "Reroll"))
        assert [sent["negative_prompt"] for sent in gpu.posts(TXT2IMG)] == ["nsfw, blurry"] * 2
        await refused(discord, await ada.slash("draw", prompt="an owl", negative_prompt="nsfw"), "nsfw")


async def test_an_admin_tries_shows_and_takes_rules_back(discord: Discord, start: Start) -> None:
    admin = discord.world.admin
    async with start():
        assert "no rules for words" in await ask(discord, admin, "words show")
        await ruled(discord, "deny", "cum")
        await ruled(discord, "allow", "cum laude")
        await ruled(discord, "replace", "fox", by="wolf")
        assert "refused for “c.u.m”" in await ask(discord, admin, "words test", text="c.u.m")
        assert "as it is" in await ask(discord, admin, "words test", text="summa cum laude")
        assert "painted as “a wolf”" in await ask(discord, admin, "words test", text="a fox")
        assert "ruled out itself" in await ruled(discord, "replace", "hen", by="fox")
        assert "no letters" in await ruled(discord, "deny", "?!")
        assert "too long" in await ruled(discord, "deny", "a" * 65)
        assert "no word in it" in await ruled(discord, "deny", ",,")
        assert "no rule for “owl”" in await ruled(discord, "remove", "owl")
        assert "fox" not in await ruled(discord, "remove", "fox")
        await draw(discord, prompt="a fox")


async def test_rules_outlive_a_restart_and_travel_as_a_file(discord: Discord, start: Start) -> None:
    admin = discord.as_(discord.world.admin)
    async with start():
        assert "no rules" in await ask(discord, discord.world.admin, "words export")
        await ruled(discord, "deny", "fox")
        await ruled(discord, "replace", "hen", by="rook")
    async with start():
        act = await admin.slash("words export")
        await discord.until(lambda: act.original and act.original.attachments)
        [file] = act.message.attachments
        assert json.loads(file.data) == {"deny": ["fox"], "replace": {"hen": "rook"}}
        await ruled(discord, "remove", "fox, hen")
        await ruled(discord, "strip", "owl")
        back = await admin.slash("words import", file=Attachment("words.json", file.data))
        await discord.until(lambda: "hen → rook" in back.text)
        assert "owl" not in back.text
        many = json.dumps({"deny": [f"word number {n}" for n in range(1001)]}).encode()
        for data, words in ((many, "at most 1000"), (b"[]", "no file of rules"), (b'{"ban": []}', "“ban”")):
            wrong = await admin.slash("words import", file=Attachment("words.json", data))
            assert words in await private(discord, wrong)


@pytest.mark.usefixtures("discord")
async def test_only_those_who_manage_the_server_see_and_change_the_rules(discord: Discord, start: Start) -> None:
    ada = discord.world.ada
    async with start():
        await ruled(discord, "deny", "fox")
        for act in (
            await raw_command(discord, ada, "words show"),
            await raw_command(discord, ada, "words deny", words="owl"),
            await raw_command(discord, ada, "words remove", words="fox"),
            await raw_command(discord, ada, "words export"),
            await raw_command(discord, ada, "words test", text="fox"),
            await raw_command(discord, ada, "words import", file=Attachment("words.json", b"{}")),
        ):
            assert "Manage Server" in await private(discord, act)
        assert "fox" in await ask(discord, discord.world.admin, "words show")


async def test_no_word_of_it_reaches_the_log(
    discord: Discord, start: Start, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        await ruled(discord, "deny", "xylophone")
        await refused(discord, await ada.slash("draw", prompt="a xylophone"), "xylophone")
    assert "xylophone" not in "".join((*capsys.readouterr(), caplog.text))
