"""Finding one's own pictures again, showing one anew, counting them, and help."""

import io
import re

import pytest
from PIL import Image

from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.options import Value
from bot.rehearsal.permissions import Permission
from bot.rehearsal.world import Overwrite, User
from tests.whole import play
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, done, painted, private, raw_press, result

LINE = re.compile(r"\*\*(\d)\*\* (⭐ )?`([0-9A-Z]{4,})`")


async def told(act: Interaction) -> str:
    """Wait for the answer to a command that thinks first and return its words."""
    return (await act.until(lambda m: m.embeds)).text


async def draw(discord: Discord, who: User | None = None, prompt: str = "a fox", **values: Value) -> Message:
    """Let somebody draw, and wait until nothing more happens to the message."""
    message = await play.draw(discord, who, prompt, **values)
    await discord.until(lambda: done(message))
    return message


async def page(discord: Discord, who: User, **values: Value) -> Message:
    """Ask for a page of somebody's history in Atelier's channel."""
    act = await discord.as_(who).slash("history", **values)
    return await act.until(lambda m: m.private_to == who.id and (m.attachments or "picture" in m.text))


def codes(message: Message) -> list[str]:
    return [code for _, _, code in LINE.findall(message.text)]


def prompts(message: Message) -> list[str]:
    return re.findall(r"\d:d> · (.*?) ·", message.text)


async def turned(act: Interaction, words: str) -> Message:
    return await act.until(lambda m: words in m.text)


async def shown(act: Interaction) -> Message:
    return await act.until(painted)


@pytest.mark.usefixtures("easel")
async def test_history_finds_ones_own_pictures_by_words_date_and_favourites_and_nobody_elses(
    discord: Discord, clock: Time
) -> None:
    ada = discord.world.ada
    for prompt in ("a red fox in snow", "an owl, 100 % white", "Füchse im ÖDEN Land"):
        await draw(discord, prompt=prompt)
        clock.ahead_s += 86400
    await draw(discord, discord.world.bruno, prompt="a fox of his")
    everything = await page(discord, ada)
    assert prompts(everything) == ["Füchse im ÖDEN Land", "an owl, 100 % white", "a red fox in snow"]
    [file] = everything.attachments
    with Image.open(io.BytesIO(file.data)) as sheet:
        assert sheet.format == "WEBP"
        assert sheet.size == (880, 288)
    assert len(file.data) <= 1_000_000
    assert "3: a red fox in snow" in (file.description or "")
    for values, found in (
        ({"words": "FOX red"}, ["a red fox in snow"]),
        ({"words": "0 %"}, ["an owl, 100 % white"]),
        ({"words": "öden"}, ["Füchse im ÖDEN Land"]),
        ({"words": "_"}, []),
        ({"model": "sketch"}, ["Füchse im ÖDEN Land", "an owl, 100 % white", "a red fox in snow"]),
        ({"model": "dreamshaper"}, []),
        ({"after": "36h"}, ["Füchse im ÖDEN Land"]),
        ({"after": "4d", "before": "36h"}, ["an owl, 100 % white", "a red fox in snow"]),
        ({"before": "2001-01-01"}, []),
        ({"favourites": True}, []),
    ):
        assert prompts(await page(discord, ada, **values)) == found, values
    assert "is no date" in await ask(discord, ada, "history", after="yesterday")
    assert "Paint one" in await told(await discord.as_(discord.world.moderator).slash("history"))


@pytest.mark.usefixtures("easel")
async def test_a_server_shows_what_was_painted_there_and_everywhere_shows_all(discord: Discord) -> None:
    ada = discord.world.ada
    direct = discord.as_(ada, discord.world.direct_channel(ada))
    owl = await result(await direct.slash("draw", prompt="an owl at home"))
    await discord.until(lambda: done(owl))
    await draw(discord, prompt="a fox here")
    assert prompts(await page(discord, ada)) == ["a fox here"]
    assert prompts(await page(discord, ada, everywhere=True)) == ["a fox here", "an owl at home"]
    at_home = await (await direct.slash("history")).until(lambda m: m.attachments)
    assert prompts(at_home) == ["a fox here", "an owl at home"]


async def test_pages_are_turned_and_pictures_marked_and_shown_after_a_restart_too(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with start():
        for n in range(11):
            await draw(discord, prompt=f"fox {n}")
        await draw(discord, prompt="an owl")
        first = await page(discord, world.ada, words="fox")
        assert prompts(first) == [f"fox {n}" for n in range(10, 1, -1)]
        assert "11 results · page 1 of 2" in first.text
        assert len(codes(first)) == 9
    async with start():
        last = await turned(await ada.press(first, "▶"), "page 2 of 2")
        assert prompts(last) == ["fox 1", "fox 0"], "what was searched for is still known"
        await turned(await ada.press(last, "◀"), "page 1 of 2")
        await turned(await ada.choose(first, "Favourite", f"3 · {codes(first)[2]}"), "⭐")
        assert prompts(await page(discord, world.ada, favourites=True)) == ["fox 8"]
        again = await shown(await ada.choose(first, "Show", f"3 · {codes(first)[2]}"))
        assert not again.ephemeral
        assert "fox 8" in again.text
        await turned(await ada.choose(first, "Favourite", f"3 · {codes(first)[2]}"), "page 1 of 2")
        await discord.until(lambda: "⭐" not in first.text)


@pytest.mark.usefixtures("easel")
async def test_show_posts_a_picture_again_with_living_buttons_by_its_code(discord: Discord) -> None:
    world = discord.world
    original = await draw(discord, prompt="a fox", seed=7)
    code = codes(await page(discord, world.ada))[0]
    offered = await discord.as_(world.ada).autocomplete("show", "id", "")
    assert [(choice["name"], choice["value"]) for choice in offered] == [(f"{code} · a fox", code)]
    for typed in (code, code.lower(), f" #{code}"):
        shown_by_bruno = await shown(await discord.as_(world.bruno).slash("show", id=typed))
        assert shown_by_bruno.attachments[0].data == original.attachments[0].data
        assert not shown_by_bruno.ephemeral
    again = await result(await discord.as_(world.bruno).press(shown_by_bruno, "Reroll"))
    assert again.text != original.text
    hidden = await shown(await discord.as_(world.ada).slash("show", id=code, private=True))
    assert hidden.private_to == world.ada.id
    for wrong in ("0QQQ", "0009"):
        assert "no longer kept" in await ask(discord, world.ada, "show", id=wrong)
    assert "no picture's code" in await ask(discord, world.ada, "show", id="!?")


@pytest.mark.usefixtures("easel")
async def test_a_picture_of_another_server_or_a_hidden_channel_is_shown_to_its_owner_only(
    discord: Discord,
) -> None:
    world = discord.world
    await draw(discord, prompt="a fox")
    carla = discord.as_(world.carla, world.other_channel)
    assert "no longer kept" in await private(discord, await carla.slash("show", id="0001"))
    direct = discord.as_(world.ada, world.direct_channel(world.ada))
    assert not (await shown(await direct.slash("show", id="0001"))).ephemeral
    owl = await result(await direct.slash("draw", prompt="an owl"))
    await discord.until(lambda: done(owl))
    assert "no longer kept" in await ask(discord, world.bruno, "show", id="0002")
    assert "an owl" in (await shown(await discord.as_(world.ada).slash("show", id="0002"))).text


@pytest.mark.usefixtures("easel")
async def test_a_picture_of_a_channel_that_one_cannot_see_is_not_shown(discord: Discord) -> None:
    world = discord.world
    closed = Overwrite(world.bruno.id, deny=int(Permission.VIEW_CHANNEL), for_user=True)
    hidden = world.add_channel(world.guild, "back-room", overwrites=[closed])
    fox = await result(await discord.as_(world.ada, hidden).slash("draw", prompt="a fox"))
    await discord.until(lambda: done(fox))
    assert "no longer kept" in await ask(discord, world.bruno, "show", id="0001")
    seen = await shown(await discord.as_(world.moderator).slash("show", id="0001"))
    assert "a fox" in seen.text
    assert seen.private_to == world.moderator.id, "it is Ada's to bring out of that room"
    assert (await shown(await discord.as_(world.ada).slash("show", id="0001"))).private_to is None


@pytest.mark.usefixtures("easel")
async def test_a_picture_of_a_channel_that_all_see_is_shown_to_all_in_another(discord: Discord) -> None:
    world = discord.world
    lobby = world.add_channel(world.guild, "lobby")
    await draw(discord, prompt="a fox")
    assert (await shown(await discord.as_(world.bruno, lobby).slash("show", id="0001"))).private_to is None


@pytest.mark.usefixtures("easel")
async def test_spoilers_stay_hidden_and_age_restricted_pictures_stay_where_they_are(discord: Discord) -> None:
    world = discord.world
    await draw(discord, prompt="a secret fox", spoiler=True)
    night = discord.as_(world.ada, world.night_channel)
    await ask(discord, world.admin, "adult set", where="restricted")
    owl = await result(await night.slash("draw", prompt="a night owl"))
    await discord.until(lambda: done(owl))
    by_day = await page(discord, world.ada)
    assert "an owl" not in by_day.text
    assert "a night owl · for age-restricted channels" in by_day.text
    assert "a secret fox · spoiler" in by_day.text
    with Image.open(io.BytesIO(by_day.attachments[0].data)) as sheet:
        first = sheet.convert("RGB").crop((0, 0, 288, 240))
    assert len(first.getcolors(100_000) or []) < 200, "the place of what is hidden is empty"
    again = await shown(await discord.as_(world.ada).slash("show", id="0001"))
    assert again.attachments[0].filename.startswith("SPOILER_")
    assert "age-restricted" in await ask(discord, world.ada, "show", id="0002")
    assert "a night owl" in (await shown(await night.slash("show", id="0002"))).text
    by_night = await (await night.slash("history")).until(lambda m: m.attachments)
    assert "age-restricted" not in by_night.text


async def test_what_is_past_its_days_is_shown_out_of_its_message_until_that_is_deleted_too(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with start(EASEL_KEEP_IMAGES_DAYS="1"):
        grid = await draw(discord, prompt="two owls", count=2)
        fox = await draw(discord, prompt="a fox")
        links = [f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/{m.id}" for m in (grid, fox)]
        listed = (await page(discord, world.ada)).text
        assert all(link in listed for link in links)
    clock.ahead_s += 3 * 86400
    async with start(EASEL_KEEP_IMAGES_DAYS="1"):
        while (await page(discord, world.ada)).text.count("only in its message") < 2:
            pass
        again = await shown(await ada.slash("show", id="0002"))
        assert again.attachments[0].data == fox.attachments[0].data
        assert (await page(discord, world.ada)).text.count("only in its message") == 1, "it is kept again"
        assert links[0] in await told(await ada.slash("show", id="0001")), "a grid is not its originals"
        await ada.press(grid, "Delete")
        await discord.until(lambda: grid.deleted)
        while links[0] in (old := await page(discord, world.ada)).text:
            pass
        assert "two owls · ×2 · no longer kept" in old.text
        assert "no longer kept" in await ask(discord, world.ada, "show", id="0001")


@pytest.mark.usefixtures("easel")
async def test_a_press_on_a_page_that_says_nothing_is_answered_in_words(discord: Discord) -> None:
    message = await draw(discord)
    for custom_id in ("easel-history:next:x", "easel-history:show:", "easel-history:mark:"):
        act = await raw_press(discord, discord.world.ada, custom_id, message)
        assert "no longer kept" in await private(discord, act), custom_id


@pytest.mark.usefixtures("easel")
async def test_stats_are_a_chart_with_its_numbers_in_words(discord: Discord) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    assert "No picture" in await told(await ada.slash("stats me"))
    await draw(discord, count=3)
    await draw(discord, world.bruno)
    server = await (await ada.slash("stats server")).until(lambda m: m.attachments)
    assert server.private_to == world.ada.id
    assert "4 pictures · 2 people" in server.text
    assert "sketch" in server.text
    assert (server.attachments[0].description or "").endswith(", 0, 4")
    mine = await (await discord.as_(world.bruno).slash("stats me")).until(lambda m: m.attachments)
    assert "**1 picture**" in mine.text
    carla = discord.as_(world.carla, world.other_channel)
    assert "No picture" in await told(await carla.slash("stats server"))
    direct = discord.as_(world.ada, world.direct_channel(world.ada))
    assert "/stats me" in await told(await direct.slash("stats server"))


@pytest.mark.usefixtures("easel")
async def test_help_has_a_page_for_each_topic_and_misses_no_command(discord: Discord) -> None:
    admin = discord.as_(discord.world.owner)
    help_ = (await admin.slash("help")).message
    [menu] = help_.controls
    assert help_.private_to == discord.world.owner.id
    seen = help_.text
    for option in menu["options"]:
        act = await admin.choose(help_, "Topics", option["label"])
        seen += (await turned(act, option["label"])).text
    named = {name.split()[0] for name in re.findall(r"</([a-z ]+):\d+>", seen)}
    assert named == {command["name"] for command in discord.commands.all(None) if command["type"] == 1}
    menus = {command["name"] for command in discord.commands.all(None) if command["type"] == 3}
    assert all(f"**{menu}**" in seen for menu in menus)


@pytest.mark.usefixtures("easel")
async def test_help_keeps_what_is_the_admins_alone_from_everybody_else(discord: Discord) -> None:
    pages = {}
    for who in (discord.world.ada, discord.world.admin):
        person = discord.as_(who)
        help_ = (await person.slash("help")).message
        topics = [option["label"] for option in help_.controls[0]["options"]]
        assert ("For admins" in topics) == (who is discord.world.admin)
        for topic in topics:
            text = (await turned(await person.choose(help_, "Topics", topic), topic)).text
            pages[who.id, topic] = set(re.findall(r"</([a-z ]+):\d+>", text))
    mine = set().union(*(named for (who, _), named in pages.items() if who == discord.world.ada.id))
    theirs = {"model allow", "model refresh", "preset import", "settings server", "backends drain"}
    assert not theirs & mine
    assert theirs <= pages[discord.world.admin.id, "For admins"]
    assert "model list" in mine
    models = pages[discord.world.admin.id, "Models and presets"]
    assert models == pages[discord.world.ada.id, "Models and presets"]


async def test_about_names_version_painters_and_the_hosts_links(discord: Discord, start: Start) -> None:
    links = {"EASEL_SUPPORT_URL": "https://help.example", "EASEL_PRIVACY_URL": "https://privacy.example"}
    async with start(EASEL_BACKENDS="sketch=0,sketch=0 name=second", **links):
        about = await ask(discord, discord.world.ada, "about")
    for part in ("0.1.0", "MIT", "built-in sketches ×2", "In 2 servers", *links.values()):
        assert part in about, part
