"""The stand-in answers as the recorded servers did."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.standins.webui import Kin, StandInWebUI, png, recording
from tests.standins.webui_kin import RECORDINGS
from tests.standins.webui_pictures import encoded, size, told

PICTURE = encoded(png(64, 64, 1, "a cat\nSteps: 2, Sampler: Euler a, Seed: 5"))
TXT2IMG, IMG2IMG = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"
ORDER = {"prompt": "a cat", "width": 64, "height": 64, "steps": 2, "seed": 5}
CASES = [
    (kin, path.stem)
    for kin in Kin
    for path in sorted((RECORDINGS / kin).glob("*.json"))
    if "method" in path.read_text() and not path.stem.startswith(("auth_", "internal_progress_completed"))
]


def filled(content: Any) -> Any:
    """Put a picture where the recording left one out."""
    if isinstance(content, dict):
        return {key: filled(value) for key, value in content.items()}
    if isinstance(content, list):
        return [filled(value) for value in content]
    return PICTURE if content == "<picture>" else content


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


def differences(ours: Any, recorded: Any, where: str = "") -> list[str]:
    """Tell where keys or types are others; ``None`` may stand for anything, a list for a longer one."""
    if ours is None or recorded is None:
        return []
    if kind(ours) != kind(recorded):
        return [f"{where}: {kind(ours)}, not {kind(recorded)}"]
    if isinstance(ours, dict):
        found = [f"{where}.{key}: in one only" for key in ours.keys() ^ recorded.keys()]
        return found + [
            d
            for key in ours.keys() & recorded.keys()
            for d in differences(ours[key], recorded[key], f"{where}.{key}")
        ]
    if isinstance(ours, list) and recorded:
        best = [min((differences(item, other, f"{where}[]") for other in recorded), key=len) for item in ours]
        return [difference for found in best for difference in found]
    return []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
        yield session


async def paint(http: aiohttp.ClientSession, server: StandInWebUI, path: str = TXT2IMG, **changes: Any) -> Any:
    async with http.post(server.url + path, json=ORDER | changes) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(("kin", "name"), CASES, ids=[f"{kin.name}-{name}" for kin, name in CASES])
async def test_it_answers_as_recorded(http: aiohttp.ClientSession, kin: Kin, name: str) -> None:
    recorded = recording(name, kin)
    body = b"{nope" if name == "error_bad_json" else None
    if "json" in recorded:
        body = json.dumps(filled(recorded["json"])).encode()
    async with StandInWebUI(kin=kin) as server:
        async with http.request(recorded["method"], server.url + recorded["path"], data=body) as response:
            text = await response.text()
        assert response.status == recorded["status"]
        if not recorded["body"] and not text:
            return
        assert response.content_type == recorded["content_type"]
        ours = json.loads(text)
    assert differences(ours, recorded["body"]) == []
    if recorded["status"] == 200 and isinstance(ours, dict) and "images" in ours:
        assert len(ours["images"]) == len(recorded["body"]["images"])
        told, expected = (json.loads(answer["info"] or "{}") for answer in (ours, recorded["body"]))
        told.pop("extra_generation_params", None)
        expected.pop("extra_generation_params", None)
        assert differences(told, expected) == []
        for key in ("all_seeds", "width", "height", "sampler_name", "steps", "batch_size"):
            assert told.get(key) == expected.get(key)
    elif recorded["status"] >= 400 and "validation" not in name and name != "get_schedulers":
        assert ours == recorded["body"]


@pytest.mark.parametrize(
    ("kin", "changes", "expected"),
    [
        (Kin.A1111, {}, (128, 128)),
        (Kin.A1111, {"hr_resize_x": 96, "hr_resize_y": 160}, (96, 160)),
        (Kin.FORGE, {"hr_additional_modules": ["Use same choices"]}, (128, 128)),
        (Kin.SDNEXT, {"hr_resize_mode": 1}, (128, 128)),
        (Kin.SDNEXT, {}, (64, 64)),
    ],
)
async def test_hires_fix_is_told_by_the_picture_only(
    http: aiohttp.ClientSession, kin: Kin, changes: dict[str, Any], expected: tuple[int, int]
) -> None:
    async with StandInWebUI(kin=kin) as server:
        status, answer = await paint(http, server, enable_hr=True, hr_scale=2, **changes)
    assert (status, size(b64decode(answer["images"][0]))) == (200, expected)
    assert json.loads(answer["info"])["width"] == 64


@pytest.mark.parametrize(
    ("kin", "start"), [(Kin.A1111, b"\x89PNG"), (Kin.SDNEXT, b"\xff\xd8\xff"), (Kin.SDCPP, b"\x89PNG")]
)
async def test_every_picture_carries_its_seed(http: aiohttp.ClientSession, kin: Kin, start: bytes) -> None:
    async with StandInWebUI(kin=kin) as server:
        _, answer = await paint(http, server, seed=-1, batch_size=2)
    first, second = (b64decode(image) for image in answer["images"])
    assert first.startswith(start)
    assert "Seed: 1000000, " in told(first)
    assert "Seed: 1000001, " in told(second)


@pytest.mark.parametrize(
    ("changes", "maps"), [({}, 1), ({"save_detected_map": False}, 0), ({"enabled": False}, 0)]
)
async def test_detected_maps_come_after_the_pictures(
    http: aiohttp.ClientSession, changes: dict[str, Any], maps: int
) -> None:
    unit = {"module": "canny", "model": "control_v11p_sd15_canny", "image": PICTURE} | changes
    async with StandInWebUI() as server:
        status, _ = await paint(http, server, alwayson_scripts={"ControlNet": {"args": [unit]}})
        assert status == 422
        server.scripts = ["controlnet"]
        _, answer = await paint(http, server, n_iter=2, alwayson_scripts={"ControlNet": {"args": [unit]}})
        unit |= {"model": "nope", "enabled": True}
        assert (await paint(http, server, alwayson_scripts={"controlnet": {"args": [unit]}}))[0] == 500
    assert len(answer["images"]) == 2 + maps
    assert len(json.loads(answer["info"])["infotexts"]) == 2


async def test_an_option_that_was_never_saved_leaks_into_later_requests(http: aiohttp.ClientSession) -> None:
    async with StandInWebUI() as server:
        wanted = {"sd_model_checkpoint": "dreamshaper_8", "CLIP_stop_at_last_layers": 2}
        await paint(http, server, override_settings=wanted)
        assert server.leaked == {"CLIP_stop_at_last_layers": 2}
        _, later = await paint(http, server)
        assert "Model: random15, Clip skip: 2" in json.loads(later["info"])["infotexts"][0]
        async with http.post(f"{server.url}/sdapi/v1/options", json={"sd_vae": "Automatic"}) as response:
            assert await response.json() is None
        assert server.leaked == {}
        await paint(http, server, override_settings={"CLIP_stop_at_last_layers": 1})
        assert server.options["CLIP_stop_at_last_layers"] == 2


async def test_forge_hangs_up_after_a_crash_and_says_nothing_of_it(http: aiohttp.ClientSession) -> None:
    connections = []
    for kin in (Kin.A1111, Kin.FORGE):
        async with StandInWebUI(kin=kin) as server:
            ports = set()
            for steps in (0, 1):
                async with http.post(server.url + TXT2IMG, json=ORDER | {"steps": steps}) as response:
                    assert "Connection" not in response.headers
                    await response.read()
                await asyncio.sleep(0.02)
                ports.add(server.seen[-1].port)
            connections.append(len(ports))
    assert connections == [1, 2]


async def test_what_failed_before_its_turn_stays_among_the_pending(http: aiohttp.ClientSession) -> None:
    async with StandInWebUI(kin=Kin.FORGE) as server:
        await paint(http, server, IMG2IMG, init_images=["!!!"], force_task_id="9-1")
        async with http.get(f"{server.url}/internal/pending-tasks") as response:
            assert await response.json() == {"size": 1, "tasks": ["9-1"]}


@pytest.mark.parametrize(
    ("kin", "skip", "pictures"), [(Kin.A1111, False, 1), (Kin.A1111, True, 2), (Kin.SDNEXT, True, 0)]
)
async def test_an_interrupted_job_gives_what_it_had_begun(
    http: aiohttp.ClientSession, kin: Kin, skip: bool, pictures: int
) -> None:
    async with StandInWebUI(kin=kin, step_s=0.005) as server:
        job = asyncio.create_task(paint(http, server, n_iter=3, steps=200, force_task_id="1-1"))
        await server.begun("1-1")
        for path in ["skip", "interrupt"] if skip else ["interrupt"]:
            async with http.post(f"{server.url}/sdapi/v1/{path}") as response:
                assert response.status == (204 if kin is Kin.SDNEXT else 200)
            await asyncio.sleep(0.05)
        status, answer = await job
    assert (status, len(answer["images"])) == (200, pictures)


async def test_two_lists_tell_what_the_extensions_are(http: aiohttp.ClientSession) -> None:
    async with StandInWebUI() as server:
        server.scripts, server.rembg = ["ReActor", "controlnet"], True

        async def get(path: str) -> Any:
            async with http.get(server.url + path) as response:
                return await response.json()

        assert {"reactor", "controlnet"} <= set((await get("/sdapi/v1/scripts"))["txt2img"])
        lengths = {entry["name"]: len(entry["args"]) for entry in await get("/sdapi/v1/script-info")}
        assert lengths == {"reactor": 24, "controlnet": 3}
        types = (await get("/controlnet/control_types"))["control_types"]
        assert types["Canny"]["default_model"] == "control_v11p_sd15_canny [d14c016b]"
        assert "/rembg" in (await get("/openapi.json"))["paths"]
        server.auth = ("easel", "secret")
        cut = {"input_image": PICTURE, "model": "u2net"}
        async with http.post(f"{server.url}/rembg", json=cut) as response:
            assert size(b64decode((await response.json())["image"])) == (64, 64)
        assert (await get("/sdapi/v1/scripts"))["detail"] == "Not authenticated"


async def test_an_upscaled_picture_has_the_size_that_was_asked(http: aiohttp.ClientSession) -> None:
    url = "/sdapi/v1/extra-single-image"
    by = {"image": PICTURE, "upscaling_resize": 1.5, "upscaler_1": "Lanczos", "upscaler_2": "Nearest"}
    to = by | {"resize_mode": 1, "upscaling_resize_w": 100, "upscaling_resize_h": 40}
    async with StandInWebUI() as server:
        for asked, expected in ((by, (96, 96)), (to, (100, 40))):
            async with http.post(server.url + url, json=asked) as response:
                assert size(b64decode((await response.json())["image"])) == expected


@pytest.mark.parametrize(
    ("name", "login"), [("auth_missing", None), ("auth_wrong", "bot:wrong"), (None, "bot:secret")]
)
async def test_a_stranger_is_turned_away_as_recorded(
    http: aiohttp.ClientSession, name: str | None, login: str | None
) -> None:
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
    async with StandInWebUI() as server:
        server.auth = ("bot", "secret")
        async with http.get(f"{server.url}/sdapi/v1/samplers", headers=headers) as response:
            recorded = recording(name or "get_samplers")
            assert (response.status, await response.json()) == (recorded["status"], recorded["body"])


async def test_it_can_become_another_server_while_it_runs(http: aiohttp.ClientSession) -> None:
    async with StandInWebUI() as server:
        for kin, path in ((Kin.SDNEXT, "/sdapi/v1/version"), (Kin.FORGE, "/sdapi/v1/sd-modules")):
            statuses = []
            for playing in (Kin.A1111, kin):
                server.kin = playing
                async with http.get(server.url + path) as response:
                    statuses.append(response.status)
            assert statuses == [404, 200]
        assert server.has_script("ControlNet")


def test_recordings_are_small() -> None:
    large = {
        path.name for kin in Kin for path in Path(RECORDINGS / kin).glob("*.json") if path.stat().st_size > 8000
    }
    assert large <= {"txt2img.json"}
