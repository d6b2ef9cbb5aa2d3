"""Recorded answers of a real ComfyUI keep the stand-in honest."""

import asyncio
import io
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.standins.comfyui import Fault, StandInComfyUI, recording
from tests.standins.comfyui_files import RECORDINGS
from tests.standins.comfyui_graph import Shape
from tests.standins.comfyui_talk import form, heard, kinds, plain, said

SID = "f36b1879ccdb4ec0a005ce74cdf06e51"
LOST = "somebody-else"
REFUSED = ["prompt_partial_node_errors", *(path.stem for path in sorted(RECORDINGS.glob("error_*.json")))]
REFUSED.remove("error_bad_json")


@pytest.fixture
async def server() -> AsyncIterator[StandInComfyUI]:
    async with StandInComfyUI() as server:
        yield server


@pytest.fixture
async def http(server: StandInComfyUI) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as session:
        yield session


def graph(name: str = "prompt_ok", **sampler: Any) -> dict[str, Any]:
    result: dict[str, Any] = recording(name)["request"]["json"]["prompt"]
    result["3"]["inputs"] |= sampler
    return result


async def submit(http: aiohttp.ClientSession, prompt: Any, **more: Any) -> Any:
    async with http.post("/prompt", json={"prompt": prompt, "client_id": SID, **more}) as answer:
        return await answer.json()


async def fetched(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        return await answer.json()


async def painted(server: StandInComfyUI, prompt_id: str) -> None:
    while prompt_id not in server.painted:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("name", REFUSED)
async def test_a_graph_is_refused_in_the_recorded_words(http: aiohttp.ClientSession, name: str) -> None:
    recorded = recording(name)
    async with http.post("/prompt", json=recorded["request"]["json"]) as answer:
        assert answer.status == recorded["status"]
        body = await answer.json()
    for content in (body, recorded["body"]):
        content.update({key: form(content[key]) for key in {"prompt_id", "number"} & content.keys()})
        for entry in content["node_errors"].values():
            # ComfyUI goes through a node's inputs in no fixed order, and its stack is its own.
            entry["errors"].sort(key=lambda error: error["extra_info"]["input_name"])
            for error in entry["errors"]:
                error["extra_info"].pop("traceback", None)
    assert body == recorded["body"]


@pytest.mark.parametrize(
    "name",
    [
        "api_prefix_queue",
        "error_bad_json",
        "features",
        "free",
        "history_delete",
        "history_of_deleted",
        "interrupt_other_id",
        "models",
        "models_checkpoints",
        "models_unknown",
        "object_info_unknown",
        "prompt_get",
        "queue_clear",
        "queue_delete_unknown",
        "queue_empty",
        "system_stats",
        "unknown_route",
    ],
)
async def test_a_small_question_gets_the_recorded_answer(http: aiohttp.ClientSession, name: str) -> None:
    recorded = recording(name)
    asked = recorded["request"]
    async with http.request(asked["method"], asked["path"], json=asked["json"]) as answer:
        assert answer.status == recorded["status"]
        text = await answer.text()
    assert (json.loads(text) if isinstance(recorded["body"], dict | list) else text) == recorded["body"]


async def test_nodes_show_the_choices_in_both_spellings(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    recorded = recording("object_info")
    for name in ("loras", "upscale_models", "controlnets"):
        setattr(server, name, [])
    server.vaes = ["pixel_space"]
    assert await fetched(http, "/object_info") == recorded
    server.checkpoints, server.combos = ["one.safetensors"], True
    info = await fetched(http, "/object_info/CheckpointLoaderSimple")
    kind, options = info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"]
    assert (kind, options["options"]) == ("COMBO", ["one.safetensors"])


async def test_a_fresh_a_partly_cached_and_an_identical_run_say_what_was_recorded(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    batch = graph(seed=2)
    batch["5"]["inputs"]["batch_size"] = 2
    runs = [
        (graph(), "ws_txt2img_first", "history_success"),
        (batch, "ws_txt2img_cached_model_batch2", "history_batch2"),
        (batch, "ws_identical_prompt_all_cached", "history_all_cached"),
    ]
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        for number, (prompt, talk, history) in enumerate(runs):
            answer = await submit(http, prompt, prompt_id=f"own-{number}")
            assert answer == {"prompt_id": f"own-{number}", "number": number, "node_errors": {}}
            assert await heard(socket) == [plain(message) for message in recording(talk)]
            entry = (await fetched(http, f"/history/own-{number}"))[f"own-{number}"]
            (recorded,) = recording(history)["body"].values()
            recorded["prompt"][3].pop("extra_pnginfo", None)
            assert form(entry) == form(recorded)
            assert entry["outputs"] == recorded["outputs"]
    assert server.painted == ["own-0", "own-1", "own-2"]


async def test_an_interrupt_stops_only_the_prompt_it_names(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    server.step_s = 0.01
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        await submit(http, graph(), prompt_id="first")
        await heard(socket)
        long = graph(seed=10, steps=60)
        long["5"]["inputs"] |= {"width": 128, "height": 128}
        await submit(http, long, prompt_id="long")
        await server.begun("long")
        await submit(http, graph(seed=11), prompt_id="deleted")
        await submit(http, graph(seed=12), prompt_id="front", front=True)
        busy = await fetched(http, "/queue")
        assert [item[1] for item in busy["queue_pending"]] == ["front", "deleted"]
        assert form(busy["queue_running"]) == form(recording("queue_busy")["body"]["queue_running"])
        await http.post("/queue", json={"delete": ["deleted"]})
        await http.post("/interrupt", json={"prompt_id": "front"})
        await http.post("/interrupt", json={"prompt_id": "long"})
        told = await heard(socket, 2)
    expected = [plain(message) for message in recording("ws_interrupt")]
    # From there on the prompt that was put in front runs, as on the real server.
    begin, begun = (kinds(messages).index("execution_interrupted") for messages in (told, expected))
    assert told[begin:] == expected[begun:]
    assert server.painted == ["first", "long", "front"]
    entry = (await fetched(http, "/history/long"))["long"]
    (kept,) = recording("history_interrupted")["body"].values()
    assert form(entry) == form(kept)


async def test_a_broken_node_is_told_as_recorded(server: StandInComfyUI, http: aiohttp.ClientSession) -> None:
    server.files.stored["input", "", "broken.png"] = b"no picture"
    (recorded,) = recording("history_execution_error")["body"].values()
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        await submit(http, graph())
        await heard(socket)
        await submit(http, recorded["prompt"][2], prompt_id="broken")
        assert await heard(socket) == [plain(m) for m in recording("ws_execution_error")]
    entry = (await fetched(http, "/history/broken"))["broken"]
    for history in (entry, recorded):
        history["status"]["messages"][-1][1].pop("traceback")
    assert form(entry) == form(recorded)


async def test_without_a_client_id_progress_goes_to_everyone(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    (recorded,) = recording("history_preview_temp")["body"].values()
    expected = [plain(message) for message in recording("ws_no_client_id")]
    async with http.ws_connect(f"/ws?clientId={LOST}") as socket:
        for seed in (1, 7):
            other = graph(seed=seed)
            other["5"]["inputs"]["width"] = 128
            await painted(server, (await submit(http, other))["prompt_id"])
        async with http.post("/prompt", json={"prompt": recorded["prompt"][2], "prompt_id": "nobody"}):
            await painted(server, "nobody")
        assert set(kinds([await said(socket) for _ in range(7)])) == {"status"}
        assert [await said(socket) for _ in expected] == expected
    outputs = (await fetched(http, "/history/nobody"))["nobody"]["outputs"]
    assert outputs == recorded["outputs"]


async def test_a_client_that_comes_back_hears_the_rest(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    server.step_s, server.fault = 0.05, Fault.SOCKET_DROP
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        await submit(http, graph(steps=8), prompt_id="own")
        while (await socket.receive(5)).type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            pass
    server.sockets.refuse = 1
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"/ws?clientId={SID}")
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        told = await heard(socket)
    back = [plain(m) for m in recording("ws_reconnect")[17:19]]
    assert told[:2] == back
    assert 0 < kinds(told).count("preview") < 8


async def test_previews_come_framed_as_the_client_asked(http: aiohttp.ClientSession) -> None:
    flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
    recorded = recording("ws_three_clients")["A_with_feature_flags"]
    end = next(i for i, m in enumerate(recorded) if "text" in m and m["text"]["data"].get("node", "") is None)
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        await socket.send_json(flags)
        await asyncio.sleep(0.05)
        await submit(http, graph())
        told = await heard(socket)
    assert told == [plain(message) for message in recorded[: end + 1]]
    frame = (RECORDINGS / "ws_binary_event4.bin").read_bytes()
    length = struct.unpack(">I", frame[4:8])[0]
    with Image.open(io.BytesIO(frame[8 + length :])) as image:
        assert (image.format, json.loads(frame[8 : 8 + length])["image_type"]) == ("JPEG", "image/jpeg")


async def test_an_upload_keeps_or_changes_its_name_as_recorded(http: aiohttp.ClientSession) -> None:
    sent = {
        "first": ("cap%20in.png", b"one", {}),
        "same_again": ("cap%20in.png", b"one", {}),
        "different_same_name": ("cap%20in.png", b"two", {}),
        "subfolder_overwrite": ("a.png", b"three", {"subfolder": "bot/x", "overwrite": "true"}),
        "traversal": ("a.png", b"four", {"subfolder": "../.."}),
        "missing_field": (None, b"", {"type": "input"}),
    }
    for case, recorded in recording("upload_image").items():
        name, content, fields = sent[case]
        data = aiohttp.FormData({**fields, "type": "input"}, quote_fields=False)
        if name is not None:
            data.add_field("image", content, filename=name)
        else:
            data.add_field("other", b"", filename="x.png")
        async with http.post("/upload/image", data=data) as answer:
            assert answer.status == recorded["status"]
            text = await answer.text()
        assert (json.loads(text) if recorded["body"] else text) == recorded["body"]


async def test_a_picture_is_served_or_refused_as_recorded(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    recorded = recording("view")
    await painted(
        server, (await submit(http, graph(), extra_data={"extra_pnginfo": {"workflow": {}}}))["prompt_id"]
    )
    async with http.get("/view", params=recorded["params"]) as answer:
        for name in ("Content-Disposition", "Content-Type"):
            assert answer.headers[name] == recorded["headers"][name]
        own = await answer.read()
    real = (RECORDINGS / "view_output.png").read_bytes()
    with Image.open(io.BytesIO(own)) as ours, Image.open(io.BytesIO(real)) as theirs:
        assert (ours.size, ours.mode, list(ours.info)) == (theirs.size, theirs.mode, list(theirs.info))
        assert json.loads(ours.info["prompt"]) == json.loads(theirs.info["prompt"])
    for refused in recorded["errors"]:
        async with http.get("/view", params=refused["params"]) as answer:
            assert (answer.status, await answer.text()) == (refused["status"], refused["body"])
    async with http.get("/queue", headers={"Origin": "http://elsewhere.example"}) as answer:
        assert answer.status == 403


async def test_pictures_have_the_size_that_the_graph_gives_them(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    prompt = graph()
    prompt["5"]["inputs"] |= {"width": 100, "height": 64, "batch_size": 2}
    prompt["20"] = {
        "class_type": "LatentUpscaleBy",
        "inputs": {"samples": ["3", 0], "upscale_method": "bilinear", "scale_by": 1.5},
    }
    sampler = dict(prompt["3"]["inputs"], latent_image=["20", 0], seed=9)
    prompt["21"] = {"class_type": "KSampler", "inputs": sampler}
    prompt["8"]["inputs"]["samples"] = ["21", 0]
    prompt["22"] = {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "2x-soft.pth"}}
    prompt["23"] = {
        "class_type": "ImageUpscaleWithModel",
        "inputs": {"upscale_model": ["22", 0], "image": ["8", 0]},
    }
    prompt["9"]["inputs"]["images"] = ["23", 0]
    await painted(server, (await submit(http, prompt))["prompt_id"])
    sizes = []
    for content in server.files.stored.values():
        with Image.open(io.BytesIO(content)) as image:
            sizes.append(image.size)
    assert sizes == [(288, 192)] * 2
    assert Shape(64, 32).sized(0, 64) == Shape(128, 64)


async def test_a_killed_server_forgets_its_queue_and_comes_back_on_its_port(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    server.fault = Fault.STALL
    await submit(http, graph(), prompt_id="stalled")
    await server.begun("stalled")
    port = server.port
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.get("/queue")
    await server.start()
    assert server.port == port
    assert await fetched(http, "/queue") == {"queue_running": [], "queue_pending": []}


@pytest.mark.parametrize("fault", [Fault.OUT_OF_MEMORY, Fault.BROKEN_NODE])
async def test_a_failing_node_is_named(server: StandInComfyUI, http: aiohttp.ClientSession, fault: Fault) -> None:
    server.fault = fault
    async with http.ws_connect(f"/ws?clientId={SID}") as socket:
        await submit(http, graph())
        told = await heard(socket)
    (error,) = (data for kind, data in told if kind == "execution_error")
    assert error["node_type"] == "KSampler"
    assert error["exception_type"] == ("torch.OutOfMemoryError" if "Memory" in fault else "RuntimeError")


async def test_messages_are_repeated_reordered_and_mixed_with_others(
    server: StandInComfyUI, http: aiohttp.ClientSession
) -> None:
    server.previews = False
    await painted(server, (await submit(http, graph(seed=99)))["prompt_id"])
    told: dict[Fault | None, list[str]] = {}
    for seed, fault in enumerate([None, Fault.REPEATED, Fault.REORDERED, Fault.FOREIGN]):
        server.fault = fault
        async with http.ws_connect(f"/ws?clientId={SID}") as socket:
            await submit(http, graph(seed=seed))
            messages = await heard(socket, 2 if fault in {Fault.REPEATED, Fault.FOREIGN} else 1)
        told[fault] = [kind for kind in kinds(messages) if kind != "status"]
    calm = told[None]
    assert told[Fault.REPEATED] == [kind for kind in calm for _ in range(2)][: len(told[Fault.REPEATED])]
    assert len(told[Fault.REPEATED]) == 2 * len(calm)
    pairs = zip(calm[::2], calm[1::2], strict=False)
    swapped = [kind for first, second in pairs for kind in (second, first)]
    assert told[Fault.REORDERED][:-1] == swapped[: len(told[Fault.REORDERED]) - 1]
    assert calm == told[Fault.FOREIGN][:1] + told[Fault.FOREIGN][8:]
    assert "execution_error" in told[Fault.FOREIGN]


@pytest.mark.parametrize(
    ("fault", "status", "history"),
    [
        (Fault.FILE_MISSING, 404, True),
        (Fault.NOT_A_PICTURE, 200, True),
        (Fault.NO_HISTORY, 200, False),
        (Fault.SILENT, 200, True),
    ],
)
async def test_what_is_missing_after_a_run_is_missing(
    server: StandInComfyUI, http: aiohttp.ClientSession, fault: Fault, status: int, history: bool
) -> None:
    server.fault, server.faults = fault, 1
    await painted(server, (await submit(http, graph(), prompt_id="own"))["prompt_id"])
    assert ("own" in await fetched(http, "/history/own")) is history
    async with http.get("/view", params=recording("view")["params"]) as answer:
        assert answer.status == status
        assert (b"PNG" in await answer.read()) is (fault in {Fault.NO_HISTORY, Fault.SILENT})


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
async def test_a_cut_tells_nothing_of_whether_the_prompt_runs(
    server: StandInComfyUI, http: aiohttp.ClientSession, fault: Fault
) -> None:
    server.fault, server.faults = fault, 1
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await submit(http, graph(), prompt_id="own")
    if fault is Fault.CUT_AFTER:
        await painted(server, "own")
    assert ("own" in await fetched(http, "/history/own")) is (fault is Fault.CUT_AFTER)
