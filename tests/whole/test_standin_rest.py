"""The stand-in's rules, tried by hand on the wire: limits, permissions, tokens, error codes."""

from typing import Any

import pytest

from bot.rehearsal import Overwrite, Permission, Rule
from tests.whole.by_hand import DRAW, Wire, messages_path, started_wire
from tests.whole.small_bot import PNG

__all__ = ["messages_path", "started_wire"]

_BUTTON = {"type": 2, "style": 2, "label": "Go", "custom_id": "go"}


async def test_a_wrong_token_and_a_foreign_host_are_refused(wire: Wire) -> None:
    wire.headers = {"Authorization": "Bot wrong"}
    assert await wire.refused("GET", "/users/@me") == (401, 0)
    async with wire.session.get(wire.discord.page_url, headers={"Host": "evil.example"}) as answer:
        assert answer.status == 403


async def test_what_is_not_played_is_refused_by_name(wire: Wire) -> None:
    status, answer = await wire("POST", "/guilds/1/bans", {})
    assert status == 501
    assert "POST /api/v10/guilds/1/bans" in answer["message"]
    assert [e.path for e in wire.discord.unplayed] == ["/guilds/1/bans"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"content": "x" * 2001}, ["content"]),
        ({"embeds": [{"title": "x" * 257}]}, ["embeds", "0", "title"]),
        ({"embeds": [{"description": "x" * 4097}]}, ["embeds", "0", "description"]),
        ({"embeds": [{"footer": {"text": "x" * 2049}}]}, ["embeds", "0", "footer", "text"]),
        ({"embeds": [{"author": {"name": "x" * 257}}]}, ["embeds", "0", "author", "name"]),
        ({"embeds": [{"fields": [{"name": "a", "value": "b"}] * 26}]}, ["embeds", "0", "fields"]),
        ({"embeds": [{"description": "x" * 3500}] * 2}, ["embeds"]),
        ({"embeds": [{"title": "t", "image": {"url": "file:///x"}}]}, ["embeds", "0", "image", "url"]),
        ({"components": [{"type": 1, "components": [_BUTTON] * 6}]}, ["components", "0", "components"]),
        ({"components": [{"type": 1, "components": [_BUTTON]}] * 6}, ["components"]),
        ({"components": [{"type": 1, "components": [_BUTTON, _BUTTON]}]}, ["components"]),
        (
            {"components": [{"type": 1, "components": [{**_BUTTON, "custom_id": "x" * 101}]}]},
            ["components", "0", "components", "0", "custom_id"],
        ),
        (
            {"components": [{"type": 1, "components": [{"type": 3, "custom_id": "a", "options": []}]}]},
            ["components", "0", "components", "0", "options"],
        ),
        ({"content": "a", "flags": 1 << 15}, ["content"]),
        ({"content": 1}, ["content"]),
        ({"content": "a", "embeds": "none"}, ["embeds"]),
        ({"content": "a", "attachments": [{"id": i} for i in range(11)]}, ["attachments"]),
        (
            {"content": "a", "attachments": [{"id": 0, "description": "x" * 1025}]},
            ["attachments", "0", "description"],
        ),
        ({"content": "a", "nonce": "x" * 26}, ["nonce"]),
        ({"content": "a", "message_reference": {"message_id": "1"}}, ["message_reference"]),
    ],
)
async def test_a_form_beyond_a_limit_is_told_where(wire: Wire, messages: str, body: Any, path: list[str]) -> None:
    node = await wire.wrong(messages, body)
    for part in path:
        node = node[part]
    assert node["_errors"][0]["code"]


async def test_a_message_needs_something_in_it(wire: Wire, messages: str) -> None:
    assert await wire.refused("POST", messages, {}) == (400, 50006)


async def test_a_layout_shows_text_media_and_buttons(wire: Wire, messages: str) -> None:
    layout = [
        {
            "type": 17,
            "components": [
                {"type": 10, "content": "Settings"},
                {"type": 9, "components": [{"type": 10, "content": "Steps"}], "accessory": _BUTTON},
                {"type": 12, "items": [{"media": {"url": "attachment://boat.png"}}]},
                {"type": 14},
            ],
        }
    ]
    body = {"flags": 1 << 15, "components": layout}
    _, sent = await wire("POST", messages, body, boat=PNG)
    message = wire.discord.world.channel.messages[0]
    assert message.text == "Settings\nSteps"
    assert message.controls[0]["custom_id"] == "go"
    assert sent["components"][0]["components"][2]["items"][0]["media"]["width"] == 2
    assert (await wire("POST", messages, body))[0] == 400


async def test_a_message_becomes_a_layout_without_its_content_and_stays_one(wire: Wire, messages: str) -> None:
    layout = {"flags": 1 << 15, "components": [{"type": 10, "content": "Settings"}]}
    _, sent = await wire("POST", messages, {"content": "a"})
    path = f"{messages}/{sent['id']}"
    assert await wire.refused("PATCH", path, layout) == (400, 50035)
    assert (await wire("PATCH", path, {**layout, "content": None}))[0] == 200
    [message] = wire.discord.world.channel.messages
    assert message.text == "Settings"
    assert (await wire("PATCH", path, {"flags": 0}))[0] == 200
    assert message.flags & 1 << 15, "for good"
    assert await wire.refused("PATCH", path, {"content": "a"}) == (400, 50035)
    assert await wire.refused("PATCH", path, {"components": []}) == (400, 50006)


async def test_an_enforced_nonce_makes_one_message_of_two(wire: Wire, messages: str) -> None:
    body = {"content": "once", "nonce": "n1", "enforce_nonce": True}
    _, first = await wire("POST", messages, body)
    _, second = await wire("POST", messages, body)
    assert first["id"] == second["id"]
    assert len(wire.discord.world.channel.messages) == 1


async def test_files_are_kept_replaced_and_served_for_a_day(wire: Wire, messages: str) -> None:
    body = {"content": "a", "attachments": [{"id": 0, "filename": "SPOILER_a.png", "description": "alt"}]}
    _, sent = await wire("POST", messages, body, a=PNG)
    file = sent["attachments"][0]
    assert (file["filename"], file["description"], file["width"], file["size"]) == (
        "SPOILER_a.png",
        "alt",
        2,
        len(PNG),
    )
    async with wire.session.get(file["url"]) as answer:
        assert await answer.read() == PNG
    here = f"{messages}/{sent['id']}"
    both = {"attachments": [{"id": file["id"]}, {"id": 0}]}
    _, edited = await wire("PATCH", here, both, b=PNG)
    assert [a["filename"] for a in edited["attachments"]] == ["SPOILER_a.png", "b.png"]
    shown = {"embeds": [{"image": {"url": "attachment://b.png"}}]}
    _, edited = await wire("PATCH", here, shown)
    assert [a["filename"] for a in edited["attachments"]] == ["SPOILER_a.png"]
    _, edited = await wire("PATCH", here, {"embeds": [], "attachments": []})
    assert edited["attachments"] == []
    wire.discord.stage.clock.now += 86_401  # type: ignore[attr-defined]
    async with wire.session.get(file["url"]) as answer:
        assert answer.status == 404


async def test_a_file_needs_an_entry_and_a_plain_name(wire: Wire, messages: str) -> None:
    assert await wire.refused("POST", messages, {"attachments": [{"id": 7}]}, a=PNG) == (400, 50035)
    assert await wire.refused("POST", messages, {}, **{"a/b": PNG}) == (400, 50035)
    _, sent = await wire(
        "POST", messages, {"embeds": [{"fields": [{"name": "n", "value": "v"}]}]}, a=b"no picture"
    )
    assert "width" not in sent["attachments"][0]


async def test_a_file_over_the_limit_is_too_large(wire: Wire, messages: str) -> None:
    wire.discord.world.guild.upload_limit = 10
    assert await wire.refused("POST", messages, {}, a=PNG) == (413, 40005)
    assert not wire.discord.world.channel.messages


@pytest.mark.parametrize(
    ("denied", "code"),
    [(Permission.VIEW_CHANNEL, 50001), (Permission.SEND_MESSAGES, 50013), (Permission.ATTACH_FILES, 50013)],
)
async def test_missing_permissions_are_told(wire: Wire, messages: str, denied: Permission, code: int) -> None:
    world = wire.discord.world
    world.set_overwrite(world.channel, Overwrite(world.guild.id, deny=denied))
    assert await wire.refused("POST", messages, {"content": "a"}, a=PNG) == (403, code)


async def test_other_peoples_messages_are_not_the_bots_to_change(wire: Wire, messages: str) -> None:
    note = await wire.discord.as_(wire.discord.world.ada).say("mine")
    assert await wire.refused("PATCH", f"{messages}/{note.id}", {"content": "yours"}) == (403, 50005)
    assert await wire.refused("DELETE", f"{messages}/{note.id}") == (403, 50013)
    assert await wire.refused("GET", f"{messages}/1") == (404, 10008)
    assert await wire.refused("GET", "/channels/1") == (404, 10003)


async def test_an_archived_thread_is_opened_before_it_is_edited(wire: Wire) -> None:
    world = wire.discord.world
    thread = world.add_thread(world.channel, "boats")
    _, sent = await wire("POST", f"/channels/{thread.id}/messages", {"content": "a"})
    world.archive(thread)
    here = f"/channels/{thread.id}/messages/{sent['id']}"
    assert await wire.refused("PATCH", here, {"content": "b"}) == (400, 50083)
    assert (await wire("PATCH", f"/channels/{thread.id}", {"archived": False}))[0] == 200
    assert (await wire("PATCH", here, {"content": "b"}))[0] == 200
    world.archive(thread, locked=True)
    assert await wire.refused("PATCH", f"/channels/{thread.id}", {"archived": False}) == (403, 50013)
    assert await wire.refused("POST", f"/channels/{thread.id}/messages", {"content": "c"}) == (400, 50083)


async def test_direct_messages_reach_who_takes_them(wire: Wire) -> None:
    ada = wire.discord.world.ada
    _, channel = await wire("POST", "/users/@me/channels", {"recipient_id": str(ada.id)})
    path = f"/channels/{channel['id']}/messages"
    await wire("POST", path, {"content": "psst"})
    ada.takes_direct_messages = False
    assert await wire.refused("POST", path, {"content": "hello?"}) == (403, 50007)
    assert [m.content for m in ada.dms] == ["psst"]


async def test_an_interaction_is_answered_once(wire: Wire) -> None:
    interaction = await wire.command()
    assert (await wire.respond(interaction, {"type": 5}))[1]["code"] == 40060
    assert await wire.refused("POST", "/interactions/1/nothing/callback", {"type": 5}) == (404, 10062)


async def test_a_follow_up_fills_the_placeholder_first(wire: Wire) -> None:
    interaction = await wire.command()
    _, first = await wire("POST", wire.hook(interaction), {"content": "private?", "flags": 64})
    assert (first["id"], first["flags"]) == (str(interaction.message.id), 0)
    _, second = await wire("POST", wire.hook(interaction), {"content": "private", "flags": 64})
    assert second["flags"] == 64
    message = f"/channels/{wire.discord.world.channel.id}/messages/{second['id']}"
    assert await wire.refused("GET", message) == (404, 10008)
    assert (await wire("GET", f"{wire.hook(interaction)}/messages/{second['id']}"))[0] == 200


async def test_after_deleting_the_placeholder_a_refusal_is_private(wire: Wire) -> None:
    interaction = await wire.command()
    original = f"{wire.hook(interaction)}/messages/@original"
    assert (await wire("DELETE", original))[0] == 204
    _, refusal = await wire("POST", wire.hook(interaction), {"content": "no", "flags": 64})
    assert refusal["flags"] == 64
    assert await wire.refused("PATCH", original, {"content": "late"}) == (404, 10008)
    assert [m.content for m in interaction.replies] == ["no"]


async def test_a_token_dies_but_its_message_can_be_edited_through_the_channel(wire: Wire, messages: str) -> None:
    interaction = await wire.command()
    wire.discord.stage.clock.now += 901  # type: ignore[attr-defined]
    original = f"{wire.hook(interaction)}/messages/@original"
    assert await wire.refused("PATCH", original, {"content": "late"}) == (401, 50027)
    path = f"{messages}/{interaction.message.id}"
    status, edited = await wire("PATCH", path, {"content": "painted"})
    assert (status, edited["content"], edited["flags"]) == (200, "painted", 0)


async def test_old_messages_are_edited_rarely(wire: Wire, messages: str) -> None:
    _, sent = await wire("POST", messages, {"content": "a"})
    wire.discord.stage.clock.now += 3601  # type: ignore[attr-defined]
    wire.discord.rate_limits.enabled = True
    path = f"{messages}/{sent['id']}"
    for i in range(3):
        assert (await wire("PATCH", path, {"content": str(i)}))[0] == 200
    assert await wire.refused("PATCH", path, {"content": "3"}) == (429, 30046)


async def test_too_many_requests_are_told_when_to_come_back(wire: Wire, messages: str) -> None:
    wire.discord.rate_limits.enabled = True
    wire.discord.rate_limits.rules["POST", "/channels/{channel_id}/messages"] = Rule(1, 30.0)
    await wire("POST", messages, {"content": "a"})
    status, answer = await wire("POST", messages, {"content": "b"})
    assert status == 429
    assert 0 < answer["retry_after"] <= 30
    assert answer["global"] is False
    wire.discord.rate_limits.every_route = Rule(0, 30.0)
    assert (await wire("GET", "/users/@me"))[1]["global"] is True
    interaction = wire.discord.interactions
    assert await wire.refused("POST", "/interactions/1/x/callback", {"type": 5}) == (404, 10062)
    assert interaction.all == {}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Draw"},
        {"description": ""},
        {"options": [{"type": 3, "name": f"o{i}", "description": "x"} for i in range(26)]},
        {"options": [{"type": 3, "name": f"o{i}", "description": "x" * 101} for i in range(2)]},
        {"options": [{**DRAW["options"][1]}, {**DRAW["options"][0]}]},
        {"options": [{"type": 3, "name": "a", "description": "x", "min_value": 1}]},
        {"contexts": [3]},
        {"type": 3},
        {"options": [{"type": 3, "name": "a", "description": "x"}] * 2},
        {"options": [{"type": 1, "name": "a", "description": "x"}, {"type": 3, "name": "b", "description": "x"}]},
        {"options": [{"type": 12, "name": "a", "description": "x"}]},
        {"options": [{"type": 4, "name": "a", "description": "x", "max_length": 5}]},
        {
            "options": [
                {
                    "type": 3,
                    "name": "a",
                    "description": "x",
                    "autocomplete": True,
                    "choices": [{"name": "a", "value": None}],
                }
            ]
        },
        {
            "options": [
                {
                    "type": 3,
                    "name": f"o{i}",
                    "description": "x" * 100,
                    "choices": [{"name": f"{n:0100}", "value": f"{n:0100}"} for n in range(20)],
                }
                for i in range(2)
            ]
        },
    ],
)
async def test_a_command_beyond_a_limit_is_not_registered(wire: Wire, change: Any) -> None:
    path = f"/applications/{wire.discord.application_id}/commands"
    assert await wire.refused("PUT", path, [{**DRAW, **change}]) == (400, 50035)
    assert (await wire("GET", path))[1] == []


async def test_commands_come_as_a_list_of_different_names(wire: Wire) -> None:
    path = f"/applications/{wire.discord.application_id}/commands"
    assert await wire.refused("PUT", path, DRAW) == (400, 50035)
    assert await wire.refused("PUT", path, [DRAW, DRAW]) == (400, 50035)


@pytest.mark.parametrize(
    ("allowed", "pinged", "everyone"),
    [(None, 1, False), ({"parse": []}, 0, False), ({"parse": ["users", "everyone"]}, 1, True)],
)
async def test_mentions_ping_only_whom_they_may(
    wire: Wire, messages: str, allowed: Any, pinged: int, *, everyone: bool
) -> None:
    world = wire.discord.world
    rights = Permission.MENTION_EVERYONE if everyone else Permission(0)
    world.set_overwrite(world.channel, Overwrite(world.bot.id, allow=rights, for_user=True))
    body = {"content": f"{world.ada.mention} @everyone", "allowed_mentions": allowed}
    await wire("POST", messages, body)
    message = world.channel.messages[0]
    assert (len(message.mentions), message.mention_everyone) == (pinged, everyone)


async def test_moderating_reactions_needs_manage_messages(wire: Wire, messages: str) -> None:
    world = wire.discord.world
    _, sent = await wire("POST", messages, {"content": "a"})
    message = world.channel.messages[0]
    await wire.discord.as_(world.ada).react(message, "🔁")
    path = f"{messages}/{sent['id']}/reactions/%F0%9F%94%81"
    assert (await wire("PUT", f"{path}/@me"))[0] == 204
    assert await wire.refused("DELETE", f"{path}/{world.ada.id}") == (403, 50013)
    world.set_permissions(world.guild, world.role_of_bot(world.guild), Permission.MANAGE_MESSAGES)
    assert (await wire("DELETE", f"{path}/{world.ada.id}"))[0] == 204
    assert (await wire("DELETE", f"{path}/@me"))[0] == 204
    assert message.reactions == {}


async def test_the_bot_reads_and_deletes_its_own_and_writing_opens_a_thread(wire: Wire, messages: str) -> None:
    _, sent = await wire("POST", messages, {"content": "a"})
    assert (await wire("GET", f"{messages}/{sent['id']}"))[1] == sent
    assert (await wire("DELETE", f"{messages}/{sent['id']}"))[0] == 204
    thread = wire.discord.world.add_thread(wire.discord.world.channel, "boats")
    wire.discord.world.archive(thread)
    assert (await wire("POST", f"/channels/{thread.id}/messages", {"content": "a"}))[0] == 200
    assert not thread.archived
    wire.discord.world.archive(thread)
    first = thread.messages[0]
    assert await wire.refused("DELETE", f"/channels/{thread.id}/messages/{first.id}") == (400, 50083)
    face = f"/channels/{thread.id}/messages/{first.id}/reactions/%F0%9F%94%81/@me"
    assert await wire.refused("PUT", face) == (400, 50083)
