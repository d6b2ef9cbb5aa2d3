"""The moment between two jobs."""

import asyncio

import pytest

from bot.services.handover import HandOver


@pytest.mark.parametrize("ticks", range(4))
async def test_who_is_cancelled_in_the_moment_it_is_over_stays_cancelled(ticks: int) -> None:
    hand_over, over = HandOver(), asyncio.Event()

    async def wait() -> None:
        await hand_over.over()
        await over.wait()  # whoever lost the cancellation is still here a moment later

    hand_over.begin("gpu")
    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    hand_over.leave("gpu")
    for _ in range(ticks):
        await asyncio.sleep(0)
    waiting.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    over.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
