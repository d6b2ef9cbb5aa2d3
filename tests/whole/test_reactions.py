"""Reactions under a picture: who gets what, which emoji count, what becomes of the reaction itself."""

import pytest

from bot.rehearsal import Discord, Message
from bot.rehearsal.permissions import Permission
from bot.rehearsal.places import INVITED_WITH
from bot.rehearsal.world import User
from tests.standins.webui import StandInWebUI
from tests.whole.conftest import Start
from tests.whole.play import ask, done, draw, eventually, nth, painted, private, raw_command, result, told

REROLL, CANCEL, STAR, HOME, LARGER = "🔁", "❌", "⭐", "✉️", "⬆️"
EACH = (REROLL, CANCEL, STAR, HOME, LARGER)
CUSTOM = "again:123456789012345678"


async def able(discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    await eventually(lambda: ada.autocomplete("upscale", "upscaler", "ESRGAN"))


async def favourites(discord: Discord, who: User) -> str:
    """What somebody's history shows of their favourites."""
    act = await discord.as_(who).slash("history", favourites=True)
    await discord.until(lambda: act.text)
    return act.text


def answers(message: Message) -> list[Message]:
    return [m for m in message.channel.messages if m.reference is message and painted(m)]


async def chosen(discord: Discord, **values: str) -> str:
    """Let an admin choose emoji and return the answer, which comes a moment later."""
    act = await discord.as_(discord.world.admin).slash("settings reactions", **values)
    await discord.until(lambda: act.text)
    return await private(discord, act)


async def several(discord: Discord, message: Message, count: int) -> None:
    """Wait until so many pictures answer a message."""
    await discord.until(lambda: len(answers(message)) == count)


async def may_clear(discord: Discord) -> None:
    world = discord.world
    role = world.role_of_bot(world.guild)
    world.set_permissions(world.guild, role, int(INVITED_WITH) | int(Permission.MANAGE_MESSAGES))


@pytest.mark.parametrize("role", ["owner", "member", "moderator"])
async def test_each_reaction_does_for_owner_member_and_moderator_what_its_button_does(
    discord: Discord, start: Start, role: str
) -> None:
    world = discord.world
    who = {"owner": world.ada, "member": world.bruno, "moderator": world.moderator}[role]
    there = discord.as_(who)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await able(discord)
        message = await draw(discord, seed=7)
        await there.react(message, STAR)
        await there.react(message, REROLL)
        await discord.until(lambda: len(answers(message)) == 1)
        await there.react(message, LARGER)
        await discord.until(lambda: len(answers(message)) == 2)
        assert answers(message)[1].attachments[0].width == 256
        await there.react(message, HOME)
        await discord.until(lambda: any(painted(sent) for sent in who.dms))
        await there.react(message, CANCEL)
        if role == "member":
            assert "This picture is not yours." in await told(discord, who, "not yours")
            assert "No longer" in await private(discord, await there.choose(message, "More", "Favourite"))
            assert not message.deleted
        else:
            await discord.until(lambda: message.deleted)


@pytest.mark.usefixtures("easel")
async def test_a_star_marks_without_a_word_and_taking_it_away_unmarks(discord: Discord) -> None:
    world = discord.world
    ada, message = discord.as_(world.ada), await draw(discord)

    async def marked() -> bool:
        return "a fox" in await favourites(discord, world.ada)

    async def unmarked() -> bool:
        return not await marked()

    await ada.react(message, STAR)
    await eventually(marked)
    await ada.unreact(message, STAR)
    await eventually(unmarked)
    assert [m for m in world.channel.messages if not m.private_to] == [message]
    assert not world.ada.dms


@pytest.mark.usefixtures("easel")
async def test_a_used_reaction_is_cleared_where_the_bot_may_so_that_it_can_be_put_again(discord: Discord) -> None:
    world = discord.world
    await may_clear(discord)
    bruno, message = discord.as_(world.bruno), await draw(discord)
    await nth(discord, 1, done)
    for count in (1, 2):
        await bruno.react(message, REROLL)
        await several(discord, message, count)
        await discord.until(lambda: message.reactions[REROLL] == [world.bot.id])
    await bruno.react(message, HOME)
    await discord.until(lambda: HOME not in message.reactions and world.bruno.dms)
    await bruno.react(message, STAR)
    await bruno.react(message, "🎉")
    await bruno.react(message, CANCEL)
    await told(discord, world.bruno, "not yours")
    await discord.until(lambda: CANCEL not in message.reactions)
    assert message.reactions[STAR] == message.reactions["🎉"] == [world.bruno.id]


@pytest.mark.usefixtures("easel")
async def test_a_server_chooses_its_own_emoji_and_takes_them_back(discord: Discord) -> None:
    world = discord.world
    world.guild.emojis[123456789012345678] = "again"
    ada = discord.as_(world.ada)
    text = await chosen(discord, emoji_reroll=f"<:{CUSTOM}>", emoji_cancel="🗑️")
    assert f"`emoji_reroll`  <:{CUSTOM}>  · this server" in text
    assert "`emoji_favourite`  ⭐  · this bot" in text
    message = await draw(discord)
    await discord.until(lambda: message.reactions)
    assert list(message.reactions) == [CUSTOM]
    await ada.react(message, REROLL)
    await ada.react(message, CANCEL)
    await ada.react(message, CUSTOM)
    await discord.until(lambda: len(answers(message)) == 1)
    await ada.react(message, "🗑")
    await discord.until(lambda: message.deleted)
    text = await chosen(discord, reset="everything")
    assert "`emoji_reroll`  🔁  · this bot" in text
    again = await draw(discord)
    await ada.react(again, REROLL)
    await discord.until(lambda: answers(again))


@pytest.mark.usefixtures("easel")
async def test_what_is_no_emoji_of_this_server_is_refused_in_words(discord: Discord) -> None:
    world = discord.world
    for values, words in (
        ({"emoji_dm": "home"}, "“home” is no emoji"),
        ({"emoji_dm": STAR}, "cannot be the same emoji"),
        ({"emoji_dm": "<:home:123456789012345678>"}, "not one of this server's own"),
    ):
        assert words in await chosen(discord, **values)
    refused = await raw_command(discord, world.ada, "settings reactions", emoji_dm="🏠")
    assert "Only members with Manage Server" in await private(discord, refused)
    assert "`emoji_dm`  ✉️  · this bot" in await ask(discord, world.admin, "settings show")


@pytest.mark.usefixtures("easel")
async def test_a_server_that_keeps_pictures_to_their_askers_says_so_to_who_reacts(discord: Discord) -> None:
    world = discord.world
    await ask(discord, world.admin, "settings server", others_may_reroll=False)
    message = await draw(discord)
    await discord.as_(world.bruno).react(message, REROLL)
    assert "Here only its asker" in await told(discord, world.bruno, "not yours")
    await discord.as_(world.ada).react(message, REROLL)
    await discord.until(lambda: len(answers(message)) == 1)


async def test_enlarging_asks_which_of_several_pictures_is_meant(discord: Discord, start: Start) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        await able(discord)
        grid = await draw(discord, seed=7, count=2)
        await ada.react(grid, LARGER)
        await told(discord, discord.world.ada, "I do not know which")
        second = await result(await ada.choose(grid, "Take one", "Send 2"))
        await ada.react(second, LARGER)
        await discord.until(lambda: answers(second))
        assert "seed 8" in answers(second)[0].text


@pytest.mark.usefixtures("easel")
async def test_copies_of_a_picture_take_reactions_too(discord: Discord) -> None:
    world = discord.world
    ada, bruno = discord.as_(world.ada), discord.as_(world.bruno)
    grid = await draw(discord, seed=7, count=2)
    second = await result(await ada.choose(grid, "Take one", "Send 2"))
    await bruno.react(second, REROLL)
    await discord.until(lambda: answers(second))
    await bruno.react(second, CANCEL)
    await told(discord, world.bruno, "not yours")
    await ada.react(second, CANCEL)
    await discord.until(lambda: second.deleted)
    assert not grid.deleted


@pytest.mark.usefixtures("easel")
async def test_in_direct_messages_reactions_work_and_a_copy_can_be_thrown_away(discord: Discord) -> None:
    world = discord.world
    bruno = discord.as_(world.bruno)
    message = await draw(discord)
    await bruno.react(message, HOME)
    await discord.until(lambda: world.bruno.dms and painted(world.bruno.dms[0]))
    [copy] = world.bruno.dms

    async def refused() -> bool:
        await bruno.unreact(copy, REROLL)
        await bruno.react(copy, REROLL)
        return any("no longer kept" in sent.text for sent in world.bruno.dms)

    await eventually(refused)
    await bruno.react(copy, CANCEL)
    await discord.until(lambda: copy.deleted)
    assert not message.deleted
    home = world.direct_channel(world.ada)
    own = await result(await discord.as_(world.ada, home).slash("draw", prompt="a hare"))
    await discord.as_(world.ada, home).react(own, REROLL)
    await several(discord, own, 1)
    await discord.as_(world.ada, home).react(own, HOME)
    await discord.until(lambda: sum(map(painted, world.ada.dms)) == 3)
    await discord.as_(world.ada, home).react(own, CANCEL)
    await discord.until(lambda: own.deleted)


@pytest.mark.usefixtures("easel")
async def test_reactions_on_deleted_or_strange_messages_do_nothing(discord: Discord) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    stranger = await ada.say("hello")
    message = await draw(discord)
    await discord.as_(world.moderator).delete(message)
    for face in EACH:
        await ada.react(stranger, face)
        discord.stage.post.react(message, world.ada, face)
    assert "Nobody waits here" in await ask(discord, world.ada, "queue show")
    assert not [m for m in world.channel.messages if painted(m)]
