import asyncio
import json
from typing import Any

import pytest

from bot.backends.webui import answers
from bot.backends.webui.client import WebUI
from bot.backends.webui.listings import Choice
from bot.domain.errors import (
    BackendError,
    LostError,
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
    UnreachableError,
)
from bot.domain.request import (
    Hires,
    Lora,
    Mask,
    PaintRequest,
    Script,
    Variation,
)
from tests.standins.webui import Fault, Kin, png, recording
from tests.standins.webui_pictures import encoded, other
from tests.wire.workbench import Bench, order, painted

EVERY = pytest.mark.parametrize("kin", Kin)
PICTURE = png(64, 64, 1)
IMAGES = {"source": PICTURE, "mask": png(64, 64, 2)}
TXT2IMG, IMG2IMG = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"
TALKATIVE = (Kin.A1111, Kin.FORGE, Kin.SDNEXT)
"""They tell their progress and can be interrupted."""


async def paint(client: WebUI, request: PaintRequest, task: str = "1-1") -> Any:
    answer = await client.generate(request, task=task, images=IMAGES, on_progress=lambda _: None)
    return await answer.painting()


@EVERY
async def test_every_kin_paints(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    painting = await paint(bench.client(), order(sampler="Euler a", model="random15", count=2))
    assert [picture.seed for picture in painting.pictures] == [5, 6]
    assert {(picture.width, picture.height) for picture in painting.pictures} == {(64, 64)}
    expected = "image/jpeg" if kin is Kin.SDNEXT else "image/png"
    assert {picture.media_type for picture in painting.pictures} == {expected}
    assert all(picture.infotext.startswith("a cat\nSteps: 4, ") for picture in painting.pictures)
    assert painting.notes == ()


@EVERY
async def test_every_kin_paints_over_a_masked_picture(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    request = order(init_image="source", strength=0.5, mask=Mask("mask"))
    assert len((await paint(bench.client(), request)).pictures) == 1
    (sent,) = bench.server.posts(IMG2IMG)
    assert (len(sent["init_images"]), bool(sent["mask"])) == (1, True)


@EVERY
async def test_a_hires_fix_gives_the_size_that_was_promised(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    painting = await paint(bench.client(), order(hires=Hires(1.5, strength=0.4)))
    assert [(p.width, p.height) for p in painting.pictures] == [(96, 96)]
    assert painting.notes == ()


FAULTS: list[tuple[Fault, type[BackendError]]] = [
    (Fault.CUT_BEFORE, LostError),
    (Fault.CUT_AFTER, LostError),
    (Fault.CUT_MIDWAY, LostError),
    (Fault.GATEWAY, LostError),
    (Fault.BUSY, UnreachableError),
    (Fault.OUT_OF_MEMORY, OutOfMemoryError),
    (Fault.CRASH, RejectedError),
    (Fault.INVALID, RejectedError),
    (Fault.SILENT, ProtocolError),
    (Fault.HTML, ProtocolError),
    (Fault.TRUNCATED_JSON, ProtocolError),
    (Fault.BROKEN_BASE64, ProtocolError),
    (Fault.NOT_A_PICTURE, ProtocolError),
    (Fault.NO_IMAGES, ProtocolError),
]


@EVERY
@pytest.mark.parametrize(("fault", "kind"), FAULTS)
async def test_every_kin_may_fail_and_paints_the_next_order(
    bench: Bench, kin: Kin, fault: Fault, kind: type[BackendError]
) -> None:
    bench.server.kin = kin
    client = bench.client()
    bench.server.fault, bench.server.faults = fault, 1
    with pytest.raises(kind) as caught:
        await paint(client, order())
    assert type(caught.value) is kind
    assert len(bench.server.posts(TXT2IMG)) == 1
    assert len((await paint(client, order(), "1-2")).pictures) == 1


COMMON: dict[str, PaintRequest] = {
    "txt2img": order(
        negative_prompt="dog",
        model="dreamshaper_8",
        count=2,
        sampler="Euler a",
        scheduler="Automatic",
        loras=(Lora("add-detail", 0.8),),
        vae="anime.safetensors",
        clip_skip=2,
        tiling=True,
        variation=Variation(9, 0.25),
        hires=Hires(1.5, steps=7, strength=0.6),
    ),
    "img2img": order(init_image="source", strength=0.5, mask=Mask("mask", padding=16)),
}
ALLOWED = {
    Kin.FORGE: {
        "hr_additional_modules",
        "override_settings.forge_additional_modules",
        "override_settings.sd_vae",
    },
    Kin.SDNEXT: {
        "clip_skip",
        "denoising_strength",
        "force_task_id",
        "hr_denoising_strength",
        "hr_force",
        "hr_resize_mode",
        "override_settings",
        "override_settings.CLIP_stop_at_last_layers",
        "override_settings_restore_afterwards",
        "resize_mode",
        "scheduler",
    },
}


def flat(fields: dict[str, Any]) -> dict[str, Any]:
    inside = {f"override_settings.{key}": value for key, value in fields.get("override_settings", {}).items()}
    return {**{key: value for key, value in fields.items() if not isinstance(value, dict)}, **inside}


@pytest.mark.parametrize("name", COMMON)
async def test_the_same_order_is_the_same_payload_on_all_kin_but_for_named_differences(
    bench: Bench, name: str
) -> None:
    sent: dict[Kin, dict[str, Any]] = {}
    for kin in (Kin.A1111, Kin.FORGE, Kin.SDNEXT):
        bench.server.kin, bench.server.vaes = kin, ["anime.safetensors"]
        bench.server.seen.clear()
        await paint(bench.client(), COMMON[name])
        (order_sent,) = bench.server.posts(TXT2IMG if name == "txt2img" else IMG2IMG)
        sent[kin] = flat(order_sent)
    for kin, allowed in ALLOWED.items():
        ours, theirs = sent[Kin.A1111], sent[kin]
        different = {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
        assert different <= allowed


@pytest.mark.parametrize("kin", [Kin.A1111, Kin.FORGE])
async def test_the_clip_skip_of_one_job_never_reaches_the_next(bench: Bench, kin: Kin) -> None:
    bench.server.kin = kin
    client = bench.client()
    first = await paint(client, order(clip_skip=2))
    assert "Clip skip: 2" in first.pictures[0].infotext
    await client.capabilities()
    second = await paint(client, order(), "2-1")
    assert "Clip skip" not in second.pictures[0].infotext
    third = await paint(bench.client(), order(clip_skip=1), "3-1")
    assert "Clip skip" not in third.pictures[0].infotext


async def test_what_a_preset_overrides_never_reaches_the_next_job(bench: Bench) -> None:
    client = bench.client()
    await paint(client, order(overrides={"eta_noise_seed_delta": 31337}))
    await paint(client, order(), "2-1")
    settings = [sent["override_settings"] for sent in bench.server.posts(TXT2IMG)]
    assert [each["eta_noise_seed_delta"] for each in settings] == [31337, 0]


async def test_loras_go_the_way_the_server_wants_them(bench: Bench) -> None:
    for kin in Kin:
        bench.server.kin = kin
        bench.server.seen.clear()
        await paint(bench.client(), order(prompt="a <lora:watercolour:1> cat", loras=(Lora("ADD-DETAIL", 0.5),)))
        (sent,) = bench.server.posts(TXT2IMG)
        if kin is Kin.SDCPP:
            assert "lora:" not in sent["prompt"]
            assert [item["multiplier"] for item in sent["lora"]] == [1.0, 0.5]
        else:
            assert sent["prompt"] == "a <lora:watercolour:1> cat <lora:add-detail:0.5>"


async def test_a_scheduler_is_refused_where_sampler_names_carry_it(bench: Bench) -> None:
    bench.server.kin = Kin.SDNEXT
    with pytest.raises(RejectedError, match="has no scheduler to choose"):
        await paint(bench.client(), order(sampler="Euler a", scheduler="Karras"))


async def test_names_spelled_another_way_are_found_at_sd_server(bench: Bench) -> None:
    bench.server.kin = Kin.SDCPP
    painting = await paint(bench.client(), order(sampler="Euler a", scheduler="SGM Uniform"))
    (sent,) = bench.server.posts(TXT2IMG)
    assert (sent["sampler_name"], sent["scheduler"], painting.sampler) == ("euler_a", "sgm_uniform", "euler_a")


CONTROL = "control_v11p_sd15_canny [d14c016b]"


async def test_the_maps_of_controlnet_are_no_pictures_of_ours(bench: Bench) -> None:
    bench.server.scripts = ["controlnet"]
    raw = {"controlnet": {"args": [{"model": CONTROL, "image": "eA=="}]}}
    painting = await paint(bench.client(), order(count=2, extra={"alwayson_scripts": raw}))
    assert [picture.seed for picture in painting.pictures] == [5, 6]


async def test_the_grid_of_a_script_is_its_picture(bench: Bench) -> None:
    bench.server.fault = Fault.GRID
    painting = await paint(bench.client(), order(script=Script("x/y/z plot")))
    assert [(p.width, p.height) for p in painting.pictures] == [(128, 128)]
    assert painting.notes == ()


async def test_a_server_that_becomes_another_is_spoken_to_as_such(bench: Bench) -> None:
    client = bench.client()
    await paint(client, order())
    bench.server.kin = Kin.SDCPP
    await client.capabilities()
    await paint(client, order(count=2), "2-1")
    sent = bench.server.posts(TXT2IMG)[1]
    assert (sent["batch_size"], "override_settings" in sent) == (2, False)


@pytest.mark.parametrize("kin", TALKATIVE)
async def test_cancelling_interrupts_every_kin_that_can_be(bench: Bench, kin: Kin) -> None:
    bench.server.kin, bench.server.step_s = kin, 0.02
    client = bench.client()
    await client.capabilities()
    job = asyncio.create_task(paint(client, order(steps=500)))
    while bench.server.running is None or bench.server.running.step < 10:  # noqa: ASYNC110 - tests may poll
        await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert len(bench.server.posts("/sdapi/v1/interrupt")) == 1


async def test_a_server_without_progress_is_waited_for_and_not_interrupted(bench: Bench) -> None:
    bench.server.kin, bench.server.step_s = Kin.SDCPP, 0.02
    client = bench.client()
    await client.capabilities()
    painting, told = await painted(client, order(steps=30))
    assert (len(painting.pictures), told) == (1, [])
    looks = [seen for seen in bench.server.seen if "progress" in seen.path]
    assert len(looks) <= 3
    job = asyncio.create_task(paint(client, order(steps=60), "2-1"))
    await asyncio.sleep(0.2)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert bench.server.posts("/sdapi/v1/interrupt") == []


@pytest.mark.parametrize("kin", TALKATIVE)
async def test_a_job_that_somebody_else_interrupts_is_no_result(bench: Bench, kin: Kin) -> None:
    bench.server.kin, bench.server.step_s = kin, 0.02
    client = bench.client()
    await client.capabilities()
    job = asyncio.create_task(paint(client, order(steps=500)))
    while bench.server.running is None or bench.server.running.step < 10:  # noqa: ASYNC110 - tests may poll
        await asyncio.sleep(0.01)
    running, bench.server.step_s = bench.server.running, 0.3
    step = running.step
    while running.step == step:  # noqa: ASYNC110 - the next step takes long enough to be seen
        await asyncio.sleep(0.005)
    running.interrupted = True
    with pytest.raises(RejectedError, match="stopped at webui-1 before it was done"):
        await job


SDCPP_RECIPE = (
    "a cat\nNegative prompt: dog\nSteps: 2, CFG scale: 7.000000, Guidance: 3.500000, Eta: inf, Seed: {}, "
    "Size: 64x64, Model: random15.safetensors, RNG: cuda, Sampler: euler_a, Version: stable-diffusion.cpp, "
    'SDCPP: {{"auto_resize_ref_image":true,"clip_skip":-1,"seed":6}}'
)


def with_pictures(recorded: dict[str, Any], kin: Kin) -> bytearray:
    """Put pictures where the recording left them out."""

    def picture(i: int) -> bytes:
        if kin is Kin.SDNEXT:
            return other("JPEG", 64, 64, i)
        return png(64, 64, i, SDCPP_RECIPE.format(5 + i) if kin is Kin.SDCPP else "")

    images = [encoded(picture(i)) for i, _ in enumerate(recorded["images"])]
    return bytearray(json.dumps(recorded | {"images": images}).encode())


RECORDED = [*((kin, "txt2img") for kin in Kin), *((kin, "txt2img_batch2_niter2") for kin in TALKATIVE)]


@pytest.mark.parametrize(("kin", "name"), RECORDED)
def test_recorded_answers_of_every_kin_are_read(kin: Kin, name: str) -> None:
    raw = with_pictures(recording(name, kin)["body"], kin)
    count = 4 if "batch2" in name else 2 if kin is Kin.SDCPP else 1
    painting = answers.painting("webui-1", raw, order(count=count), Choice("random15", "Euler a", None), 1.0)
    assert [picture.seed for picture in painting.pictures] == [5, 6, 7, 8][:count]
    assert painting.pictures[0].infotext.startswith("a cat\nNegative prompt: dog")
    assert painting.notes == ()
