"""What a place allows: the host's limits, and the server's within them."""

from dataclasses import dataclass, fields

from bot.domain.errors import LimitError, PromptError
from bot.domain.request import MAX_SEED, PaintRequest
from bot.domain.text import N_

MAX_PROMPT = 4000
"""Characters in a prompt: what a modal's text field takes (Discord docs, Text Input)."""
MIN_SIDE = 64
"""Smallest width or height in px."""


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
        if max(len(request.prompt), len(request.negative_prompt)) > MAX_PROMPT:
            raise PromptError(
                N_("The prompt is too long: {length} characters."),
                N_("Shorten it to {max} characters."),
                length=max(len(request.prompt), len(request.negative_prompt)),
                max=MAX_PROMPT,
            )
        self.check_range(N_("width"), request.width, MIN_SIDE, self.max_side)
        self.check_range(N_("height"), request.height, MIN_SIDE, self.max_side)
        self.check_range(N_("steps"), request.steps, 1, self.max_steps)
        self.check_range(N_("count"), request.count, 1, self.max_count)
        self.check_range(N_("cfg_scale"), request.cfg_scale, 0, 30)
        self.check_range(N_("seed"), request.seed, 0, MAX_SEED)
        if request.strength is not None:
            self.check_range(N_("strength"), request.strength, 0.05, 1)
        if request.width * request.height > self.max_pixels:
            raise LimitError(
                N_("{width}×{height} is more than a picture may have here."),
                N_("Choose a size of at most {max} megapixels."),
                width=request.width,
                height=request.height,
                max=round(self.max_pixels / 1e6, 1),
            )

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
