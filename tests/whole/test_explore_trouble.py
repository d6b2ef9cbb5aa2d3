"""``/explore`` when things break, people change their minds, or others wait."""

import asyncio
from pathlib import Path

import pytest

from bot.rehearsal import Discord
from tests.standins.webui import Fault, StandInWebUI
from tests.whole.conftest import Start, Time
from tests.whole.exploring import TXT2IMG, begun, explored, labels, public, results_of
from tests.whole.play import done, nth, painted, private, result
from tests.whole.process import running


async def test_cancel_takes_what_is_left_out_of_the_line_and_shows_what_is_painted(
    start: Start, discord: Discord
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.25"):
        act = await explored(discord)
        await act.until(begun, 20)
        await discord.as_(discord.world.ada).press(act.message, "Cancel")
        message = await act.until(painted, 20)
        assert "cancelled" in message.text
        assert 1 <= len(labels(message)) < 4
        assert "a red fox" not in await private(discord, await discord.as_(discord.world.ada).slash("queue show"))
    assert len(public(discord)) == 1


async def test_cancelled_before_the_first_cell_it_says_so_and_can_be_run_again(
    start: Start, discord: Discord
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(EASEL_BACKENDS="sketch=0.1"):
        await discord.as_(discord.world.bruno).slash("draw", prompt="an owl", steps=25)
        act = await explored(discord)
        waiting = await act.until(lambda m: "Exploring · 0 of 4" in m.text, 20)
        assert "In line · 1st" in waiting.text
        await ada.press(waiting, "Cancel")
        message = await act.until(lambda m: "Cancelled" in m.text, 20)
        assert not painted(message)
        again = await ada.press(message, "Run again")
        assert labels(await result(again)) == ["Euler · 4", "DPM++ 2M · 4", "Euler · 8", "DPM++ 2M · 8"]


async def test_deleting_the_message_withdraws_every_cell(start: Start, discord: Discord) -> None:
    ada = discord.as_(discord.world.ada)
    async with StandInWebUI(step_s=0.3) as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        act = await explored(discord)
        await act.until(begun, 20)
        discord.stage.post.delete(act.message)
        sent, server.step_s = len(server.posts(TXT2IMG)), 0.0
        message = await ada.slash("draw", prompt="an owl")
        await result(message)
        assert len(server.posts(TXT2IMG)) <= sent + 1
    assert len(discord.world.channel.messages) == 1


async def test_a_cell_that_fails_is_crossed_out_and_the_rest_is_there(start: Start, discord: Discord) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.OUT_OF_MEMORY, 1
        message = await result(await explored(discord))
    assert labels(message) == ["DPM++ 2M · 4", "Euler · 8", "DPM++ 2M · 8"]
    assert "1 failed: " in message.text
    assert "graphics memory" in message.text


async def test_where_every_cell_fails_it_says_why_and_offers_to_try_again(start: Start, discord: Discord) -> None:
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        server.fault, server.faults = Fault.OUT_OF_MEMORY, 4
        act = await explored(discord)
        message = await act.until(lambda m: "Not painted" in m.text, 20)
        assert [control["label"] for control in message.controls] == ["Try again"]
        again = await discord.as_(discord.world.ada).press(message, "Try again")
        assert painted(await result(again))


async def test_a_slow_exploration_by_reaction_waits_in_one_message(start: Start, discord: Discord) -> None:
    ada, channel = discord.as_(discord.world.ada), discord.world.channel
    async with StandInWebUI() as server, start(EASEL_BACKENDS=f"webui={server.url}"):
        message = await result(await explored(discord))
        server.step_s = 0.2
        await ada.react(message, "🔁")
        await discord.until(lambda: len(channel.messages) == 2 and "Exploring · " in channel.messages[1].text, 20)
        await nth(discord, 2, done)
    assert len(channel.messages) == 2


async def test_past_the_tokens_end_it_comes_by_the_channel_and_mentions_once(
    start: Start, discord: Discord, clock: Time
) -> None:
    async with start(EASEL_BACKENDS="sketch=0.2"):
        act = await explored(discord)
        await act.until(lambda m: "Exploring · " in m.text, 20)
        clock.ahead_s = 20 * 60
        message = await act.until(painted, 20)
        await discord.until(lambda: len(discord.world.channel.messages) == 2)
    assert len(labels(message)) == 4
    assert "your picture is ready" in discord.world.channel.messages[1].text
    assert sum(len(each.mentions) for each in discord.world.channel.messages) == 1


async def test_cells_whose_files_are_lost_are_painted_again(
    start: Start, discord: Discord, environ: dict[str, str]
) -> None:
    async with StandInWebUI() as server:
        environ["EASEL_BACKENDS"] = f"webui={server.url}"
        server.step_s = 0.1
        async with start():
            act = await explored(discord, across="seed", across_values="1-4", down_values="7")
            while len(server.posts(TXT2IMG)) < 3:  # noqa: ASYNC110 - the stand-in tells nobody
                await asyncio.sleep(0.01)
        for blob in (Path(environ["EASEL_DATA_DIR"]) / "blobs").glob("*/*"):
            blob.unlink()
        async with start():
            message = await act.until(painted, 20)
        assert 6 <= len(server.posts(TXT2IMG)) <= 8
    assert len(labels(message)) == 4
    assert results_of(message) == 1


async def test_a_place_that_takes_less_gets_a_smaller_grid(start: Start, discord: Discord) -> None:
    async with start():
        discord.faults.answer("PATCH", "/webhooks/.*/messages/", 413, code=40005, times=2)
        message = await result(await explored(discord, size="512x512"))
    assert "Sent smaller than painted" in message.text


async def test_25_cells_hold_up_nobody_in_another_server(start: Start, discord: Discord) -> None:
    async with start(EASEL_BACKENDS="sketch=0.1", EASEL_MAX_QUEUED_USER="60"):
        act = await explored(discord, across="seed", across_values="1-5", down_values="1-5")
        await act.until(lambda m: "Exploring · " in m.text, 20)
        carla = discord.as_(discord.world.carla, discord.world.other_channel)
        lone = await carla.slash("draw", prompt="one owl")
        await lone.until(painted, 20)
        assert not painted(act.message)


@pytest.mark.timeout(120)
async def test_killed_in_the_middle_every_cell_is_painted_and_the_picture_comes_once(
    discord: Discord, environ: dict[str, str]
) -> None:
    environ["EASEL_BACKENDS"] = "sketch=0.2"
    async with running(discord, environ) as first:
        act = await explored(discord)
        await act.until(begun, 20)
        await first.kill()
    assert not painted(act.message)
    async with running(discord, environ) as second:
        message = await act.until(painted, 60)
        assert await second.stop() == 0
    assert len(labels(message)) == 4
    assert len(discord.world.channel.messages) == 1
    assert results_of(message) == 1


@pytest.mark.timeout(120)
async def test_killed_after_the_picture_got_through_it_is_not_sent_again(
    discord: Discord, environ: dict[str, str]
) -> None:
    discord.faults.cut("PATCH", r"/webhooks/", times=5, after=True)
    async with running(discord, environ) as first:
        act = await explored(discord)
        await act.until(painted, 20)
        await first.kill()
    discord.faults.clear()
    uploads = sum(bool(request.files) for request in discord.requests)
    async with running(discord, environ) as second:
        taken = await discord.as_(discord.world.ada).choose(act.message, "Take one", "Euler · 8")
        await result(taken)
        await second.stop()
    assert sum(bool(request.files) for request in discord.requests) == uploads + 1
    assert results_of(act.message) == 1
