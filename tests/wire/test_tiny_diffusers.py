from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed: make diffusers")

import torch
from diffusers import (
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    AutoPipelineForText2Image,
    ControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
)
from PIL import Image, ImageChops

from tests.standins.tiny_diffusers import TinyModels, make_tiny_models


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    return make_tiny_models(tmp_path_factory.mktemp("tiny"))


def open_folder(folder: Path) -> Any:
    return AutoPipelineForText2Image.from_pretrained(folder, local_files_only=True)


def paint(pipeline: Any, **more: Any) -> Image.Image:
    pipeline.set_progress_bar_config(disable=True)
    settings = {"prompt": "a cat", "width": 64, "height": 64, "num_inference_steps": 2} | more
    image: Image.Image = pipeline(**settings, generator=torch.Generator("cpu").manual_seed(5)).images[0]
    assert (image.size, image.mode) == ((64, 64), "RGB")
    return image


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


def test_a_seed_paints_the_same_picture_again_and_another_model_paints_another(tiny: TinyModels) -> None:
    sd, other = open_folder(tiny.sd), open_folder(tiny.other)
    assert same(paint(sd), paint(sd))
    assert not same(paint(sd), paint(other))


def test_a_checkpoint_in_one_file_holds_the_model_it_was_made_from(tiny: TinyModels) -> None:
    single = StableDiffusionPipeline.from_single_file(tiny.single_file, config=str(tiny.sd), local_files_only=True)
    assert same(paint(single), paint(open_folder(tiny.other)))


def test_an_sdxl_pipeline_paints(tiny: TinyModels) -> None:
    paint(open_folder(tiny.xl))


def test_img2img_and_inpainting_start_from_a_picture(tiny: TinyModels) -> None:
    sd = open_folder(tiny.sd)
    source = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    more = {"image": source, "strength": 1.0}
    img2img = paint(AutoPipelineForImage2Image.from_pipe(sd), **more)
    inpainted = paint(AutoPipelineForInpainting.from_pipe(sd), mask_image=Image.new("L", (64, 64), 255), **more)
    assert not same(img2img, source)
    assert not same(inpainted, source)


def test_a_lora_changes_the_picture_until_it_is_unloaded(tiny: TinyModels) -> None:
    sd = open_folder(tiny.sd)
    plain = paint(sd)
    sd.load_lora_weights(tiny.lora.parent, weight_name=tiny.lora.name, adapter_name="tint")
    full = paint(sd)
    sd.set_adapters(["tint"], [0.5])
    half = paint(sd)
    sd.unload_lora_weights()
    assert not same(full, plain)
    assert not same(half, full)
    assert same(paint(sd), plain)


def test_a_controlnet_changes_the_picture(tiny: TinyModels) -> None:
    sd = open_folder(tiny.sd)
    net = ControlNetModel.from_pretrained(tiny.controlnet, local_files_only=True)
    controlled = StableDiffusionControlNetPipeline.from_pipe(sd, controlnet=net)
    hint = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    assert not same(paint(controlled, image=hint), paint(sd))
    assert not same(paint(controlled, image=hint), paint(controlled, image=ImageChops.invert(hint)))
