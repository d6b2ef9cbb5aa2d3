"""What a person chooses for a picture in the terminal; declared once, for commands and lines of a file."""

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

from typer import Option

from bot.domain.errors import RequestError
from bot.domain.limits import Limits
from bot.domain.options import Options, Shape
from bot.domain.request import Control, Hires, Lora, Mask, PaintRequest, Refiner, Workflow

LIMITS = Limits(
    max_steps=150,
    max_side=8192,
    max_pixels=4096 * 4096,
    max_count=16,
    max_queued_guild=1_000_000,
    max_queued_user=1_000_000,
)
"""Members' limits do not bind a host at their own machine; these are past what servers take, against slips."""
_SIZE = re.compile(r"(\d+)[x×](\d+)")
_CONTROL = re.compile(r"((?:[A-Za-z]:(?=[\\/]))?[^:]+):([^:]+)(?::([^:]*))?(?::([^:]+))?")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One layer of choices as they were typed; ``None`` leaves the choice to the layer below."""

    negative: Annotated[str | None, Option("--negative", "-n", help="What the picture should not show.")] = None
    model: Annotated[str | None, Option("--model", "-m", help="Model (checkpoint) by its name.")] = None
    size: Annotated[str | None, Option(help="Width x height in px (768x512), or a ratio (1:1, 2:3, 16:9 …).")] = (
        None
    )
    width: Annotated[int | None, Option(help="Width in px.")] = None
    height: Annotated[int | None, Option(help="Height in px.")] = None
    count: Annotated[int | None, Option("--count", "-c", help="Pictures; each has the next seed.")] = None
    steps: Annotated[int | None, Option("--steps", "-s", help="Sampling steps.")] = None
    cfg: Annotated[float | None, Option(help="CFG scale: how closely the prompt is followed.")] = None
    sampler: Annotated[str | None, Option(help="Sampler by its name.")] = None
    scheduler: Annotated[str | None, Option(help="Scheduler by its name.")] = None
    seed: Annotated[int | None, Option(help="Seed; -1 draws one.")] = None
    lora: Annotated[list[str] | None, Option(help="name or name:weight; several times.")] = None
    vae: Annotated[str | None, Option(help="VAE by its name.")] = None
    clip_skip: Annotated[int | None, Option(help="CLIP skip, 1 to 12.")] = None
    style: Annotated[list[str] | None, Option(help="Style by its name; several times.")] = None
    tiling: Annotated[bool | None, Option("--tiling", help="Let the picture's edges fit each other.")] = None
    restore_faces: Annotated[bool | None, Option("--restore-faces", help="Mend faces.")] = None
    hires: Annotated[float | None, Option(help="Hires fix: a second pass at this scale.")] = None
    hires_upscaler: Annotated[str | None, Option(help="Upscaler of the hires fix.")] = None
    hires_steps: Annotated[int | None, Option(help="Steps of the second pass; 0: as many as the first.")] = None
    hires_strength: Annotated[float | None, Option(help="Denoising strength of the second pass.")] = None
    refiner: Annotated[str | None, Option(help="Refiner, as model or model:share of the steps.")] = None
    image: Annotated[Path | None, Option(help="Picture to paint over (img2img).")] = None
    strength: Annotated[float | None, Option(help="Denoising strength, with --image.")] = None
    mask: Annotated[Path | None, Option(help="White where --image is painted anew.")] = None
    control: Annotated[
        list[str] | None, Option(help="ControlNet: file:model[:module[:weight]]; several times.")
    ] = None
    workflow: Annotated[str | None, Option(help="A workflow of your own by its name.")] = None
    set_: Annotated[list[str] | None, Option("--set", help="key=value for --workflow; several times.")] = None

    def over(self, lower: "Choices") -> "Choices":
        """Return this layer laid over ``lower``; a size typed here covers a width or height set below."""
        if self.size is not None:
            lower = replace(lower, width=None, height=None)
        mine = {name: value for name in _NAMES if (value := getattr(self, name)) is not None}
        return replace(lower, **mine)

    def files(self) -> list[Path]:
        """Return the pictures that are read."""
        units = [Path(_control(text).image) for text in self.control or ()]
        return [file for file in (self.image, self.mask, *units) if file is not None]

    @property
    def free_size(self) -> bool:
        """Whether a source picture may say the size."""
        return self.image is not None and {self.size, self.width, self.height} == {None}

    def request(self, prompt: str, *, seed: int, defaults: Options) -> PaintRequest:
        """Return the order these choices make over ``defaults``, its pictures named by their files.

        Raises ``RequestError`` in words for what cannot be read or is out of bounds.
        """
        shape, width, height = self._shape()
        options = Options(
            negative_prompt=self.negative,
            model=self.model,
            shape=shape,
            width=width,
            height=height,
            count=self.count,
            steps=self.steps,
            cfg_scale=self.cfg,
            sampler=self.sampler,
            scheduler=self.scheduler,
            loras=tuple(map(_lora, self.lora)) if self.lora else None,
            strength=self.strength,
        ).over(defaults)
        order = options.request(prompt, seed=seed, init_image=None if self.image is None else str(self.image))
        order = replace(
            order,
            mask=None if self.mask is None else Mask(str(self.mask)),
            vae=self.vae,
            clip_skip=self.clip_skip,
            styles=tuple(self.style or ()),
            tiling=bool(self.tiling),
            restore_faces=bool(self.restore_faces),
            hires=self._hires(),
            refiner=None if self.refiner is None else _refiner(self.refiner),
            controls=tuple(map(_control, self.control or ())),
            workflow=self._workflow(),
        )
        self._check(order)
        return order

    def _shape(self) -> tuple[Shape | None, int | None, int | None]:
        if self.size is None:
            return None, self.width, self.height
        if found := _SIZE.fullmatch(self.size):
            return None, self.width or int(found[1]), self.height or int(found[2])
        try:
            return Shape(self.size), self.width, self.height
        except ValueError:
            ratios = ", ".join(shape.value for shape in Shape)
            raise RequestError(f"--size takes width x height, such as 768x512, or one of {ratios}.") from None

    def _hires(self) -> Hires | None:
        if self.hires is None:
            _needs(
                "--hires",
                hires_upscaler=self.hires_upscaler,
                hires_steps=self.hires_steps,
                hires_strength=self.hires_strength,
            )
            return None
        strength = 0.5 if self.hires_strength is None else self.hires_strength
        return Hires(self.hires, self.hires_upscaler, self.hires_steps or 0, strength)

    def _workflow(self) -> Workflow | None:
        if self.workflow is None:
            _needs("--workflow", set=self.set_)
            return None
        return Workflow(self.workflow, dict(map(_pair, self.set_ or ())))

    def _check(self, order: PaintRequest) -> None:
        for file in self.files():
            if not file.is_file():
                raise RequestError("{file} is no file that can be read.", file=str(file))
        if order.init_image is None:
            _needs("--image", mask=self.mask, strength=self.strength)
        LIMITS.check(order)


_NAMES = tuple(field.name for field in fields(Choices))


def with_choices(command: Callable[..., T]) -> Callable[..., T]:
    """Give ``command`` an option for each of the ``Choices``, which it takes as its argument ``choices``."""

    def chosen(**given: Any) -> T:
        choices = Choices(**{name: given.pop(name) for name in _NAMES})
        return command(choices=choices, **given)

    kinds = get_type_hints(Choices, include_extras=True)
    own = [each for each in inspect.signature(command).parameters.values() if each.name != "choices"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [inspect.Parameter(name, keyword, default=None, annotation=kinds[name]) for name in _NAMES]
    signature = inspect.Signature([*(each.replace(kind=keyword) for each in own), *options])
    chosen.__name__, chosen.__doc__ = command.__name__, command.__doc__
    chosen.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
    return chosen


def _needs(option: str, **others: object) -> None:
    stray = next((name for name, value in others.items() if value is not None), None)
    if stray is not None:
        raise RequestError(f"--{stray.replace('_', '-')} goes with {option} only; give that too.")


def _lora(text: str) -> Lora:
    name, colon, weight = text.rpartition(":")
    return Lora(name, _number("--lora", weight)) if colon else Lora(text)


def _refiner(text: str) -> Refiner:
    model, colon, share = text.rpartition(":")
    return Refiner(model, _number("--refiner", share)) if colon else Refiner(text)


def _control(text: str) -> Control:
    found = _CONTROL.fullmatch(text)
    if found is None:
        raise RequestError("--control takes file:model, then :module and :weight if you like.")
    image, model, module, weight = found.groups()
    return Control(image, model, module or None, _number("--control", weight) if weight else 1.0)


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise RequestError("--set takes key=value.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(f"{option}: “{text[:20]}” is no number.") from None
