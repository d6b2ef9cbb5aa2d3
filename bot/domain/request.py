"""What is painted: one complete order, independent of Discord and of the kind of backend."""

from dataclasses import dataclass

MAX_SEED = 2**32 - 1
"""Largest seed that every backend takes (the WebUI's generator is 32 bits wide)."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA by its listed name, with its weight."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PaintRequest:
    """One order to a backend, with nothing left to chance: the seed is drawn before it is queued.

    Sizes in px; ``strength`` 0–1 is the denoising strength of img2img; ``init_image`` is a blob's hash.
    ``None`` for model, sampler or scheduler means the backend's own choice. Picture ``i`` of ``count`` has
    seed ``seed + i``, as in the WebUI.
    """

    prompt: str
    seed: int
    negative_prompt: str = ""
    model: str | None = None
    width: int = 512
    height: int = 512
    count: int = 1
    steps: int = 20
    cfg_scale: float = 7.0
    sampler: str | None = None
    scheduler: str | None = None
    loras: tuple[Lora, ...] = ()
    init_image: str | None = None
    strength: float | None = None

    def seeds(self) -> tuple[int, ...]:
        """Return the seed of every picture, in order."""
        return tuple((self.seed + i) % (MAX_SEED + 1) for i in range(self.count))
