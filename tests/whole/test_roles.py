"""``/roles``: who else manages a server, and what is kept for which roles, whichever way it is asked for."""

from functools import partial

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.options import Value
from bot.rehearsal.world import Attachment, Message, Role, User
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.exploring import GRID
from tests.whole.pictures import png
from tests.whole.play import ask, draw, eventually, painted, private, raw_command, result

REROLL, LARGER = "🔁", "⬆️"
MANAGES = "Only members with Manage Server"


def given(discord: Discord, who: User, name: str) -> Role:
    """Make a role and give it to somebody."""
    world = discord.world
    role = world.add_role(world.guild, name)
    world.guild.members[who.id].roles.append(role.id)
    return role


async def said(discord: Discord, path: str, **values: Value) -> str:
    """Let the admin say something of roles and return the answer."""
    return await ask(discord, discord.world.admin, f"roles {path}", **values)


def more(who: User, before: int) -> bool:
    return len(who.dms) > before


def answered(message: Message, who: User) -> bool:
    """Return whether a picture that somebody's reaction asked for is there."""
    answers = [each for each in message.channel.messages if each.reference is message and painted(each)]
    return any(who.name in each.text for each in answers)


async def ways(discord: Discord, who: User, message: Message) -> list[Interaction]:
    """Return what comes of every way to a picture that is refused before any form."""
    there, picture = discord.as_(who), Attachment("a.png", png())
    return [
        await there.slash("draw", prompt="a fox"),
        await there.slash("draw"),
        await there.slash("remix", prompt="a fox", image=picture),
        await there.slash("remix", image=picture),
        await there.slash("explore", **GRID),
        await there.slash("upscale", image=picture),
        await there.slash("describe", image=picture),
        await there.press(message, "Reroll"),
        await there.press(message, "Edit"),
        await there.press(message, "Remix"),
        await there.choose(message, "More", "Vary"),
        await there.choose(message, "More", "Upscale"),
        await there.choose(message, "More", "Describe"),
        await there.menu("Remix", message),
        await there.menu("Upscale", message),
        await there.menu("Describe", message),
    ]


@pytest.mark.timeout(120)
async def test_what_is_kept_for_a_role_is_refused_to_others_on_every_way_and_to_nobody_else(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    outsider = world.add_member(world.guild, world.add_user("Oskar"))
    deputy = world.add_member(world.guild, world.add_user("Dora"))
    painters, deputies = given(discord, world.bruno, "Painters"), given(discord, deputy, "Deputies")
    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        ada = discord.as_(world.ada)
        await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN_4x"))
        message = await draw(discord)
        form = await discord.as_(outsider).slash("draw")
        edit = await discord.as_(outsider).press(message, "Edit")
        for command in ("draw", "remix", "upscale", "describe", "explore"):
            shown = await said(discord, "command", command=command, role=painters)
        assert f"`/explore`  only <@&{painters.id}>" in shown
        await said(discord, "admin", role=deputies)
        refused = [*await ways(discord, outsider, message)]
        refused += [await discord.as_(outsider).submit(act, {"prompt": "an owl"}) for act in (form, edit)]
        for number, act in enumerate(refused):
            assert f"Only <@&{painters.id}> may use /" in await private(discord, act), number
            assert not any(reply.mention_roles for reply in act.replies)
        for emoji in (REROLL, LARGER):
            before = len(outsider.dms)
            await discord.as_(outsider).react(message, emoji)
            await discord.until(partial(more, outsider, before))
            await discord.until(lambda: "Only @Painters may use /" in outsider.dms[-1].text)
        assert "for such a role" in outsider.dms[-1].text
        for who in (world.bruno, deputy, world.admin):
            there = discord.as_(who)
            await result(await there.slash("draw", prompt="a fox"))
            await result(await there.press(message, "Reroll"))
            await result(await there.menu("Upscale", message))
            await result(await there.submit(await there.slash("draw"), {"prompt": "an owl"}))
            await there.react(message, LARGER)
            await discord.until(partial(answered, message, who))
            assert not who.dms


async def test_a_model_for_a_role_is_refused_to_others_and_left_out_of_what_they_are_offered(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    painters = given(discord, world.bruno, "Painters")

    async def offered(who: User) -> list[str]:
        choices = await discord.as_(who).autocomplete("draw", "model", "", prompt="x")
        return [choice["value"] for choice in choices]

    async with StandInWebUI() as gpu, start(EASEL_BACKENDS=f"webui={gpu.url}"):
        await eventually(lambda: offered(world.ada))
        assert f"dream\\*  only <@&{painters.id}>" in await said(discord, "model", model="dream*", role=painters)
        assert "dreamshaper_8" not in " ".join(await offered(world.ada))
        assert "dreamshaper_8" in " ".join(await offered(world.bruno))
        refusal = await ask(discord, world.ada, "draw", prompt="a fox", model="dreamshaper_8")
        assert f"Only <@&{painters.id}> may use the model “dreamshaper" in refusal
        await draw(discord, world.bruno, model="dreamshaper_8")
        await draw(discord, world.ada)
        sent = gpu.posts("/sdapi/v1/txt2img")[-1]
        assert "dreamshaper" not in sent["override_settings"]["sd_model_checkpoint"], (
            "an open choice falls elsewhere"
        )
        await said(discord, "remove", model="DREAM*")
        await draw(discord, world.ada, model="dreamshaper_8")


@pytest.mark.usefixtures("easel")
async def test_a_role_asks_for_more_than_others_may_but_never_for_more_than_the_host_allows(
    discord: Discord,
) -> None:
    world = discord.world
    painters = given(discord, world.bruno, "Painters")
    thread = world.add_thread(world.channel, "wide")
    await ask(discord, world.admin, "settings server", max_side=256, max_count=1)
    wide: dict[str, Value] = {"prompt": "a fox", "width": 512, "height": 128}
    assert "outside what is allowed here" in await ask(discord, world.bruno, "draw", **wide)
    assert "There is nothing to change" in await said(discord, "limits", role=painters)
    assert "`max_side` 512" in await said(discord, "limits", role=painters, max_side=512)
    act = await discord.as_(world.bruno, thread).slash("draw", **wide)
    assert (await result(act)).attachments[0].width == 512
    assert "outside what is allowed here" in await ask(discord, world.ada, "draw", **wide)
    assert "outside what is allowed here" in await ask(discord, world.bruno, "draw", **wide | {"width": 640})
    assert "outside" in await ask(discord, world.bruno, "draw", prompt="a fox", count=2)
    raw = await raw_command(discord, world.admin, "roles limits", role=str(painters.id), max_side=9999)
    assert "9999 is outside" in await private(discord, raw)
    assert "`max_side` 512" in await said(discord, "show")


@pytest.mark.usefixtures("easel")
async def test_an_admin_role_does_what_manage_server_may_but_for_saying_who_does(discord: Discord) -> None:
    world = discord.world
    deputies = given(discord, world.ada, "Deputies")
    ask_raw = partial(raw_command, discord, world.ada)
    assert MANAGES in await private(discord, await ask_raw("settings server", steps=3))
    shown = await said(discord, "admin", role=deputies)
    assert "Integrations" in shown
    for path, values in (
        ("settings server", {"steps": 3}),
        ("words deny", {"words": "fox"}),
        ("quota set", {"period": "day", "seconds": 500}),
        ("model default", {"model": "sketch (no model)"}),
        ("style save", {"name": "ink", "prompt": "in ink", "server": True}),
        ("roles show", {}),
        ("log", {}),
        ("help", {}),
    ):
        text = await private(discord, await ask_raw(path, **values))
        assert MANAGES not in text, path
    assert "`steps`  3  · this server" in await ask(discord, world.admin, "settings show")
    for path, role in (
        ("roles admin", world.guild.members[world.admin.id].roles[0]),
        ("roles remove", deputies.id),
    ):
        act = await raw_command(discord, world.ada, path, role=str(role))
        assert "the permission Manage Server itself" in await private(discord, act)
    refusal = await private(discord, await raw_command(discord, world.bruno, "settings show"))
    assert f"So may members with <@&{deputies.id}>" in refusal
    assert MANAGES in await ask(discord, world.bruno, "quota set", period="day", seconds=1)
    await said(discord, "remove", role=deputies)
    assert MANAGES in await private(discord, await ask_raw("settings show"))
    everyone = str(world.guild.id)
    act = await raw_command(discord, world.admin, "roles admin", role=everyone)
    assert "Everybody has that role" in await private(discord, act)


async def test_what_was_for_a_role_that_is_deleted_stays_closed_until_it_is_opened(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    painters = given(discord, world.bruno, "Painters")
    async with start():
        await said(discord, "command", command="draw", role=painters)
        await said(discord, "limits", role=painters, max_count=2)
        await said(discord, "admin", role=painters)
        world.delete_role(world.guild, painters)
        await eventually(lambda: _gone(discord))
        assert "only those who manage this server" in await said(discord, "show")
    async with start():
        refusal = await ask(discord, world.bruno, "draw", prompt="a fox")
        assert "Only those who manage this server may use /draw here" in refusal
        assert "Nothing like that is set" in await said(discord, "remove", command="remix")
        assert "Every role may use everything" in await said(discord, "remove", command="draw")
        await draw(discord, world.bruno)
        there = discord.as_(world.carla, world.other_channel)
        await result(await there.slash("draw", prompt="a fox"))


async def _gone(discord: Discord) -> bool:
    return "max_count" not in await said(discord, "show")
