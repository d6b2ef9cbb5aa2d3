import inspect
import io
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusers' is not installed: make diffusers")

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from bot.backends.diffusers import ordering, sampling
from bot.backends.diffusers.painter import Painter, _Run
from bot.domain.capability import Capabilities
from bot.domain.request import Control, ControlMode, Hires, Lora, Mask, MaskFill
from bot.imaging.sniffing import sniff
from tests.standins.tiny_diffusers import TinyModels, make_tiny_models
from tests.wire.studio import Studio, apart
from tests.wire.workbench import order

SIDE = 64


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


SOURCE = Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")
HALF = Image.new("L", (SIDE, SIDE), 0)
HALF.paste(255, (0, 0, SIDE // 2, SIDE))
IMAGES = {"source": encoded(SOURCE), "half": encoded(HALF)}


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


@pytest.fixture(scope="module")
def studio(tiny: TinyModels) -> Iterator[Studio]:
    with Studio(tiny.folder) as studio:
        yield studio


@pytest.fixture(scope="module")
def plain(studio: Studio) -> bytes:
    return studio.paint(order())[0]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each call painted."""
    calls: list[int] = []
    real = Painter.paint

    def paint(self: Painter, model: Any, shape: Any, pictures: Sequence[Any], step: Any) -> Any:
        calls.append(len(pictures))
        return real(self, model, shape, pictures, step)

    monkeypatch.setattr(Painter, "paint", paint)
    return calls


def test_a_seed_paints_the_same_picture_again(studio: Studio, plain: bytes) -> None:
    assert studio.paint(order())[0] == plain
    assert studio.paint(order(seed=6))[0] != plain


def test_every_picture_of_a_request_can_be_painted_again_by_its_own_seed(studio: Studio) -> None:
    several = studio.paint(order(count=3))
    assert len(several) == 3
    for seed, picture in zip((5, 6, 7), several, strict=True):
        assert apart(picture, studio.paint(order(seed=seed))[0]) <= 2


def test_a_picture_to_start_from_is_kept_by_a_low_strength(studio: Studio) -> None:
    near, far = (
        studio.paint(order(init_image="source", strength=strength), IMAGES)[0] for strength in (0.01, 1.0)
    )
    assert near != far


def test_what_is_transparent_in_a_source_counts_as_white(studio: Studio) -> None:
    clear, white = Image.new("RGBA", (40, 40), (9, 9, 9, 0)), Image.new("RGB", (40, 40), "white")
    one, other = (
        studio.paint(order(init_image="source", strength=0.5), {"source": encoded(image)})[0]
        for image in (clear, white)
    )
    assert one == other


@pytest.mark.parametrize("fill", MaskFill)
@pytest.mark.parametrize("model", ["tiny", "tiny-xl"])
def test_what_a_mask_leaves_out_stays_as_it_was(studio: Studio, model: str, fill: MaskFill) -> None:
    request = order(model=model, init_image="source", mask=Mask("half", blur=0, fill=fill), strength=0.75)
    with Image.frombytes("RGB", (SIDE, SIDE), studio.paint(request, IMAGES)[0]) as painted:
        left, right = (0, 0, SIDE // 2, SIDE), (SIDE // 2, 0, SIDE, SIDE)
        assert painted.crop(right).tobytes() == SOURCE.crop(right).tobytes()
        assert painted.crop(left).tobytes() != SOURCE.crop(left).tobytes()


@pytest.mark.parametrize("model", ["tiny", "tiny-xl"])
def test_a_hires_fix_paints_a_second_time_at_twice_the_size(studio: Studio, model: str) -> None:
    found = {
        upscaler: studio.paint(order(model=model, steps=2, hires=Hires(2.0, upscaler)))[0]
        for upscaler in ("Latent", "Latent (nearest-exact)", "Lanczos")
    }
    assert {len(picture) for picture in found.values()} == {128 * 128 * 3}
    assert len(set(found.values())) == 3
    last, _ = studio.steps[-1]
    assert (last["step"], last["fraction"]) == (last["steps"], 1)


def test_tiling_lasts_for_one_request(studio: Studio, plain: bytes) -> None:
    assert studio.paint(order(tiling=True))[0] != plain
    assert studio.paint(order())[0] == plain


def test_large_pictures_are_decoded_in_tiles(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.backends.diffusers.painter._TILED_PIXELS", 64 * 64)
    assert len(studio.paint(order(width=128, height=128, steps=1))[0]) == 128 * 128 * 3
    assert not studio.library.model("tiny").pipeline.vae.use_tiling


def test_a_checkpoint_in_one_file_takes_the_configuration_of_a_folder_beside_it(studio: Studio) -> None:
    assert studio.paint(order(model="single")) == studio.paint(order(model="other"))


def test_loras_change_a_picture_by_their_weight_until_they_are_left_out(studio: Studio, plain: bytes) -> None:
    full, half = (studio.paint(order(loras=(Lora("tint", weight),)))[0] for weight in (1.0, 0.5))
    tagged = studio.paint(order(prompt="a cat <lora:tint:0.5>"))[0]
    assert len({plain, full, half}) == 3
    assert tagged == half
    assert studio.paint(order(loras=(Lora("tint", 0.0),)))[0] == plain
    assert studio.paint(order())[0] == plain


def test_several_loras_go_together(studio: Studio, tiny: TinyModels) -> None:
    second = tiny.lora.with_name("v1.5 more.safetensors")
    second.write_bytes(tiny.lora.read_bytes())
    both = studio.paint(order(loras=(Lora("tint", 0.5), Lora("v1.5 more", 0.5))))[0]
    assert apart(both, studio.paint(order(loras=(Lora("tint", 1.0),)))[0]) <= 2


def test_a_lora_of_another_kind_of_model_is_told_and_leaves_nothing_behind(studio: Studio) -> None:
    before = studio.paint(order(model="tiny-xl"))
    assert studio.trouble(order(model="tiny-xl", loras=(Lora("tint"),))) == ("lora", "tint")
    assert studio.paint(order(model="tiny-xl")) == before


def test_a_broken_lora_is_told(studio: Studio, tiny: TinyModels) -> None:
    broken = tiny.lora.with_name("broken.safetensors")
    broken.write_bytes(b"x" * 100)
    assert studio.trouble(order(loras=(Lora("broken"),))) == ("lora", "broken")
    broken.unlink()


def test_an_error_nobody_foresaw_at_one_lora_leaves_none_of_the_others_behind(
    studio: Studio, tiny: TinyModels, plain: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = tiny.lora.with_name("another.safetensors")
    another.write_bytes(tiny.lora.read_bytes())
    real = StableDiffusionPipeline.load_lora_weights

    def load(self: Any, *args: Any, adapter_name: str, **kwargs: Any) -> None:
        if adapter_name == "lora_1":
            raise AttributeError("a format from the future")
        real(self, *args, adapter_name=adapter_name, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(StableDiffusionPipeline, "load_lora_weights", load)
        assert studio.trouble(order(loras=(Lora("tint"), Lora("another")))) == ("bug", "")
    assert studio.paint(order())[0] == plain


def test_a_controlnet_leads_by_its_weight(studio: Studio, plain: bytes) -> None:
    found = [
        studio.paint(order(controls=controls, **more), IMAGES)[0]
        for controls, more in (
            ((Control("source", "edges"),), {}),
            ((Control("half", "edges"),), {}),
            ((Control("source", "edges", end=0.5),), {}),
            ((Control("source", "edges", mode=ControlMode.CONTROL),), {}),
            ((Control("source", "edges"), Control("half", "edges", weight=0.5)), {}),
            ((Control("source", "edges"),), {"init_image": "source", "strength": 0.5}),
            ((Control("source", "edges"),), {"init_image": "source", "mask": Mask("half")}),
        )
    ]
    assert len({plain, *found}) == len(found) + 1
    assert studio.paint(order(controls=(Control("source", "edges", weight=0.0),)), IMAGES)[0] == plain
    assert len(studio.paint(order(controls=(Control("source", "edges"),), hires=Hires()), IMAGES)[0]) == 128**2 * 3


def test_a_controlnet_of_another_kind_of_model_is_told(studio: Studio) -> None:
    request = order(model="tiny-xl", controls=(Control("source", "edges"),))
    assert studio.trouble(request, IMAGES) == ("control", "edges")


@pytest.mark.parametrize("sampler", sampling.samplers())
def test_every_sampler_paints_and_knows_the_schedulers_it_is_offered_with(studio: Studio, sampler: str) -> None:
    studio.paint(order(sampler=sampler, steps=2))
    studio.paint(order(sampler=sampler, steps=2, init_image="source", strength=0.5), IMAGES)
    config = studio.library.model("tiny").config
    built = sampling.build(sampler, sampling.AUTOMATIC, config)
    # What a class does not know it passes over without a word.
    known = inspect.signature(type(built).__init__).parameters
    for scheduler in sampling.kinds(sampler):
        assert set(sampling._KINDS[scheduler]) <= set(known), scheduler


def test_schedulers_paint_different_pictures(studio: Studio) -> None:
    kinds = sampling.schedulers()
    assert len({studio.paint(order(scheduler=kind, steps=5))[0] for kind in kinds}) == len(kinds) - 1


def test_samplers_are_offered_only_with_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "find_spec", lambda _: None)
    assert not {"LMS", "DPM++ SDE", "Beta"} & {*sampling.samplers(), *sampling.schedulers()}
    monkeypatch.setattr(sampling, "find_spec", lambda _: "there")
    assert {"LMS", "DPM++ SDE"} <= {*sampling.samplers()}
    assert "Beta" in sampling.schedulers()


def test_clip_skip_counts_from_the_last_layer(studio: Studio, plain: bytes) -> None:
    assert studio.paint(order(clip_skip=1))[0] == plain
    assert studio.paint(order(clip_skip=2))[0] != plain


def test_emphasis_and_the_end_of_a_long_prompt_count(studio: Studio, plain: bytes) -> None:
    assert studio.paint(order(prompt="a (cat:1.5)"))[0] != plain
    long = "cat " * 100
    one, other = (studio.paint(order(prompt=f"{long}{word}"))[0] for word in ("red", "blue"))
    assert one != other
    assert studio.paint(order(prompt="a cat BREAK on a mat"))[0] != studio.paint(order(prompt="a cat on a mat"))[0]


def test_what_has_vanished_since_it_was_listed_is_told(studio: Studio) -> None:
    seen = studio.known()
    requests = {
        ("model", "gone"): order(model="gone"),
        ("lora", "gone"): order(loras=(Lora("gone"),)),
        ("control", "gone"): order(controls=(Control("source", "gone"),)),
    }
    for told, request in requests.items():
        listings = {listing: (*names, "gone") for listing, names in seen.listings.items()}
        known = Capabilities(listings, seen.features, seen.loaded_model)
        prepared = ordering.prepare(ordering.order("own", request, known), request, IMAGES)
        studio.service.submit("late", prepared.order.write(), prepared.blobs)
        header, _ = studio.end("late")
        assert (header["kind"], header["about"]) == told


def test_an_error_nobody_foresaw_is_told_and_logged_without_the_prompt(
    studio: Studio, plain: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("my secret wish is no key")

    with monkeypatch.context() as patched:
        patched.setattr("bot.backends.diffusers.painter.encoder.encode", broken)
        assert studio.trouble(order(prompt="my secret wish")) == ("bug", "")
    studio.paint(order(prompt="my secret wish " * 100))
    assert "KeyError" in studio.log.getvalue()
    assert "secret" not in studio.log.getvalue() + "".join(capfd.readouterr())
    assert studio.paint(order())[0] == plain


def test_numbers_that_make_no_picture_are_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: Any, *_: object) -> Any:  # noqa: ARG001
        return torch.full((1, 3, SIDE, SIDE), torch.nan)

    monkeypatch.setattr("bot.backends.diffusers.painter._Run.first", nothing)
    assert studio.trouble(order()) == ("nothing", "")


def test_numbers_that_make_no_picture_spoil_none_that_is_painted_together_with_it(
    tiny: TinyModels, plain: bytes, monkeypatch: pytest.MonkeyPatch, calls: list[int]
) -> None:
    first = _Run.first

    def spoilt(self: Any) -> Any:
        found = first(self)
        for row, picture in enumerate(self._pictures):
            if picture.seed == 9:
                found[row] = torch.nan
        return found

    monkeypatch.setattr(_Run, "first", spoilt)
    with Studio(tiny.folder, slots=2) as studio:
        bad, good = (studio.begin(order(seed=seed))[0] for seed in (9, 5))
        assert studio.end(bad)[0]["kind"] == "nothing"
        header, blobs = studio.end(good)
        assert header["is"] == "painted"
        assert apart(blobs[0], plain) <= 2
    assert calls == [2]


def test_progress_rises_to_the_end_with_small_previews_on_the_way(studio: Studio) -> None:
    studio.steps.clear()
    studio.paint(order(sampler="Heun", steps=4, width=320, height=160))
    told = [header for header, _ in studio.steps]
    assert [header["step"] for header in told] == list(range(1, 8))
    assert told[-1]["fraction"] == 1
    assert told[0]["eta_s"] > told[-1]["eta_s"] == 0
    shown = [sniff(blobs[0]) for _, blobs in studio.steps if blobs]
    assert {(found.media_type, found.width, found.height) for found in shown if found} == {
        ("image/webp", 256, 128)
    }


def test_what_nobody_wants_any_more_ends_with_the_step_it_is_at(studio: Studio, plain: bytes) -> None:
    studio.steps.clear()
    task, _ = studio.begin(order(steps=1000))
    while not studio.steps:
        threading.Event().wait(0.01)
    studio.service.cancel(task)
    assert studio.paint(order())[0] == plain
    assert len(studio.steps) < 500


def test_jobs_that_wait_in_one_shape_are_painted_together(
    tiny: TinyModels, plain: bytes, calls: list[int]
) -> None:
    with Studio(tiny.folder, slots=3) as studio:
        alike = [studio.begin(order(prompt=prompt, seed=seed))[0] for prompt, seed in (("a cat", 5), ("a dog", 9))]
        other, _ = studio.begin(order(steps=5))
        (first,), (second,) = (studio.end(task)[1] for task in alike)
        studio.end(other)
        assert calls == [2, 1]
        assert apart(first, plain) <= 2
        assert apart(second, studio.paint(order(prompt="a dog", seed=9))[0]) <= 2
        # A longer prompt would change what the shorter ones are filled up with.
        mixed = [studio.begin(order(prompt=prompt))[0] for prompt in ("a cat", "a cat " * 60)]
        ((again,), _) = (studio.end(task)[1] for task in mixed)
        assert calls[3:] == [1, 1]
        assert again == plain


def test_one_of_two_jobs_painted_together_can_be_cancelled(
    tiny: TinyModels, plain: bytes, calls: list[int]
) -> None:
    with Studio(tiny.folder, slots=2) as studio:
        kept, _ = studio.begin(order(steps=20))
        dropped, _ = studio.begin(order(seed=9, steps=20))
        while not studio.steps:
            threading.Event().wait(0.01)
        studio.service.cancel(dropped)
        assert studio.end(kept)[0]["is"] == "painted"
        waiting, _ = studio.begin(order(steps=1000))
        studio.service.cancel(waiting)
        assert studio.paint(order())[0] == plain
        assert calls[0] == 2
        with pytest.raises(KeyError):
            studio._ended[dropped]
