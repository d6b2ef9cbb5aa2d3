"""``/queue``: a panel that stays true by itself, and what moderators do with the line."""

import asyncio
from collections.abc import Callable

import pytest

from bot.delivery import board, panels
from bot.rehearsal import Discord, Interaction, Message
from bot.rehearsal.world import User
from tests.whole.conftest import Start, Time
from tests.whole.play import ask, painted, private, raw_press

PAUSED = "Paused by a moderator"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show everything sooner, so that a test need not wait."""
    monkeypatch.setattr(panels, "INTERVAL_S", 0.1)
    monkeypatch.setattr(board, "GRACE_S", 0.1)
    monkeypatch.setattr(board, "QUIET_S", 0.1)


async def told(act: Interaction, part: str) -> str:
    """Wait until the private answer says ``part`` and return it all."""
    await act.bus.until(lambda: part in act.text, 20)
    assert all(reply.private_to == act.user.id for reply in act.replies)
    return act.text


async def queue(discord: Discord, who: User, path: str, part: str) -> str:
    return await told(await discord.as_(who).slash(f"queue {path}"), part)


def labels(message: Message) -> dict[str, bool]:
    """Return what can be pressed, by label."""
    return {control["label"]: not control.get("disabled") for control in message.controls}


def shows(part: str) -> Callable[[Message], bool]:
    return lambda message: part in message.text


async def waiting(discord: Discord, *people: User, prompt: str = "a secret fox") -> list[Interaction]:
    """Let these people draw, one after the other, and wait until each message shows how it stands."""
    acts = [await discord.as_(who).slash("draw", prompt=prompt) for who in people]
    for act in acts:
        await act.until(lambda message: message.embeds, 20)
    return acts


async def test_the_line_is_shown_left_and_cleared_by_those_who_may(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=30"):
        acts = await waiting(discord, world.ada, world.bruno, world.ada)
        text = await ask(discord, world.ada, "queue show")
        lines = [line for line in text.splitlines() if "<@" in line]
        assert [line.startswith("**") for line in lines] == [True, False, True], "one's own lines are bold"
        assert "painting" in lines[0]
        assert "1st" in lines[1]
        assert "2nd" in lines[2]
        assert all("picture" in line for line in lines)
        assert "secret" not in text
        assert "not yours" in await ask(discord, world.bruno, "queue cancel", job="0003")
        assert "Cancelled job 0003." in await ask(discord, world.ada, "queue cancel")
        await acts[2].until(shows("Cancelled"))
        assert "Manage Messages" in await ask(discord, world.ada, "queue clear")
        assert "Cancelled jobs: 1." in await ask(discord, world.moderator, "queue clear")
        by_moderator = await acts[1].until(shows("Cancelled"))
        assert f"by <@{world.moderator.id}>" in by_moderator.text
        assert "Cancelled job 0001." in await ask(discord, world.ada, "queue cancel", job="0001")


async def test_a_panel_follows_the_line_by_itself_until_its_time_is_over(
    discord: Discord, start: Start, clock: Time
) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=30"):
        panel = await discord.as_(world.bruno).slash("queue show")
        assert "Nobody waits here." in await told(panel, "Renewed by itself")
        assert labels(panel.message) == {"Refresh": True, "Cancel mine": False}
        await waiting(discord, world.ada)
        assert world.ada.mention in await told(panel, "painting")
        edits = len(panel.message.history)
        await asyncio.sleep(0.5)
        assert len(panel.message.history) == edits, "it is not edited while nothing changes"
        clock.ahead_s = panels.LIFE_S + 1
        await told(panel, "Press Refresh")
        await waiting(discord, world.bruno)
        await asyncio.sleep(0.5)
        assert world.bruno.mention not in panel.text
        await discord.as_(world.bruno).press(panel.message, "Refresh")
        assert world.bruno.mention in await told(panel, "Renewed by itself")
        await ask(discord, world.ada, "queue cancel")


async def test_the_buttons_cancel_what_is_ones_own_and_are_drawn_for_who_looks(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=30"):
        acts = await waiting(discord, world.ada, world.bruno, world.ada)
        mine = await discord.as_(world.ada).slash("queue show")
        assert labels(mine.message) == {"Refresh": True, "Cancel mine": True}
        theirs = await discord.as_(world.moderator).slash("queue show")
        assert labels(theirs.message) == {"Refresh": True, "Cancel mine": False, "Pause": True, "Clear": True}
        await discord.as_(world.ada).press(mine.message, "Cancel mine")
        for act in (acts[0], acts[2]):
            await act.until(shows("Cancelled"), 20)
        await mine.until(lambda message: world.ada.mention not in message.text)
        assert world.bruno.mention in mine.text
        for name in ("pause", "resume", "clear"):
            refused = await raw_press(discord, world.ada, f"easel-queue:{name}", mine.message)
            assert "Manage Messages" in await told(refused, "Manage Messages")
        unknown = await raw_press(discord, world.ada, "easel-queue:dance", mine.message)
        assert "no longer kept" in await private(discord, unknown)


async def test_a_paused_server_finishes_what_runs_and_starts_nothing_until_resumed(
    discord: Discord, start: Start
) -> None:
    world = discord.world
    async with start(EASEL_BACKENDS="sketch=0.4"):
        running = await discord.as_(world.ada).slash("draw", prompt="a slow fox", steps=8)
        acts = [running, *await waiting(discord, world.ada)]
        await queue(discord, world.moderator, "pause", "what runs is finished")
        await acts[1].until(shows(PAUSED), 20)
        assert "your turn is kept" in acts[1].text
        await acts[0].until(painted, 20)
        [late] = await waiting(discord, world.bruno)
        assert PAUSED in late.text
        carla = discord.as_(world.carla, world.other_channel)
        await (await carla.slash("draw", prompt="an owl")).until(painted, 20)
        text = await ask(discord, world.ada, "queue show")
        assert "A moderator paused the queue <t:" in text
        assert text.count("waiting") == 2
        assert PAUSED in acts[1].text, "other servers went on, this one did not"
        await queue(discord, world.moderator, "pause", "paused already")
        await queue(discord, world.moderator, "resume", "The queue goes on.")
        for act in (acts[1], late):
            await act.until(painted, 20)
        await queue(discord, world.moderator, "resume", "is not paused")


async def test_a_pause_outlives_a_restart_and_so_do_the_buttons_of_a_panel(discord: Discord, start: Start) -> None:
    world = discord.world
    moderator = discord.as_(world.moderator)
    async with start(EASEL_BACKENDS="sketch=0.2"):
        panel = await moderator.slash("queue show")
        await moderator.press(panel.message, "Pause")
        await panel.until(lambda message: "Resume" in labels(message))
        [act] = await waiting(discord, world.ada)
        await act.until(shows(PAUSED))
    async with start(EASEL_BACKENDS="sketch=0.2,sketch=0.2 name=two"):
        await asyncio.sleep(0.5)
        assert PAUSED in act.text
        await moderator.press(panel.message, "Refresh")
        await told(panel, "waiting")
        await moderator.press(panel.message, "Resume")
        await act.until(painted, 20)
        await panel.until(shows("Nobody waits here."))


async def test_only_a_servers_moderators_pause_it(discord: Discord, start: Start) -> None:
    world = discord.world
    async with start():
        for path in ("pause", "resume"):
            refused = await ask(discord, world.ada, f"queue {path}")
            assert "Only members with Manage Messages may pause or resume the queue." in refused
            alone = await discord.as_(world.ada, world.direct_channel(world.ada)).slash(f"queue {path}")
            assert "no server here" in await private(discord, alone)
