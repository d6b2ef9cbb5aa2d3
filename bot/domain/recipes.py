"""What a picture's infotext says of how to paint it again, as an order."""

import re
from collections.abc import Callable
from math import isfinite
from typing import TypeVar

from bot.domain.infotext import Infotext
from bot.domain.request import MAX_SEED, Hires, PaintRequest, Refiner, Variation
from bot.domain.rules import without_hash

T = TypeVar("T", int, float)

_SCHEDULES = ("Karras", "Exponential", "SGM Uniform", "Polyexponential", "Simple", "Beta")
"""Before WebUI 1.9 a sampler's name ended in its schedule."""
_LEAST_FIELDS = frozenset({"Steps", "Seed", "Sampler", "Size", "Model"})
_TEMPLATES = re.compile(r"(?:^|\n)Template: ")
"""Under its negative prompt SD.Next writes both prompts once more, as they were typed."""
_ENDING = re.compile(r"\.(?:safetensors|ckpt|gguf)$")
"""sd-server tells a model by its file."""


def recipe(text: Infotext) -> PaintRequest | None:
    """Return the order that an infotext tells of, if it tells of any; what cannot be read is left out."""
    if not text.prompt and not _LEAST_FIELDS & text.fields.keys():
        return None
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.fields.get("Size", ""))
    sampler, scheduler = _sampling(text)
    hires = _hires(text)
    usual = PaintRequest("", 0)
    return PaintRequest(
        text.prompt,
        (text.seed or 0) % (MAX_SEED + 1),
        _TEMPLATES.split(text.negative_prompt)[0],
        model=_ENDING.sub("", text.fields.get("Model", "")) or None,
        width=int(size[1]) if size else usual.width,
        height=int(size[2]) if size else usual.height,
        steps=_read(text, "Steps", int) or usual.steps,
        cfg_scale=_or(_read(text, "CFG scale", float), usual.cfg_scale),
        sampler=sampler,
        scheduler=scheduler,
        clip_skip=_read(text, "Clip skip", int),
        vae=text.fields.get("VAE") or None,
        tiling=text.fields.get("Tiling") == "True",
        restore_faces="Face restoration" in text.fields,
        hires=hires,
        variation=_variation(text),
        refiner=_refiner(text),
    )


def _sampling(text: Infotext) -> tuple[str | None, str | None]:
    sampler, scheduler = text.fields.get("Sampler"), text.fields.get("Schedule type")
    if sampler and not scheduler:
        for name in _SCHEDULES:
            if sampler.endswith(f" {name}"):
                return sampler.removesuffix(f" {name}"), name
    return sampler or None, None if scheduler in {"", "Automatic"} else scheduler


def _hires(text: Infotext) -> Hires | None:
    scale = _read(text, "Hires upscale", float)
    if scale is None or scale <= 1:
        return None
    usual = Hires(scale)
    return Hires(
        scale,
        text.fields.get("Hires upscaler") or None,
        _or(_read(text, "Hires steps", int), usual.steps),
        _or(_read(text, "Denoising strength", float), usual.strength),
    )


def _variation(text: Infotext) -> Variation | None:
    seed, strength = _read(text, "Variation seed", int), _read(text, "Variation seed strength", float)
    return Variation(seed % (MAX_SEED + 1), strength) if seed is not None and strength else None


def _refiner(text: Infotext) -> Refiner | None:
    model = text.fields.get("Refiner")
    if not model:
        return None
    name = without_hash(model)
    return Refiner(name, _or(_read(text, "Refiner switch at", float), Refiner(name).switch_at))


def _read(text: Infotext, name: str, kind: Callable[[str], T]) -> T | None:
    try:
        value = kind(text.fields[name])
        return value if isfinite(value) else None
    except (LookupError, ValueError, OverflowError):
        return None


def _or(value: T | None, usual: T) -> T:
    return usual if value is None else value
