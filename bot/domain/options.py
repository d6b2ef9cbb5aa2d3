"""What people choose, in layers: what was typed, over one's own, over the server's, over the host's."""

from dataclasses import dataclass, fields
from enum import StrEnum
from math import sqrt

from bot.domain.request import Lora, PaintRequest


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
    """One layer of choices; ``None`` leaves the choice to the layer below."""

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
        """Return the order these choices make; ``seed`` is used when none was chosen."""
        return PaintRequest(
            prompt=prompt,
            seed=seed if self.seed is None else self.seed,
            negative_prompt=self.negative_prompt or "",
            model=self.model,
            width=512 if self.width is None else self.width,
            height=512 if self.height is None else self.height,
            count=1 if self.count is None else self.count,
            steps=20 if self.steps is None else self.steps,
            cfg_scale=7.0 if self.cfg_scale is None else self.cfg_scale,
            sampler=self.sampler,
            scheduler=self.scheduler,
            loras=self.loras or (),
            init_image=init_image,
            strength=None if init_image is None else (0.6 if self.strength is None else self.strength),
        )


_NAMES = tuple(field.name for field in fields(Options))
