import asyncio
import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from syrupy.assertion import SnapshotAssertion

from bot.backends.comfyui import answers
from bot.domain.capability import Feature, Listing
from bot.domain.errors import RejectedError
from bot.domain.ports import Progress
from bot.domain.request import (
    Control,
    ControlMode,
    Hires,
    Lora,
    Mask,
    MaskFill,
    Refiner,
    Resize,
    UpscaleRequest,
)
from bot.imaging import pngtext
from bot.imaging.preview import MAX_SIDE
from bot.imaging.sniffing import sniff
from tests.standins.webui_pictures import png
from tests.wire.comfybench import ComfyBench, drawn, script
from tests.wire.workbench import order

SOURCE, MASK, POSE = png(96, 64, 1), png(96, 64, 2), png(40, 40, 3)


async def test_a_picture_comes_back_with_the_infotext_beside_the_servers_own_text(comfy: ComfyBench) -> None:
    painting, _ = await drawn(comfy.client(), order(sampler="Euler a", scheduler="Karras", model="random15"))
    (picture,) = painting.pictures
    assert (picture.media_type, picture.width, picture.height, picture.seed) == ("image/png", 64, 64, 5)
    assert picture.infotext.startswith("a cat\nSteps: 4, Sampler: Euler a, Schedule type: Karras")
    assert pngtext.read(picture.data) == picture.infotext
    assert b"tEXtprompt" in picture.data
    assert (painting.model, painting.sampler, painting.scheduler) == ("random15", "Euler a", "Karras")
    assert painting.notes == ()


ORDERS: dict[str, dict[str, Any]] = {
    "txt2img": {},
    "several": {"count": 3, "save_images": True},
    "names": {
        "model": "randomsmall",
        "sampler": "DPM++ 2M SDE",
        "scheduler": "Karras",
        "vae": "clear.safetensors",
    },
    "loras": {"prompt": "a cat <lora:add-detail:0.5>", "loras": (Lora("watercolour", 0.8),), "clip_skip": 2},
    "img2img": {"init_image": "source", "strength": 0.4},
    "inpaint": {"init_image": "source", "strength": 0.6, "mask": Mask("mask")},
    "inpaint_padded": {
        "init_image": "source",
        "strength": 0.6,
        "mask": Mask("part", padding=4, fill=MaskFill.NOTHING),
    },
    "hires_latent": {"hires": Hires(1.5, "Latent (bicubic)", steps=3, strength=0.6)},
    "hires_plain": {"hires": Hires(2.0, "Lanczos")},
    "hires_model": {"hires": Hires(1.7, "4x-sharp"), "count": 2},
    "refiner": {"steps": 10, "refiner": Refiner("randomsmall", 0.8)},
    "refiner_img2img": {"init_image": "source", "strength": 0.5, "refiner": Refiner("randomsmall", 0.5)},
    "control": {
        "controls": (
            Control("pose", "depth", start=0.1, end=0.9),
            Control("source", "canny", module="dw_openpose_full", weight=0.6),
        )
    },
}


def part_masked() -> bytes:
    """Return a mask that is white in a corner of 16 × 16 px only."""
    image, out = Image.new("RGB", (64, 64)), BytesIO()
    image.paste((255, 255, 255), (0, 0, 16, 16))
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("name", ORDERS)
async def test_each_kind_of_order_has_its_graph(comfy: ComfyBench, name: str, snapshot: SnapshotAssertion) -> None:
    request = order(**ORDERS[name])
    painting, _ = await drawn(comfy.client(), request, source=SOURCE, mask=MASK, pose=POSE, part=part_masked())
    assert [picture.seed for picture in painting.pictures] == list(request.seeds())
    assert {(picture.width, picture.height) for picture in painting.pictures} == {request.final_size}
    assert painting.notes == ()
    assert script(comfy.sent()) == snapshot


async def test_each_picture_has_a_sampler_with_its_own_seed_and_shares_the_model(comfy: ComfyBench) -> None:
    painting, _ = await drawn(comfy.client(), order(count=3))
    kinds = [node["class_type"] for node in comfy.sent().values()]
    assert (kinds.count("KSampler"), kinds.count("CheckpointLoaderSimple")) == (3, 1)
    alone, _ = await drawn(comfy.client(), order(seed=6), task="2-1")
    again = painting.pictures[1]
    assert sniff(again.data) == sniff(alone.pictures[0].data)
    assert again.seed == alone.pictures[0].seed == 6


async def test_both_spellings_of_choices_and_names_are_understood(comfy: ComfyBench) -> None:
    comfy.server.combos = True
    for sampler, scheduler in (("DPM++ 2M", "Karras"), ("dpmpp_2m", "karras"), ("dpm++ 2m karras", None)):
        await drawn(comfy.client(), order(sampler=sampler, scheduler=scheduler))
        (node,) = (node for node in comfy.sent().values() if node["class_type"] == "KSampler")
        assert (node["inputs"]["sampler_name"], node["inputs"]["scheduler"]) == ("dpmpp_2m", "karras")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampler": "DPM+ 2M"}, "comfy-1 has no sampler “DPM+ 2M”. The nearest is “DPM++ 2M”"),
        ({"model": "random51"}, "has no model “random51”. The nearest is “random15”"),
        ({"scheduler": "Carras"}, "has no scheduler “Carras”. The nearest is “Karras”"),
        ({"loras": (Lora("add"),)}, "has no lora “add”. The nearest is “add-detail”"),
        ({"prompt": "x <lora:addetail:1>"}, "has no lora “addetail”"),
        ({"styles": ("anime",)}, "has no style to choose"),
        ({"tiling": True}, "comfy-1 does not have tiling"),
        ({"hires": Hires(2, "R-ESRGAN")}, "has no upscaler “R-ESRGAN”"),
    ],
)
async def test_what_the_server_does_not_have_is_refused_before_anything_is_sent(
    comfy: ComfyBench, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(RejectedError, match="comfy-1") as caught:
        await drawn(comfy.client(), order(**changes))
    assert words in str(caught.value)
    assert comfy.server.posts("/prompt") == comfy.server.posts("/upload/image") == []


async def test_a_model_that_came_in_the_meantime_is_found(comfy: ComfyBench) -> None:
    client = comfy.client()
    await client.capabilities()
    comfy.server.checkpoints.append("new/one.safetensors")
    painting, _ = await drawn(client, order(model="new_one"))
    assert (painting.model, comfy.sent()["1"]["inputs"]["ckpt_name"]) == ("new_one", "new/one.safetensors")
    assert (await client.capabilities()).loaded_model == "new_one"


async def test_listings_are_the_names_people_know(comfy: ComfyBench, snapshot: SnapshotAssertion) -> None:
    comfy.server.loras = ["styles/ink.safetensors", "old/ink.safetensors", "add-detail.safetensors"]
    comfy.server.checkpoints = ["random15.safetensors", "sdxl\\base.ckpt"]
    found = await comfy.client().capabilities()
    assert {listing.value: names for listing, names in found.listings.items()} == snapshot
    assert (found.kin, dict(found.facts)) == ("ComfyUI 0.3.64", {"pytorch": "2.13.0+cpu", "device": "cpu, 24 GiB"})


async def test_only_what_its_nodes_are_enough_for_is_offered(comfy: ComfyBench) -> None:
    found = await comfy.client().capabilities()
    assert found.features == {
        Feature.IMG2IMG,
        Feature.INPAINT,
        Feature.HIRES,
        Feature.HIRES_IMG2IMG,
        Feature.REFINER,
        Feature.CLIP_SKIP,
        Feature.CONTROL,
        Feature.UPSCALE,
    }
    assert found.listings[Listing.CONTROL_MODULES] == ("canny", "dw_openpose_full")
    comfy.server.extra_nodes, comfy.server.controlnets = {}, []
    found = await comfy.client().capabilities()
    assert not {Feature.INPAINT, Feature.CONTROL} & found.features
    assert found.listings[Listing.CONTROL_MODULES] == ()


async def test_embeddings_are_marked_as_comfyui_wants_them(comfy: ComfyBench) -> None:
    await drawn(comfy.client(), order(negative_prompt="(EasyNegative:1.2), easynegative-x"))
    texts = [n["inputs"]["text"] for n in comfy.sent().values() if n["class_type"] == "CLIPTextEncode"]
    assert texts == ["a cat", "(embedding:EasyNegative:1.2), easynegative-x"]


async def test_pictures_are_uploaded_once_in_the_size_that_is_painted(comfy: ComfyBench) -> None:
    request = order(init_image="source", strength=0.5, resize=Resize.FILL)
    await drawn(comfy.client(), request, source=SOURCE)
    await drawn(comfy.client(), request, task="2-1", source=SOURCE)
    ((kind, _, _), content), *others = (
        item for item in comfy.server.files.stored.items() if item[0][0] != "output"
    )
    sniffed = sniff(content)
    assert sniffed is not None
    assert (kind, sniffed.width, sniffed.height) == ("temp", 64, 64)
    assert all(key[2].startswith("ComfyUI_temp") for key, _ in others)


async def test_the_server_keeps_pictures_only_if_it_shall(comfy: ComfyBench) -> None:
    await drawn(comfy.client(), order())
    assert {kind for kind, _, _ in comfy.server.files.stored} == {"temp"}
    await drawn(comfy.client(), order(save_images=True), task="2-1")
    assert ("output", "", "easel_00001_.png") in comfy.server.files.stored


async def test_an_identical_order_is_answered_from_the_servers_cache(comfy: ComfyBench) -> None:
    client = comfy.client()
    first, _ = await drawn(client, order())
    second, _ = await drawn(client, order(), task="2-1")
    assert first.pictures == second.pictures
    assert len(comfy.server.files.stored) == 1


@pytest.mark.parametrize("old", [False, True])
async def test_progress_grows_over_all_samplers_and_shows_previews(comfy: ComfyBench, old: bool) -> None:
    comfy.server.step_s, comfy.server.old = 0.08, old
    _, told = await drawn(comfy.client(), order(count=2, hires=Hires(steps=2)))
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.3
    assert 0.7 < fractions[-1] < 1
    assert {progress.steps for progress in told} == {12}
    assert any(progress.eta_s for progress in told)
    (sniffed, *_) = [sniff(progress.preview) for progress in told if progress.preview]
    assert sniffed is not None
    assert max(sniffed.width, sniffed.height) <= MAX_SIDE


async def test_two_jobs_at_once_share_one_socket_and_get_their_own_pictures(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.01
    client = comfy.client()
    async with asyncio.TaskGroup() as group:
        jobs = [group.create_task(drawn(client, order(seed=seed), task=f"{seed}-1")) for seed in (1, 2, 3)]
    assert [job.result()[0].pictures[0].seed for job in jobs] == [1, 2, 3]
    assert len({job.result()[0].pictures[0].data for job in jobs}) == 3
    assert comfy.server.sockets.opened == 1


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        (UpscaleRequest("4x-sharp", 2.0), (80, 80)),
        (UpscaleRequest("Lanczos", 1.5), (60, 60)),
        (UpscaleRequest("4x-sharp", 3.0, second="2x-soft", second_share=0.3), (120, 120)),
    ],
)
async def test_upscaling_ends_at_exactly_the_size(
    comfy: ComfyBench, request_: UpscaleRequest, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    source = pngtext.write(POSE, "a cat\nSteps: 4, Seed: 9, Size: 40x40")
    larger = await comfy.client().upscale(request_, source, task="u-1")
    assert (larger.width, larger.height, larger.seed) == (*size, 9)
    assert larger.infotext == pngtext.read(larger.data) == pngtext.read(source)
    assert script(comfy.sent()) == snapshot


async def test_upscaling_tells_how_far_it_is(comfy: ComfyBench) -> None:
    comfy.server.step_s = 0.3
    told: list[Progress] = []
    request = UpscaleRequest("4x-sharp", 3.0, second="2x-soft")
    await comfy.client().upscale(request, POSE, task="u-1", on_progress=told.append)
    assert any(0 < progress.fraction < 1 for progress in told)
    assert not any(progress.steps for progress in told)


async def test_upscaling_refuses_what_it_cannot(comfy: ComfyBench) -> None:
    client = comfy.client()
    for request in (UpscaleRequest("8x"), UpscaleRequest("Lanczos", gfpgan=0.5)):
        with pytest.raises(RejectedError):
            await client.upscale(request, POSE, task="u-1")
    for call in (client.interrogate(POSE), client.cut_out(POSE)):
        with pytest.raises(RejectedError, match="comfy-1 does not have"):
            await call


async def test_a_control_mode_that_comfyui_lacks_is_told(comfy: ComfyBench) -> None:
    control = Control("pose", "depth", mode=ControlMode.PROMPT)
    painting, _ = await drawn(comfy.client(), order(controls=(control,)), pose=POSE)
    assert painting.notes == (answers.NO_MODES,)


async def test_our_id_is_the_prompts_and_nobody_elses(comfy: ComfyBench) -> None:
    client = comfy.client()
    await drawn(client, order())
    await drawn(client, order(prompt="a dog"))
    first, second = comfy.server.posts("/prompt")
    assert first["prompt_id"] != second["prompt_id"]
    assert first["client_id"] == second["client_id"]
    assert "cat" not in json.dumps(first["extra_data"])


async def test_a_server_that_chooses_the_ids_itself_paints_as_well(comfy: ComfyBench) -> None:
    comfy.server.own_ids, comfy.server.step_s = False, 0.02
    painting, told = await drawn(comfy.client(), order())
    assert len(painting.pictures) == 1
    assert told
