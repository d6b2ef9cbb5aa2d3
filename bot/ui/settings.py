"""Everything that can be chosen, by name: how each is read and written, and where it ends up.

The settings line, the forms, the command to copy and the page of commands are made from this one table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.capability import Feature, Listing
from bot.domain.options import Options, Shape
from bot.domain.request import ControlMode, MaskFill, Resize
from bot.ui import values
from bot.ui.values import Read
from bot.ui.words import exact

CONTROLNET = "alwayson_scripts.controlnet.args"
_ADETAILER = "alwayson_scripts.ADetailer.args"
_SWAPPER = "alwayson_scripts.reactor.args"


@dataclass(frozen=True, slots=True)
class Setting:
    """One name, and what it sets.

    ``target`` is a field of ``Options``, a part of one (``hires.scale``), one of several (``loras[]``) or a field
    of ``Typed`` (``typed.preset``). ``payload`` is where it ends up in a request of the AUTOMATIC1111 API.
    ``feature`` is what a backend must be able to do. ``raw``: the reader takes quotes off by itself.
    """

    name: str
    target: str
    read: Read
    write: Callable[[Any], str] = str
    payload: str = ""
    listing: Listing | None = None
    feature: Feature | None = None
    known: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """All that was typed: ``like`` is a job's code."""

    prompt: str = ""
    options: Options = field(default_factory=Options)
    preset: str | None = None
    like: str | None = None
    private: bool | None = None

    def over(self, lower: "Typed") -> "Typed":
        """Return this laid over ``lower``."""
        return Typed(
            self.prompt or lower.prompt,
            self.options.over(lower.options),
            self.preset or lower.preset,
            self.like or lower.like,
            lower.private if self.private is None else self.private,
        )


def _number(name: str, target: str, payload: str, **more: Any) -> Setting:
    return Setting(name, target, values.number, exact, payload, **more)


def _whole(name: str, target: str, payload: str, **more: Any) -> Setting:
    return Setting(name, target, values.integer, str, payload, **more)


def _word(name: str, target: str, payload: str = "", listing: Listing | None = None, **more: Any) -> Setting:
    return Setting(name, target, values.word, str, payload, listing, **more)


def _switch(name: str, target: str, payload: str = "", **more: Any) -> Setting:
    return Setting(name, target, values.switch, values.written_switch, payload, known=("on", "off"), **more)


def _kind(name: str, target: str, payload: str, kind: Any, **more: Any) -> Setting:
    return Setting(name, target, values.one_of(kind), str, payload, known=tuple(kind), **more)


def _several(
    name: str, target: str, read: Read, write: Callable[[Any], str], payload: str, listing: Listing
) -> Setting:
    return Setting(name, target, read, write, payload, listing, raw=True)


_MASKED: Mapping[str, Any] = {"feature": Feature.INPAINT}
_CONTROLLED: Mapping[str, Any] = {"feature": Feature.CONTROL}
_DETAILED: Mapping[str, Any] = {"feature": Feature.DETAIL}
_SWAPPED: Mapping[str, Any] = {"feature": Feature.FACE_SWAP}
_HIRES: Mapping[str, Any] = {"feature": Feature.HIRES}
SETTINGS: tuple[Setting, ...] = (
    Setting("size", "size", values.size, payload="width, height", known=tuple(Shape)),
    _whole("width", "width", "width"),
    _whole("height", "height", "height"),
    _whole("steps", "steps", "steps"),
    _number("cfg", "cfg_scale", "cfg_scale", aliases=("cfg_scale",)),
    _whole("count", "count", "n_iter"),
    _word("prompt", "typed.prompt", "prompt"),
    _word("negative_prompt", "negative_prompt", "negative_prompt", aliases=("negative",)),
    _word("model", "model", "override_settings.sd_model_checkpoint", Listing.MODELS),
    _word("sampler", "sampler", "sampler_name", Listing.SAMPLERS),
    _word("scheduler", "scheduler", "scheduler", Listing.SCHEDULERS),
    _whole("seed", "seed", "seed"),
    _number("strength", "strength", "denoising_strength", feature=Feature.IMG2IMG),
    _several("lora", "loras[]", values.loras, values.written_lora, "prompt", Listing.LORAS),
    _several("style", "styles[]", values.names, lambda name: values.quoted(name, ","), "styles", Listing.STYLES),
    _word("vae", "vae", "override_settings.sd_vae", Listing.VAES),
    _whole("clip_skip", "clip_skip", "override_settings.CLIP_stop_at_last_layers", feature=Feature.CLIP_SKIP),
    _number("hires", "hires.scale", "hr_scale", **_HIRES),
    _word("hires_upscaler", "hires.upscaler", "hr_upscaler", Listing.HIRES_UPSCALERS, **_HIRES),
    _whole("hires_steps", "hires.steps", "hr_second_pass_steps", **_HIRES),
    _number("hires_strength", "hires.strength", "denoising_strength", **_HIRES),
    Setting(
        "refiner",
        "refiner",
        values.refiner,
        values.written_refiner,
        "refiner_checkpoint, refiner_switch_at",
        Listing.MODELS,
        Feature.REFINER,
    ),
    _switch("tiling", "tiling", "tiling", feature=Feature.TILING),
    _switch("restore_faces", "restore_faces", "restore_faces", feature=Feature.RESTORE_FACES),
    Setting(
        "variation",
        "variation",
        values.variation,
        values.written_variation,
        "subseed, subseed_strength",
        feature=Feature.VARIATION,
    ),
    _kind("resize", "resize", "resize_mode", Resize, feature=Feature.IMG2IMG),
    _whole("mask_blur", "mask.blur", "mask_blur", **_MASKED),
    _kind("mask_fill", "mask.fill", "inpainting_fill", MaskFill, **_MASKED),
    Setting(
        "mask_padding",
        "mask.padding",
        values.padding,
        values.written_padding,
        "inpaint_full_res, inpaint_full_res_padding",
        **_MASKED,
    ),
    _switch("mask_invert", "mask.invert", "inpainting_mask_invert", **_MASKED),
    _word("control_model", "controls.model", f"{CONTROLNET}.model", Listing.CONTROL_MODELS, **_CONTROLLED),
    _word("control_module", "controls.module", f"{CONTROLNET}.module", Listing.CONTROL_MODULES, **_CONTROLLED),
    _number("control_weight", "controls.weight", f"{CONTROLNET}.weight", **_CONTROLLED),
    _number("control_start", "controls.start", f"{CONTROLNET}.guidance_start", **_CONTROLLED),
    _number("control_end", "controls.end", f"{CONTROLNET}.guidance_end", **_CONTROLLED),
    _kind("control_mode", "controls.mode", f"{CONTROLNET}.control_mode", ControlMode, **_CONTROLLED),
    _kind("control_resize", "controls.resize", f"{CONTROLNET}.resize_mode", Resize, **_CONTROLLED),
    _switch("control_pixel_perfect", "controls.pixel_perfect", f"{CONTROLNET}.pixel_perfect", **_CONTROLLED),
    _word("detail", "details[]", f"{_ADETAILER}.ad_model", Listing.DETAILERS, **_DETAILED),
    _word("detail_prompt", "details[].prompt", f"{_ADETAILER}.ad_prompt", **_DETAILED),
    _word("detail_negative", "details[].negative_prompt", f"{_ADETAILER}.ad_negative_prompt", **_DETAILED),
    _number("detail_confidence", "details[].confidence", f"{_ADETAILER}.ad_confidence", **_DETAILED),
    _number("detail_strength", "details[].strength", f"{_ADETAILER}.ad_denoising_strength", **_DETAILED),
    _whole("face_source", "face_swap.source_face", _SWAPPER, **_SWAPPED),
    _whole("face_target", "face_swap.target_face", _SWAPPER, **_SWAPPED),
    _word("face_restorer", "face_swap.restorer", _SWAPPER, Listing.FACE_RESTORERS, **_SWAPPED),
    _word("preset", "typed.preset", listing=Listing.PRESETS),
    _word("like", "typed.like"),
    _switch("spoiler", "spoiler"),
    _switch("private", "typed.private"),
)
BY_NAME: Mapping[str, Setting] = {
    name: setting for setting in SETTINGS for name in (setting.name, *setting.aliases)
}
