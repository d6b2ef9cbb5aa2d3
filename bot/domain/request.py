"""What is painted: one complete order, independent of Discord and of the kind of backend.

Pictures are named by their blob's hash. ``None`` leaves a choice to the backend.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

MAX_SEED = 2**32 - 1
"""Largest seed that every backend takes (the WebUI's generator is 32 bits wide)."""
_LATENT_PX = 8
"""A latent pixel's side in px: every backend paints in multiples of it."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA by its listed name, with its weight."""

    name: str
    weight: float = 1.0


class Resize(StrEnum):
    """How a source picture is brought to the size asked for."""

    STRETCH = "stretch"
    CROP = "crop"
    FILL = "fill"
    LATENT = "latent"


class MaskFill(StrEnum):
    """What a masked area begins with."""

    FILL = "fill"
    ORIGINAL = "original"
    NOISE = "noise"
    NOTHING = "nothing"


class ControlMode(StrEnum):
    """Whose word counts more, the prompt's or the control picture's."""

    BALANCED = "balanced"
    PROMPT = "prompt"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Variation:
    """Another seed's noise mixed in by ``strength`` 0–1 (the WebUI's subseed)."""

    seed: int
    strength: float


@dataclass(frozen=True, slots=True)
class Hires:
    """A second pass at ``scale`` times the size; ``steps`` 0 means as many as the first, ``strength`` is 0–1."""

    scale: float = 2.0
    upscaler: str | None = None
    steps: int = 0
    strength: float = 0.5


@dataclass(frozen=True, slots=True)
class Refiner:
    """Another checkpoint that takes over after ``switch_at`` (0–1) of the steps."""

    model: str
    switch_at: float = 0.8


@dataclass(frozen=True, slots=True)
class Mask:
    """Where a source picture is painted anew: white is, black is not (``invert`` swaps them).

    ``blur`` in px; ``padding`` in px around the masked area if only that is painted, at full size; ``None``
    paints with the whole picture in view.
    """

    image: str
    blur: int = 4
    fill: MaskFill = MaskFill.ORIGINAL
    padding: int | None = None
    invert: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """One ControlNet unit: ``start`` and ``end`` are shares (0–1) of the steps, ``weight`` is 0–2.

    ``module`` turns the picture into what the model reads (edges, depth, a pose); ``None`` takes it as it is.
    """

    image: str
    model: str
    module: str | None = None
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    mode: ControlMode = ControlMode.BALANCED
    resize: Resize = Resize.CROP
    pixel_perfect: bool = True


@dataclass(frozen=True, slots=True)
class Detail:
    """Finds something by a detector (faces, hands) and paints it once more (ADetailer)."""

    model: str
    prompt: str = ""
    negative_prompt: str = ""
    confidence: float = 0.3
    strength: float = 0.4


@dataclass(frozen=True, slots=True)
class FaceSwap:
    """Puts the face of ``image`` into the picture; faces are counted from 0, left to right."""

    image: str
    source_face: int = 0
    target_face: int = 0
    restorer: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A selectable script of the server with its arguments by position."""

    name: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """An admin's own graph by its name, with ``values`` for inputs beside those that every request fills."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaintRequest:
    """One order to a backend, with nothing left to chance: the seed is drawn before it is queued.

    Sizes in px; ``strength`` 0–1 is the denoising strength of img2img. Picture ``i`` of ``count`` has seed
    ``seed + i``, as in the WebUI. ``save_images``: the server keeps a copy of its own. ``overrides`` are server
    settings for this request only, ``extra`` raw fields of the WebUI's API: both come from admins' presets,
    never from what a member types.
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
    resize: Resize = Resize.CROP
    mask: Mask | None = None
    vae: str | None = None
    clip_skip: int | None = None
    styles: tuple[str, ...] = ()
    tiling: bool = False
    restore_faces: bool = False
    variation: Variation | None = None
    hires: Hires | None = None
    refiner: Refiner | None = None
    controls: tuple[Control, ...] = ()
    details: tuple[Detail, ...] = ()
    face_swap: FaceSwap | None = None
    script: Script | None = None
    workflow: Workflow | None = None
    save_images: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def seeds(self) -> tuple[int, ...]:
        """Return the seed of every picture, in order."""
        return tuple((self.seed + i) % (MAX_SEED + 1) for i in range(self.count))

    def with_images(self, name: Callable[[str], str]) -> "PaintRequest":
        """Return the same order with every picture called what ``name`` makes of what it is called now."""
        return replace(
            self,
            init_image=self.init_image and name(self.init_image),
            mask=self.mask and replace(self.mask, image=name(self.mask.image)),
            controls=tuple(replace(control, image=name(control.image)) for control in self.controls),
            face_swap=self.face_swap and replace(self.face_swap, image=name(self.face_swap.image)),
        )

    @property
    def final_size(self) -> tuple[int, int]:
        """Width and height in px of the finished pictures: after a hires pass if there is one."""
        if self.hires is None:
            return self.width, self.height
        scale = self.hires.scale / _LATENT_PX
        return int(self.width * scale) * _LATENT_PX, int(self.height * scale) * _LATENT_PX

    def images(self) -> tuple[str, ...]:
        """Return the hashes of all pictures the order needs, each once."""
        return tuple(dict.fromkeys(self._images()))

    def _images(self) -> Iterator[str]:
        for part in (self.mask, *self.controls, self.face_swap):
            if part is not None:
                yield part.image
        if self.init_image is not None:
            yield self.init_image


@dataclass(frozen=True, slots=True)
class UpscaleRequest:
    """An order for a larger copy of a picture: ``scale`` times its sides, without painting it anew.

    ``second`` is mixed in by ``second_share`` 0–1. ``gfpgan`` and ``codeformer`` (0–1) say how much of a
    restored face is taken over; ``codeformer_weight`` 0 changes a face most, 1 least. ``image`` is ``width`` ×
    ``height`` px.
    """

    upscaler: str
    scale: float = 2.0
    second: str | None = None
    second_share: float = 0.5
    gfpgan: float = 0.0
    codeformer: float = 0.0
    codeformer_weight: float = 0.5
    image: str = ""
    width: int = 0
    height: int = 0
    kind: Literal["upscale"] = "upscale"

    def images(self) -> tuple[str, ...]:
        """Return the hash of the picture."""
        return (self.image,)


@dataclass(frozen=True, slots=True)
class CutoutRequest:
    """An order for a picture without its background, by the cutter ``model``."""

    image: str
    model: str | None = None
    kind: Literal["cutout"] = "cutout"

    def images(self) -> tuple[str, ...]:
        """Return the hash of the picture."""
        return (self.image,)


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """An order for words that describe a picture, by the interrogator ``model``."""

    image: str
    model: str | None = None
    kind: Literal["describe"] = "describe"

    def images(self) -> tuple[str, ...]:
        """Return the hash of the picture."""
        return (self.image,)


Work = UpscaleRequest | CutoutRequest | DescribeRequest
"""What is done to a finished picture; stored ones are told apart by ``kind``."""
Order = PaintRequest | Work
"""Whatever a backend can be asked for."""
