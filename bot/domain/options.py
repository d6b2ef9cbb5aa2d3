"""What people choose, in layers: what was typed, over one's own, over the server's, over the host's."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from math import sqrt
from typing import Any

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


class Shape(StrEnum):
    """A size by its ratio: the pixel count stays that of the default size."""

    SQUARE = "1:1"
    PORTRAIT = "2:3"
    LANDSCAPE = "3:2"
    TALL = "9:16"
    WIDE = "16:9"

    def size(self, pixels: int, multiple: int = 64) -> tuple[int, int]:
        """Return width and height in px with about ``pixels`` in all, each a multiple of ``multiple`` px."""
        across, down = (int(part) for part in self.value.split(":"))
        unit = sqrt(pixels / (across * down))
        width = max(multiple, round(across * unit / multiple) * multiple)
        height = max(multiple, round(down * unit / multiple) * multiple)
        return width, height


@dataclass(frozen=True, slots=True)
class Options:
    """One layer of choices; ``None`` leaves the choice to the layer below.

    What a lower layer set is switched off by an empty text or tuple, and a hires pass by a scale of 1.
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

    def over(self, lower: "Options") -> "Options":
        """Return this layer laid over ``lower``; a shape typed here covers a width or height set below."""
        merged = {
            name: getattr(lower, name) if getattr(self, name) is None else getattr(self, name) for name in _NAMES
        }
        if self.shape is not None:
            width, height = self.shape.size((lower.width or 512) * (lower.height or 512))
            merged["width"] = width if self.width is None else self.width
            merged["height"] = height if self.height is None else self.height
        return Options(**merged)

    def request(self, prompt: str, *, seed: int, init_image: str | None = None) -> PaintRequest:
        """Return the order these choices make; ``seed`` is used when none was chosen.

        A mask, a strength and a resize mode say nothing without a picture to start from and are left out.
        """
        chosen = {name: getattr(self, name) for name in _PASSED_ON if getattr(self, name) is not None}
        if self.hires is not None and self.hires.scale > 1:
            chosen["hires"] = self.hires
        if init_image is not None:
            chosen |= {"strength": 0.6 if self.strength is None else self.strength, "mask": self.mask}
            chosen |= {} if self.resize is None else {"resize": self.resize}
        return PaintRequest(
            prompt=prompt, init_image=init_image, **({"seed": seed} | _without_empty_names(chosen))
        )

    @classmethod
    def of(cls, request: PaintRequest) -> "Options":
        """Return the choices that ``request`` was made of, all but its prompt and source picture."""
        return cls(
            **{name: getattr(request, name) for name in (*_PASSED_ON, "hires", "strength", "mask", "resize")}
        )


_NAMES = tuple(each.name for each in fields(Options))
_OTHERWISE = frozenset({"shape", "spoiler", "hires", "strength", "mask", "resize"})
_PASSED_ON = tuple(name for name in _NAMES if name not in _OTHERWISE)
"""What goes into a request under its own name."""
_NAMED = frozenset({"model", "sampler", "scheduler", "vae"})


def _without_empty_names(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if value or name not in _NAMED}
