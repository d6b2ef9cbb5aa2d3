"""What people choose, in layers: what was typed, over one's own, over the server's, over the host's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from math import sqrt
from typing import Any

from bot.domain.capability import Named, names
from bot.domain.request import (
    Control,
    Detail,
    FaceSwap,
    Hires,
    Lora,
    Mask,
    PaintRequest,
    Refiner,
    Resize,
    Script,
    Variation,
    Workflow,
)

_TRAINED_PIXELS = 1024 * 1024
_TRAINED = {
    "1:1": (1024, 1024),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
}
_PARTED: Mapping[str, tuple[type, frozenset[str]]] = {
    "hires": (Hires, frozenset()),
    "mask": (Mask, frozenset({"image"})),
    "controls": (Control, frozenset({"image", "model"})),
    "face_swap": (FaceSwap, frozenset({"image"})),
}
"""What can be chosen part by part: what it is made into, and the parts that it is nothing without."""


class Shape(StrEnum):
    """A size by its ratio: the pixel count stays that of the default size."""

    SQUARE = "1:1"
    PORTRAIT = "2:3"
    LANDSCAPE = "3:2"
    TALL = "9:16"
    WIDE = "16:9"

    def size(self, pixels: int, multiple: int = 64) -> tuple[int, int]:
        """Return width and height in px with about ``pixels`` in all, each a multiple of ``multiple`` px.

        At 1024² px they are the sizes that SDXL was trained on (Podell et al. 2023, appendix I).
        """
        if pixels == _TRAINED_PIXELS:
            return _TRAINED[self.value]
        across, down = (int(part) for part in self.value.split(":"))
        unit = sqrt(pixels / (across * down))
        width = max(multiple, round(across * unit / multiple) * multiple)
        height = max(multiple, round(down * unit / multiple) * multiple)
        return width, height


@dataclass(frozen=True, slots=True)
class Options:
    """One layer of choices; ``None`` leaves the choice to the layer below.

    What a lower layer set is switched off by an empty text or tuple, and a hires pass by a scale of 1. ``parts``
    are single fields of a hires pass, a mask, the first ControlNet or a face swap, which change the whole one of a
    layer below or make one. A shape waits for a layer that has a width and a height.
    ``script``, ``workflow``, ``save_images``, ``overrides`` and ``extra`` come from admins' presets alone.
    """

    negative_prompt: str | None = None
    model: str | None = None
    shape: Shape | None = None
    width: int | None = None
    height: int | None = None
    count: int | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    seed: int | None = None
    loras: tuple[Lora, ...] | None = None
    strength: float | None = None
    spoiler: bool | None = None
    vae: str | None = None
    clip_skip: int | None = None
    styles: tuple[str, ...] | None = None
    tiling: bool | None = None
    restore_faces: bool | None = None
    variation: Variation | None = None
    hires: Hires | None = None
    refiner: Refiner | None = None
    resize: Resize | None = None
    mask: Mask | None = None
    controls: tuple[Control, ...] | None = None
    details: tuple[Detail, ...] | None = None
    face_swap: FaceSwap | None = None
    script: Script | None = None
    workflow: Workflow | None = None
    save_images: bool | None = None
    overrides: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] | None = None
    parts: Mapping[str, Mapping[str, Any]] | None = None

    def with_parts(self, name: str, **fields: object) -> "Options":
        """Return the same with single ``fields`` of a hires pass, a mask, a ControlNet or a face swap chosen."""
        parts = self.parts or {}
        return replace(self, parts={**parts, name: {**parts.get(name, {}), **fields}})

    def part(self, name: str, field: str) -> Any:
        """Return one field of such a thing, ``None`` if it was not chosen."""
        chosen = (self.parts or {}).get(name, {})
        if field in chosen:
            return chosen[field]
        whole = getattr(self, name)
        first = (whole[0] if whole else None) if isinstance(whole, tuple) else whole
        return getattr(first, field, None)

    def over(self, lower: "Options") -> "Options":
        """Return this layer laid over ``lower``; a shape typed here covers a width or height set below."""
        merged = {
            name: getattr(lower, name) if getattr(self, name) is None else getattr(self, name) for name in _NAMES
        }
        if self.shape is not None and lower.width is not None and lower.height is not None:
            width, height = self.shape.size(lower.width * lower.height)
            merged["width"] = width if self.width is None else self.width
            merged["height"] = height if self.height is None else self.height
        elif self.shape is not None:
            merged |= {"width": self.width, "height": self.height}
        merged["parts"] = {
            name: {**((lower.parts or {}).get(name, {}) if getattr(self, name) is None else {}), **chosen}
            for name in _PARTED
            if (chosen := (self.parts or {}).get(name, {})) or (lower.parts or {}).get(name)
        } or None
        return Options(**merged)

    def request(self, prompt: str, *, seed: int, init_image: str | None = None) -> PaintRequest:
        """Return the order these choices make; ``seed`` is used when none was chosen.

        A mask, a strength and a resize mode say nothing without a picture to start from and are left out.
        """
        if self.shape is not None and (self.width is None or self.height is None):
            return self.over(_USUAL_SIZE).request(prompt, seed=seed, init_image=init_image)
        chosen = {name: getattr(self, name) for name in _PASSED_ON if getattr(self, name) is not None}
        chosen |= {name: whole for name in _PARTED if (whole := self._whole(name)) is not None}
        if "hires" in chosen and chosen["hires"].scale <= 1:
            del chosen["hires"]
        if init_image is None:
            chosen.pop("mask", None)
        else:
            chosen["strength"] = 0.6 if self.strength is None else self.strength
            chosen |= {} if self.resize is None else {"resize": self.resize}
        return PaintRequest(
            prompt=prompt, init_image=init_image, **({"seed": seed} | _without_empty_names(chosen))
        )

    def _whole(self, name: str) -> Any:
        """Return the whole of what was chosen in parts; ``None`` if a part is missing that it needs."""
        whole, parts = getattr(self, name), (self.parts or {}).get(name)
        if not parts:
            return whole
        made_of, needed = _PARTED[name]
        if name == "controls":
            if whole:
                return (replace(whole[0], **parts), *whole[1:])
            return (made_of(**parts),) if needed <= parts.keys() else whole
        if whole is not None:
            return replace(whole, **parts)
        return made_of(**parts) if needed <= parts.keys() else None

    @classmethod
    def of(cls, request: PaintRequest) -> "Options":
        """Return the choices that ``request`` was made of, all but its prompt and source picture."""
        return cls(**{name: getattr(request, name) for name in (*_PASSED_ON, *_PARTED, "strength", "resize")})


_NAMES = tuple(each.name for each in fields(Options))
_OTHERWISE = frozenset({"shape", "spoiler", "parts", "strength", "resize", *_PARTED})
_PASSED_ON = tuple(name for name in _NAMES if name not in _OTHERWISE)
"""What goes into a request under its own name."""
_USUAL_SIZE = Options(width=512, height=512)
_NAMED = frozenset({"model", "sampler", "scheduler", "vae"})


def _without_empty_names(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if value or name not in _NAMED}


def names_of(options: Options) -> Iterator[Named]:
    """Return every listed name that ``options`` use, whatever pictures they still wait for."""
    for name in ("controls", "mask", "face_swap"):
        if (options.parts or {}).get(name):
            model = {"model": options.part(name, "model")} if name == "controls" else {}
            options = options.with_parts(name, image="", **model)
    return names(options.request("", seed=0, init_image=""))
