"""One order as the painting process gets it: every name is known there, every choice made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

LATENT_PX = 8
"""A latent pixel's side in px."""


@dataclass(frozen=True, slots=True)
class Second:
    """The second pass of a hires fix; sizes in px."""

    width: int
    height: int
    upscaler: str
    steps: int
    strength: float


@dataclass(frozen=True, slots=True)
class Guide:
    """One ControlNet; ``alone``: it leads without the prompt (diffusers' guess mode)."""

    model: str
    weight: float
    start: float
    end: float
    alone: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What is painted: a picture for each of ``seeds``; sizes in px.

    Its pictures come along as raw bytes: the source (RGB) and the mask (grey, white is painted) if it has them,
    then one hint (RGB) for each of ``guides``. ``blank``: what is masked begins with nothing, not with the source.
    """

    model: str
    prompt: str
    negative_prompt: str
    seeds: tuple[int, ...]
    width: int
    height: int
    steps: int
    cfg_scale: float
    sampler: str
    scheduler: str
    loras: tuple[tuple[str, float], ...] = ()
    strength: float = 1.0
    clip_skip: int = 1
    tiling: bool = False
    second: Second | None = None
    guides: tuple[Guide, ...] = ()
    has_source: bool = False
    has_mask: bool = False
    blank: bool = False

    @property
    def shape(self) -> "Order":
        """What must be equal for pictures to be painted in one call."""
        return replace(self, prompt="", negative_prompt="", seeds=())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px of the finished pictures."""
        return (self.width, self.height) if self.second is None else (self.second.width, self.second.height)

    def write(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def read(fields: Mapping[str, Any]) -> Order:
    """Return the order that ``write`` wrote."""
    made = {
        "seeds": tuple(fields["seeds"]),
        "loras": tuple((name, weight) for name, weight in fields["loras"]),
        "second": Second(**fields["second"]) if fields["second"] else None,
        "guides": tuple(Guide(**guide) for guide in fields["guides"]),
    }
    return Order(**{**fields, **made})
