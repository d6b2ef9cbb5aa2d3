import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.errors import (
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
)
from tests.standins.comfyui import Fault
from tests.wire.comfybench import (
    ComfyBench,
    abandoned,
    begun,
    drawn,
    ended,
    foreign,
    interrupted,
    nothing,
    waiting,
)
from tests.wire.workbench import order


@pytest.mark.parametrize("own_ids", [True, False])
async def test_cancelling_interrupts_our_prompt_by_its_id(comfy: ComfyBench, own_ids: bool) -> None:
    comfy.server.step_s, comfy.server.own_ids = 0.02, own_ids
    job = asyncio.create_task(drawn(comfy.client(), order(steps=500)))
    await begun(comfy)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    (prompt_id,) = interrupted(comfy)
    await ended(comfy, prompt_id)


async def test_cancelling_takes_our_prompt_out_of_the_line_and_leaves_others_alone(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    await foreign(comfy, steps=40)
    job = asyncio.create_task(drawn(comfy.client(), order()))
    await waiting(comfy)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert (comfy.server.pending, interrupted(comfy)) == ([], [])
    await ended(comfy, "foreign")
    assert comfy.server.histories["foreign"]["status"]["status_str"] == "success"


async def test_cancelling_at_a_server_that_is_away_is_no_failure(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    job = asyncio.create_task(drawn(comfy.client(), order(steps=500)))
    await begun(comfy)
    await comfy.server.stop()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_an_interrupt_from_outside_is_told_as_such(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    job = asyncio.create_task(drawn(comfy.client(), order(steps=500)))
    await begun(comfy)
    assert comfy.server.running is not None
    comfy.server.running.interrupted = True
    with pytest.raises(RejectedError, match="stopped at comfy-1 before it was done"):
        await job


async def test_a_prompt_that_somebody_took_out_of_the_line_is_noticed(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    await foreign(comfy, steps=100)
    job = asyncio.create_task(drawn(comfy.client(), order()))
    await waiting(comfy)
    comfy.server.pending.clear()
    with pytest.raises(RejectedError, match="Somebody took this picture out of the line at comfy-1"):
        await job


async def test_a_long_line_of_large_graphs_is_read_through(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    await foreign(comfy, steps=500)
    assert comfy.server.running is not None
    page = {"workflow": {"nodes": [{"id": i} for i in range(40_000)]}}
    large = replace(comfy.server.running.prompt, prompt_id="large", extra_data={"extra_pnginfo": page})
    comfy.server.pending.append(large)
    job = asyncio.create_task(drawn(comfy.client(), order(steps=500)))
    while len(comfy.server.pending) < 2:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert [prompt.prompt_id for prompt in comfy.server.pending] == ["large"]


async def test_somebody_elses_progress_is_not_shown(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    await foreign(comfy, steps=20, client_id=None)
    client = comfy.client()
    _, told = await drawn(client, order(steps=2))
    assert {progress.steps for progress in told} == {2}
    assert len([progress for progress in told if progress.fraction == 0 and progress.preview]) == 0


async def test_a_prompt_of_an_earlier_life_is_fetched_from_the_history(comfy: ComfyBench) -> None:
    request = order(count=2)
    painting, _ = await drawn(comfy.client(), request)
    answer = await comfy.client().resume(request, task="1-1", on_progress=print)
    assert answer is not None
    resumed = await answer.painting()
    assert resumed.pictures == painting.pictures
    assert (resumed.model, resumed.sampler, resumed.scheduler) == ("random15", "DPM++ 2M", "Karras")
    assert len(comfy.server.posts("/prompt")) == 1


@pytest.mark.parametrize("own_ids", [True, False])
async def test_a_prompt_of_an_earlier_life_that_runs_is_waited_for_with_its_progress(
    comfy: ComfyBench, own_ids: bool
) -> None:
    comfy.server.step_s, comfy.server.own_ids = 0.05, own_ids
    request, earlier = order(steps=12), comfy.client()
    await abandoned(comfy, earlier, request)
    told: list[Any] = []
    answer = await comfy.client().resume(request, task="1-1", on_progress=told.append)
    assert answer is not None
    assert [picture.seed for picture in (await answer.painting()).pictures] == [5]
    assert told
    assert len(comfy.server.posts("/prompt")) == 1


async def test_what_a_server_does_not_know_or_did_not_finish_is_no_answer(comfy: ComfyBench) -> None:
    client = comfy.client()
    await client.capabilities()
    assert await client.resume(order(), task="1-1", on_progress=print) is None
    comfy.server.fault, comfy.server.faults = Fault.OUT_OF_MEMORY, 1
    with suppress(OutOfMemoryError):
        await drawn(client, order())
    assert await client.resume(order(), task="1-1", on_progress=print) is None
    comfy.server.fault, comfy.server.faults = Fault.FILE_MISSING, 1
    with suppress(ProtocolError):
        await drawn(client, order(), task="2-1")
    assert await client.resume(order(), task="2-1", on_progress=print) is None
    await drawn(client, order(seed=8), task="3-1")
    assert await client.resume(order(seed=9), task="3-1", on_progress=print) is None


async def test_cancelling_a_resumed_prompt_interrupts_it(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    request = order(steps=500)
    await abandoned(comfy, comfy.client(), request)
    job = asyncio.create_task(comfy.client().resume(request, task="1-1", on_progress=print))
    await asyncio.sleep(0.2)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert len(interrupted(comfy)) == 1


@pytest.mark.parametrize("own_ids", [True, False])
async def test_a_prompt_that_another_took_over_is_interrupted(comfy: ComfyBench, own_ids: bool) -> None:
    comfy.server.step_s, comfy.server.own_ids = 0.02, own_ids
    request = order(steps=500)
    await abandoned(comfy, comfy.client(), request)
    await comfy.client().abandon(request, task="1-1")
    (prompt_id,) = interrupted(comfy)
    await ended(comfy, prompt_id)


async def test_a_prompt_that_another_took_over_leaves_the_line_and_nobody_elses_does(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    await foreign(comfy, steps=60)
    client: Any = comfy.client()
    request = order()
    job = asyncio.create_task(drawn(client, request))
    await waiting(comfy)
    client._desk.withdraw = nothing  # it dies and takes nothing back
    job.cancel()
    await asyncio.wait([job])
    await comfy.client().abandon(order(seed=6), task="1-1")
    assert len(comfy.server.pending) == 1
    await comfy.client().abandon(request, task="1-1")
    assert (comfy.server.pending, interrupted(comfy)) == ([], [])
    await ended(comfy, "foreign")
    assert comfy.server.histories["foreign"]["status"]["status_str"] == "success"


async def test_letting_go_at_a_server_that_is_away_is_no_failure(comfy: ComfyBench) -> None:
    client = comfy.client()
    await comfy.server.stop()
    await client.abandon(order(), task="1-1")
