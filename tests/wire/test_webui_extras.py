import asyncio
import json
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from syrupy.assertion import SnapshotAssertion

from bot.backends.decoding import split_one
from bot.domain.capability import Feature, Listing
from bot.domain.errors import BackendTimeoutError, ProtocolError, RejectedError
from bot.domain.request import UpscaleRequest
from bot.imaging import pngtext
from tests.standins.webui import Fault, Kin, png
from tests.wire.workbench import QUICK, Bench, order, painted

RECIPE = "a cat\nSteps: 4, Sampler: Euler a, Seed: 5, Size: 64x48"
PICTURE = png(64, 48, 5, RECIPE)
UPSCALE = "/sdapi/v1/extra-single-image"


def last(bench: Bench, path: str) -> Any:
    """The last body sent to ``path``: the probe of what is there comes before it."""
    return bench.server.posts(path)[-1]


@pytest.mark.parametrize("kin", [Kin.A1111, Kin.FORGE])
async def test_a_picture_is_enlarged_and_keeps_its_recipe(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    larger = await bench.client().upscale(UpscaleRequest("Lanczos", 2.5), PICTURE, task="1-1")
    assert (larger.width, larger.height, larger.media_type, larger.seed) == (160, 120, "image/png", 5)
    assert larger.infotext == pngtext.read(larger.data) == RECIPE


async def test_an_upscaling_says_all_that_was_asked(bench: Bench, snapshot: SnapshotAssertion) -> None:
    request = UpscaleRequest("Lanczos", 2.0, "Nearest", 0.3, 0.5, 0.7, 0.2)
    await bench.client().upscale(request, PICTURE, task="1-1")
    assert last(bench, UPSCALE) | {"image": "…"} == snapshot


@pytest.mark.parametrize("kin", [Kin.SDNEXT, Kin.SDCPP])
async def test_a_server_that_cannot_enlarge_says_so(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    client = bench.client()
    found = await client.capabilities()
    assert Feature.UPSCALE not in found.features
    assert Listing.UPSCALERS not in found.listings
    with pytest.raises(RejectedError, match="webui-1 does not have upscaling"):
        await client.upscale(UpscaleRequest("Lanczos"), PICTURE, task="1-1")


@pytest.mark.parametrize("request_", [UpscaleRequest("Lancos"), UpscaleRequest("Nearest", second="Lancos")])
async def test_an_unknown_upscaler_is_refused_with_the_nearest(bench: Bench, request_: UpscaleRequest) -> None:
    with pytest.raises(RejectedError, match=r"no upscaler “Lancos”\. The nearest is “Lanczos”"):
        await bench.client().upscale(request_, PICTURE, task="1-1")


@pytest.mark.parametrize("answer", [b"{}", b'{"image": "AAAA"}', b'{"image": "A', b'{"image": "%%%%"}'])
async def test_an_upscaling_without_a_picture_is_an_unreadable_answer(bench: Bench, answer: bytes) -> None:
    bench.server.replay[UPSCALE] = (200, answer)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await bench.client().upscale(UpscaleRequest("Lanczos"), PICTURE, task="1-1")


def test_one_picture_is_cut_out_of_an_answer() -> None:
    text = b64encode(bytes(range(256)) * 5000).decode()
    body = bytearray(json.dumps({"html_info": 'x "image": "no"', "image": text, "after": 1}).encode())
    data, rest = split_one(body)
    assert data == bytes(range(256)) * 5000
    assert rest == {"html_info": 'x "image": "no"', "image": "", "after": 1}


@pytest.mark.parametrize(("model", "words"), [(None, "a cat"), ("deepdanbooru", "cat, no humans")])
async def test_a_picture_is_described(bench: Bench, model: str | None, words: str) -> None:
    assert await bench.client().interrogate(PICTURE, model) == words


@pytest.mark.parametrize("kin", [Kin.SDNEXT, Kin.SDCPP])
async def test_a_server_that_cannot_describe_says_so(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    with pytest.raises(RejectedError, match="does not have describing pictures"):
        await bench.client().interrogate(PICTURE)


async def test_an_unknown_interrogator_is_refused(bench: Bench) -> None:
    with pytest.raises(RejectedError, match="has no interrogator “blip”"):
        await bench.client().interrogate(PICTURE, "blip")


async def test_a_background_is_cut_away_where_rembg_is_installed(bench: Bench) -> None:
    client = bench.client()
    with pytest.raises(RejectedError, match="does not have background removal"):
        await client.cut_out(PICTURE)
    bench.server.rembg = True
    cut = await client.cut_out(PICTURE, "isnet-anime")
    assert last(bench, "/rembg")["model"] == "isnet-anime"
    assert Image.open(BytesIO(cut.data)).mode == "RGBA"
    assert (cut.media_type, cut.infotext) == ("image/png", RECIPE)
    with pytest.raises(RejectedError, match="has no cutter"):
        await client.cut_out(PICTURE, "scissors")


@pytest.mark.parametrize("kin", Kin)
async def test_new_files_are_found_after_a_refresh(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    client = bench.client()
    await client.capabilities()
    bench.server.loras.append("brand-new")
    await client.refresh()
    refreshed = {seen.path for seen in bench.server.seen if "refresh" in seen.path}
    assert f"/sdapi/v1/refresh-{'loras' if kin is not Kin.SDCPP else 'checkpoints'}" in refreshed
    assert "brand-new" in (await client.capabilities()).listings[Listing.LORAS]


async def test_an_admin_may_change_the_servers_own_settings(bench: Bench) -> None:
    client = bench.client()
    await client.set_options({"CLIP_stop_at_last_layers": 2, "sd_model_checkpoint": "dreamshaper_8"})
    assert (await client.options())["CLIP_stop_at_last_layers"] == 2
    painting, _ = await painted(client, order())
    assert painting.model == "dreamshaper_8"
    assert "Clip skip: 2" in painting.pictures[0].infotext


@pytest.mark.parametrize("kin", [Kin.A1111, Kin.SDNEXT])
async def test_a_setting_or_a_model_the_server_lacks_is_never_sent(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    client = bench.client()
    with pytest.raises(RejectedError, match="has no model “nope”"):
        await client.set_options({"sd_model_checkpoint": "nope"})
    with pytest.raises(RejectedError, match="webui-1 refused: no_such_key"):
        await client.set_options({"no_such_key": 1})
    assert bench.server.posts("/sdapi/v1/options") == []


async def test_secrets_among_the_settings_are_not_told(bench: Bench) -> None:
    bench.server.options |= {"civitai_token": "abc", "api_key": "def"}
    found = await bench.client().options()
    assert "samples_format" in found
    assert not {"civitai_token", "api_key"} & found.keys()


async def test_settings_that_are_none_are_an_unreadable_answer(bench: Bench) -> None:
    bench.server.replay["/sdapi/v1/options"] = (200, b"[]")
    with pytest.raises(ProtocolError, match="cannot be read"):
        await bench.client().options()


async def test_only_our_own_picture_is_skipped(bench: Bench) -> None:
    bench.server.step_s = 0.02
    client = bench.client()
    job = asyncio.create_task(painted(client, order(steps=200, count=2)))
    await bench.server.begun("1-1")
    await client.skip("2-1")
    assert bench.server.posts("/sdapi/v1/skip") == []
    await client.skip("1-1")
    assert len(bench.server.posts("/sdapi/v1/skip")) == 1
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_hung_lists_hold_up_nothing(bench: Bench) -> None:
    bench.server.scripts = ["controlnet"]
    client = bench.client(replace(QUICK, get_s=0.6))
    before = await client.capabilities()
    bench.server.hung = ("/controlnet/model_list", "/sdapi/v1/upscalers", "/sdapi/v1/scripts")
    assert await client.capabilities() == before
    bench.server.hung = ("/sdapi/v1/upscalers",)
    found = await bench.client(replace(QUICK, get_s=0.6)).capabilities()
    assert Listing.UPSCALERS not in found.listings
    assert Listing.LORAS in found.listings


async def test_an_upscaling_that_never_ends_is_given_up(bench: Bench) -> None:
    client = bench.client(replace(QUICK, total_s=0.3))
    await client.capabilities()
    bench.server.hung = (UPSCALE,)
    with pytest.raises(BackendTimeoutError, match="did not finish within"):
        await client.upscale(UpscaleRequest("Lanczos"), PICTURE, task="1-1")


async def test_what_cannot_be_reached_in_time_is_left_where_it_is(bench: Bench) -> None:
    bench.server.fault = Fault.HANG
    client = bench.client(replace(QUICK, interrupt_s=0.1))
    await client.skip("1-1")
    assert bench.server.posts("/sdapi/v1/skip") == []
