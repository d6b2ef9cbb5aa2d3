"""How choices lie over each other: typed, a job like it, a preset, the defaults."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from bot.domain.asker import Asker
from bot.domain.capability import Capabilities, Listing
from bot.domain.errors import PromptError, RequestError
from bot.domain.job import Job
from bot.domain.limits import Limits
from bot.domain.options import Options, Shape
from bot.domain.ports import Backend, SettingsStore
from bot.domain.request import Lora, PaintRequest
from bot.domain.snippets import Kind, Preset, Snippet, Style
from bot.prompting.wildcards import Drawn
from bot.services.authority import Authority
from bot.services.catalogue import Catalogue
from bot.services.layers import Laid, Layers, check_pictures
from bot.services.preferences import Effective, Preferences
from bot.ui import settings_line
from tests.unit.ui_jobs import finished

ASKER = Asker(1, 2)
LISTS = {"colour": ("red",)}
STYLES = {"mine": Style("mine", "{prompt} in ink", "fog"), "again": Style("again", "{prompt}" * 180)}
PRESETS = {"night": Preset("night", Options(steps=9, count=2, loras=(Lora("ink"),)), "{prompt} at night")}


class Kept:
    """A shelf with one of each."""

    async def preset(self, _: Asker, name: str) -> Preset:
        return PRESETS[name]

    async def style(self, _: Asker, name: str) -> Style:
        if name not in STYLES:
            raise RequestError("There is no style here.")
        return STYLES[name]

    async def find(self, _: Asker, kind: Kind, name: str) -> Snippet | None:
        return Snippet(kind, "person", 1, name, {}, 1, 0.0) if name in STYLES else None

    async def lists(self, _: Asker) -> Mapping[str, Sequence[str]]:
        return LISTS


class Has:
    """A backend that lists a few things."""

    name = "gpu"

    async def capabilities(self) -> Capabilities:
        names = {Listing.MODELS: ("sd_xl_base", "dreamshaper_8"), Listing.STYLES: ("theirs",)}
        return Capabilities({**names, Listing.LORAS: ("ink",)})


class Nothing:
    """A store that nobody has set anything in."""

    async def load(self, *_: object) -> Mapping[str, object]:
        return {}

    async def save(self, *_: object) -> None:
        raise AssertionError


def layers() -> Layers:
    catalogue = Catalogue([cast("Backend", Has())])
    asyncio.run(catalogue.refresh(cast("Backend", Has())))
    return Layers(catalogue, Kept())


def effective(limits: Limits = Limits(), **defaults: Any) -> Effective:  # noqa: B008 - frozen
    options = Options(**{"width": 512, "height": 512, "steps": 25, "negative_prompt": "text", **defaults})
    store = cast("SettingsStore", Nothing())
    preferences = Preferences(store, Authority(store), defaults=options, limits=limits)
    return asyncio.run(preferences.effective(Asker(1)))


def laid(prompt: str, typed: Options, here: Effective | None = None, **more: Any) -> Laid:
    return asyncio.run(layers().lay(ASKER, here or effective(), prompt, typed, **more))


def test_what_is_typed_lies_over_a_job_like_it_over_a_preset_over_the_defaults() -> None:
    like = finished(request={"model": "dreamshaper_8", "steps": 12, "sampler": None, "count": 1})
    like = replace(like, result=None)
    found = laid("", Options(cfg_scale=3.0), preset="night", like=like)
    assert found.template == "a quiet harbour", "a whole prompt is not worded by a preset again"
    options = found.options
    assert (options.cfg_scale, options.steps, options.count, options.seed) == (3.0, 12, 1, 42)
    over = laid("a fox", Options(steps=3), preset="night")
    assert over.template == "a fox at night"
    assert (over.options.steps, over.options.count, over.options.loras) == (3, 2, (Lora("ink"),))


def test_kept_styles_are_worded_and_the_backends_left_to_it() -> None:
    found = laid("a fox", Options(styles=("mine", "theirs")))
    assert found.template == "a fox in ink"
    assert found.options.negative_prompt == "text, fog"
    assert found.options.styles == ("theirs",)
    with pytest.raises(RequestError):
        laid("a fox", Options(styles=("nobody's",)))


def test_wildcards_are_filled_in_by_the_seed() -> None:
    assert asyncio.run(layers().worded(ASKER, "a __colour__ fox", 7)).words == "a red fox"


@pytest.mark.parametrize(
    ("here", "typed", "size"),
    [
        (effective(), Options(model="sd_xl_base"), (1024, 1024)),
        (effective(), Options(model="dreamshaper_8"), (512, 512)),
        (effective(), Options(model="sd_xl_base", shape=Shape.PORTRAIT), (832, 1216)),
        (effective(), Options(model="sd_xl_base", width=640), (640, 1024)),
        (effective(width=768), Options(model="sd_xl_base"), (768, 512)),
        (effective(model="sd_xl_base"), Options(), (1024, 1024)),
        (effective(Limits(max_side=900)), Options(model="sd_xl_base"), (896, 896)),
        (effective(Limits(max_pixels=512 * 512)), Options(model="sd_xl_base"), (512, 512)),
    ],
)
def test_the_familys_size_holds_where_nobody_chose_one(
    here: Effective, typed: Options, size: tuple[int, int]
) -> None:
    request = laid("a fox", typed, here).options.request("a fox", seed=1)
    assert (request.width, request.height) == size


def test_what_was_meant_once_is_not_asked_again() -> None:
    request = PaintRequest("a (fox", 1, "")

    def asked(*meant_in: Job) -> bool:
        return bool(layers().warnings(request, "a {(fox|(fox}", Drawn("a (fox"), meant_in=meant_in))

    assert asked()
    assert not asked(finished(request={"prompt": "a (fox"}))
    assert not asked(finished(request={"prompt": "a )fox"}, spec={"template": "a {(fox|(fox}"}))


def test_what_needs_a_picture_is_refused_without_one() -> None:
    request = PaintRequest("a", 1)
    for typed in (Options(strength=0.5), Options(parts={"controls": {"model": "canny"}})):
        with pytest.raises(RequestError, match="says nothing without a picture"):
            check_pictures(typed, request)
    check_pictures(Options.of(request), request)


@pytest.mark.parametrize(
    ("line", "option", "hint"),
    [
        ("control_weight 3", "control_weight", "control_image"),
        ("face_source 1", "face_source", "face_image"),
        ("face_restorer GFPGAN", "face_restorer", "face_image"),
        ("mask_blur 4", "mask_blur", "/remix with a mask"),
        ("mask_invert on", "mask_invert", "/remix with a mask"),
    ],
)
def test_what_needs_a_picture_is_named_as_it_was_typed(line: str, option: str, hint: str) -> None:
    with pytest.raises(RequestError) as refused:
        check_pictures(settings_line.read(line).options, PaintRequest("a", 1))
    assert refused.value.values["option"] == option
    assert hint in str(refused.value)


def test_styles_that_repeat_what_they_are_laid_around_come_to_no_endless_prompt() -> None:
    with pytest.raises(PromptError, match="too long"):
        laid("a fox", Options(styles=("again",) * 3))
