"""The stand-in's gateway and places: refusals, resumes, what is hidden, what comes, changes and goes."""

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import pytest

from bot.rehearsal import Overwrite, Permission
from tests.whole.by_hand import Robot, events, started_robot

__all__ = ["started_robot"]


@pytest.mark.parametrize(("intents", "token", "code"), [(1, "wrong", 4004), (1 << 15, None, 4014)])
async def test_the_gateway_refuses_wrong_tokens_and_privileged_intents(
    robot: Robot, intents: int, token: str | None, code: int
) -> None:
    socket = await robot.connect(intents, token=token)
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == code


async def test_the_gateway_beats_answers_and_refuses_what_it_does_not_know(robot: Robot) -> None:
    socket = await robot.connect()
    guilds = (await events(socket, "READY"))["guilds"]
    assert len(guilds) == 2
    await socket.send_json({"op": 1, "d": None})
    while (await socket.receive_json(timeout=5))["op"] != 11:
        pass
    await socket.send_json({"op": 3, "d": {}})
    await socket.send_json({"op": 8, "d": {"guild_id": guilds[0]["id"], "nonce": "n", "limit": 0, "query": ""}})
    chunk = await events(socket, "GUILD_MEMBERS_CHUNK")
    assert len(chunk["members"]) == len(robot.discord.world.guild.members)
    await socket.send_json({"op": 99})
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == 4001


async def test_a_resume_may_replay_what_was_seen_already(robot: Robot) -> None:
    socket = await robot.connect(1 | 1 << 9)
    session = (await events(socket, "READY"))["session_id"]
    await robot.discord.as_(robot.discord.world.ada).say("hello")
    await events(socket, "MESSAGE_CREATE")
    robot.discord.faults.replay_again = 1
    await robot.discord.faults.drop_gateway()
    seq = robot.discord.gateway.sessions[session].seq
    again = await robot.session.ws_connect(robot.discord.gateway_url)
    await again.send_json({"op": 6, "d": {"session_id": session, "seq": seq, "token": robot.discord.token}})
    assert (await events(again, "MESSAGE_CREATE"))["content"] == ""
    await events(again, "RESUMED")


async def test_content_is_hidden_without_the_intent_but_not_from_who_is_meant(robot: Robot) -> None:
    world = robot.discord.world
    ada = robot.discord.as_(world.ada)
    robot.discord.gateway.privileged_intents = 1 << 15
    blind, seeing = await robot.connect(1 | 1 << 9), await robot.connect(1 | 1 << 9 | 1 << 15)
    await robot.discord.until(lambda: len(robot.discord.gateway.sessions) == 2)
    await ada.say("secret")
    await ada.say(f"for {world.bot.mention}")
    assert (await events(blind, "MESSAGE_CREATE"))["content"] == ""
    assert (await events(blind, "MESSAGE_CREATE"))["content"].startswith("for ")
    assert (await events(seeing, "MESSAGE_CREATE"))["content"] == "secret"


async def test_the_gateway_packs_as_one_stream_when_asked(robot: Robot) -> None:
    socket = await robot.session.ws_connect(f"{robot.discord.gateway_url}?compress=zlib-stream")
    packed = (await socket.receive()).data
    assert packed.endswith(b"\x00\x00\xff\xff")
    assert json.loads(zlib.decompressobj().decompress(packed))["op"] == 10


async def test_places_come_change_and_go(robot: Robot) -> None:
    socket = await robot.connect()
    world = robot.discord.world
    await events(socket, "READY")
    await robot.discord.until(lambda: robot.discord.gateway.online)
    role = world.add_role(world.guild, "painter")
    world.set_permissions(world.guild, role, Permission.ATTACH_FILES)
    assert (await events(socket, "GUILD_ROLE_UPDATE"))["role"]["permissions"] == str(int(Permission.ATTACH_FILES))
    place = world.add_channel(world.guild, "new", overwrites=[Overwrite(role.id, deny=Permission.VIEW_CHANNEL)])
    note = await robot.discord.as_(world.ada, place).say("a")
    thread = world.add_thread(place, "t")
    world.delete_channel(thread)
    world.delete_channel(place)
    assert (await events(socket, "THREAD_DELETE"))["id"] == str(thread.id)
    assert (await events(socket, "CHANNEL_DELETE"))["id"] == str(place.id)
    assert note.deleted
    assert (await robot.rest("GET", f"/channels/{place.id}"))[1]["code"] == 10003


async def test_the_bot_can_look_around(robot: Robot) -> None:
    world = robot.discord.world
    assert (await robot.rest("GET", "/gateway/bot"))[1]["url"] == robot.discord.gateway_url
    assert (await robot.rest("GET", "/applications/@me"))[1]["id"] == str(world.bot.id)
    assert (await robot.rest("GET", f"/users/{world.ada.id}"))[1]["global_name"] == "Ada"
    assert (await robot.rest("GET", "/users/1"))[1]["code"] == 10013
    assert (await robot.rest("GET", f"/guilds/{world.guild.id}"))[1]["name"] == "Atelier"
    assert (await robot.rest("GET", "/guilds/1"))[1]["code"] == 50001
    here = f"/guilds/{world.guild.id}/members"
    assert (await robot.rest("GET", f"{here}/{world.ada.id}"))[1]["user"]["username"] == "ada"
    assert (await robot.rest("GET", f"{here}/1"))[1]["code"] == 10007
    assert (await robot.rest("POST", "/users/@me/channels", {"recipient_id": "1"}))[1]["code"] == 50033
    assert (await robot.rest("POST", f"/channels/{world.channel.id}/typing"))[0] == 204
    assert (await robot.rest("GET", f"/channels/{world.channel.id}"))[1]["name"] == "studio"
    assert (await robot.rest("PATCH", f"/channels/{world.channel.id}", {"name": "x"}))[0] == 501


async def test_history_comes_newest_first_and_without_private_messages(robot: Robot) -> None:
    world = robot.discord.world
    ada = robot.discord.as_(world.ada, waits=False)
    notes = [await ada.say(str(i)) for i in range(4)]
    await robot.respond(await ada.slash("model list"), 4, {"content": "private", "flags": 64})
    path = f"/channels/{world.channel.id}/messages"
    assert [m["content"] for m in (await robot.rest("GET", f"{path}?limit=2"))[1]] == ["3", "2"]
    before = await robot.rest("GET", f"{path}?limit=1&before={notes[2].id}")
    after = await robot.rest("GET", f"{path}?limit=2&after={notes[0].id}")
    assert ([m["content"] for m in before[1]], [m["content"] for m in after[1]]) == (["1"], ["2", "1"])
    world.set_overwrite(world.channel, Overwrite(world.guild.id, deny=Permission.READ_MESSAGE_HISTORY))
    assert (await robot.rest("GET", path))[1] == []
    assert (await robot.rest("GET", f"{path}/{notes[0].id}"))[1]["code"] == 50013
    reply = {"content": "a", "message_reference": {"message_id": str(notes[0].id)}}
    assert (await robot.rest("POST", path, reply))[1]["code"] == 160002


async def test_reactions_can_be_listed_and_cleared(robot: Robot) -> None:
    world = robot.discord.world
    note = await robot.discord.as_(world.ada).say("a")
    for person in (world.ada, world.bruno):
        await robot.discord.as_(person).react(note, "🔁")
        await robot.discord.as_(person).react(note, "❌")
    path = f"/channels/{world.channel.id}/messages/{note.id}/reactions"
    found = (await robot.rest("GET", f"{path}/%F0%9F%94%81"))[1]
    assert [user["global_name"] for user in found] == ["Ada", "Bruno"]
    world.set_overwrite(world.channel, Overwrite(world.bot.id, allow=Permission.MANAGE_MESSAGES, for_user=True))
    await robot.rest("DELETE", f"{path}/%F0%9F%94%81")
    assert list(note.reactions) == ["❌"]
    assert (await robot.rest("DELETE", f"{path}/%E2%9D%8C/1"))[1]["code"] == 10013
    await robot.rest("DELETE", path)
    assert note.reactions == {}


async def test_a_reply_pings_its_author_unless_told_not_to(robot: Robot) -> None:
    world = robot.discord.world
    note = await robot.discord.as_(world.ada).say("a")
    path = f"/channels/{world.channel.id}/messages"
    reply: dict[str, Any] = {"content": "b", "message_reference": {"message_id": str(note.id)}}
    await robot.rest("POST", path, reply)
    await robot.rest("POST", path, {**reply, "allowed_mentions": {"parse": [], "replied_user": False}})
    await robot.rest("POST", path, {**reply, "allowed_mentions": {"parse": [], "replied_user": True}})
    assert [m.mentions for m in world.channel.messages[1:]] == [[world.ada], [], [world.ada]]
    both = {"parse": ["users"], "users": [str(world.ada.id)]}
    assert (await robot.rest("POST", path, {**reply, "allowed_mentions": both}))[1]["code"] == 50035


async def test_embeds_need_embed_links_and_their_edits_keep_the_message(robot: Robot) -> None:
    world = robot.discord.world
    path = f"/channels/{world.channel.id}/messages"
    _, sent = await robot.rest(
        "POST", path, {"content": "a", "embeds": [{"author": {"name": "n", "icon_url": "https://x/y"}}]}
    )
    assert sent["embeds"][0]["author"]["proxy_icon_url"] == "https://x/y"
    assert (await robot.rest("PATCH", f"{path}/{sent['id']}", {"content": "", "embeds": []}))[1]["code"] == 50006
    assert world.channel.messages[0].text == "a\nn"
    world.set_overwrite(world.channel, Overwrite(world.bot.id, deny=Permission.EMBED_LINKS, for_user=True))
    _, plain = await robot.rest("POST", path, {"content": "b", "embeds": [{"title": "t"}]})
    assert plain["embeds"] == []
    assert (await robot.rest("POST", path, {"content": "a", "embeds": [{}]}))[1]["code"] == 50035


async def test_nonsense_is_refused_and_noted(robot: Robot) -> None:
    headers = {"Authorization": f"Bot {robot.discord.token}", "Content-Type": "application/json"}
    path = f"{robot.discord.api_url}/channels/{robot.discord.world.channel.id}/messages"
    async with robot.session.post(path, headers=headers, data=b"{") as answer:
        assert (await answer.json())["code"] == 50109
    assert (await robot.rest("GET", "/channels/studio"))[0] == 501
    assert [e.path for e in robot.discord.unplayed] == ["/channels/studio"]


async def test_ordered_faults_happen_as_often_as_ordered(robot: Robot) -> None:
    faults, path = robot.discord.faults, f"/channels/{robot.discord.world.channel.id}/messages"
    fault = faults.answer("*", "/messages$", 404, code=10003, times=2)
    assert [(await robot.rest("POST", path, {"content": "a"}))[0] for _ in range(3)] == [404, 404, 200]
    assert fault.done == 2
    faults.delay("POST", "/messages$", 0.05)
    faults.rate_limit("GET", "/gateway", scope="global")
    started = asyncio.get_running_loop().time()
    await robot.rest("POST", path, {"content": "b"})
    assert asyncio.get_running_loop().time() - started >= 0.05
    assert (await robot.rest("GET", "/gateway"))[1]["global"] is True
    faults.answer("POST", "/messages$", 500)
    faults.clear()
    assert (await robot.rest("POST", path, {"content": "c"}))[0] == 200


async def test_a_guest_app_sends_few_follow_ups_and_only_in_private_where_it_must(robot: Robot) -> None:
    world = robot.discord.world
    far = world.add_guild("Far", world.owner, with_bot=False)
    place = world.add_channel(far, "away")
    world.add_member(far, world.ada)
    world.ada.installed = True
    command = {"name": "describe", "description": "x", "integration_types": [0, 1]}
    await robot.rest("PUT", f"/applications/{world.bot.id}/commands", [command])
    world.set_overwrite(place, Overwrite(far.id, deny=Permission.USE_EXTERNAL_APPS))
    act = await robot.discord.as_(world.ada, place, waits=False).slash("describe")
    await robot.respond(act, 4, {"content": "a"})
    assert act.message.ephemeral
    hook = f"/webhooks/{world.bot.id}/{act.token}"
    answers = [(await robot.rest("POST", hook, {"content": "b"}))[1] for _ in range(6)]
    assert [answer.get("code") for answer in answers] == [None] * 5 + [40094]
    with pytest.raises(TimeoutError, match="still reads: 'a"):
        await act.until(lambda m: not m.text, 0.1)


async def test_messages_of_a_dead_place_cannot_be_reached_by_token(robot: Robot) -> None:
    world = robot.discord.world
    thread = world.add_thread(world.channel, "t")
    act = await robot.discord.as_(world.ada, thread, waits=False).slash("model list")
    hook = f"/webhooks/{world.bot.id}/{act.token}"
    assert (await robot.rest("POST", hook, {"content": "too early"}))[1]["code"] == 10015
    await robot.respond(act, 4, {"content": "a"})
    world.archive(thread)
    assert (await robot.rest("PATCH", f"{hook}/messages/@original", {"content": "b"}))[1]["code"] == 50083
    assert (await robot.rest("POST", f"/webhooks/1/{act.token}", {"content": "b"}))[1]["code"] == 10015
    world.delete_channel(thread)
    assert (await robot.rest("GET", f"{hook}/messages/@original"))[1]["code"] == 10003
