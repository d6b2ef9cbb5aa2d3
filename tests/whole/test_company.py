"""What people see is the same, whichever process paints, shows and delivers: here a bot and workers."""

from pathlib import Path

import pytest

from bot.rehearsal import Discord
from bot.rehearsal.world import Attachment, Channel
from tests.engines import url_of
from tests.standins.webui import StandInWebUI
from tests.whole import pictures
from tests.whole.conftest import Start
from tests.whole.exploring import explored
from tests.whole.play import ask, done, draw, result
from tests.whole.process import painted, results_of, started
from tests.whole.reviewing import card, order, press, reviewing
from tests.whole.workers import working

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    return {**environ, "EASEL_BACKENDS": "none", "DATABASE_URL": url_of("postgresql", tmp_path, request)}


async def test_a_worker_of_another_process_paints_and_delivers_and_stops_in_good_order(
    discord: Discord, start: Start, environ: dict[str, str], tmp_path: Path
) -> None:
    ada = discord.as_(discord.world.ada)
    own = {**environ, "EASEL_DATA_DIR": str(tmp_path / "gpu1")}
    async with start(), started(own, "worker", "--backends", "sketch=0.05", "--name", "gpu1") as process:
        act = await ada.slash("draw", prompt="a fox", steps=4)
        await act.until(painted, 40)
        assert await process.stop() == 0
        waiting = await ada.slash("draw", prompt="a hare", steps=4)
        await waiting.until(lambda message: "Waiting for a painter" in message.text, 20)
    assert len(discord.world.channel.messages) == 2


async def test_a_running_job_is_cancelled_on_its_worker_and_the_next_one_is_painted(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    ada = discord.as_(discord.world.ada)
    async with start(), StandInWebUI(step_s=0.2) as gpu, working(environ, "gpu1", f"webui={gpu.url}"):
        act = await ada.slash("draw", prompt="a fox", steps=60)
        await act.until(lambda message: "Painting" in message.text, 20)
        await ada.press(act.message, "Cancel")
        await act.until(lambda message: "Cancelled" in message.text)
        await discord.until(lambda: gpu.posts("/sdapi/v1/interrupt"), 10)
        other = await ada.slash("draw", prompt="a hare", steps=1)
        await result(other)


async def test_a_picture_that_one_process_took_in_another_paints_over(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    ada = discord.as_(discord.world.ada)
    source = Attachment("fox.png", pictures.png())
    async with start(), StandInWebUI() as gpu, working(environ, "gpu1", f"webui={gpu.url}"):
        act = await ada.slash("remix", image=source, prompt="a hare")
        await result(act)
        assert len(gpu.posts("/sdapi/v1/img2img")) == 1
        again = await ada.press(act.message, "Reroll")
        await again.until(painted, 20)


async def test_a_sheet_whose_cells_two_workers_paint_is_one_message(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    async with start(), StandInWebUI(step_s=0.01) as gpu, StandInWebUI(step_s=0.01) as other:
        one, two = working(environ, "gpu1", f"webui={gpu.url}"), working(environ, "gpu2", f"webui={other.url}")
        async with one, two:
            message = await result(await explored(discord))
        assert gpu.posts("/sdapi/v1/txt2img")
        assert other.posts("/sdapi/v1/txt2img")
    assert results_of(message) == 1
    assert len(discord.world.channel.messages) == 1


async def test_what_a_server_sets_at_the_bot_holds_at_the_worker(
    discord: Discord, start: Start, environ: dict[str, str]
) -> None:
    async with start(), working(environ, "gpu1", "sketch=0"):
        before = await draw(discord)
        await discord.until(lambda: done(before), 20)
        await ask(discord, discord.world.admin, "settings channel", accent="ff8800", reactions=False)
        after = await draw(discord)
    assert before.reactions
    assert after.embeds[0]["color"] == 0xFF8800
    assert not after.reactions


async def test_what_moderators_look_at_first_no_worker_shows(
    discord: Discord, start: Start, mods: Channel, environ: dict[str, str]
) -> None:
    async with reviewing(discord, start, mods), working(environ, "gpu1", "sketch=0"):
        act = await order(discord)
        seen = await card(discord, mods)
        assert not painted(act.message)
        await press(discord, discord.world.moderator, seen, "Approve")
        await result(act)
    assert results_of(act.message) == 1
