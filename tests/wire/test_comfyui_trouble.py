import asyncio
import json
import struct
from dataclasses import replace

import pytest

from bot.backends.comfyui import trouble
from bot.domain.capability import Listing
from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    NotEnabledError,
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
    UnreachableError,
)
from bot.domain.request import UpscaleRequest
from tests.standins import comfyui_run
from tests.standins.comfyui import Fault, recording
from tests.standins.webui_pictures import png
from tests.wire.comfybench import ComfyBench, begun, drawn, foreign, interrupted
from tests.wire.workbench import QUICK, order


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.CUT_BEFORE, UnreachableError, "The connection to comfy-1 broke. The job keeps its place"),
        (Fault.AUTH, AuthError, "comfy-1 does not let the bot in."),
        (Fault.FORBIDDEN, AuthError, "comfy-1 does not let the bot in."),
        (Fault.NOT_FOUND, NotEnabledError, "comfy-1 answers, but not as a ComfyUI. Its host should check"),
        (Fault.BUSY, UnreachableError, "comfy-1 is not available at the moment (status 429)."),
        (Fault.GATEWAY, UnreachableError, "comfy-1 is not available at the moment (status 502)."),
        (Fault.CRASH, ProtocolError, "comfy-1 failed and did not say why (status 500)."),
        (Fault.HTML, ProtocolError, "comfy-1 gave an answer that cannot be read."),
        (Fault.PARTIAL, RejectedError, "comfy-1 refused: "),
        (Fault.OUT_OF_MEMORY, OutOfMemoryError, "comfy-1 ran out of graphics memory. Choose a smaller size"),
        (Fault.BROKEN_NODE, RejectedError, "refused: KSampler: ERROR: Could not detect model type of: x.safe"),
        (Fault.NO_IMAGES, ProtocolError, "comfy-1 finished without a picture."),
        (Fault.FILE_MISSING, ProtocolError, "comfy-1 painted the picture, but does not have it any more."),
        (Fault.NOT_A_PICTURE, ProtocolError, "comfy-1 gave an answer that cannot be read."),
        (Fault.CUT_VIEW, UnreachableError, "The connection to comfy-1 broke."),
    ],
)
async def test_every_failure_is_told_in_words_and_painted_at_most_once(
    comfy: ComfyBench, fault: Fault, kind: type[BackendError], words: str
) -> None:
    client = comfy.client()
    await client.capabilities()
    comfy.server.fault, comfy.server.faults = fault, 1
    with pytest.raises(kind) as caught:
        await drawn(client, order())
    assert words in str(caught.value)
    assert "/srv" not in str(caught.value)
    assert comfy.server.url not in str(caught.value)
    assert len(comfy.server.posts("/prompt")) == 1
    comfy.server.files.cut.clear()
    painting, _ = await drawn(client, order(seed=6), task="1-2")
    assert len(painting.pictures) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CUT_AFTER,
        Fault.TRUNCATED_JSON,
        Fault.WRONG_TYPE,
        Fault.SOCKET_DROP,
        Fault.SILENT,
        Fault.REPEATED,
        Fault.REORDERED,
        Fault.FOREIGN,
        Fault.NO_HISTORY,
    ],
)
@pytest.mark.parametrize("own_ids", [True, False])
async def test_what_goes_wrong_on_the_way_spoils_no_picture(
    comfy: ComfyBench, fault: Fault, own_ids: bool
) -> None:
    comfy.server.own_ids, comfy.server.step_s = own_ids, 0.02
    comfy.server.fault, comfy.server.faults = fault, 1
    painting, told = await drawn(comfy.client(), order(count=2))
    assert [picture.seed for picture in painting.pictures] == [5, 6]
    assert [progress.fraction for progress in told] == sorted(progress.fraction for progress in told)
    assert len(comfy.server.posts("/prompt")) == len(comfy.server.painted) == 1


async def test_without_a_socket_the_history_is_enough(comfy: ComfyBench) -> None:
    comfy.server.sockets.refuse = 1000
    painting, told = await drawn(comfy.client(), order())
    assert (len(painting.pictures), told) == (1, [])


async def test_the_socket_is_opened_again_and_the_old_one_is_closed_first(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.05
    client = comfy.client()
    comfy.server.fault, comfy.server.faults = Fault.SOCKET_DROP, 1
    _, told = await drawn(client, order(steps=10))
    assert comfy.server.sockets.opened == 2
    assert told[-1].fraction > 0.8
    _, told = await drawn(client, order(seed=6), task="2-1")
    assert comfy.server.sockets.opened == 2
    assert told


async def test_a_socket_that_broke_between_jobs_is_there_for_the_next(comfy: ComfyBench) -> None:
    client = comfy.client()
    await drawn(client, order())
    comfy.server.sockets.drop()
    comfy.server.step_s = 0.02
    _, told = await drawn(client, order(seed=6), task="2-1")
    assert told


async def test_a_socket_that_went_deaf_is_opened_anew(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.02
    client = comfy.client()
    await drawn(client, order())
    comfy.server.sockets.table.clear()
    painting, told = await drawn(client, order(seed=6), task="2-1")
    assert (len(painting.pictures), told) == (1, [])
    _, told = await drawn(client, order(seed=7), task="3-1")
    assert told


async def test_a_history_that_comes_late_is_waited_for(comfy: ComfyBench) -> None:
    comfy.server.history_lag_s = 0.3
    painting, _ = await drawn(comfy.client(), order())
    assert len(painting.pictures) == 1


async def test_a_server_that_is_not_there_is_waited_for_a_little_and_then_reported(comfy: ComfyBench) -> None:
    await comfy.server.stop()
    client = comfy.client()
    for call in (client.health(), client.capabilities(), drawn(client, order())):
        with pytest.raises(UnreachableError, match="comfy-1 cannot be reached"):
            await call


async def test_a_server_that_comes_up_in_the_meantime_paints_the_job(comfy: ComfyBench) -> None:
    await comfy.server.stop()
    async with asyncio.TaskGroup() as group:
        job = group.create_task(drawn(comfy.client(), order()))
        await asyncio.sleep(0.03)
        await comfy.server.start()
    assert len(job.result()[0].pictures) == 1


async def test_a_server_killed_in_mid_job_gives_the_job_back(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.05
    client = comfy.client(replace(QUICK, get_s=0.6))
    job = asyncio.create_task(drawn(client, order(steps=100)))
    await begun(comfy)
    await comfy.server.stop()
    with pytest.raises(UnreachableError):
        await job


async def test_a_server_that_restarted_lost_the_job_and_paints_the_next(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.05
    client = comfy.client()
    job = asyncio.create_task(drawn(client, order(steps=100)))
    await begun(comfy)
    await comfy.server.stop()
    await comfy.server.start()
    with pytest.raises(UnreachableError, match="The connection to comfy-1 broke"):
        await job
    painting, told = await drawn(client, order(), task="1-2")
    assert len(painting.pictures) == 1
    assert told


async def test_a_hung_server_is_unreachable_within_its_time(comfy: ComfyBench) -> None:
    comfy.server.fault = Fault.HANG
    with pytest.raises(UnreachableError, match="comfy-1 does not answer"):
        await comfy.client(replace(QUICK, get_s=0.2)).health()


async def test_a_server_that_hangs_when_it_gets_the_job_is_unreachable_too(comfy: ComfyBench) -> None:
    client = comfy.client(replace(QUICK, get_s=1.2, stall_s=60))
    await client.capabilities()
    comfy.server.fault = Fault.HANG
    with pytest.raises(UnreachableError, match="comfy-1 does not answer"):
        await drawn(client, order())


@pytest.mark.parametrize("path", ["/system_stats", "/object_info/KSampler"])
@pytest.mark.parametrize("body", [b"[]", b"<html>"])
async def test_lists_that_are_none_are_an_unreadable_answer(comfy: ComfyBench, path: str, body: bytes) -> None:
    comfy.server.replay[path] = (200, body)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await comfy.client().capabilities()


async def test_a_server_without_the_nodes_to_paint_is_none(comfy: ComfyBench) -> None:
    comfy.server.replay["/object_info/KSampler"] = (200, b"{}")
    with pytest.raises(NotEnabledError, match="not as a ComfyUI"):
        await comfy.client().capabilities()


async def test_what_a_server_need_not_have_is_left_out(comfy: ComfyBench) -> None:
    comfy.server.replay["/embeddings"] = (404, b"")
    comfy.server.replay["/system_stats"] = (200, b'{"system": {}, "devices": [3]}')
    for kind in ("LoraLoader", "ImageScale", "UpscaleModelLoader"):
        comfy.server.replay[f"/object_info/{kind}"] = (200, b"{}")
    client = comfy.client()
    found = await client.capabilities()
    assert (found.kin, dict(found.facts)) == ("ComfyUI", {})
    assert Listing.LORAS not in found.listings
    assert (found.listings[Listing.EMBEDDINGS], found.listings[Listing.UPSCALERS]) == ((), ("Lanczos", "Nearest"))
    with pytest.raises(RejectedError, match="comfy-1 does not have upscaling"):
        await client.upscale(UpscaleRequest("Lanczos"), png(8, 8, 1), task="u-1")


async def test_a_server_without_a_model_says_so(comfy: ComfyBench) -> None:
    comfy.server.checkpoints = []
    with pytest.raises(RejectedError, match="comfy-1 has no model to choose"):
        await drawn(comfy.client(), order())


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"name": "x"}'])
async def test_an_upload_answered_in_another_shape_is_unreadable(comfy: ComfyBench, body: bytes) -> None:
    comfy.server.replay["/upload/image"] = (200, body)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await drawn(comfy.client(), order(init_image="h"), h=png(8, 8, 1))


async def test_a_queue_that_cannot_be_read_is_borne_for_a_while(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.1
    comfy.server.sockets.refuse = 1000
    client = comfy.client(replace(QUICK, get_s=0.6))
    await client.capabilities()
    comfy.server.replay["/queue"] = (200, b"[]")
    painting, _ = await drawn(client, order(steps=2))
    assert len(painting.pictures) == 1
    with pytest.raises(ProtocolError, match="cannot be read"):
        await drawn(client, order(steps=50, seed=6), task="2-1")


async def test_a_server_that_stands_still_is_given_up_and_interrupted(comfy: ComfyBench) -> None:
    comfy.server.fault, comfy.server.faults = Fault.STALL, 1
    with pytest.raises(BackendTimeoutError, match=r"stood still for 0\.4 s"):
        await drawn(comfy.client(replace(QUICK, stall_s=0.4)), order())
    assert interrupted(comfy) == [comfy.server.posts("/prompt")[0]["prompt_id"]]


async def test_a_slow_server_that_moves_is_not_given_up(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.15
    painting, _ = await drawn(comfy.client(replace(QUICK, stall_s=0.4)), order(steps=6))
    assert len(painting.pictures) == 1


async def test_waiting_in_the_servers_line_is_no_standing_still(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.1
    await foreign(comfy, steps=20)
    painting, _ = await drawn(comfy.client(replace(QUICK, stall_s=1.2)), order(steps=2))
    assert len(painting.pictures) == 1


async def test_a_job_that_never_ends_is_ended(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.05
    with pytest.raises(BackendTimeoutError, match="did not finish within"):
        await drawn(comfy.client(replace(QUICK, total_s=0.4)), order(steps=60))
    assert len(interrupted(comfy)) == 1


@pytest.mark.parametrize("fault", [Fault.NOT_FOUND, Fault.HTML, Fault.AUTH])
async def test_health_says_what_is_wrong(comfy: ComfyBench, fault: Fault) -> None:
    comfy.server.fault = fault
    expected = {Fault.NOT_FOUND: NotEnabledError, Fault.HTML: ProtocolError, Fault.AUTH: AuthError}
    with pytest.raises(expected[fault]):
        await comfy.client().health()


async def test_a_proxys_credentials_go_along_everywhere_and_are_never_told(comfy: ComfyBench) -> None:
    comfy.server.auth = ("bot", "secret")
    painting, told = await drawn(comfy.client(auth=("bot", "secret")), order(init_image="h"), h=png(8, 8, 1))
    assert len(painting.pictures) == 1
    assert told
    with pytest.raises(AuthError, match="EASEL_BACKEND_1_AUTH") as caught:
        await comfy.client(auth=("bot", "guess-me")).capabilities()
    assert "guess-me" not in str(caught.value) + repr(caught.value)


async def test_a_preview_that_cannot_be_read_spoils_nothing(
    comfy: ComfyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    comfy.server.step_s = 0.02
    monkeypatch.setattr(comfyui_run, "preview", lambda _: struct.pack(">II", 1, 1) + b"no picture")
    painting, told = await drawn(comfy.client(), order())
    assert len(painting.pictures) == 1
    assert {progress.preview for progress in told} == {None}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("error_bad_ckpt", "CheckpointLoaderSimple: Value not in list: ckpt_name: 'nope.safetensors' not in"),
        ("error_unknown_node", "Cannot execute because node"),
        ("error_missing_input_image", "LoadImage: Custom validation failed for node: image - Invalid image file"),
        ("error_multi", "comfy-1 refused: "),
        ("error_no_outputs", "Prompt has no outputs"),
        ("error_dangling_link", "comfy-1 refused: "),
        ("error_bad_json", "did not say why (status 500)"),
    ],
)
def test_recorded_refusals_are_understood(name: str, words: str) -> None:
    recorded = recording(name)
    error = trouble.refusal("comfy-1", recorded["status"], json.dumps(recorded["body"]).encode())
    assert words in str(error)
    assert "/srv" not in str(error)
