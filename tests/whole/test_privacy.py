"""What is kept of oneself: seen, taken along, deleted; and what goes by itself when its days are over."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import board
from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.events import Event
from bot.rehearsal.world import Channel, User
from tests.whole import play
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, done, painted, private, raw_press, result
from tests.whole.process import running

DAY_S = 86400


async def told(act: Interaction, part: str) -> str:
    """Wait until the private answer says ``part`` and return it all."""
    await act.bus.until(lambda: part in act.text, 20)
    assert all(reply.private_to == act.user.id for reply in act.replies)
    return act.text


async def draw(discord: Discord, who: User, prompt: str, **values: Any) -> Message:
    message = await play.draw(discord, who, prompt, **values)
    await discord.until(lambda: done(message))
    return message


async def delete(discord: Discord, who: User, channel: Channel | None = None) -> str:
    """Let somebody have everything deleted and return what they are told."""
    person = discord.as_(who, channel)
    asked = await person.slash("privacy delete")
    await told(asked, "Delete what I keep of you?")
    await person.press(asked.message, "Delete all of it")
    return await told(asked, "I keep nothing of you any more")


async def shown(discord: Discord, who: User, channel: Channel | None = None) -> str:
    return await told(await discord.as_(who, channel).slash("privacy show"), "What I keep of you")


async def exported(discord: Discord, who: User, channel: Channel | None = None) -> dict[str, Any]:
    act = await discord.as_(who, channel).slash("privacy export")
    message = await act.until(lambda m: m.attachments)
    assert message.private_to == who.id
    [file] = message.attachments
    assert file.filename == "easel-data.json"
    found: dict[str, Any] = json.loads(file.data)
    return found


def stored(environ: dict[str, str]) -> str:
    """Return all that the database holds, as text; a stopped bot has it all in there."""
    file = Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump())


def departures(environ: dict[str, str]) -> list[int]:
    file = Path(environ["EASEL_DATA_DIR"]) / "easel.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT guild_id FROM departures")]


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what the bot does by itself; the test's own timeout ends it."""
    while not is_so():  # noqa: ASYNC110 - the bot tells nobody
        await asyncio.sleep(0.02)


def files(environ: dict[str, str]) -> set[str]:
    return {path.name for path in (Path(environ["EASEL_DATA_DIR"]) / "blobs").glob("??/*")}


def prompts(export: dict[str, Any]) -> list[str]:
    return [job["order"]["request"]["prompt"] for job in export["jobs"]]


@pytest.mark.usefixtures("easel")
async def test_everybody_sees_in_private_what_is_kept_of_them_and_for_how_long(discord: Discord) -> None:
    world = discord.world
    assert "Nothing." in await shown(discord, world.ada)
    message = await draw(discord, world.ada, "a fox", count=2)
    await draw(discord, world.bruno, "an owl")
    await discord.as_(world.ada).choose(message, "More", "Favourite")
    await ask(discord, world.ada, "preferences", steps=5)
    await ask(discord, world.ada, "style save", name="ink", prompt="in ink")
    await ask(discord, world.admin, "style save", name="oil", prompt="in oil", server=True)
    text = await shown(discord, world.ada, world.direct_channel(world.ada))
    for part in (
        "1 job with its prompt",
        "after 30 days",
        "2 pictures in those jobs: the files stay 7 days",
        "1 favourite",
        "1 preset, style or list",
        "1 default of yours",
        "/privacy export",
        "/privacy delete",
    ):
        assert part in text, part
    assert "fox" not in text
    assert "for a server" in await shown(discord, world.admin)


@pytest.mark.usefixtures("easel")
async def test_an_export_is_ones_own_data_alone_wherever_it_is_asked_for(discord: Discord) -> None:
    world = discord.world
    await draw(discord, world.ada, "a fox", seed=7)
    await draw(discord, world.bruno, "an owl")
    await ask(discord, world.ada, "preferences", steps=5)
    await ask(discord, world.ada, "style save", name="ink", prompt="in ink")
    await discord.as_(world.bruno).slash("privacy export")
    for channel in (None, world.direct_channel(world.ada)):
        found = await exported(discord, world.ada, channel)
        assert prompts(found) == ["a fox"]
        assert found["settings"] == {"steps": 5}
        assert [each["name"] for each in found["kept"]] == ["ink"]
        assert found["jobs"][0]["result"]["pictures"][0]["seed"] == 7
        assert str(world.bruno.id) not in json.dumps(found)
        assert "token" not in json.dumps(found)


@pytest.mark.usefixtures("easel")
async def test_what_does_not_fit_comes_packed_and_what_does_not_even_then_is_said(discord: Discord) -> None:
    world = discord.world
    for number in range(8):
        await draw(discord, world.ada, f"a fox {number} " * 40)
    world.guild.upload_limit = 8_000
    message = await (await discord.as_(world.ada).slash("privacy export")).until(lambda m: m.attachments)
    assert message.attachments[0].filename == "easel-data.zip"
    world.guild.upload_limit = 500
    await told(await discord.as_(world.ada).slash("privacy export"), "too large")


async def test_deleting_asks_first_and_leaves_nothing_of_one_and_all_of_another(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    world = discord.world
    async with start():
        message = await draw(discord, world.ada, "a fox", seed=7)
        same = await draw(discord, world.bruno, "a fox", seed=7)
        await draw(discord, world.ada, "her own fox", seed=8)
        for who in (world.ada, world.bruno):
            await discord.as_(who).choose(message, "More", "Favourite")
            await ask(discord, who, "preferences", steps=5)
            await ask(discord, who, "style save", name="ink", prompt=f"in ink by {who.name}")
        await ask(discord, world.admin, "settings server", steps=5)
        before = await exported(discord, world.bruno)
        asked = await discord.as_(world.ada).slash("privacy delete")
        await told(asked, "Delete what I keep of you?")
        await discord.as_(world.ada).press(asked.message, "Keep it")
        await told(asked, "Nothing was deleted")
        assert prompts(await exported(discord, world.ada))
        assert "moderator" in await delete(discord, world.ada)
        assert "Nothing." in await shown(discord, world.ada)
        assert "No pictures yet" in await told(await discord.as_(world.ada).slash("history"), "yet")
        assert "this bot" in await ask(discord, world.ada, "preferences"), "of memory too"
        assert "no style “ink”" in await ask(discord, world.ada, "style show", name="ink")
        after = await exported(discord, world.bruno)
        assert {**after, "favourites": []} == {**before, "favourites": []}
        again = await raw_press(discord, world.ada, "easel:reroll:1", message)
        assert "no longer kept" in await private(discord, again)
        assert painted(message), "what hangs in the channel is left to people"
        assert "3 pictures" in await told(await discord.as_(world.bruno).slash("stats server"), "picture")
        assert painted(await result(await discord.as_(world.bruno).press(same, "Reroll")))
    assert str(world.ada.id) not in stored(environ)
    assert str(world.bruno.id) in stored(environ)
    assert len(files(environ)) == 2, "his own and his reroll: hers is gone"


async def test_the_question_survives_a_restart(discord: Discord, start: Start, environ: dict[str, str]) -> None:
    ada = discord.as_(discord.world.ada)
    async with start():
        await draw(discord, discord.world.ada, "a fox")
        asked = await ada.slash("privacy delete")
        await told(asked, "Delete what I keep of you?")
    async with start():
        await ada.press(asked.message, "Delete all of it")
        await told(asked, "nothing of you")
    assert str(discord.world.ada.id) not in stored(environ)


@pytest.mark.usefixtures("easel")
async def test_a_press_that_asks_for_what_there_is_not_is_answered_in_words(discord: Discord) -> None:
    message = await draw(discord, discord.world.ada, "a fox")
    act = await raw_press(discord, discord.world.bruno, "easel-privacy:burn", message)
    assert "no longer kept" in await private(discord, act)
    asked = await discord.as_(discord.world.bruno).slash("privacy delete")
    await told(asked, "Delete what I keep of you?")
    await raw_press(discord, discord.world.bruno, "easel-privacy:delete", asked.message)
    await told(asked, "nothing of you")
    assert prompts(await exported(discord, discord.world.ada)) == ["a fox"], "whoever presses loses their own"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show everything sooner, so that a test need not wait."""
    monkeypatch.setattr(board, "GRACE_S", 0.1)
    monkeypatch.setattr(board, "QUIET_S", 0.1)


@pytest.mark.usefixtures("hasty")
async def test_what_runs_and_waits_ends_without_a_picture_and_says_so(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=0.3"):
        acts = [await discord.as_(world.ada).slash("draw", prompt=f"fox {n}", steps=40) for n in range(3)]
        await acts[0].until(lambda m: "Painting" in m.text, 20)
        await acts[2].until(lambda m: "In line" in m.text, 20)
        grid = await discord.as_(world.ada).slash("explore", prompt="a fox", across="steps", across_values="4, 5")
        his = await discord.as_(world.bruno).slash("draw", prompt="an owl", steps=1)
        await grid.until(lambda m: m.embeds, 20)
        await delete(discord, world.ada)
        for act in (*acts, grid):
            await act.until(lambda m: "Cancelled" in m.text, 20)
        await his.until(painted, 20)
        assert not any(painted(act.message) for act in (*acts, grid))
        again = await discord.as_(world.ada).press(acts[0].message, "Run again")
        assert "no longer kept" in await private(discord, again)
    assert str(world.ada.id) not in stored(environ)


async def test_a_picture_on_its_way_to_the_channel_is_taken_back(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    world = discord.world
    async with start():
        upload = discord.faults.delay("PATCH", r"/webhooks/", 1.0)
        act = await discord.as_(world.ada).slash("draw", prompt="a fox")
        await discord.until(lambda: upload.done, 20)
        await delete(discord, world.ada)
        await act.until(lambda m: "Cancelled" in m.text and not painted(m), 20)
    assert str(world.ada.id) not in stored(environ)
    assert not files(environ)


async def test_killed_while_deleting_it_is_as_before_or_done_and_the_button_finishes_it(
    discord: Discord, environ: dict[str, str]
) -> None:
    world = discord.world
    ada = discord.as_(world.ada)
    async with running(discord, environ) as first:
        await draw(discord, world.ada, "a fox")
        await draw(discord, world.bruno, "an owl")
        asked = await ada.slash("privacy delete")
        await told(asked, "Delete what I keep of you?")
        answer = discord.faults.delay("PATCH", r"/messages/", 60, times=5)
        await ada.press(asked.message, "Delete all of it")
        await discord.until(lambda: answer.done, 20)
        await first.kill()
    discord.faults.clear()
    assert "nothing of you" not in asked.text
    assert str(world.ada.id) not in stored(environ)
    async with running(discord, environ) as second:
        await ada.press(asked.message, "Delete all of it")
        await told(asked, "nothing of you")
        assert prompts(await exported(discord, world.bruno)) == ["an owl"]
        assert await second.stop() == 0
    assert len(files(environ)) == 1


async def until_old_jobs_are_gone(discord: Discord, who: User) -> None:
    while prompts(await exported(discord, who)):  # noqa: ASYNC110 - the bot tells nobody
        await asyncio.sleep(0.02)


async def test_old_jobs_go_with_their_days_and_what_refers_to_them_says_so(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    bruno = discord.as_(world.bruno)
    async with start(EASEL_KEEP_JOBS_DAYS="1"):
        fox = await draw(discord, world.ada, "a fox")
        owl = await draw(discord, world.bruno, "an owl")
        await bruno.choose(owl, "More", "Favourite")
        clock.ahead_s += 0.9 * DAY_S
        varied = await result(await bruno.press(fox, "Reroll"))
        await discord.until(lambda: done(varied))
        before = await told(await bruno.slash("stats server"), "pictures")
    clock.ahead_s += 0.2 * DAY_S
    async with start(EASEL_KEEP_JOBS_DAYS="1"):
        await until_old_jobs_are_gone(discord, world.ada)
        assert prompts(await exported(discord, world.bruno)) == ["an owl", "a fox"]
        for button in ("Reroll", "Edit", "Settings", "Delete"):
            assert "no longer kept" in await private(discord, await bruno.press(fox, button)), button
        assert "no longer kept" in await private(discord, await bruno.choose(fox, "More", "Favourite"))
        assert "no longer kept" in await ask(discord, world.ada, "show", id="0001")
        for message in (owl, varied):  # a favourite, and what was made from one that is gone
            child = await result(await bruno.press(message, "Reroll"))
            await discord.until(partial(done, child))
        after = await told(await bruno.slash("stats server"), "pictures")
        assert "3 pictures" in before
        assert "5 pictures" in after, "what was painted was painted"


async def test_a_grid_of_which_only_a_favourite_is_left_is_not_explored_again(
    discord: Discord, start: Start, clock: Time
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_KEEP_JOBS_DAYS="1"):
        grid = await result(await ada.slash("explore", prompt="a fox", across="steps", across_values="4, 5"))
        await discord.until(lambda: done(grid))
        page = await (await ada.slash("history")).until(lambda m: m.attachments)
        [menu] = [each for each in page.controls if each["custom_id"].startswith("easel-history:mark")]
        await ada.choose(page, menu["custom_id"], menu["options"][1]["label"])
        await discord.until(lambda: "⭐" in page.text)
    clock.ahead_s += 2 * DAY_S
    async with start(EASEL_KEEP_JOBS_DAYS="1"):
        while len(prompts(await exported(discord, ada.user))) > 1:  # noqa: ASYNC110 - the bot tells nobody
            await asyncio.sleep(0.02)
        again = await ada.press(grid, "Reroll")
        assert "Parts of this grid are no longer kept" in await private(discord, again)


async def test_a_server_that_sends_the_bot_away_keeps_its_data_for_some_days_only(
    discord: Discord, start: Start, clock: Time, environ: dict[str, str]
) -> None:
    world = discord.world
    owner = discord.as_(world.owner, world.other_channel)
    async with start():
        await draw(discord, world.ada, "a fox")
        await told(await owner.slash("settings server", steps=5), "5")
        await result(await discord.as_(world.carla, world.other_channel).slash("draw", prompt="an owl"))
        outage = {"id": str(world.guild.id), "unavailable": True}
        discord.stage.bus.publish(Event("GUILD_DELETE", outage, world.guild))
        world.kick(world.other_guild)
        await until(lambda: departures(environ) == [world.other_guild.id])
        clock.ahead_s += 6 * DAY_S
        world.invite(world.other_guild)
        await until(lambda: not departures(environ))
    clock.ahead_s += 2 * DAY_S
    async with start():
        await told(await owner.slash("settings show"), "`steps`  5  · this server")
        world.kick(world.other_guild)
        await until(lambda: departures(environ))
    clock.ahead_s += 8 * DAY_S
    async with start():
        await until(lambda: "an owl" not in stored(environ))
        assert prompts(await exported(discord, world.ada)) == ["a fox"]
    assert str(world.other_guild.id) not in stored(environ)


async def test_a_server_that_was_left_while_nobody_listened_is_noticed_at_the_start(
    discord: Discord, start: Start, clock: Time, environ: dict[str, str]
) -> None:
    world = discord.world
    async with start():
        await result(await discord.as_(world.carla, world.other_channel).slash("draw", prompt="an owl"))
    world.kick(world.other_guild)
    async with start():
        await until(lambda: departures(environ) == [world.other_guild.id])
    assert "an owl" in stored(environ)
    clock.ahead_s += 8 * DAY_S
    async with start():
        await until(lambda: "an owl" not in stored(environ))
