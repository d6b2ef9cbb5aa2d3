import asyncio
import gc
import json
import warnings
from dataclasses import replace

import pytest

from bot.backends.webui import trouble
from bot.domain.capability import Listing
from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    LostError,
    NotEnabledError,
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
    UnreachableError,
)
from tests.standins.webui import Fault, recording
from tests.wire.workbench import QUICK, Bench, order, painted


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.CUT_BEFORE, LostError, "The connection to webui-1 broke. The job keeps its place"),
        (Fault.CUT_AFTER, LostError, "The connection to webui-1 broke. The job keeps its place"),
        (Fault.CUT_MIDWAY, LostError, "The connection to webui-1 broke. The job keeps its place"),
        (Fault.BUSY, UnreachableError, "webui-1 is not available at the moment (status 429)."),
        (Fault.GATEWAY, LostError, "webui-1 is not available at the moment (status 502)."),
        (Fault.AUTH, AuthError, "webui-1 does not let the bot in."),
        (Fault.FORBIDDEN, AuthError, "webui-1 does not let the bot in."),
        (Fault.NOT_ENABLED, NotEnabledError, "its API is switched off. Its host has to start it with --api."),
        (Fault.INVALID, RejectedError, "webui-1 refused: steps: value is not a valid integer"),
        (Fault.OUT_OF_MEMORY, OutOfMemoryError, "ran out of graphics memory. Choose a smaller size"),
        (Fault.CUDA, OutOfMemoryError, "ran out of graphics memory. Choose a smaller size"),
        (
            Fault.NAN,
            RejectedError,
            "Try another model or VAE; if it stays so, its host should start it with --no-half",
        ),
        (Fault.CRASH, RejectedError, "webui-1 refused: bad file y.ckpt"),
        (Fault.SILENT, ProtocolError, "webui-1 failed and did not say why (status 500)."),
        (Fault.HTML, ProtocolError, "webui-1 gave an answer that cannot be read."),
        (Fault.TRUNCATED_JSON, ProtocolError, "webui-1 gave an answer that cannot be read."),
        (Fault.BROKEN_BASE64, ProtocolError, "webui-1 gave an answer that cannot be read."),
        (Fault.NOT_A_PICTURE, ProtocolError, "webui-1 gave an answer that cannot be read."),
        (Fault.NO_IMAGES, ProtocolError, "webui-1 finished without a picture."),
    ],
)
async def test_every_failure_is_told_in_words_and_painted_at_most_once(
    bench: Bench, fault: Fault, kind: type[BackendError], words: str
) -> None:
    bench.server.fault, bench.server.faults = fault, 1
    client = bench.client()
    with pytest.raises(kind) as caught:
        await painted(client, order())
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert bench.server.url not in str(caught.value)
    assert len(bench.server.posts("/sdapi/v1/txt2img")) == 1
    painting, _ = await painted(client, order(), task="1-2")
    assert len(painting.pictures) == 1


async def test_a_server_that_is_not_there_is_waited_for_a_little_and_then_reported(bench: Bench) -> None:
    await bench.server.stop()
    client = bench.client()
    for call in (client.health(), client.capabilities(), painted(client, order())):
        with pytest.raises(UnreachableError, match="webui-1 cannot be reached"):
            await call


async def test_a_server_that_comes_up_in_the_meantime_paints_the_job(bench: Bench) -> None:
    await bench.server.stop()
    async with asyncio.TaskGroup() as group:
        job = group.create_task(painted(bench.client(), order()))
        await asyncio.sleep(0.03)
        await bench.server.start()
    assert len(job.result()[0].pictures) == 1


async def test_a_hung_server_is_unreachable_within_its_time(bench: Bench) -> None:
    bench.server.fault = Fault.HANG
    client = bench.client(replace(QUICK, get_s=0.2))
    with pytest.raises(UnreachableError, match="webui-1 does not answer"):
        await client.health()


async def test_a_server_that_stands_still_is_given_up_and_interrupted(bench: Bench) -> None:
    bench.server.fault, bench.server.faults = Fault.STALL, 1
    with pytest.raises(BackendTimeoutError, match=r"stood still for 0\.4 s"):
        await painted(bench.client(replace(QUICK, stall_s=0.4)), order())
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1


async def test_a_slow_server_that_moves_is_not_given_up(bench: Bench) -> None:
    bench.server.step_s = 0.15
    painting, _ = await painted(bench.client(replace(QUICK, stall_s=0.4)), order(steps=6))
    assert len(painting.pictures) == 1


async def test_a_job_that_never_ends_is_ended(bench: Bench) -> None:
    bench.server.step_s = 0.05
    with pytest.raises(BackendTimeoutError, match="did not finish within"):
        await painted(bench.client(replace(QUICK, total_s=0.4)), order(steps=60))
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1


@pytest.mark.parametrize("fault", [Fault.NOT_ENABLED, Fault.HTML, Fault.AUTH])
async def test_health_says_what_is_wrong(bench: Bench, fault: Fault) -> None:
    bench.server.fault = fault
    expected = {Fault.NOT_ENABLED: NotEnabledError, Fault.HTML: ProtocolError, Fault.AUTH: AuthError}
    with pytest.raises(expected[fault]):
        await bench.client().health()


async def test_wrong_credentials_are_told_without_telling_them(bench: Bench) -> None:
    bench.server.auth = ("bot", "secret")
    client = bench.client(auth=("bot", "guess-me"))
    with pytest.raises(AuthError, match="EASEL_BACKEND_1_AUTH") as caught:
        await client.capabilities()
    assert "guess-me" not in str(caught.value) + repr(caught.value) + repr(client)


@pytest.mark.parametrize("ui", [True, False])
async def test_cancelling_interrupts_the_server(bench: Bench, ui: bool) -> None:
    bench.server.ui, bench.server.step_s = ui, 0.02
    job = asyncio.create_task(painted(bench.client(), order(steps=500)))
    await bench.server.begun("1-1")
    await asyncio.sleep(0.1)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1


async def test_a_survey_cancelled_before_its_questions_begin_leaves_none_of_them_behind(bench: Bench) -> None:
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        survey = asyncio.create_task(bench.client().capabilities())
        await asyncio.sleep(0)
        survey.cancel()
        with pytest.raises(asyncio.CancelledError):
            await survey
        gc.collect()
    assert [str(warning.message) for warning in left] == []


@pytest.mark.parametrize("ui", [True, False])
async def test_cancelling_leaves_somebody_elses_job_alone(bench: Bench, ui: bool) -> None:
    bench.server.ui, bench.server.step_s = ui, 0.02
    other = asyncio.create_task(painted(bench.client(), order(steps=30), task="other"))
    await bench.server.begun("other")
    ours = asyncio.create_task(painted(bench.client(replace(QUICK, interrupt_s=0.2)), order()))
    await asyncio.sleep(0.1)
    ours.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ours
    assert len((await other)[0].pictures) == 1
    assert bench.server.posts("/sdapi/v1/interrupt") == []


async def test_an_interrupted_answer_is_never_a_result(bench: Bench) -> None:
    bench.server.step_s = 0.02
    client = bench.client()
    job = asyncio.create_task(painted(client, order(steps=500)))
    await bench.server.begun("1-1")
    await client.resume(order(), task="1-1", on_progress=print)
    with pytest.raises(RejectedError, match="stopped at webui-1 before it was done"):
        await job
    assert bench.server.painted == ["1-1"]


async def test_a_job_of_an_earlier_life_is_stopped_and_others_are_not(bench: Bench) -> None:
    bench.server.step_s = 0.02
    earlier = asyncio.create_task(painted(bench.client(), order(steps=60), task="7-1"))
    await bench.server.begun("7-1")
    later = bench.client()
    await later.resume(order(), task="8-1", on_progress=print)
    assert bench.server.posts("/sdapi/v1/interrupt") == []
    await later.resume(order(), task="7-1", on_progress=print)
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1
    await asyncio.wait([earlier])
    await later.resume(order(), task="7-1", on_progress=print)
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1
    earlier.exception()


async def test_abandoning_at_a_server_that_is_away_is_no_failure(bench: Bench) -> None:
    await bench.server.stop()
    await bench.client().resume(order(), task="1-1", on_progress=print)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("error_unknown_script", RejectedError, "Script 'nope script' not found"),
        ("error_unknown_alwayson", RejectedError, "Script 'nope' not found"),
        ("post_options_unknown_key", RejectedError, "webui-1 refused:"),
        ("extra_single_image_unknown", RejectedError, "could not find upscaler"),
        ("error_steps0", RejectedError, "integer division or modulo by zero"),
        ("error_validation_type", RejectedError, "steps: value is not a valid integer; width: value"),
        ("error_img2img_no_image", RejectedError, "Init image not found"),
        ("error_img2img_bad_b64", RejectedError, "Invalid encoded image"),
        ("get_unknown_route", NotEnabledError, "--api"),
    ],
)
def test_recorded_refusals_are_understood(name: str, kind: type[BackendError], words: str) -> None:
    recorded = recording(name)
    error = trouble.refusal("webui-1", recorded["status"], json.dumps(recorded["body"]).encode())
    assert type(error) is kind
    assert words in str(error)


async def test_lists_that_are_none_are_an_unreadable_answer(bench: Bench) -> None:
    bench.server.replay["/sdapi/v1/sd-models"] = (200, b"[3]")
    with pytest.raises(ProtocolError, match="cannot be read"):
        await bench.client().capabilities()


async def test_lists_a_server_need_not_have_are_left_out(bench: Bench) -> None:
    for path in ("schedulers", "sd-vae", "options"):
        bench.server.replay[f"/sdapi/v1/{path}"] = (500, b"Internal Server Error")
    bench.server.replay["/sdapi/v1/upscalers"] = (200, b'[{"name": null}, {"name": "Lanczos"}]')
    bench.server.replay["/sdapi/v1/embeddings"] = (200, b"[]")
    found = await bench.client().capabilities()
    assert found.loaded_model is None
    assert not {Listing.SCHEDULERS, Listing.VAES, Listing.EMBEDDINGS} & found.listings.keys()
    assert found.listings[Listing.UPSCALERS] == ("Lanczos",)


@pytest.mark.parametrize("answer", [b"[]", b"<html>", b'{"image": 1}'])
async def test_png_info_of_another_shape_is_an_unreadable_answer(bench: Bench, answer: bytes) -> None:
    bench.server.replay["/sdapi/v1/png-info"] = (200, answer)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await bench.client().read_infotext(b"picture")


@pytest.mark.parametrize("answer", [b"[]", b'{"info": "{}"}', b'{"images": ["AAAA"], "info": "{"}'])
async def test_a_painting_of_another_shape_is_an_unreadable_answer(bench: Bench, answer: bytes) -> None:
    bench.server.replay["/sdapi/v1/txt2img"] = (200, answer)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await painted(bench.client(), order())


async def test_a_preview_or_progress_that_cannot_be_read_spoils_nothing(bench: Bench) -> None:
    bench.server.step_s = 0.03
    task = {"active": True, "queued": False, "completed": False, "progress": 0.3, "id_live_preview": 1}
    broken = json.dumps({**task, "live_preview": "data:image/png;base64,AAAA"}).encode()
    bench.server.replay["/internal/progress"] = (200, broken)
    painting, told = await painted(bench.client(), order())
    assert {progress.preview for progress in told} == {None}
    bench.server.ui = False
    del bench.server.replay["/internal/progress"]
    bench.server.replay["/sdapi/v1/progress"] = (200, b"<html>")
    painting, told = await painted(bench.client(), order(), task="2-1")
    assert (len(painting.pictures), told) == (1, [])
