import io
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed: make diffusers")

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel

from bot.backends import frames
from bot.backends.diffusers import ordering, worker
from bot.backends.diffusers.painter import Painter
from bot.domain.capability import Capabilities, Listing
from bot.domain.request import Control
from tests.standins.tiny_diffusers import TinyModels, make_tiny_models
from tests.standins.webui import png
from tests.wire.studio import Studio, apart
from tests.wire.workbench import order

SIDE = 64
LIBRARY = "bot.backends.diffusers.library.Library"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    return make_tiny_models(tmp_path_factory.mktemp("tiny") / "all")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small spend their time in waiting for threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_model_that_only_inpaints_is_told(tiny: TinyModels, tmp_path: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(tiny.sd, local_files_only=True)
    config = {**pipeline.unet.config, "in_channels": 9}
    pipeline.register_modules(unet=UNet2DConditionModel.from_config(config))
    pipeline.save_pretrained(tmp_path / "inpainter")
    with Studio(tmp_path) as studio:
        assert studio.trouble(order(model="inpainter")) == ("family", "inpainter")


def test_out_of_memory_is_told_apart_and_the_models_are_given_up(tiny: TinyModels) -> None:
    with Studio(tiny.folder) as studio:
        plain = studio.paint(order())[0]
        # No machine has the 256 TiB that the latents alone would take.
        assert studio.trouble(order(width=1 << 25, height=1 << 25)) == ("memory", "")
        assert studio.library.loaded == ()
        assert studio.paint(order())[0] == plain


def test_what_does_not_fit_together_is_painted_one_by_one(
    tiny: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = Painter.paint

    def paint(self: Painter, model: Any, shape: Any, pictures: Sequence[Any], step: Any) -> Any:
        calls.append(len(pictures))
        if len(pictures) > 2:
            raise torch.OutOfMemoryError
        return real(self, model, shape, pictures, step)

    monkeypatch.setattr(Painter, "paint", paint)
    with Studio(tiny.folder) as studio:
        first, *_ = studio.paint(order(count=4))
        assert apart(first, studio.paint(order())[0]) <= 2
        studio.paint(order(count=4))
    assert calls == [4, 2, 2, 1, 2, 2]


def test_models_stay_in_memory_as_long_as_there_is_room(tiny: TinyModels) -> None:
    one_gb = 7.4e6 / (1 << 30)
    with Studio(tiny.folder, cache_gb=2.5 * one_gb) as studio:
        for model in ("tiny", "other", "tiny"):
            studio.paint(order(model=model, steps=1))
        assert studio.library.loaded == ("other", "tiny")
        studio.paint(order(model="tiny-xl", steps=1))
        assert studio.library.loaded == ("tiny", "tiny-xl")
    with Studio(tiny.folder, cache_gb=0) as studio:
        studio.paint(order(model="tiny", steps=1, controls=(Control("hint", "edges"),)), {"hint": png(64, 64, 3)})
        assert studio.library.loaded == ("tiny",)
        studio.paint(order(model="other", steps=1))
        assert studio.library.loaded == ("other",)


@pytest.mark.parametrize(("name", "content"), [("broken.safetensors", b"x" * 100), ("empty.safetensors", b"")])
def test_a_broken_checkpoint_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with Studio(tmp_path) as studio:
        model = name.removesuffix(".safetensors")
        assert studio.trouble(order(model=model)) == ("model", model)


def test_a_checkpoint_without_a_configuration_is_told(
    tiny: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(tiny.single_file.read_bytes())
    with Studio(alone) as studio:
        assert studio.trouble(order(model="alone")) == ("configuration", "alone")


def test_a_checkpoint_alone_takes_the_configuration_of_a_folder_beside_it(
    tiny: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with Studio(tiny.single_file) as studio:
        assert studio.paint(order(model="single", steps=1))


def test_the_process_serves_until_its_input_ends(tiny: TinyModels) -> None:
    (orders, order_pipe), (answer_pipe, answers) = os.pipe(), os.pipe()
    settings = {"source": str(tiny.sd), "device": None, "cache_gb": 1, "slots": 1}
    with (
        os.fdopen(orders, "rb") as source,
        os.fdopen(answers, "wb") as sink,
        os.fdopen(answer_pipe, "rb") as heard,
    ):
        with os.fdopen(order_pipe, "wb") as spoken:
            work = threading.Thread(
                target=worker.serve, args=(source, sink, settings), kwargs={"log": io.StringIO(), "leave": bool}
            )
            work.start()
            ready = frames.read(heard)
            assert ready is not None
            assert ready.header["is"] == "ready"
            known = Capabilities({Listing.MODELS: ("tiny",), Listing.LORAS: ()})
            made = ordering.order("own", order(steps=1), known)
            spoken.write(frames.pack({"do": "cancel", "id": "nobody"}))
            spoken.write(frames.pack({"do": "paint", "id": "1-1", "order": made.write()}))
            spoken.flush()
            said = [frames.read(heard), frames.read(heard)]
        work.join()
    assert [(each.header["is"], each.header["id"]) for each in said if each] == [
        ("step", "1-1"),
        ("painted", "1-1"),
    ]


@pytest.mark.parametrize("at", ["bot.backends.diffusers.painter.Painter.paint", f"{LIBRARY}._opened"])
def test_a_process_whose_device_takes_no_more_work_tells_so_and_ends(
    tiny: TinyModels, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def broken(*_: object) -> None:
        raise torch.AcceleratorError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(at, broken)
    (orders, order_pipe), sink, left = os.pipe(), io.BytesIO(), threading.Event()
    settings = {"source": str(tiny.sd), "device": "cpu", "cache_gb": 1, "slots": 1}
    log = {"log": io.StringIO(), "leave": left.set}
    known = Capabilities({Listing.MODELS: ("tiny",), Listing.LORAS: ()})
    made = ordering.order("own", order(steps=1), known)
    with os.fdopen(orders, "rb") as source, os.fdopen(order_pipe, "wb", buffering=0) as spoken:
        work = threading.Thread(target=worker.serve, args=(source, sink, settings), kwargs=log)
        work.start()
        while not sink.getvalue():
            threading.Event().wait(0.01)
        spoken.write(frames.pack({"do": "paint", "id": "1-1", "order": made.write()}))
        ended = left.wait(20)
        spoken.close()
        work.join()
    said = io.BytesIO(sink.getvalue())
    assert [
        each.header["kind"] for each in (frames.read(said), frames.read(said)) if each and "kind" in each.header
    ] == ["bug"]
    assert ended


def test_a_device_that_is_not_there_is_told(tiny: TinyModels) -> None:
    settings = {"source": str(tiny.sd), "device": "cuda:99", "cache_gb": 1, "slots": 1}
    sink = io.BytesIO()
    worker.serve(io.BytesIO(), sink, settings, log=io.StringIO(), leave=lambda: None)
    told = frames.read(io.BytesIO(sink.getvalue()))
    assert told is not None
    assert (told.header["is"], told.header["device"]) == ("unfit", "cuda:99")
