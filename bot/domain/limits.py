"""What a place allows: the host's limits, and the server's within them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

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


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one request and on one's waiting jobs; sides in px, ``max_pixels`` per picture."""

    max_steps: int = 60
    max_side: int = 2048
    max_pixels: int = 2048 * 1536
    max_count: int = 4
    max_queued_guild: int = 200
    max_queued_user: int = 20

    def within(self, upper: "Limits") -> "Limits":
        """Return these limits, none above ``upper``'s."""
        return Limits(
            **{f.name: min(getattr(self, f.name), getattr(upper, f.name)) for f in fields(self)},
        )

    def check(self, request: PaintRequest) -> None:
        """Raise ``PromptError`` or ``LimitError`` with the words for whoever asked."""
        if not request.prompt.strip():
            raise PromptError(N_("The prompt is empty."), N_("Say what to paint."))
        check_length(max(request.prompt, request.negative_prompt, key=len))
        self.check_range(N_("width"), request.width, MIN_SIDE, self.max_side)
        self.check_range(N_("height"), request.height, MIN_SIDE, self.max_side)
        self.check_range(N_("steps"), request.steps, 1, self.max_steps)
        self.check_range(N_("count"), request.count, 1, self.max_count)
        self.check_range(N_("cfg_scale"), request.cfg_scale, 0, 30)
        self.check_range(N_("seed"), request.seed, 0, MAX_SEED)
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
        for name, value, low, high in (*self._ranges(request), *_extras(request)):
            self.check_range(name, value, low, high)
        for name, several, most in (
            (N_("lora"), len(request.loras), MAX_LORAS),
            (N_("style"), len(request.styles), MAX_SEVERAL),
            (N_("detail"), len(request.details), MAX_SEVERAL),
            (N_("control_model"), len(request.controls), MAX_SEVERAL),
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
            yield N_("strength"), request.strength, 0.05, 1
        if request.clip_skip is not None:
            yield N_("clip_skip"), request.clip_skip, *CLIP_SKIP
        if (variation := request.variation) is not None:
            yield N_("variation"), variation.seed, 0, MAX_SEED
            yield N_("variation"), variation.strength, 0, 1
        if (hires := request.hires) is not None:
            yield N_("hires"), hires.scale, 1, MAX_HIRES
            yield N_("hires_steps"), hires.steps, 0, self.max_steps
            yield N_("hires_strength"), hires.strength, 0, 1
        if request.refiner is not None:
            yield N_("refiner"), request.refiner.switch_at, 0, 1
        if (mask := request.mask) is not None:
            yield N_("mask_blur"), mask.blur, 0, MAX_BLUR
            yield N_("mask_padding"), mask.padding or 0, 0, MAX_PADDING

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
        yield N_("control_weight"), control.weight, 0, 2
        yield N_("control_start"), control.start, 0, 1
        yield N_("control_end"), control.end, control.start, 1
    for lora in request.loras:
        yield N_("lora"), lora.weight, -MAX_LORA_WEIGHT, MAX_LORA_WEIGHT
    for detail in request.details:
        yield N_("detail_confidence"), detail.confidence, 0, 1
        yield N_("detail_strength"), detail.strength, 0, 1
    if (swap := request.face_swap) is not None:
        yield N_("face_source"), swap.source_face, 0, MAX_FACES
        yield N_("face_target"), swap.target_face, 0, MAX_FACES
