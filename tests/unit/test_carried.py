"""What pictures tell of how they were painted: infotexts of every WebUI, graphs of ComfyUI."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from bot.domain import graphs, infotext, recipes
from bot.domain.errors import RequestError
from bot.domain.request import Hires, Lora, PaintRequest, Refiner, Variation
from bot.imaging import carried, pngtext
from tests.standins.webui_pictures import other, png

RECORDED = Path(__file__).parents[1] / "recordings" / "comfyui" / "view_output.png"
A1111 = (
    "a cat, best quality\nNegative prompt: dog,\nsnow\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 5, Size: 512x768, "
    "Model hash: dba7816360, Model: dreamshaper_8, Denoising strength: 0.4, Clip skip: 2, Hires upscale: 1.5, "
    "Hires steps: 8, Hires upscaler: R-ESRGAN 4x+, Variation seed: 9, Variation seed strength: 0.2, "
    "Refiner: sdxl_refiner [7440042bbd], Refiner switch at: 0.7, VAE: clear.pt, Tiling: True, "
    'Lora hashes: "ink: 1234", Version: v1.10.1'
)
WHOLE = PaintRequest(
    "a cat, best quality",
    5,
    "dog,\nsnow",
    model="dreamshaper_8",
    width=512,
    height=768,
    steps=20,
    cfg_scale=6.5,
    sampler="DPM++ 2M",
    scheduler="Karras",
    clip_skip=2,
    vae="clear.pt",
    tiling=True,
    hires=Hires(1.5, "R-ESRGAN 4x+", 8, 0.4),
    variation=Variation(9, 0.2),
    refiner=Refiner("sdxl_refiner", 0.7),
)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


GRAPH: dict[str, Any] = {
    "9": node("SaveImage", images=["8", 0]),
    "8": node("VAEDecode", samples=["33", 0], vae=["4", 2]),
    "33": node(
        "KSampler",
        seed=1,
        steps=9,
        cfg=3,
        sampler_name="euler",
        scheduler="normal",
        denoise=0.5,
        model=["10", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["34", 0],
    ),
    "34": node("LatentUpscale", samples=["3", 0], width=1024, height=1536),
    "3": node(
        "KSampler",
        seed=77,
        steps=25,
        cfg=6.5,
        sampler_name="dpmpp_2m",
        scheduler="karras",
        denoise=1,
        model=["10", 0],
        positive=["20", 0],
        negative=["20", 1],
        latent_image=["5", 0],
    ),
    "20": node("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0], image=["21", 0], strength=1),
    "21": node("LoadImage", image="edges.png"),
    "10": node("LoraLoader", lora_name="ink.safetensors", strength_model=0.7, model=["4", 0], clip=["4", 1]),
    "4": node("CheckpointLoaderSimple", ckpt_name="anime/dreamshaper_8.safetensors"),
    "5": node("EmptyLatentImage", width=512, height=768, batch_size=1),
    "6": node("CLIPTextEncode", text=["30", 0], clip=["10", 1]),
    "30": node("PrimitiveString", value="a quiet harbour"),
    "7": node("CLIPTextEncode", text="fog", clip=["10", 1]),
}
FLUX: dict[str, Any] = {
    "13": node(
        "SamplerCustomAdvanced",
        noise=["25", 0],
        guider=["22", 0],
        sampler=["16", 0],
        sigmas=["17", 0],
        latent_image=["27", 0],
    ),
    "25": node("RandomNoise", noise_seed=2**40 + 3),
    "22": node("BasicGuider", model=["12", 0], conditioning=["26", 0]),
    "26": node("FluxGuidance", guidance=3.5, conditioning=["6", 0]),
    "6": node("CLIPTextEncodeFlux", clip_l="a harbour", t5xxl="a quiet harbour", guidance=3.5),
    "16": node("KSamplerSelect", sampler_name="euler"),
    "17": node("BasicScheduler", scheduler="simple", steps=20, denoise=1, model=["12", 0]),
    "12": node("UNETLoader", unet_name="flux1-dev.safetensors"),
    "27": node("EmptySD3LatentImage", width=1024, height=1024, batch_size=1),
}


def with_text(**texts: str) -> bytes:
    """Return a PNG with these text chunks."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    made = BytesIO()
    Image.new("RGB", (8, 8)).save(made, "PNG", pnginfo=info)
    return made.getvalue()


@pytest.mark.parametrize(
    "picture", [png(8, 8, 1, A1111), other("JPEG", 8, 8, 1, A1111), other("WEBP", 8, 8, 1, A1111)]
)
def test_an_infotext_is_read_out_of_png_jpeg_and_webp(picture: bytes) -> None:
    assert carried.read(picture) == carried.Carried(WHOLE, A1111)


def test_other_servers_spell_some_of_it_otherwise() -> None:
    sdnext = "a cat\nNegative prompt: dog\nTemplate: a cat\nNegative template: dog\nSteps: 2, Size: 64x64, Seed: 5"
    old = "a cat\nSteps: 2, Sampler: DPM++ 2M Karras, Seed: 5, Model: random15.safetensors, Clip skip: often"
    assert recipe(sdnext).negative_prompt == "dog"
    assert (recipe(old).sampler, recipe(old).scheduler) == ("DPM++ 2M", "Karras")
    assert (recipe(old).model, recipe(old).clip_skip) == ("random15", None)


def recipe(text: str) -> PaintRequest:
    found = recipes.recipe(infotext.parse(text))
    assert found is not None
    return found


def test_nothing_is_made_up_where_nothing_is_told() -> None:
    assert carried.read(png(8, 8, 1)) == carried.Carried()
    assert carried.read(with_text(prompt="{}", workflow="{}")) == carried.Carried()
    with pytest.raises(RequestError, match="not a picture"):
        carried.read(b"GIF89a?")


def test_a_real_comfyui_picture_tells_its_recipe() -> None:
    told = carried.read(RECORDED.read_bytes())
    wanted = PaintRequest(
        "a cat", 1, "dog", model="random15", width=64, height=64, steps=2, sampler="Euler", scheduler="Normal"
    )
    assert told == carried.Carried(wanted)


def test_a_graph_is_followed_back_from_its_first_sampler() -> None:
    found = graphs.read(json.dumps(GRAPH))
    assert found == PaintRequest(
        "a quiet harbour",
        77,
        "fog",
        model="dreamshaper_8",
        width=512,
        height=768,
        steps=25,
        cfg_scale=6.5,
        sampler="DPM++ 2M",
        scheduler="Karras",
        loras=(Lora("ink", 0.7),),
    )


def test_a_graph_of_single_parts_is_understood_too() -> None:
    found = graphs.read(json.dumps(FLUX))
    assert found is not None
    assert (found.prompt, found.negative_prompt) == ("a quiet harbour", "")
    assert (found.seed, found.steps, found.cfg_scale) == ((2**40 + 3) % 2**32, 20, 3.5)
    assert (found.sampler, found.scheduler, found.model) == ("Euler", "Simple", "flux1-dev")
    assert (found.width, found.height) == (1024, 1024)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"1": 5}', "[" * 100_000, '{"1": {"inputs": {"seed": 1}}}'])
def test_what_is_no_graph_tells_nothing(text: str) -> None:
    assert graphs.read(text) is None


def test_a_graph_that_bites_its_tail_comes_to_an_end() -> None:
    looped = GRAPH | {"5": node("LatentBlend", samples=["34", 0]), "6": node("Join", conditioning=["6", 0])}
    assert graphs.read(json.dumps(looped)) is not None


def test_numbers_that_nobody_chose_are_left_out_of_a_strangers_recipe() -> None:
    loader, sampler = GRAPH["10"]["inputs"], GRAPH["3"]["inputs"]
    odd = {
        "10": node("LoraLoader", **loader | {"strength_model": 10**400}),
        "3": node("KSampler", **sampler | {"cfg": float("nan"), "steps": 10**400}),
        "5": node("EmptyLatentImage", width=10**400, height=512),
    }
    told = graphs.read(json.dumps(GRAPH | odd))
    usual = PaintRequest("", 0)
    assert told is not None
    assert (told.cfg_scale, told.steps, told.loras) == (usual.cfg_scale, usual.steps, ())
    assert (told.width, told.height) == (usual.width, usual.height)
    text = f"a cat\nSteps: 20, Seed: {'9' * 5000}, CFG scale: nan, Hires upscale: inf, Clip skip: {'9' * 400}"
    assert recipe(text) == PaintRequest("a cat", 0, steps=20)


def test_a_text_of_a_megabyte_in_a_strangers_picture_is_read_and_a_longer_one_is_not() -> None:
    long = "".join(f'a{"b" * 1000}, "\\", ab: "\\",{" " * 1000}' for _ in range(500))
    told = carried.read(
        with_text(parameters=f"a cat\nSteps: 20, Seed: 5, Refiner: a{' ' * 20_000}b, {long}")
    ).recipe
    assert told is not None
    assert (told.prompt, told.steps) == ("a cat", 20)
    assert carried.read(with_text(parameters="a" * (pngtext.MAX_TEXT_BYTES + 1))) == carried.Carried()


def test_the_editors_own_graph_is_read_where_the_queued_one_was_lost() -> None:
    def shown(number: int, kind: str, values: list[Any], **inputs: int) -> dict[str, Any]:
        sockets = [{"name": name, "type": "*", "link": link} for name, link in inputs.items()]
        return {"id": number, "type": kind, "widgets_values": values, "inputs": sockets}

    workflow = {
        "nodes": [
            shown(
                3,
                "KSampler",
                [7, "fixed", 12, 5, "euler", "karras", 1],
                positive=1,
                negative=2,
                latent_image=3,
                model=4,
            ),
            shown(4, "CheckpointLoaderSimple", ["random15.safetensors"]),
            shown(5, "EmptyLatentImage", [640, 384, 1]),
            shown(6, "CLIPTextEncode", ["a quiet harbour"]),
            shown(7, "CLIPTextEncode", ["fog"]),
            "odd",
        ],
        "links": [[1, 6, 0, 3, 1, "C"], [2, 7, 0, 3, 2, "C"], [3, 5, 0, 3, 3, "L"], [4, 4, 0, 3, 0, "M"], None],
    }
    told = carried.read(with_text(workflow=json.dumps(workflow)))
    assert told.recipe == PaintRequest(
        "a quiet harbour",
        7,
        "fog",
        model="random15",
        width=640,
        height=384,
        steps=12,
        cfg_scale=5,
        sampler="Euler",
        scheduler="Karras",
    )


def test_an_exif_prompt_of_comfyui_is_found() -> None:
    exif = Image.Exif()
    exif[0x0110] = f"prompt:{json.dumps(GRAPH)}"
    made = BytesIO()
    Image.new("RGB", (8, 8)).save(made, "WEBP", exif=exif)
    told = carried.read(made.getvalue())
    assert told.recipe is not None
    assert told.recipe.prompt == "a quiet harbour"


def test_what_was_done_is_added_to_the_last_line_of_an_infotext() -> None:
    added = infotext.extended(A1111, {"Postprocess upscale by": "2", "Postprocess upscaler": "A, B"})
    assert added == f'{A1111}, Postprocess upscale by: 2, Postprocess upscaler: "A, B"'
    again = infotext.parse(infotext.extended(added, {"Postprocess upscale by": "3"}))
    assert again.fields["Postprocess upscale by"] == "3"
    assert recipes.recipe(again) == replace(WHOLE)
    assert infotext.extended("only words", {"Rembg": "u2net"}) == "only words"


def test_half_a_surrogate_pair_in_a_strangers_picture_becomes_a_question_mark() -> None:
    graph = json.dumps({**GRAPH, "30": node("PrimitiveString", value="a \ud83d harbour \ud83d\ude00")})
    told = carried.read(with_text(prompt=graph)).recipe
    assert told is not None
    assert told.prompt == "a ? harbour \U0001f600"
    text = 'a cat\nSteps: 20, Sampler: "Euler \\ud83d", Seed: 5, Size: 512x768'
    told = carried.read(with_text(parameters=text)).recipe
    assert told is not None
    assert told.sampler == "Euler ?"


def test_a_png_holds_one_infotext_after_it_was_written_anew() -> None:
    picture = pngtext.write(with_text(parameters="old", Software="mine"), "older")
    anew = pngtext.rewritten(picture, "new – text")
    assert pngtext.read(anew) == "new – text"
    assert anew.count(b"parameters\0") == 1
    with Image.open(BytesIO(anew)) as image:
        image.load()
        assert image.info["Software"] == "mine"
    assert pngtext.rewritten(b"no picture", "new") == b"no picture"
