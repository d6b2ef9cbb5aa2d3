"""kill -9 at the worst moments: nothing that was accepted is lost, nothing appears twice."""

import asyncio
from collections.abc import Iterable

import pytest

from bot.rehearsal import Discord, Message
from tests.standins.comfyui import StandInComfyUI
from tests.whole.process import painted, results_of, running

pytestmark = pytest.mark.timeout(120)


def pings(messages: Iterable[Message]) -> int:
    return sum(len(message.mentions) for message in messages)


async def test_one_running_and_five_waiting_all_finish_once_in_their_own_messages(
    discord: Discord, environ: dict[str, str]
) -> None:
    environ["EASEL_BACKENDS"] = "sketch=0.3"
    ada = discord.as_(discord.world.ada)
    async with running(discord, environ) as first:
        acts = [await ada.slash("draw", prompt=f"fox {n}", steps=5, seed=n) for n in range(6)]
        await acts[1].until(lambda m: "In line · " in m.text, 20)
        await first.kill()
    assert not all(painted(act.message) for act in acts)
    async with running(discord, environ) as second:
        for act in acts:
            await act.until(painted, 60)
        assert await second.stop() == 0
    channel = discord.world.channel
    assert len(channel.messages) == 6
    assert [results_of(act.message) for act in acts] == [1] * 6
    assert pings(channel.messages) == 0
    assert all(f"seed {n} " in act.message.text for n, act in enumerate(acts))


async def test_killed_between_painted_and_delivered_it_is_delivered_once(
    discord: Discord, environ: dict[str, str]
) -> None:
    ada = discord.as_(discord.world.ada)
    fault = discord.faults.delay("PATCH", r"/webhooks/", 60, times=5)
    async with running(discord, environ) as first:
        act = await ada.slash("draw", prompt="a fox")
        await discord.until(lambda: fault.done, 20)
        await first.kill()
    discord.faults.clear()
    assert not painted(act.message)
    async with running(discord, environ) as second:
        await act.until(painted, 30)
        await act.until(lambda m: m.reactions, 30)
        await second.stop()
    assert results_of(act.message) == 1
    assert len(discord.world.channel.messages) == 1


async def test_killed_after_the_delivery_got_through_it_is_not_delivered_again(
    discord: Discord, environ: dict[str, str]
) -> None:
    ada = discord.as_(discord.world.ada)
    discord.faults.cut("PATCH", r"/webhooks/", times=5, after=True)
    async with running(discord, environ) as first:
        act = await ada.slash("draw", prompt="a fox")
        await act.until(painted, 20)
        await first.kill()
    discord.faults.clear()
    uploads = sum(bool(request.files) for request in discord.requests)
    async with running(discord, environ) as second:
        await act.until(lambda m: m.reactions, 30)
        await second.stop()
    assert sum(bool(request.files) for request in discord.requests) == uploads
    assert len(discord.world.channel.messages) == 1


async def test_killed_between_answer_and_queue_it_says_so(discord: Discord, environ: dict[str, str]) -> None:
    ada = discord.as_(discord.world.ada, None)
    discord.faults.cut("POST", r"/callback", after=True)
    fault = discord.faults.delay("GET", r"/messages/@original", 60, times=5)
    async with running(discord, environ) as first:
        act = await ada.slash("draw", prompt="a fox")
        await discord.until(lambda: fault.done, 20)
        await first.kill()
    discord.faults.clear()
    async with running(discord, environ) as second:
        message = await act.until(lambda m: "Not queued" in m.text, 30)
        await second.stop()
    assert "repeat" in message.text
    assert len(discord.world.channel.messages) == 1


async def test_a_reroll_by_reaction_survives_the_kill(discord: Discord, environ: dict[str, str]) -> None:
    environ["EASEL_BACKENDS"] = "sketch=0.2"
    ada = discord.as_(discord.world.ada)
    channel = discord.world.channel
    async with running(discord, environ) as first:
        act = await ada.slash("draw", prompt="a fox", steps=3)
        await act.until(lambda m: m.reactions, 20)
        await ada.react(act.message, "🔁")
        await discord.until(lambda: len(channel.messages) == 2, 20)
        await first.kill()
    async with running(discord, environ) as second:
        await discord.until(lambda: painted(channel.messages[1]), 30)
        await second.stop()
    assert len(channel.messages) == 2


async def test_what_a_comfyui_was_painting_is_fetched_there_and_not_painted_again(
    discord: Discord, environ: dict[str, str]
) -> None:
    async with StandInComfyUI(step_s=0.2) as comfy:
        environ["EASEL_BACKENDS"] = f"comfyui={comfy.url}"
        async with running(discord, environ) as first:
            act = await discord.as_(discord.world.ada).slash("draw", prompt="a fox", steps=15)
            while comfy.running is None:  # noqa: ASYNC110 - the stand-in tells nobody
                await asyncio.sleep(0.02)
            await first.kill()
        async with running(discord, environ) as second:
            await act.until(painted, 60)
            assert await second.stop() == 0
        assert len(comfy.posts("/prompt")) == 1
    assert results_of(act.message) == 1
