"""Who may do what: what is refused in words, to whom, and what a moderator or admin may do."""

import pytest

from bot.rehearsal import Discord, Overwrite, Permission
from tests.whole.conftest import Start
from tests.whole.play import ask, draw, painted, private, raw_command, result, told


async def test_only_the_asker_and_moderators_cancel_a_job_that_waits_or_runs(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    ada, bruno, moderator = (discord.as_(who) for who in (world.ada, world.bruno, world.moderator))
    async with start(EASEL_BACKENDS="sketch=30"):
        running = await ada.slash("draw", prompt="a fox")
        waiting = await ada.slash("draw", prompt="an owl")
        for act in (running, waiting):
            await act.until(lambda m: m.controls)
            assert "This picture is not yours." in await private(discord, await bruno.press(act.message, "Cancel"))
            await bruno.react(act.message, "❌")
        await discord.until(lambda: len(world.bruno.dms) == 2)
        assert all("not yours" in message.text for message in world.bruno.dms)
        assert "not yours" in await ask(discord, world.bruno, "queue cancel", job="0001")
        assert "Manage Messages" in await ask(discord, world.bruno, "queue clear")
        assert "Manage Messages" in await ask(discord, world.ada, "queue clear"), (
            "one's own jobs are cancelled singly"
        )
        assert not any("Cancelled" in act.message.text for act in (running, waiting))
        await moderator.press(waiting.message, "Cancel")
        assert world.moderator.mention in (await waiting.until(lambda m: "Cancelled" in m.text)).text
        await moderator.react(running.message, "❌")
        assert world.moderator.mention in (await running.until(lambda m: "Cancelled" in m.text)).text


async def test_clearing_the_queue_cancels_this_servers_waiting_jobs_only(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9"):
        mine = [await discord.as_(who).slash("draw", prompt="a fox") for who in (world.ada, world.bruno)]
        theirs = await discord.as_(world.carla, world.other_channel).slash("draw", prompt="an owl")
        assert "Cancelled jobs: 2." in await ask(discord, world.moderator, "queue clear")
        for act in mine:
            await act.until(lambda m: "Cancelled" in m.text)
        await theirs.until(lambda m: "Waiting for a painter" in m.text)
        shown = await private(discord, await discord.as_(world.carla, world.other_channel).slash("queue show"))
        assert world.carla.mention in shown
        assert "Nobody waits here" in await ask(discord, world.ada, "queue show")


@pytest.mark.usefixtures("easel")
async def test_only_the_asker_and_moderators_delete_a_picture(discord: Discord) -> None:
    world = discord.world
    bruno, moderator = discord.as_(world.bruno), discord.as_(world.moderator)
    first, second = await draw(discord), await draw(discord)
    assert "This picture is not yours." in await private(discord, await bruno.press(first, "Delete"))
    await bruno.react(second, "❌")
    assert "Manage Messages" in await told(discord, world.bruno, "not yours")
    assert not any(message.deleted for message in (first, second))
    await moderator.press(first, "Delete")
    await moderator.react(second, "❌")
    await discord.until(lambda: first.deleted and second.deleted)


@pytest.mark.usefixtures("easel")
async def test_moderating_and_managing_are_two_things(discord: Discord) -> None:
    world = discord.world
    message = await draw(discord)
    assert "not yours" in await private(discord, await discord.as_(world.admin).press(message, "Delete"))
    assert "Manage Server" in await ask(discord, world.moderator, "model default", model="sketch (no model)")
    assert "sketch" in await ask(discord, world.admin, "model default", model="sketch (no model)")


@pytest.mark.usefixtures("easel")
async def test_a_channels_own_rule_makes_a_moderator_there_only(discord: Discord) -> None:
    world = discord.world
    message = await draw(discord)
    elsewhere = world.add_channel(world.guild, "elsewhere")
    allow = Overwrite(world.bruno.id, allow=int(Permission.MANAGE_MESSAGES), for_user=True)
    world.set_overwrite(elsewhere, allow)
    assert "not yours" in await private(discord, await discord.as_(world.bruno).press(message, "Delete"))
    other = await result(await discord.as_(world.ada, elsewhere).slash("draw", prompt="a fox"))
    await discord.as_(world.bruno, elsewhere).react(other, "❌")
    await discord.until(lambda: other.deleted)


@pytest.mark.usefixtures("easel")
async def test_settings_need_manage_server_even_where_an_override_shows_them_to_others(discord: Discord) -> None:
    world = discord.world
    for who in (world.ada, world.moderator):
        for path, values in (("settings show", {}), ("settings server", {"steps": 3})):
            act = await raw_command(discord, who, path, **values)
            assert "Only members with Manage Server" in await private(discord, act)
    assert "`steps`  4  · this bot" in await ask(discord, world.admin, "settings show")
    assert "`steps`  4  · this bot" in await ask(discord, world.owner, "settings show")


@pytest.mark.usefixtures("easel")
async def test_what_the_bot_may_not_do_in_a_channel_is_named_before_anything_is_queued(discord: Discord) -> None:
    world = discord.world
    role = world.role_of_bot(world.guild)
    first = await draw(discord, count=2)
    named = {Permission.ATTACH_FILES: "Attach Files", Permission.EMBED_LINKS: "Embed Links"}
    ada = discord.as_(world.ada)
    for permission, name in named.items():
        world.set_overwrite(world.channel, Overwrite(role.id, deny=int(permission)))
        text = await ask(discord, world.ada, "draw", prompt="a fox")
        assert f"{name} is missing" in text
        assert "Ask an admin" in text
        for act in (await ada.press(first, "Reroll"), await ada.choose(first, "Take one", "Send 1")):
            assert f"{name} is missing" in await private(discord, act)
    world.set_overwrite(world.channel, Overwrite(role.id, deny=sum(named)))
    assert "Embed Links, Attach Files is missing" in await ask(discord, world.ada, "draw", prompt="a fox")
    assert "Nobody waits here" in await ask(discord, world.ada, "queue show")
    assert [m for m in world.channel.messages if not m.ephemeral] == [first]


@pytest.mark.usefixtures("easel")
async def test_a_reaction_where_the_bot_may_not_post_is_refused_in_words(discord: Discord) -> None:
    world = discord.world
    first = await draw(discord)
    await discord.until(lambda: first.reactions)
    world.set_overwrite(
        world.channel, Overwrite(world.role_of_bot(world.guild).id, deny=int(Permission.ATTACH_FILES))
    )
    await discord.as_(world.ada).react(first, "🔁")
    assert "Attach Files is missing" in await told(discord, world.ada, "Attach Files")
    assert [m for m in world.channel.messages if painted(m)] == [first]


@pytest.mark.usefixtures("easel")
async def test_everyone_may_reroll_and_the_picture_is_theirs_then(discord: Discord) -> None:
    world = discord.world
    first = await draw(discord)
    second = await result(await discord.as_(world.bruno).press(first, "Reroll"))
    assert "Bruno" in second.text
    assert "not yours" in await private(discord, await discord.as_(world.ada).press(second, "Delete"))
    await discord.as_(world.bruno).press(second, "Delete")
    await discord.until(lambda: second.deleted)


@pytest.mark.usefixtures("easel")
async def test_a_person_without_direct_messages_loses_nothing_but_the_explanation(discord: Discord) -> None:
    world = discord.world
    world.bruno.takes_direct_messages = False
    first = await draw(discord)
    await discord.as_(world.bruno).react(first, "❌")
    await discord.until(lambda: any("/users/@me/channels" in r.path for r in discord.requests))
    assert not first.deleted
    await result(await discord.as_(world.bruno).press(first, "Reroll"))


@pytest.mark.usefixtures("easel")
async def test_where_only_a_person_brought_the_bot_the_person_is_the_guild(discord: Discord) -> None:
    world = discord.world
    guild = world.add_guild("Elsewhere", world.carla, with_bot=False)
    place = world.add_channel(guild, "lounge")
    world.ada.installed = True
    ada, bruno, carla = (
        discord.as_(world.add_member(guild, who), place) for who in (world.ada, world.bruno, world.carla)
    )
    first = await result(await ada.slash("draw", prompt="a fox", seed=7, private=False))
    assert "seed:7" in await private(discord, await ada.press(first, "Settings"))
    second = await result(await ada.submit(await ada.press(first, "Edit"), {"prompt": "an owl"}))
    third = await result(await bruno.press(first, "Reroll"))
    assert "Bruno" in third.text
    assert "not yours" in await private(discord, await bruno.press(first, "Delete"))
    await ada.press(second, "Delete")
    await carla.press(third, "Delete")
    await discord.until(lambda: second.deleted and third.deleted)
    assert not first.reactions
    assert not [r for r in discord.requests if r.status in {403, 404}]
    assert "There is no server here." in await private(discord, await ada.slash("model default"))
    direct = discord.as_(world.ada, world.direct_channel(world.ada))
    assert "a fox" in (await result(await direct.slash("draw", prompt="a fox"))).text


async def test_jobs_from_where_only_a_person_brought_the_bot_are_in_their_own_line(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    guild = world.add_guild("Elsewhere", world.carla, with_bot=False)
    place = world.add_channel(guild, "lounge")
    world.ada.installed = world.carla.installed = True
    ada, carla = (discord.as_(world.add_member(guild, who), place) for who in (world.ada, world.carla))
    async with start(EASEL_BACKENDS="webui=http://127.0.0.1:9"):
        act = await ada.slash("draw", prompt="a fox")
        await act.until(lambda m: "Waiting for a painter" in m.text)
        assert "Nobody waits here" in await private(discord, await carla.slash("queue show"))
        assert "Manage Messages" in await private(discord, await carla.slash("queue clear"))
        assert world.ada.mention in await private(discord, await ada.slash("queue show"))


async def test_a_moderator_of_one_channel_moderates_only_there(discord: Discord, start: Start) -> None:
    world = discord.world
    rule = Overwrite(world.bruno.id, allow=int(Permission.MANAGE_MESSAGES), for_user=True)
    world.set_overwrite(world.night_channel, rule)
    async with start(EASEL_BACKENDS="sketch=30"):
        there = await discord.as_(world.ada).slash("draw", prompt="a fox")
        here = await discord.as_(world.ada, world.night_channel).slash("draw", prompt="an owl")
        for act in (there, here):
            await act.until(lambda m: m.controls)
        bruno = discord.as_(world.bruno, world.night_channel)
        assert "not yours" in (await bruno.slash("queue cancel", job="0001")).text
        assert "Manage Messages" in (await bruno.slash("queue clear")).text
        assert "Cancelled" not in there.message.text
        await bruno.press(here.message, "Cancel")
        await here.until(lambda m: "Cancelled" in m.text)
