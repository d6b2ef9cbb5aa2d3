import json
from base64 import b64decode
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.backends.webui import body, payload
from bot.backends.webui.dialect import A1111, FORGE, SDCPP, SDNEXT, Dialect
from bot.backends.webui.extensions import Swapper, swapper
from bot.backends.webui.listings import Choice
from bot.backends.webui.overrides import Overrides
from bot.domain.capability import Listing
from bot.domain.errors import RejectedError
from bot.domain.request import (
    Control,
    ControlMode,
    Detail,
    FaceSwap,
    Hires,
    Lora,
    Mask,
    MaskFill,
    PaintRequest,
    Refiner,
    Resize,
    Script,
    Variation,
)
from tests.wire.workbench import order

KIN = {"A1111": A1111, "Forge": FORGE, "SD.Next": SDNEXT, "sd-server": SDCPP}
IMAGES = {"source": b"source picture", "mask": b"mask picture", "face": b"face picture"}
REACTOR, ROOP = Swapper("reactor", 24, "inswapper_128.onnx"), Swapper("roop", 11, "/srv/models/roop/swap.onnx")

TEXT = {
    "everything": order(
        prompt="a cat",
        negative_prompt="dog",
        model="anything_v5",
        count=2,
        sampler="Euler a",
        scheduler="Karras",
        loras=(Lora("add-detail", 0.8),),
        vae="anime.safetensors",
        clip_skip=2,
        styles=("ink",),
        tiling=True,
        variation=Variation(9, 0.25),
        hires=Hires(1.5, "Latent", 7, 0.6),
        save_images=True,
        overrides={"eta_noise_seed_delta": 31337},
    ),
    "the least": order(),
    "inpainting": order(
        init_image="source",
        strength=0.75,
        resize=Resize.FILL,
        mask=Mask("mask", 8, MaskFill.NOISE, 32, invert=True),
    ),
}


def sent(request: PaintRequest, dialect: Dialect = A1111, swapper: Swapper | None = None) -> Any:
    """What goes over the wire, with pictures in words."""
    files = {"add-detail": "sub/add-detail.safetensors"} if not dialect.tags else {}
    choice = Choice(request.model, request.sampler, request.scheduler, {}, files)
    fields = payload.payload("webui-1", request, choice, dialect, IMAGES, swapper=swapper, task="7-1")
    text = body.encode(payload.settled(fields, Overrides(), dialect))
    return json.loads(text)


@pytest.mark.parametrize("kin", KIN)
@pytest.mark.parametrize("name", TEXT)
def test_an_order_goes_over_the_wire_as(name: str, kin: str, snapshot: SnapshotAssertion) -> None:
    assert sent(TEXT[name], KIN[kin]) == snapshot


NEGATIVE = "NSFW,(worst quality:2),(low quality:2)"
GUIDES = {
    "endless pictures, kept by the server": order(
        prompt="beautiful, masterpiece, best quality, extremely detailed face",
        negative_prompt="paintings, sketches",
        model="chilloutmix_NiPrunedFp32Fix",
        width=480,
        height=270,
        count=4,
        steps=20,
        save_images=True,
        restore_faces=True,
    ),
    "only a prompt and steps": order(prompt="maltese puppy", steps=5),
    "overridden settings": order(
        prompt="cirno",
        steps=20,
        overrides={"filter_nsfw": True, "CLIP_stop_at_last_layers": 2},
    ),
    "a model, a tag and a combined sampler": order(
        prompt="full body, a girl, <lora:20240320-1710939437372:1>",
        negative_prompt="NSFW",
        model="anythingv5nijimix_25BEST",
        clip_skip=1,
        sampler="DPM++ SDE Karras",
        width=512,
        height=512,
        steps=20,
    ),
    "raw noise parameters": order(
        prompt="1 girl",
        model="CounterfeitV30_v30",
        steps=50,
        extra={"eta": 0, "s_churn": 0, "s_tmax": 0, "s_tmin": 0, "s_noise": 1, "do_not_save_samples": False},
    ),
    "a hires fix": order(prompt="1 girl", hires=Hires(2.0, "Latent", 10, 0.7)),
    "styles and a variation": order(prompt="1 girl", styles=("anime",), variation=Variation(7, 0.3)),
    "a script": order(prompt="1 girl", script=Script("prompt matrix", (False, True, "positive", "comma", 0))),
    "face swap by roop in img2img": order(
        prompt="(1 boy :1.5), (90 age:1.5)",
        negative_prompt=NEGATIVE,
        sampler="DPM++ SDE Karras",
        restore_faces=True,
        width=560,
        height=912,
        cfg_scale=8,
        model="bra_v5",
        init_image="source",
        strength=0.1,
        face_swap=FaceSwap("face"),
    ),
    "a tall portrait": order(
        prompt="a beautiful girl, anime style, masterpiece",
        negative_prompt="ugly, low quality, blurry",
        steps=25,
        width=512,
        height=768,
        sampler="DPM++ 2M Karras",
    ),
    "img2img": order(
        prompt="anime style, detailed",
        negative_prompt="ugly, low quality",
        init_image="source",
        strength=0.5,
        steps=25,
        width=512,
        height=768,
        sampler="DPM++ 2M Karras",
    ),
    "a LoRA in the prompt": order(prompt="<lora:style:0.8>, a beautiful girl"),
    "a LoRA as a script's argument": order(
        prompt="a beautiful girl",
        extra={
            "alwayson_scripts": {"LoRA": {"args": [{"lora_name": "style.safetensors", "weight": 0.8}]}},
        },
    ),
    "ControlNet": order(
        prompt="a beautiful girl", controls=(Control("source", "control_canny", "canny", 1.0, 0.0, 1.0),)
    ),
}


@pytest.mark.parametrize("name", GUIDES)
def test_every_request_of_the_guides_can_be_said(name: str, snapshot: SnapshotAssertion) -> None:
    assert sent(GUIDES[name], swapper=ROOP) == snapshot


def test_extensions_are_told_in_their_own_way(snapshot: SnapshotAssertion) -> None:
    request = order(
        refiner=Refiner("sd_xl_refiner", 0.7),
        controls=(
            Control("source", "canny [d14c016b]", "canny", 0.5, 0.1, 0.9, ControlMode.CONTROL, Resize.FILL),
            Control("mask", "depth [cfd03158]", pixel_perfect=False),
        ),
        details=(Detail("face_yolov8n.pt", "smiling"), Detail("hand_yolov8n.pt", confidence=0.5)),
        face_swap=FaceSwap("face", 1, 2, "CodeFormer"),
    )
    assert sent(request, swapper=REACTOR) == snapshot


def script(name: str, size: int, at: int = 0, model: str = "") -> dict[str, Any]:
    return {"name": name, "args": [{"value": model if i == at else None} for i in range(size)]}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([script("reactor", 30, 4, "other.onnx")], Swapper("reactor", 30, "other.onnx")),
        ([script("roop", 11, 3, "/srv/a.onnx")], Swapper("roop", 11, "/srv/a.onnx")),
        ([script("roop", 12, 4, "/srv/a.onnx")], Swapper("roop", 12, "/srv/a.onnx")),
        ([script("roop", 11), script("ReActor", 24)], Swapper("reactor", 24, "inswapper_128.onnx")),
        ([script("reactor", 20), script("roop", 9)], None),
        ([script("controlnet", 3)], None),
        (None, None),
        ([{"name": "reactor"}, 3], None),
    ],
)
def test_a_face_swapper_is_used_only_if_its_arguments_are_where_we_put_them(
    told: Any, expected: Swapper | None
) -> None:
    assert swapper(told) == expected


def test_a_roop_that_can_choose_the_source_face_is_told_which() -> None:
    request = order(face_swap=FaceSwap("face", 1, 2))
    args = sent(request, swapper=Swapper("roop", 12, "swap.onnx"))["alwayson_scripts"]["roop"]["args"]
    assert (args[2:5], len(args)) == (["1", "2", "swap.onnx"], 12)
    with pytest.raises(RejectedError, match="takes only the first face"):
        sent(request, swapper=ROOP)


def test_what_a_preset_says_raw_comes_last_and_joins_what_was_asked() -> None:
    request = order(
        steps=20,
        controls=(Control("source", "canny"),),
        overrides={"eta_noise_seed_delta": 1},
        extra={
            "steps": 9,
            "alwayson_scripts": {"Hypertile": {"args": [True]}},
            "override_settings": {"sd_vae": "None"},
        },
    )
    told = sent(request)
    assert told["steps"] == 9
    assert set(told["alwayson_scripts"]) == {"controlnet", "Hypertile"}
    assert told["override_settings"] == {
        "CLIP_stop_at_last_layers": 1,
        "eta_noise_seed_delta": 1,
        "sd_vae": "None",
    }


def test_names_go_as_the_server_spells_them() -> None:
    others = {(Listing.STYLES, "INK"): "ink", (Listing.MODELS, "sdxl refiner"): "sdxl_refiner"}
    request = order(styles=("INK",), refiner=Refiner("sdxl refiner"))
    told = payload.payload("webui-1", request, Choice(None, None, None, others), A1111, {}, task="7-1")
    assert (told["styles"], told["refiner_checkpoint"]) == (["ink"], "sdxl_refiner")


def test_tags_typed_in_the_prompt_reach_a_server_that_does_not_read_them() -> None:
    told = sent(order(prompt="a <lora:ink:0.5> cat", loras=(Lora("add-detail"),)), SDCPP)
    assert told["prompt"] == "a  cat"
    assert told["lora"] == [
        {"path": "ink", "multiplier": 0.5},
        {"path": "sub/add-detail.safetensors", "multiplier": 1.0},
    ]


def test_big_pictures_are_encoded_whole() -> None:
    picture = bytes(range(256)) * 4096 + b"x"
    told = json.loads(body.encode({"a": [{"b": picture}, 1], "c": (picture, None), "d": "e"}))
    again = body.encode({"x": picture})
    assert told["a"][0]["b"] == told["c"][0] == json.loads(again)["x"]
    assert b64decode(told["a"][0]["b"]) == picture


def test_a_setting_once_sent_goes_along_with_every_later_order() -> None:
    overrides, always = Overrides(), {"CLIP_stop_at_last_layers": 1}
    overrides.learn({"CLIP_stop_at_last_layers": 3, "sd_vae": "Automatic"})
    assert overrides.complete({}, always) == {"CLIP_stop_at_last_layers": 3}
    first = {"CLIP_stop_at_last_layers": 2, "sd_vae": "anime", "sd_model_checkpoint": "x"}
    assert overrides.complete(first, always) == first
    assert overrides.complete({}, always) == {"CLIP_stop_at_last_layers": 3, "sd_vae": "Automatic"}


def test_what_leaked_is_not_taken_for_the_servers_own() -> None:
    overrides, always = Overrides(), {"CLIP_stop_at_last_layers": 1}
    overrides.learn({"CLIP_stop_at_last_layers": 1})
    overrides.complete({"CLIP_stop_at_last_layers": 2}, always)
    overrides.learn({"CLIP_stop_at_last_layers": 2})
    assert overrides.complete({}, always) == {"CLIP_stop_at_last_layers": 1}
    overrides.learn({"CLIP_stop_at_last_layers": 4})
    assert overrides.complete({}, always) == {"CLIP_stop_at_last_layers": 4}
    overrides.forget({"CLIP_stop_at_last_layers": 2})
    overrides.learn({"CLIP_stop_at_last_layers": 2})
    assert overrides.complete({}, always) == {"CLIP_stop_at_last_layers": 2}
    overrides.learn(None)
