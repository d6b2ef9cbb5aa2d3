"""``/settings`` for channels: what holds there and in their threads; reset, taken along and brought back."""

import json
from typing import Any

import pytest

from bot.rehearsal import Discord, Interaction
from bot.rehearsal.world import Attachment, Channel, Message
from tests.whole.conftest import Start
from tests.whole.play import ask, done, draw, painted, private, raw_command, raw_press, recipe, result

LAYOUT = 1 << 15


async def told(act: Interaction, part: str) -> str:
    """Wait until the private answer says ``part`` and return it all."""
    await act.bus.until(lambda: part in act.text, 20)
    assert all(reply.private_to == act.user.id for reply in act.replies)
    return act.text


async def steps(discord: Discord, channel: Channel) -> str:
    """Let Ada draw there and return how many steps it took."""
    act = await discord.as_(discord.world.ada, channel).slash("draw", prompt="a fox")
    return recipe(await result(act)).fields["Steps"]


def lines(text: str) -> set[str]:
    return set(text.splitlines())


@pytest.mark.usefixtures("easel")
async def test_a_channels_defaults_and_caps_hold_there_and_in_its_threads_under_ones_own(discord: Discord) -> None:
    world = discord.world
    thread = world.add_thread(world.channel, "foxes")
    await ask(discord, world.admin, "settings server", steps=5, max_steps=20)
    refused = await ask(discord, world.admin, "settings channel", max_steps=30)
    assert "Choose max\\_steps between 1 and 20" in refused
    shown = await ask(
        discord,
        world.admin,
        "settings channel",
        steps=3,
        cfg_scale=5,
        max_steps=9,
        accent="ff8800",
        reactions=False,
    )
    assert {"`steps`  3  · this channel", "`max_steps`  9  · this channel"} <= lines(shown)
    assert "`max_side`  2048  · this bot" in shown
    assert f"<#{world.channel.id}>" in shown
    for place in (world.channel, thread):
        ada = discord.as_(world.ada, place)
        message = await result(await ada.slash("draw", prompt="a fox"))
        assert recipe(message).fields["Steps"] == "3"
        assert message.embeds[0]["color"] == 0xFF8800, "also where only the job says whose thread it is"
        assert "steps 10" in await private(discord, await ada.slash("draw", prompt="a fox", steps=10))
        assert not message.reactions
    elsewhere = await result(await discord.as_(world.ada, world.night_channel).slash("draw", prompt="a fox"))
    assert recipe(elsewhere).fields["Steps"] == "5"
    await discord.until(lambda: done(elsewhere))
    mine = await ask(discord, world.ada, "preferences", steps=4)
    assert {"`steps`  4  · you", "`cfg_scale`  5  · this channel", "`width`  128  · this bot"} <= lines(mine)
    assert await steps(discord, thread) == "4"
    assert "`steps`  5  · this server" in await ask(discord, world.admin, "settings show")
    away = await ask(discord, world.admin, "settings show", channel=world.night_channel)
    assert {"`steps`  5  · this server", "`accent`  —"} <= lines(away)


@pytest.mark.usefixtures("easel")
async def test_a_channel_may_have_models_denied_and_loses_all_when_it_is_deleted(discord: Discord) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    text = await ask(discord, world.admin, "settings channel", models_denied="sketch*")
    assert "That would leave no model here." in text
    text = await ask(
        discord, world.admin, "settings channel", channel=world.night_channel, models_denied="ink, *pen"
    )
    assert "`models_denied`  ink, \\*pen  · this channel" in text
    world.delete_channel(world.night_channel)

    async def kept() -> dict[str, Any]:
        act = await admin.slash("settings export")
        message = await act.until(lambda m: m.attachments)
        found: dict[str, Any] = json.loads(message.attachments[0].data)
        return found

    await ask(discord, world.admin, "settings server", steps=5)
    while (await kept())["channels"]:
        continue
    assert await kept() == {"easel": "settings", "server": {"steps": 5}, "channels": {}}


@pytest.mark.usefixtures("easel")
async def test_one_setting_or_all_of_a_place_are_taken_back(discord: Discord) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    assert "Nothing is set there." in await ask(discord, world.admin, "settings reset")
    await ask(discord, world.admin, "settings server", steps=5, count=2)
    await ask(discord, world.admin, "settings channel", steps=3, spoiler=True)
    there = {"channel": world.channel}
    offered = await admin.autocomplete("settings reset", "setting", "s", **there)
    assert [choice["value"] for choice in offered] == ["steps", "spoiler"]
    await told(await admin.slash("settings reset", setting="steps", **there), "as it was before")
    shown = await ask(discord, world.admin, "settings show", channel=world.channel)
    assert {"`steps`  5  · this server", "`spoiler`  on  · this channel"} <= lines(shown)
    assert "Nothing like that is set." in await ask(
        discord, world.admin, "settings reset", setting="steps", **there
    )
    asked = await admin.slash("settings reset")
    assert "`count`, `steps`" in await told(asked, "Take back all of this?")
    assert "Manage Server" in (await raw_press(discord, world.ada, "easel-settings:wipe:0", asked.message)).text
    kept = await admin.slash("settings reset")
    await admin.press(kept.message, "Leave it")
    await told(kept, "Everything stays as it is.")
    await admin.press(asked.message, "Take it back")
    await told(asked, "as it was before")
    shown = await ask(discord, world.admin, "settings show", channel=world.channel)
    assert {"`steps`  4  · this bot", "`spoiler`  on  · this channel"} <= lines(shown)
    strange = f"easel-settings:wipe:{world.other_channel.id}"
    assert "no longer kept" in (await raw_press(discord, world.admin, strange, asked.message)).text


async def exported(discord: Discord) -> bytes:
    act = await discord.as_(discord.world.admin).slash("settings export")
    message = await act.until(lambda m: m.attachments)
    assert message.private_to == discord.world.admin.id
    [file] = message.attachments
    assert file.filename == "easel-settings.json"
    return file.data


async def brought(discord: Discord, data: bytes | dict[str, Any]) -> Interaction:
    """Let the admin bring a file back and return what comes of it."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return await discord.as_(discord.world.admin).slash("settings import", file=Attachment("s.json", data))


@pytest.mark.usefixtures("easel")
async def test_what_was_exported_can_be_wiped_and_brought_back(discord: Discord) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    await ask(discord, world.admin, "settings server", steps=5, max_steps=20, ping="dm", language="de")
    await ask(discord, world.admin, "settings channel", steps=3, max_steps=20, models_denied="ink, pen")
    await ask(discord, world.admin, "settings server", max_steps=10)
    await ask(discord, world.admin, "words replace", words="fox", by="owl")
    data = await exported(discord)
    found = json.loads(data)
    assert found["server"]["words"]["replace"] == {"fox": "owl"}
    assert found["channels"][str(world.channel.id)] == {
        "steps": 3,
        "max_steps": 20,
        "models_denied": ["ink", "pen"],
    }
    await told(await brought(discord, data), "Everything is set like that already.")
    act = await brought(discord, {"easel": "settings", "server": {"steps": 6}})
    changed = await told(act, "Set it like that?")
    assert "This server · `steps`  5 → 6" in changed
    assert f"<#{world.channel.id}> · `models_denied`  ink, pen → —" in changed
    assert (
        "Manage Server"
        in (await raw_press(discord, world.ada, f"easel-settings:import:{act.id}", act.message)).text
    )
    await admin.press(act.message, "Set it")
    await told(act, "It is set like that now.")
    assert json.loads(await exported(discord)) == {"easel": "settings", "server": {"steps": 6}, "channels": {}}
    again = await raw_press(discord, world.admin, f"easel-settings:import:{act.id}", act.message)
    assert "Send the file again" in again.text
    back = await brought(discord, data)
    await told(back, "Set it like that?")
    await admin.press(back.message, "Set it")
    await told(back, "It is set like that now.")
    assert json.loads(await exported(discord)) == found
    assert "an owl" in recipe(await draw(discord, prompt="a fox")).prompt.replace("a owl", "an owl")
    assert await steps(discord, world.channel) == "3"


@pytest.mark.usefixtures("easel")
async def test_a_wrong_file_is_refused_by_the_first_thing_wrong_and_changes_nothing(discord: Discord) -> None:
    world = discord.world
    await ask(discord, world.admin, "settings server", steps=5)
    before = await exported(discord)
    channel = str(world.channel.id)
    wrong: list[tuple[bytes | dict[str, Any], str]] = [
        (b"\x89PNG", "“file” does not fit"),
        ({"server": {}}, "“easel” does not fit"),
        ({"server": {"steps": "many"}}, "“server.steps” does not fit"),
        ({"server": {"stepps": 3}}, "“server.stepps” does not fit"),
        ({"server": {"steps": 3}, "channels": {channel: {"steps": 999}}}, "steps 999 is outside"),
        ({"server": {}, "channels": {channel: {"emoji_dm": "✉️"}}}, "emoji\\_dm” does not fit"),
        ({"server": {}, "channels": {str(world.other_channel.id): {"steps": 3}}}, "is not one of this server's"),
        ({"server": {"model": "nothing"}}, "There is no model “nothing”"),
        ({"server": {"language": "tlh"}}, "I do not speak “tlh”"),
        ({"server": {"emoji_dm": "no"}}, "is no emoji for emoji\\_dm"),
        ({"server": {"emoji_dm": "<:fox:123456789012345678>"}}, "not one of this server's own"),
        ({"server": {"words": {"replace": {"fox": ""}}}}, "Nothing is to replace"),
        ({"server": {"models_denied": ["*"]}}, "leave no model"),
    ]
    for content, part in wrong:
        data = (
            content if isinstance(content, bytes) or part.startswith("“easel") else {"easel": "settings"} | content
        )
        await told(await brought(discord, data), part)
    assert await exported(discord) == before


@pytest.mark.usefixtures("easel")
async def test_members_change_nothing_even_past_discords_own_client(discord: Discord) -> None:
    world = discord.world
    for who in (world.ada, world.moderator):
        for path, values in (
            ("settings channel", {"steps": 3}),
            ("settings reset", {}),
            ("settings export", {}),
            ("settings import", {"file": Attachment("s.json", b"{}")}),
            ("settings panel", {}),
        ):
            act = await raw_command(discord, who, path, **values)
            assert "Only members with Manage Server" in await private(discord, act), path


def option(message: Message, name: str) -> str:
    """Return what a menu of the panel has chosen."""
    [menu] = [c for c in message.controls if c.get("custom_id", "").startswith(f"easel-panel:{name}:")]
    return next(str(each["value"]) for each in menu["options"] if each.get("default"))


async def test_the_panel_shows_every_page_and_changes_what_its_forms_say_after_a_restart_too(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    async with start():
        message = (await admin.slash("settings panel")).message
        assert message.flags & LAYOUT
        assert message.private_to == world.admin.id
        assert "`steps`  4  · this bot" in message.text
        await admin.choose(message, "easel-panel:place:server:pictures", "This channel")
        await discord.until(lambda: f"<#{world.channel.id}>" in message.text)
    async with start():
        form = await admin.press(message, "easel-panel:edit:channel:pictures:1")
        await admin.submit(form, {"steps": " 3", "spoiler": ["on"], "cfg_scale": "6,5"})
        await discord.until(lambda: "`steps`  3  · this channel" in message.text)
        assert {"`cfg_scale`  6.5  · this channel", "`spoiler`  on  · this channel"} <= lines(message.text)
        assert (option(message, "place"), option(message, "page")) == ("channel", "pictures")
        form = await admin.press(message, "easel-panel:edit:channel:pictures:1")
        refused = await admin.submit(form, {"steps": "61", "spoiler": []})
        await told(refused, "steps 61 is outside")
        form = await admin.press(message, "easel-panel:edit:channel:pictures:1")
        await admin.submit(form, {"steps": "", "spoiler": ["off"]})
        await discord.until(lambda: "`steps`  4  · this bot" in message.text)
        assert "`spoiler`  off  · this channel" in message.text
        await admin.choose(message, "Take back what was set", "everything")
        await discord.until(lambda: "this channel" not in message.text)
        assert "easel-panel:reset:channel:pictures" not in {c.get("custom_id") for c in message.controls}
        await admin.choose(message, "easel-panel:page:channel:pictures", "Limits")
        await discord.until(lambda: "max_steps" in message.text)
        form = await admin.press(message, "easel-panel:edit:channel:limits:1")
        await admin.submit(form, {"models_denied": "ink, pen"})
        await discord.until(lambda: "`models_denied`  ink, pen  · this channel" in message.text)


@pytest.mark.usefixtures("easel")
async def test_the_panel_sets_emoji_and_language_of_the_server_and_heeds_nobody_else(discord: Discord) -> None:
    world = discord.world
    admin = discord.as_(world.admin)
    message = (await admin.slash("settings panel")).message
    await admin.choose(message, "easel-panel:page:server:pictures", "Reactions and language")
    await discord.until(lambda: "emoji_dm" in message.text)
    form = await admin.press(message, "easel-panel:edit:server:replies:1")
    await told(await admin.submit(form, {"emoji_dm": "❌"}), "cannot be the same emoji")
    form = await admin.press(message, "easel-panel:edit:server:replies:1")
    await admin.submit(form, {"emoji_dm": "📬"})
    await discord.until(lambda: "`emoji_dm`  📬  · this server" in message.text)
    form = await admin.press(message, "easel-panel:edit:server:replies:0")
    await admin.submit(form, {"language": ["de"], "reactions": ["off"]})
    await discord.until(lambda: "`language`  de  · this server" in message.text)
    for custom_id, chosen in (
        ("easel-panel:edit:server:pictures:0", ()),
        ("easel-panel:reset:server:replies", ("everything",)),
        ("easel-panel:page:server:limits", ("results",)),
    ):
        assert "Manage Server" in (await raw_press(discord, world.ada, custom_id, message, chosen)).text
    for custom_id, chosen in (
        ("easel-panel:edit:server:results:7", ()),
        ("easel-panel:page:server:limits", ("everything",)),
        ("easel-panel:page:server:nowhere", ("limits",)),
        ("easel-panel:sing:server:limits", ("limits",)),
    ):
        assert "no longer kept" in (await raw_press(discord, world.admin, custom_id, message, chosen)).text
    picture = await draw(discord)
    assert painted(picture)
    assert not picture.reactions
