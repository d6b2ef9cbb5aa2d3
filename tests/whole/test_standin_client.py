"""The stand-in, tried with a small bot on the real discord.py."""

from collections.abc import AsyncIterator

import aiohttp
import discord as dpy
import pytest
import pytest_asyncio

from bot.rehearsal import Attachment, Discord, Kind, NoAnswerError, NotOfferedError
from tests.whole import spec
from tests.whole.small_bot import FACE, PNG, SmallBot, running


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord() as standin:
        yield standin


@pytest_asyncio.fixture
async def client(discord: Discord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SmallBot]:
    async with running(discord, monkeypatch) as bot:
        yield bot


@pytest.mark.usefixtures("client")
async def test_a_deferred_command_turns_its_message_into_the_picture(discord: Discord) -> None:
    act = await discord.as_(discord.world.ada).slash("draw", prompt="a boat", steps=3)
    assert act.kind is Kind.DEFERRED
    message = await act.until(lambda m: m.attachments and m.reactions)
    assert [a.data for a in message.attachments] == [PNG]
    assert (message.attachments[0].width, message.attachments[0].height) == (2, 3)
    assert message.attachments[0].description == "Prompt: a boat"
    assert message.embeds[0]["image"]["url"] == message.attachments[0].url
    assert "3 steps" in message.text
    assert [v.embeds[0]["title"] for v in message.history if v.embeds] == ["Painting"]
    assert message.reactions == {FACE: [discord.application_id]}
    assert not discord.unplayed


@pytest.mark.usefixtures("client")
async def test_buttons_menus_and_modals_are_answered(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    message = await (await ada.slash("draw", prompt="a boat")).until(lambda m: m.components)
    opened = await ada.press(message, "Edit")
    assert opened.modal is not None
    sent = await ada.submit(opened, {"Prompt": "a ship"})
    assert sent.message.content == "edited to a ship"
    unchanged = await ada.submit(await ada.press(message, "Edit"))
    assert unchanged.message.content == "edited to a boat"
    took = await discord.as_(discord.world.bruno).choose(message, "take", "Two")
    assert (took.message.content, took.message.private_to) == ("took Two", discord.world.bruno.id)
    updated = await ada.press(message, "Count")
    assert updated.message is message
    assert message.content == "counted"
    with pytest.raises(NotOfferedError, match="has no"):
        await ada.press(message, "Nothing like it")


async def test_reactions_and_deletions_reach_the_bot(discord: Discord, client: SmallBot) -> None:
    ada = discord.as_(discord.world.ada)
    message = await (await ada.slash("draw", prompt="a boat")).until(lambda m: m.reactions)
    await ada.react(message, FACE)
    await ada.unreact(message, FACE)
    await discord.as_(discord.world.moderator).delete(message)
    await ada.slash("describe")
    assert client.seen_reactions == [("add", FACE), ("remove", FACE)]
    assert client.seen_deletions == [message.id]
    assert message.deleted
    with pytest.raises(NotOfferedError):
        await discord.as_(discord.world.bruno).delete((await ada.slash("describe")).message)


@pytest.mark.usefixtures("client")
async def test_autocomplete_answers_with_choices(discord: Discord) -> None:
    choices = await discord.as_(discord.world.ada).autocomplete("draw", "model", "dream", prompt="x")
    assert [c["value"] for c in choices] == ["dreamshaper_8", "dreamlike"]


@pytest.mark.usefixtures("client")
async def test_an_ephemeral_answer_reads_the_upload_and_a_follow_up_is_public(discord: Discord) -> None:
    act = await discord.as_(discord.world.ada).slash("whisper", picture=Attachment("boat.png", PNG))
    await discord.until(lambda: act.followups)
    assert (act.message.content, act.message.ephemeral) == (f"{len(PNG)} bytes, 2×3", True)
    assert (act.followups[0].content, act.followups[0].ephemeral) == ("in public", False)


@pytest.mark.usefixtures("client")
async def test_an_interaction_tells_who_acts_where(discord: Discord) -> None:
    discord.world.moderator.locale = "de"
    act = await discord.as_(discord.world.moderator).slash("describe")
    assert act.message.content == f"de en-US True {10 * 1024 * 1024} True"
    direct = discord.world.direct_channel(discord.world.ada)
    act = await discord.as_(discord.world.ada, direct).slash("describe")
    assert act.message.content == f"en-US None False {10 * 1024 * 1024} False"
    assert discord.world.ada.dms == [act.message]


@pytest.mark.usefixtures("client")
async def test_a_message_menu_hands_over_the_message(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    note = await ada.say("look", Attachment("a.png", PNG))
    assert (await ada.menu("Look", note)).message.content == "1 files of Ada"


@pytest.mark.usefixtures("client")
async def test_what_the_client_would_not_send_is_not_sent(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    for values in ({}, {"prompt": ""}, {"prompt": "x" * 1501}, {"prompt": "x", "steps": 61}, {"prompt": 1}):
        with pytest.raises(NotOfferedError):
            await ada.slash("draw", **values)
    with pytest.raises(NotOfferedError):
        await ada.slash("paint", prompt="x")


async def test_a_late_answer_is_to_an_unknown_interaction(discord: Discord, client: SmallBot) -> None:
    discord.interactions.deadline_s = 0.1
    with pytest.raises(NoAnswerError):
        await discord.as_(discord.world.ada).slash("slow")
    await discord.until(lambda: hasattr(client, "slow_error"))
    assert client.slow_error == 10062  # type: ignore[attr-defined]


async def test_a_dropped_gateway_resumes_and_replays(discord: Discord, client: SmallBot) -> None:
    for code in (4000, 1006):
        await discord.faults.drop_gateway(code)
        act = await discord.as_(discord.world.ada, waits=False).slash("describe")
        await act.acknowledged(8)
    await discord.until(lambda: client.resumed == 2)
    await discord.faults.reconnect_gateway()
    await discord.until(lambda: client.resumed == 3)


async def test_a_refused_resume_makes_a_new_session(discord: Discord, client: SmallBot) -> None:
    discord.faults.refuse_resumes = 1
    before = set(discord.gateway.sessions)
    await discord.faults.drop_gateway()
    await discord.until(lambda: set(discord.gateway.sessions) - before)
    await discord.as_(discord.world.ada).slash("describe")
    assert client.resumed == 0


async def test_rate_limits_and_server_errors_cost_no_message(discord: Discord, client: SmallBot) -> None:
    channel = client.get_partial_messageable(discord.world.channel.id)
    discord.faults.rate_limit("POST", "/messages$", times=2)
    await channel.send("after 429")
    discord.faults.answer("POST", "/messages$", 502)
    await channel.send("after 502")
    assert [m.content for m in discord.world.channel.messages] == ["after 429", "after 502"]
    assert [r.status for r in discord.requests if r.method == "POST"] == [429, 429, 200, 502, 200]


async def test_discord_py_keeps_to_the_buckets_it_is_told(discord: Discord, client: SmallBot) -> None:
    rules = discord.rate_limits.rules
    for key in rules:
        rules[key] = type(rules[key])(rules[key].limit, 0.3)
    channel = client.get_partial_messageable(discord.world.channel.id)
    for i in range(12):
        await channel.send(str(i))
    assert len(discord.world.channel.messages) == 12
    assert sum(r.status == 429 for r in discord.requests) <= 1


async def test_a_cut_connection_is_an_error_to_the_bot(discord: Discord, client: SmallBot) -> None:
    discord.faults.cut("POST", "/messages$", after=True)
    channel = client.get_partial_messageable(discord.world.channel.id)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await channel.send("it arrived all the same")
    assert [m.content for m in discord.world.channel.messages] == ["it arrived all the same"]


async def test_being_kicked_closes_the_place(discord: Discord, client: SmallBot) -> None:
    discord.world.kick(discord.world.other_guild)
    channel = client.get_partial_messageable(discord.world.other_channel.id)
    with pytest.raises(dpy.Forbidden) as refused:
        await channel.send("still here?")
    assert refused.value.code == 50001
    assert client.gone == [discord.world.other_guild.id]


@pytest.mark.usefixtures("client")
async def test_both_sides_keep_to_discords_own_description(discord: Discord) -> None:
    spec.needed()
    checks = spec.Spec(answers=True).watch(discord)
    ada = discord.as_(discord.world.ada)
    message = await (await ada.slash("draw", prompt="a boat")).until(lambda m: m.reactions)
    await ada.submit(await ada.press(message, "Edit"))
    await ada.slash("whisper", picture=Attachment("boat.png", PNG))
    await ada.press(message, "Count")
    await ada.autocomplete("draw", "model", "d")
    assert checks.problems == []
    assert checks.checked > 10


async def test_a_user_install_works_where_the_bot_is_no_member(discord: Discord, client: SmallBot) -> None:
    world = discord.world
    far = world.add_guild("Far", world.owner, with_bot=False)
    place = world.add_channel(far, "away")
    world.add_member(far, world.ada)
    with pytest.raises(NotOfferedError, match="not installed"):
        await discord.as_(world.ada, place).slash("describe")
    world.ada.installed = True
    act = await discord.as_(world.ada, place).slash("describe")
    assert act.message.content == f"en-US en-US True {10 * 1024 * 1024} False"
    with pytest.raises(dpy.Forbidden):
        await client.get_partial_messageable(place.id).send("hello")


async def test_a_message_that_is_no_longer_there_cannot_be_used(discord: Discord, client: SmallBot) -> None:
    ada = discord.as_(discord.world.ada)
    message = await (await ada.slash("draw", prompt="a boat")).until(lambda m: m.reactions)
    await discord.as_(discord.world.owner).delete(message)
    with pytest.raises(NotOfferedError, match="not there"):
        await ada.press(message, "Edit")
    partial = client.get_partial_messageable(message.channel.id).get_partial_message(message.id)
    with pytest.raises(dpy.NotFound) as refused:
        await partial.edit(content="too late")
    assert refused.value.code == 10008
