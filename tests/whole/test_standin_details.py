"""The stand-in's smaller rules: nested commands, every kind of option and field, what cannot be used."""

from typing import Any

import pytest

from bot.rehearsal import Attachment, NotOfferedError
from tests.whole.by_hand import KINDS, Robot, started_robot
from tests.whole.small_bot import PNG

__all__ = ["started_robot"]

_SELECT = {
    "type": 3,
    "custom_id": "s",
    "options": [{"label": "One", "value": "1"}, {"label": "Two", "value": "2"}],
}
_TEXT = {"type": 4, "custom_id": "t", "style": 1, "min_length": 2, "max_length": 5}
_MODAL = {
    "custom_id": "m",
    "title": "Modal",
    "components": [
        {"type": 18, "label": "Words", "description": "few", "component": _TEXT},
        {"type": 18, "label": "Choice", "component": _SELECT},
        {"type": 18, "label": "File", "component": {"type": 19, "custom_id": "f"}},
        {"type": 10, "content": "a text"},
    ],
}


async def test_every_kind_of_option_goes_over_the_wire(robot: Robot) -> None:
    world = robot.discord.world
    ada = robot.discord.as_(world.ada, waits=False)
    role = next(iter(world.guild.roles.values()))
    values = ["a", 1, True, world.bruno, world.channel, role, world.ada, 0.5, Attachment("a.png", PNG)]
    act = await ada.slash("every", **dict(zip(KINDS, values, strict=True)), chosen="2")  # type: ignore[arg-type]
    sent = {option["name"]: option["value"] for option in act.data["options"]}
    assert sent["person"] == str(world.bruno.id)
    assert (sent["number"], sent["flag"], sent["chosen"]) == (0.5, True, "2")
    assert set(act.data["resolved"]) == {"users", "members", "channels", "roles", "attachments"}
    wrong: list[dict[str, Any]] = [
        {"text": 1},
        {"whole": 1.5},
        {"flag": 1},
        {"person": "ada"},
        {"place": world.ada},
        {"place": world.other_channel},
        {"number": "1"},
        {"chosen": "3"},
        {"unknown": 1},
    ]
    for options in wrong:
        with pytest.raises(NotOfferedError):
            await ada.slash("every", **options)


async def test_nested_commands_are_called_by_their_path(robot: Robot) -> None:
    ada = robot.discord.as_(robot.discord.world.ada, waits=False)
    act = await ada.slash("model list")
    assert act.data["options"] == [{"name": "list", "type": 1, "options": []}]
    act = await ada.slash("model of use")
    assert act.data["options"][0]["type"] == 2
    assert act.data["options"][0]["options"][0]["name"] == "use"
    with pytest.raises(NotOfferedError, match="no command by itself"):
        await ada.slash("model")


async def test_default_permissions_and_contexts_hide_commands(robot: Robot) -> None:
    discord, world = robot.discord, robot.discord.world
    with pytest.raises(NotOfferedError, match="hidden"):
        await discord.as_(world.ada, waits=False).slash("staff")
    await discord.as_(world.admin, waits=False).slash("staff")
    with pytest.raises(NotOfferedError, match="hidden"):
        await discord.as_(world.admin, waits=False).slash("nobody")
    await discord.as_(world.owner, waits=False).slash("nobody")
    with pytest.raises(NotOfferedError, match="not offered"):
        await discord.as_(world.ada, world.direct_channel(world.ada), waits=False).slash("staff")


async def test_a_guilds_own_commands_hide_global_ones(robot: Robot) -> None:
    discord, guild = robot.discord, robot.discord.world.guild
    path = f"/applications/{discord.application_id}/guilds/{guild.id}/commands"
    own = {"name": "model", "description": "Of this guild", "dm_permission": None}
    _, registered = await robot.rest("PUT", path, [own])
    act = await discord.as_(discord.world.ada, waits=False).slash("model")
    assert act.data["guild_id"] == str(guild.id)
    assert (await robot.rest("GET", path))[1] == registered
    again = (await robot.rest("PUT", path, [own]))[1]
    assert again[0]["id"] == registered[0]["id"]


async def test_a_modal_takes_texts_choices_and_files(robot: Robot) -> None:
    ada = robot.discord.as_(robot.discord.world.ada, waits=False)
    act = await ada.slash("model list")
    assert await robot.respond(act, 9, _MODAL) == (200, {"interaction": {"id": str(act.id), "type": 2}})
    given = {"Words": "abc", "s": ["Two"], "File": Attachment("a.png", PNG)}
    sent = await ada.submit(act, given)
    words, choice, file, text = sent.data["components"]
    assert words["component"]["value"] == "abc"
    assert choice["component"]["values"] == ["2"]
    assert list(sent.data["resolved"]["attachments"]) == file["component"]["values"]
    assert text == {"type": 10, "id": text["id"]}
    for values in ({"t": ""}, {"t": "a"}, {"t": "abcdef"}, {"t": "abc", "s": "3"}, {"t": "abc", "s": ["1", "2"]}):
        with pytest.raises(NotOfferedError):
            await ada.submit(act, dict(values))
    with pytest.raises(NotOfferedError, match="no field"):
        await ada.submit(act, {**given, "nothing": ""})
    with pytest.raises(NotOfferedError, match="No modal"):
        await ada.submit(sent)
    assert (await robot.respond(sent, 9, _MODAL))[1]["code"] == 50035


@pytest.mark.parametrize(
    "change",
    [
        {"custom_id": ""},
        {"title": "x" * 46},
        {"components": []},
        {"components": [{"type": 2}]},
        {"components": [{"type": 18, "label": "x" * 46, "component": _TEXT}]},
        {"components": [{"type": 18, "label": "a"}]},
        {"components": [{"type": 18, "label": "a", "description": "x" * 101, "component": _TEXT}]},
        {"components": [{"type": 18, "label": "a", "component": {**_TEXT, "style": 3}}]},
        {"components": [{"type": 18, "label": "a", "component": {**_TEXT, "value": "x"}}]},
        {"components": [{"type": 18, "label": "a", "component": {**_TEXT, "max_length": 4001}}]},
        {"components": [{"type": 18, "label": "a", "component": {**_TEXT, "placeholder": "x" * 101}}]},
        {"components": [{"type": 18, "label": "a", "component": {**_SELECT, "max_values": 3}}]},
        {"components": [{"type": 1, "components": [_TEXT]}]},
        {"components": [{"type": 18, "label": "a", "component": _TEXT}] * 2},
        {"components": [{"type": 18, "label": "Choice", "component": {**_SELECT, "disabled": True}}]},
        {"components": [{"type": 18, "label": "Choice", "component": {**_SELECT, "min_values": 0}}]},
    ],
)
async def test_a_modal_beyond_a_limit_is_refused(robot: Robot, change: Any) -> None:
    act = await robot.discord.as_(robot.discord.world.ada, waits=False).slash("model list")
    assert (await robot.respond(act, 9, {**_MODAL, **change}))[1]["code"] == 50035
    assert act.kind is None


_SECTION = {
    "type": 9,
    "components": [{"type": 10, "content": "a"}],
    "accessory": {"type": 2, "style": 1, "label": "b"},
}


@pytest.mark.parametrize(
    ("flags", "components"),
    [
        (0, "none"),
        (0, [{"type": 10, "content": "a"}]),
        (0, [{"type": 1, "components": [{"type": 10, "content": "a"}]}]),
        (0, [{"type": 1, "components": [{"type": 2, "style": 9, "label": "x", "custom_id": "a"}]}]),
        (0, [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "a"}]}]),
        (0, [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}]),
        (0, [{"type": 1, "components": [{"type": 2, "style": 5, "label": "x", "url": "", "custom_id": "a"}]}]),
        (0, [{"type": 1, "components": [_SELECT, {**_SELECT, "custom_id": "b"}]}]),
        (0, [{"type": 1, "components": [{**_SELECT, "options": [{"label": "a", "value": "1"}] * 2}]}]),
        (
            0,
            [
                {
                    "type": 1,
                    "components": [
                        {**_SELECT, "options": [{"label": "", "value": "1", "description": "x" * 101}]}
                    ],
                }
            ],
        ),
        (1 << 15, [{"type": 4}]),
        (1 << 15, [{"type": 10, "content": "x" * 3000}, {"type": 10, "content": "x" * 3000}]),
        (1 << 15, [{"type": 17, "components": [{"type": 17, "components": []}]}]),
        (1 << 15, [_SECTION]),
        (1 << 15, [{"type": 14, "spacing": 3}]),
        (1 << 15, [{"type": 12, "items": [{"media": {"url": ""}, "description": "x" * 1025}]}]),
        (1 << 15, [{"type": 13, "file": {"url": "attachment://nothing.txt"}}]),
        (1 << 15, [{"type": 17, "components": [{"type": 10, "content": "a"}] * 39}] * 2),
    ],
)
async def test_components_beyond_a_limit_are_refused(robot: Robot, flags: int, components: Any) -> None:
    path = f"/channels/{robot.discord.world.channel.id}/messages"
    status, answer = await robot.rest("POST", path, {"flags": flags, "components": components})
    assert (status, answer["code"]) == (400, 50035)


async def test_disabled_buttons_and_unknown_choices_cannot_be_used(robot: Robot) -> None:
    ada = robot.discord.as_(robot.discord.world.ada, waits=False)
    act = await ada.slash("model list")
    button = {"type": 2, "style": 1, "label": "Go", "custom_id": "g", "disabled": True}
    rows = [{"type": 1, "components": [button]}, {"type": 1, "components": [_SELECT]}]
    await robot.respond(act, 4, {"content": "a", "components": rows, "flags": 64})
    with pytest.raises(NotOfferedError, match="disabled"):
        await ada.press(act.message, "Go")
    with pytest.raises(NotOfferedError, match="offers"):
        await ada.choose(act.message, "s", "3")
    with pytest.raises(NotOfferedError, match="ephemeral"):
        await ada.react(act.message, "🔁")
    with pytest.raises(NotOfferedError, match="not there"):
        await robot.discord.as_(robot.discord.world.bruno).press(act.message, "Go")
    chosen = await ada.choose(act.message, "s", "One")
    with pytest.raises(LookupError):
        _ = chosen.message
    assert (await robot.respond(chosen, 8, {"choices": []}))[1]["code"] == 50035
    assert (await robot.respond(chosen, 6))[0] == 200
    assert chosen.message is act.message
    assert act.text == "a"
