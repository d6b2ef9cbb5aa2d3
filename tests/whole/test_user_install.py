"""Where only a person brought the bot: private unless they say otherwise, own limits, by the token alone."""

from functools import partial

import pytest

from bot.domain.codes import code
from bot.rehearsal import Discord, Interaction, Message, Overwrite, Permission
from bot.rehearsal.person import Person
from bot.rehearsal.world import Attachment, Channel
from tests.whole.conftest import Start
from tests.whole.pictures import png
from tests.whole.play import draw, eventually, painted, private

REFUSED = "asks for an adult picture"
OWNERS = "authorizing_integration_owners"


def lounge(discord: Discord) -> Channel:
    """Found a server of Carla without the bot, where Ada brought it along; Bruno is there too."""
    world = discord.world
    guild = world.add_guild("Elsewhere", world.carla, with_bot=False)
    world.ada.installed = True
    for who in (world.ada, world.bruno):
        world.add_member(guild, who)
    return world.add_channel(guild, "lounge")


async def painted_for(person: Person, path: str = "draw", **values: str | int | bool) -> Message:
    """Send a command and wait for its picture, whoever sees it."""
    return await (await person.slash(path, **{"prompt": "a fox", **values})).until(painted)


@pytest.mark.usefixtures("easel")
async def test_an_order_elsewhere_is_private_unless_its_asker_wants_it_public(discord: Discord) -> None:
    world = discord.world
    place = lounge(discord)
    ada, bruno = discord.as_(world.ada, place), discord.as_(world.bruno, place)
    first = await painted_for(ada)
    assert first.private_to == world.ada.id
    assert "With private:False all would" in first.text
    again = await (await ada.press(first, "Reroll")).until(painted)
    photo = await ada.say("", Attachment("a.png", png(64, 64)))

    async def is_private(act: Interaction) -> bool:
        return (await act.until(painted)).private_to == world.ada.id

    # One after the other: guests may have but few in line.
    assert await is_private(await ada.submit(await ada.press(again, "Edit"), {"prompt": "an owl"}))
    assert await is_private(await ada.slash("remix", image=Attachment("a.png", png(64, 64)), prompt="an owl"))
    assert await is_private(await ada.submit(await ada.menu("Remix", photo), {"prompt": "a hen"}))
    assert await is_private(await ada.slash("explore", prompt="a fox", across="steps", across_values="1, 2"))
    form = await ada.slash("draw", private=False)
    open_to_all = await (await ada.submit(form, {"prompt": "a public fox"})).until(painted)
    assert open_to_all.private_to is None
    assert "all would" not in open_to_all.text
    followed = await (await bruno.press(open_to_all, "Reroll")).until(painted)
    assert followed.private_to is None, "what is public stays so, whoever goes on from it"
    metadata = followed.interaction_metadata or {}
    assert metadata[OWNERS] == {"1": str(world.ada.id)}, "it is still Ada who brought the bot"
    assert not open_to_all.reactions
    assert not any("/channels/" in r.path for r in discord.requests if r.method != "GET")
    assert not [r for r in discord.requests if r.status in {401, 403, 404}]
    assert (await draw(discord)).private_to is None, "at home all is as ever"


@pytest.mark.usefixtures("easel")
async def test_what_discord_makes_private_is_private_to_us_too(discord: Discord) -> None:
    world = discord.world
    place = lounge(discord)
    world.set_overwrite(place, Overwrite(place.guild.id if place.guild else 0, deny=Permission.USE_EXTERNAL_APPS))
    message = await painted_for(discord.as_(world.ada, place), private=False)
    assert message.private_to == world.ada.id
    theirs = await discord.as_(world.bruno).slash("draw", like=code(1))
    assert "no longer kept" in await private(discord, theirs)


def waits(message: Message) -> bool:
    return "Waiting for a painter" in message.text


async def test_guests_have_limits_of_their_own(discord: Discord, start: Start) -> None:
    world = discord.world
    ada = discord.as_(world.ada, lounge(discord))
    nobody = "webui=http://127.0.0.1:9"
    async with start(EASEL_BACKENDS=nobody, EASEL_USER_MAX_QUEUED="1", EASEL_USER_MAX_SIDE="256"):
        too_large = await ada.slash("draw", prompt="a fox", size="512x512")
        assert "between 64 and 256" in await private(discord, too_large)
        await (await ada.slash("draw", prompt="a fox")).until(waits)
        assert "not allowed here" in await private(discord, await ada.slash("draw", prompt="a hen"))
        at_home = await discord.as_(world.ada).slash("draw", prompt="a fox", size="512x512")
        await at_home.until(waits)
    async with start(EASEL_USER_MAX_COST="0.2", EASEL_USER_MAX_SIDE="2048"):
        dear = await ada.slash("draw", prompt="a fox", size="1024x1024", steps=30)
        assert "may cost 0.2" in await private(discord, dear)


async def kept_from(discord: Discord, person: Person, picture: str) -> bool:
    """Return whether a picture, delivered by now, is none for that place."""
    shown = await person.slash("show", id=picture)
    return "for age-restricted channels" in await private(discord, shown)


@pytest.mark.usefixtures("easel")
async def test_a_foreign_servers_flag_holds_and_its_settings_do_not(discord: Discord) -> None:
    world = discord.world
    guild = world.add_guild("Former", world.carla)
    day, night = world.add_channel(guild, "day"), world.add_channel(guild, "night", nsfw=True)
    world.ada.installed = True
    world.add_member(guild, world.ada)
    carla = discord.as_(world.carla, day)
    await private(discord, await carla.slash("words deny", words="fox"))
    assert "not allowed" in await private(discord, await discord.as_(world.ada, day).slash("draw", prompt="a fox"))
    world.kick(guild)
    by_day, by_night = discord.as_(world.ada, day), discord.as_(world.ada, night)
    assert (await painted_for(by_day)).private_to == world.ada.id
    assert REFUSED in await private(discord, await by_day.slash("draw", prompt="a naked woman"))
    assert "may be asked for here" in await private(discord, await by_night.slash("adult show"))
    assert "There is no server here" in await private(discord, await by_night.slash("model default"))
    nude = await painted_for(by_night, prompt="a naked woman")
    assert nude.private_to == world.ada.id
    thread = discord.as_(world.ada, world.add_thread(night, "life drawing"))
    unknown = await thread.slash("draw", prompt="a naked man")
    assert REFUSED in await private(discord, unknown), "nobody tells what its channel is"
    await eventually(lambda: kept_from(discord, by_day, code(2)))


@pytest.mark.usefixtures("easel")
async def test_in_a_group_of_people_it_is_the_same(discord: Discord) -> None:
    world = discord.world
    world.ada.installed = True
    ada = discord.as_(world.ada, world.add_group(world.carla, world.ada))
    assert (await painted_for(ada)).private_to == world.ada.id
    assert (await painted_for(ada, private=False)).private_to is None
    assert REFUSED in await private(discord, await ada.slash("draw", prompt="hentai"))
    assert not [r for r in discord.requests if r.status in {401, 403, 404}]


def too_long(act: Interaction) -> bool:
    return "The line is too long for this place" in act.text


async def test_a_long_wait_is_refused_unless_a_direct_message_can_follow(discord: Discord, start: Start) -> None:
    world = discord.world
    ada = discord.as_(world.ada, lounge(discord))
    async with start(EASEL_BACKENDS="sketch=0.05"):
        await draw(discord)
        ahead = await discord.as_(world.bruno).slash("draw", prompt="a fox", steps=60, size="2048x1536", count=4)
        await ahead.until(lambda m: "Painting" in m.text)
        world.ada.takes_direct_messages = False
        for values in ({}, {"private": False}):
            act = await ada.slash("draw", prompt="a fox", **values)
            await discord.until(partial(too_long, act))
        world.ada.takes_direct_messages = True
        act = await ada.slash("draw", prompt="a fox")
        await act.until(lambda m: "In line" in m.text)
        assert "It comes here" in world.ada.dms[-1].text
        await discord.as_(world.bruno).press(ahead.message, "Cancel")


async def test_who_has_nothing_in_common_with_the_bot_gets_no_direct_message(discord: Discord) -> None:
    world = discord.world
    stranger = world.add_user("Stranger")
    assert not world.may_write_to(stranger)
    stranger.installed = True
    assert world.may_write_to(stranger)
