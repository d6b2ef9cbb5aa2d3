import asyncio
import json
from dataclasses import replace

import pytest

from bot.backends.webui import trouble
from bot.backends.wire import Incoming
from bot.domain.errors import LostError, RejectedError
from bot.domain.ports import Progress
from tests.standins.webui import Kin, recording
from tests.wire.workbench import QUICK, Bench, order, painted


async def _cancelled(job: asyncio.Task[object]) -> None:
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_a_job_between_a_strangers_and_ours_is_left_alone_on_a_server_without_tasks(bench: Bench) -> None:
    bench.server.ui, bench.server.step_s = False, 0.02
    first = asyncio.create_task(painted(bench.client(), order(steps=20), task="first"))
    await bench.server.begun("first")
    second = asyncio.create_task(painted(bench.client(), order(steps=30), task="second"))
    while len(bench.server.posts("/sdapi/v1/txt2img")) < 2:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    ours = asyncio.create_task(painted(bench.client(), order()))
    await bench.server.begun("second")
    await asyncio.sleep(0.05)
    await _cancelled(ours)
    assert [len((await other)[0].pictures) for other in (first, second)] == [1, 1]
    assert bench.server.posts("/sdapi/v1/interrupt") == []


async def test_a_strangers_job_that_has_no_numbers_yet_is_left_alone(bench: Bench) -> None:
    bench.server.kin, bench.server.step_s = Kin.SDNEXT, 0.02
    loading = {"progress": 0.0, "state": {"job": "Inference", "job_count": 1, "job_timestamp": "1"}}
    bench.server.replay["/sdapi/v1/progress"] = (200, json.dumps(loading).encode())
    other = asyncio.create_task(painted(bench.client(), order(steps=40), task="other"))
    while bench.server.running is None:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    ours = asyncio.create_task(painted(bench.client(), order()))
    await asyncio.sleep(0.1)
    del bench.server.replay["/sdapi/v1/progress"]
    await _cancelled(ours)
    assert len((await other)[0].pictures) == 1
    assert bench.server.posts("/sdapi/v1/interrupt") == []


async def test_the_next_job_of_ours_after_a_cancelled_one_can_be_cancelled_too(bench: Bench) -> None:
    bench.server.ui, bench.server.step_s = False, 0.05
    client = bench.client()
    for task in ("1-1", "2-1"):
        job = asyncio.create_task(painted(client, order(steps=500), task=task))
        while bench.server.running is None or bench.server.running.interrupted:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await _cancelled(job)
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 2


@pytest.mark.parametrize("ui", [True, False])
async def test_a_picture_stopped_by_a_person_between_two_looks_is_no_result(bench: Bench, ui: bool) -> None:
    bench.server.ui, bench.server.step_s = ui, 0.01
    client = bench.client(replace(QUICK, poll_s=30.0))
    job = asyncio.create_task(painted(client, order(steps=500)))
    while bench.server.running is None:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    idle = recording("get_progress_idle")["body"]
    idle["state"]["interrupted"] = True
    bench.server.replay["/sdapi/v1/progress"] = (200, json.dumps(idle).encode())
    bench.server.running.interrupted = True
    with pytest.raises(RejectedError, match="stopped at webui-1 before it was done"):
        await job


@pytest.mark.parametrize("status", [502, 504, 524])
async def test_a_proxy_that_waits_no_longer_has_the_job_stopped_and_counted_as_lost(
    bench: Bench, status: int
) -> None:
    bench.server.step_s = 0.02
    behind = asyncio.create_task(painted(bench.client(), order(steps=500)))
    await bench.server.begun("1-1")
    bench.server.replay["/sdapi/v1/txt2img"] = (status, b"<html>")
    with pytest.raises(LostError, match=f"status {status}"):
        await painted(bench.client(), order())
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1
    await asyncio.wait([behind])
    behind.exception()


async def test_cancelling_after_the_answer_came_leaves_the_next_job_alone(bench: Bench) -> None:
    bench.server.ui, bench.server.step_s = False, 0.02
    ours = asyncio.create_task(painted(bench.client(replace(QUICK, poll_s=30.0)), order(steps=25)))
    await bench.server.begun("1-1")
    other = asyncio.create_task(painted(bench.client(), order(steps=60), task="other"))
    while len(bench.server.posts("/sdapi/v1/txt2img")) < 2:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    bench.server.hung = ("/sdapi/v1/progress",)
    await bench.server.begun("other")
    await asyncio.sleep(0.1)
    bench.server.hung = ()
    await _cancelled(ours)
    assert len((await other)[0].pictures) == 1
    assert bench.server.posts("/sdapi/v1/interrupt") == []


async def test_an_answer_that_nobody_takes_is_closed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Incoming] = []
    close = Incoming.close

    async def noted(self: Incoming) -> None:
        closed.append(self)
        await close(self)

    def broken(_: Progress) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Incoming, "close", noted)
    bench.server.step_s = 0.03
    with pytest.raises(ZeroDivisionError):
        await bench.client().generate(order(), task="1-1", images={}, on_progress=broken)
    assert len(closed) == 1


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (r"[Errno 2] No such file or directory: 'C:\\Users\\bob\\sd\\x.ckpt'", "'x.ckpt'"),
        (r"cannot open \\host\share\x.ckpt", "cannot open x.ckpt"),
        ("no file /srv/sd (1)/models+more/x.ckpt here", "no file x.ckpt here"),
        ("checkpoint:/srv/models/x.ckpt", "checkpoint:x.ckpt"),
        ("width and/or height must be 8/16", "width and/or height must be 8/16"),
    ],
)
def test_a_servers_folders_are_never_told(words: str, left: str) -> None:
    body = json.dumps({"error": "OSError", "errors": words}).encode()
    told = str(trouble.refusal("webui-1", 500, body))
    assert left in told
    assert not {"bob", "share", "models"} & set(told.replace("\\", "/").replace("+", "/").split("/"))


async def test_two_easels_at_one_server_never_take_each_others_tasks_for_their_own(bench: Bench) -> None:
    bench.server.step_s = 0.05
    one, other = (bench.client(instance=word) for word in ("aa11", "bb22"))
    job = asyncio.create_task(painted(one, order(steps=10)))
    await bench.server.begun("aa11-1-1")
    assert await other.resume(order(), task="1-1", on_progress=print) is None
    painting, _ = await job
    assert len(painting.pictures) == 1
    assert not bench.server.posts("/sdapi/v1/interrupt")


@pytest.mark.parametrize(("ui", "interrupts"), [(True, 1), (False, 0)])
async def test_a_task_that_another_took_over_is_stopped_where_the_server_tells_tasks_apart(
    bench: Bench, ui: bool, interrupts: int
) -> None:
    bench.server.ui, bench.server.step_s = ui, 0.02
    client = bench.client()
    job = asyncio.create_task(painted(client, order(steps=60)))
    while bench.server.running is None:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)
    later = bench.client()
    await later.abandon(order(steps=60), task="7-1")
    await later.abandon(order(steps=60), task="1-1")
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == interrupts
    await _cancelled(job)
