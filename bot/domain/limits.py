"""What a place allows: the host's limits, and the server's within them."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import inf, sqrt

from bot.domain.errors import LimitError, PromptError
from bot.domain.request import MAX_SEED, PaintRequest
from bot.domain.text import N_

MAX_PROMPT = 4000
"""Characters in a prompt: what a modal's text field takes (Discord docs, Text Input)."""
MIN_SIDE = 64
"""Smallest width or height in px."""
MAX_HIRES = 4.0
"""Largest scale of a hires pass (the WebUI's slider)."""
CLIP_SKIP = (1, 12)
"""A CLIP text encoder has 12 layers; 1 skips none (the WebUI's setting)."""
MAX_LORAS, MAX_LORA_WEIGHT = 10, 4.0
MAX_SEVERAL = 10
"""Most styles, detailers or ControlNets in one request."""
MAX_BLUR, MAX_PADDING = 64, 256
"""In px (the WebUI's sliders)."""
MAX_FACES = 20
MIN_COST, MAX_COST = 0.2, 1000.0
"""Between these a cap on an order's cost may lie, in standard images (30 steps at 1024×1024 px)."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"})
"""Categories of signs that alone show nothing (Unicode Standard, General Category)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one request and on one's waiting jobs; sides in px, ``max_pixels`` per picture.

    ``max_cost`` is that of one whole order, in standard images; see ``bot.domain.load``.
    """

    max_steps: int = 60
    max_side: int = 2048
    max_pixels: int = 2048 * 1536
    max_count: int = 4
    max_queued_guild: int = 200
    max_queued_user: int = 20
    max_cost: float = inf

    def within(self, upper: "Limits") -> "Limits":
        """Return these limits, none above ``upper``'s."""
        return Limits(
            **{f.name: min(getattr(self, f.name), getattr(upper, f.name)) for f in fields(self)},
        )

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        """Return the nearest size, in px, that a picture may have; about in the same ratio if it is smaller."""
        width, height = min(width, self.max_side), min(height, self.max_side)
        share = sqrt(self.max_pixels / (width * height))
        if share >= 1:
            return width, height
        return max(MIN_SIDE, int(width * share) // 8 * 8), max(MIN_SIDE, int(height * share) // 8 * 8)

    def check(self, request: PaintRequest) -> None:
        """Raise ``PromptError`` or ``LimitError`` with the words for whoever asked."""
        if all(unicodedata.category(char) in _UNSEEN for char in request.prompt):
            raise PromptError(N_("The prompt is empty."), N_("Say what to paint."))
        check_length(max(request.prompt, request.negative_prompt, key=len))
        self.check_range("width", request.width, MIN_SIDE, self.max_side)
        self.check_range("height", request.height, MIN_SIDE, self.max_side)
        self.check_range("steps", request.steps, 1, self.max_steps)
        self.check_range("count", request.count, 1, self.max_count)
        self.check_range("cfg_scale", request.cfg_scale, 0, 30)
        self.check_range("seed", request.seed, 0, MAX_SEED)
        for name, value, low, high in (*self._ranges(request), *_extras(request)):
            self.check_range(name, value, low, high)
        width, height = request.final_size
        if width * height > self.max_pixels:
            raise LimitError(
                N_("{width}×{height} is more than a picture may have here."),
                N_("Choose a size of at most {max} megapixels."),
                width=width,
                height=height,
                max=round(self.max_pixels / 1e6, 1),
            )
        if max(width, height) > self.max_side:
            raise LimitError(
                N_("The hires pass would make it {width}×{height}, more than a picture may have here."),
                N_("Choose a smaller size or hires: at most {max} px a side."),
                width=width,
                height=height,
                max=self.max_side,
            )
        for name, several, most in (
            ("lora", len(request.loras), MAX_LORAS),
            ("style", len(request.styles), MAX_SEVERAL),
            ("detail", len(request.details), MAX_SEVERAL),
            ("control_model", len(request.controls), MAX_SEVERAL),
        ):
            if several > most:
                raise LimitError(
                    N_("{option} is there {count} times."),
                    N_("Use at most {max}."),
                    option=name,
                    count=several,
                    max=most,
                )
        for detail in request.details:
            check_length(max(detail.prompt, detail.negative_prompt, key=len))

    def _ranges(self, request: PaintRequest) -> Iterator[tuple[str, float, float, float]]:
        """Return what is a number beside size, steps and count: option, value, lowest, highest."""
        if request.strength is not None:
            yield "strength", request.strength, 0.05, 1
        if request.clip_skip is not None:
            yield "clip_skip", request.clip_skip, *CLIP_SKIP
        if (variation := request.variation) is not None:
            yield "variation", variation.seed, 0, MAX_SEED
            yield "variation", variation.strength, 0, 1
        if (hires := request.hires) is not None:
            yield "hires", hires.scale, 1, MAX_HIRES
            yield "hires_steps", hires.steps, 0, self.max_steps
            yield "hires_strength", hires.strength, 0, 1
        if request.refiner is not None:
            yield "refiner", request.refiner.switch_at, 0, 1
        if (mask := request.mask) is not None:
            yield "mask_blur", mask.blur, 0, MAX_BLUR
            yield "mask_padding", mask.padding or 0, 0, MAX_PADDING

    @staticmethod
    def check_range(name: str, value: float, low: float, high: float) -> None:
        """Raise ``LimitError`` unless ``low ≤ value ≤ high``."""
        if not low <= value <= high:
            raise LimitError(
                N_("{option} {value} is outside what is allowed here."),
                N_("Choose {option} between {low} and {high}."),
                option=name,
                value=value,
                low=low,
                high=high,
            )


def check_length(prompt: str, *, most: int = MAX_PROMPT) -> None:
    """Raise ``PromptError`` for a prompt of more than ``most`` characters."""
    if len(prompt) > most:
        raise PromptError(
            N_("The prompt is too long: {length} characters."),
            N_("Shorten it to {max} characters."),
            length=len(prompt),
            max=most,
        )


def _extras(request: PaintRequest) -> Iterator[tuple[str, float, float, float]]:
    """Return the same of LoRAs, ControlNets, detailers and a face swap."""
    for control in request.controls:
        yield "control_weight", control.weight, 0, 2
        yield "control_start", control.start, 0, 1
        yield "control_end", control.end, control.start, 1
    for lora in request.loras:
        yield "lora", lora.weight, -MAX_LORA_WEIGHT, MAX_LORA_WEIGHT
    for detail in request.details:
        yield "detail_confidence", detail.confidence, 0, 1
        yield "detail_strength", detail.strength, 0, 1
    if (swap := request.face_swap) is not None:
        yield "face_source", swap.source_face, 0, MAX_FACES
        yield "face_target", swap.target_face, 0, MAX_FACES
