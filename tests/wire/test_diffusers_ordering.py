import asyncio
import io
import struct
from pathlib import Path

import pytest

from bot.backends import frames
from bot.backends.diffusers import order as orders
from bot.backends.diffusers import ordering, shelf
from bot.backends.diffusers.client import FEATURES
from bot.backends.frames import Frame
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.errors import RejectedError
from bot.domain.request import Control, ControlMode, Hires, Lora, Mask, Refiner, Workflow
from tests.standins.webui import png
from tests.wire.workbench import order

KNOWN = Capabilities(
    {
        Listing.MODELS: ("cat", "dog"),
        Listing.SAMPLERS: ("DPM++ 2M", "DDIM", "LCM"),
        Listing.SCHEDULERS: ("Automatic", "Karras"),
        Listing.LORAS: ("tint",),
        Listing.HIRES_UPSCALERS: ordering.UPSCALERS,
        Listing.CONTROL_MODELS: ("edges",),
    },
    FEATURES | {Feature.CONTROL},
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "bat"}, "has no model “bat”. The nearest is"),
        ({"sampler": "Euler"}, "has no sampler “Euler”"),
        ({"loras": (Lora("tinte"),)}, "has no lora “tinte”. The nearest is “tint”"),
        ({"prompt": "a <lora:tinte:1> cat"}, "has no lora “tinte”"),
        ({"vae": "x"}, "has no vae to choose"),
        ({"styles": ("x",)}, "has no style to choose"),
        ({"workflow": Workflow("x")}, "has no workflow to choose"),
        ({"refiner": Refiner("cat")}, "does not have a refiner"),
        ({"controls": (Control("h", "edges", module="canny"),)}, "has no ControlNet module"),
        ({"controls": (Control("h", "edges", mode=ControlMode.PROMPT),)}, "ControlNet mode “prompt”"),
        ({"sampler": "DDIM", "scheduler": "Karras"}, "cannot combine DDIM with Karras"),
        ({"width": 100}, "size must be n × 8 px"),
        ({"height": 0}, "size must be n × 8 px"),
        ({"steps": 0}, "steps must be 1–1000"),
        ({"steps": 51, "sampler": "LCM"}, "steps must be 1–50"),
        ({"init_image": "h", "strength": 0.0}, "strength must be > 0, ≤ 1"),
        ({"init_image": "h", "strength": 1.5}, "strength must be"),
        ({"hires": Hires(strength=0.0)}, "strength must be"),
        ({"clip_skip": 13}, "clip_skip must be 1–12"),
        ({"init_image": "h", "mask": Mask("h"), "hires": Hires()}, "cannot combine inpainting with the hires fix"),
    ],
)
def test_what_cannot_be_painted_is_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RejectedError) as caught:
        ordering.order("own", order(**changes), KNOWN)
    assert words in str(caught.value)


def test_an_order_comes_through_the_pipe_as_it_was() -> None:
    request = order(
        prompt="a <lora:tint:0.5> cat",
        count=2,
        hires=Hires(1.5, None, 3),
        controls=(Control("h", "edges", end=0.5),),
        init_image="h",
    )
    made = ordering.order("own", request, KNOWN)
    frame = frames.read(io.BytesIO(frames.pack({"order": made.write()}, (b"one", b""))))
    assert frame is not None
    assert orders.read(frame.header["order"]) == made
    assert frame.blobs == (b"one", b"")
    assert (made.model, made.prompt, made.loras, made.size) == ("cat", "a  cat", (("tint", 0.5),), (96, 96))


def test_the_model_that_is_loaded_is_taken_as_long_as_it_is_there() -> None:
    for loaded, taken in (("dog", "dog"), ("gone", "cat")):
        known = Capabilities(KNOWN.listings, KNOWN.features, loaded)
        assert ordering.order("own", order(), known).model == taken


def test_pictures_are_brought_to_the_size_that_is_painted() -> None:
    request = order(init_image="a", controls=(Control("b", "edges"),))
    images = {"a": png(80, 40, 3), "b": png(10, 10, 3)}
    prepared = ordering.prepare(ordering.order("own", request, KNOWN), request, images)
    assert [len(blob) for blob in prepared.blobs] == [64 * 64 * 3, 64 * 64 * 3]
    with pytest.raises(RejectedError, match="not a picture"):
        ordering.prepare(prepared.order, request, {**images, "b": b"text"})


async def test_a_message_that_is_cut_off_is_the_end() -> None:
    whole = frames.pack({"is": "painted"}, (b"123", b"4567"))
    for end in (0, 2, 10, len(whole) - 1):
        reader = asyncio.StreamReader()
        reader.feed_data(whole[:end])
        reader.feed_eof()
        assert await frames.receive(reader) is None
        assert frames.read(io.BytesIO(whole[:end])) is None
    reader = asyncio.StreamReader()
    reader.feed_data(whole)
    assert await frames.receive(reader) == Frame({"is": "painted"}, (b"123", b"4567"))


def test_a_folder_is_read_with_what_lies_beside_its_models(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.ckpt", "models/c/model_index.json", "loras/style/d.safetensors"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("controlnets/e/config.json", "controlnets/f.safetensors", "controlnets/g/readme"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = shelf.look(str(tmp_path))
    assert (list(found.models), list(found.loras), list(found.controls)) == (["a", "c"], ["d"], ["e"])
    one = shelf.look(str(tmp_path / "a.safetensors"))
    assert (list(one.models), list(one.loras)) == (["a"], ["d"])
    assert list(shelf.look(str(tmp_path / "models" / "c")).models) == ["c"]
    assert shelf.look("somebody/some-model").models == {"somebody/some-model": "somebody/some-model"}
    assert not shelf.look(str(tmp_path / "b.ckpt")).models
    assert shelf.weight_bytes("somebody/some-model") == 0


def test_half_precision_is_told_by_the_files_names(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.fp16.safetensors").touch()
    assert shelf.is_half(tmp_path)
    (tmp_path / "unet" / "model.safetensors").touch()
    assert not shelf.is_half(tmp_path)


def test_a_checkpoint_that_lies_about_its_length_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    with pytest.raises(ValueError, match="longer than any"):
        shelf.is_xl(path)
