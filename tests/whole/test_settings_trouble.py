"""``/settings`` where others change something at the same time, and where something went while nobody looked."""

import asyncio
import json
from typing import Any

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.events import Event
from tests.whole.conftest import Start
from tests.whole.play import ask, eventually
from tests.whole.test_privacy import stored, until
from tests.whole.test_settings_channel import brought, exported, told


async def kept(discord: Discord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await exported(discord))
    return found


@pytest.mark.usefixtures("easel")
async def test_a_form_takes_back_nothing_that_somebody_else_changed_meanwhile(discord: Discord) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    message = (await admin.slash("settings panel")).message
    await admin.choose(message, "easel-panel:page:server:pictures", "Limits")
    await discord.until(lambda: "max_steps" in message.text)
    form = await admin.press(message, "easel-panel:edit:server:limits:0")
    await ask(discord, world.owner, "settings server", max_steps=9)
    await told(await admin.submit(form, {"max_count": "2"}), "Somebody changed this meanwhile.")
    assert (await kept(discord))["server"] == {"max_steps": 9}
    form = await admin.press(message, "easel-panel:edit:server:limits:0")
    await admin.submit(form, {"max_count": "2"})
    await discord.until(lambda: "`max_count`  2  · this server" in message.text)
    assert (await kept(discord))["server"] == {"max_steps": 9, "max_count": 2}


@pytest.mark.usefixtures("easel")
async def test_a_file_takes_the_place_of_nothing_that_came_after_the_question(discord: Discord) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    first = await brought(discord, {"easel": "settings", "server": {"count": 2}})
    await told(first, "Set it like that?")
    act = await brought(discord, {"easel": "settings", "server": {"steps": 6}})
    assert "max\\_count" not in await told(act, "Set it like that?")
    await ask(discord, world.owner, "settings server", max_count=1)
    await admin.press(act.message, "Set it")
    assert "`max_count`  1 → —" in await told(act, "Something was changed meanwhile.")
    assert (await kept(discord))["server"] == {"max_count": 1}
    await admin.press(act.message, "Set it")
    await told(act, "It is set like that now.")
    assert (await kept(discord))["server"] == {"steps": 6}
    await told(await admin.press(first.message, "Set it"), "Send the file again")


@pytest.mark.usefixtures("easel")
async def test_what_two_change_at_once_is_both_changed(discord: Discord) -> None:
    world = discord.world
    discord.rate_limits.enabled = False
    for path, option in (("model deny", "pattern"), ("adult mark", "name"), ("words deny", "words")):
        pair = ((world.admin, "one"), (world.owner, "two"))
        await asyncio.gather(*(ask(discord, who, path, **{option: word}) for who, word in pair))
    found = (await kept(discord))["server"]
    assert sorted(found["models_denied"]) == sorted(found["adult_models"]) == ["one", "two"]
    assert sorted(found["words"]["deny"]) == ["one", "two"]


async def test_a_server_is_not_stuck_once_its_host_allows_less(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start():
        await ask(discord, world.admin, "settings server", steps=50, max_steps=50)
        await ask(discord, world.admin, "adult set", where="restricted")
    async with start(EASEL_MAX_STEPS="20"):
        await ask(discord, world.admin, "words deny", words="fox")
        await ask(discord, world.admin, "adult set", where="off")
        await ask(discord, world.admin, "settings server", count=2)
        before = await kept(discord)
        assert (before["server"]["steps"], before["server"]["adult"], before["server"]["count"]) == (50, "off", 2)
        await told(await brought(discord, before), "outside what is allowed here")
        await told(await discord.as_(world.admin).slash("settings reset", setting="max_steps"), "as it was before")
        assert "max_steps" not in (await kept(discord))["server"]


async def test_a_channel_deleted_while_nobody_looked_leaves_nothing_and_an_outage_loses_nothing(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    world = discord.world
    async with start():
        await ask(discord, world.admin, "settings channel", channel=world.night_channel, steps=3)
        await ask(discord, world.admin, "settings channel", models_denied="ink")
    world.delete_channel(world.night_channel)
    async with start():
        await until(lambda: str(world.night_channel.id) not in stored(environ))
        outage = {"id": str(world.guild.id), "unavailable": True}
        discord.stage.bus.publish(Event("GUILD_DELETE", outage, world.guild))
        await eventually(lambda: refused(discord))
    assert str(world.channel.id) in stored(environ)


async def refused(discord: Discord) -> bool:
    return "Try again in a moment." in await ask(discord, discord.world.admin, "settings export")


@pytest.mark.usefixtures("easel")
async def test_a_pattern_too_long_for_a_file_is_refused_where_it_is_set(discord: Discord) -> None:
    text = await ask(discord, discord.world.admin, "settings channel", models_denied="x" * 300)
    assert "Use at most 200 characters." in text
    assert (await kept(discord))["channels"] == {}
