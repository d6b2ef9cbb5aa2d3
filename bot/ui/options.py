"""Every option of every command, declared once: name, type, range, description, suggestions, payload field."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import discord

from bot.domain.capability import Listing
from bot.domain.errors import RequestError
from bot.domain.job import Job, Ping
from bot.domain.limits import MIN_SIDE, Limits
from bot.domain.options import Options, Shape
from bot.domain.request import MAX_SEED, Lora
from bot.domain.text import N_
from bot.ui.words import cut, exact, one_line

PROMPT_LENGTH = 1500
"""Characters a prompt option takes; the modals take the full 4,000."""
MAX_LORAS = 10
MAX_LORA_WEIGHT = 4

Values = Mapping[str, Any]
Caps = Callable[[Limits], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``caps`` gives lowest and highest value, or shortest and longest text.

    ``payload`` is where it ends up in a request of the AUTOMATIC1111 API; empty where it never gets there.
    """

    name: str
    kind: type
    description: str
    payload: str = ""
    caps: Caps | None = None
    listing: Listing | None = None
    choices: tuple[tuple[str, str], ...] = ()


def _fixed(low: float, high: float) -> Caps:
    return lambda _: (low, high)


SHAPES = (
    (N_("Square 1:1"), Shape.SQUARE.value),
    (N_("Portrait 2:3"), Shape.PORTRAIT.value),
    (N_("Landscape 3:2"), Shape.LANDSCAPE.value),
    (N_("Tall 9:16"), Shape.TALL.value),
    (N_("Wide 16:9"), Shape.WIDE.value),
)
PINGS = (
    (N_("No ping"), Ping.OFF.value),
    (N_("Mention me in a reply"), Ping.MENTION.value),
    (N_("Direct message"), Ping.DM.value),
)
LANGUAGES = (("English", "en"),)

_ALL = (
    Option("image", discord.Attachment, N_("The picture to start from"), "init_images"),
    Option("prompt", str, N_("What to paint"), "prompt", _fixed(1, PROMPT_LENGTH)),
    Option("negative_prompt", str, N_("What to keep out"), "negative_prompt", _fixed(1, PROMPT_LENGTH)),
    Option(
        "model",
        str,
        N_("The model that paints"),
        "override_settings.sd_model_checkpoint",
        listing=Listing.MODELS,
    ),
    Option("size", str, N_("Its shape, at the usual number of pixels"), "width, height", choices=SHAPES),
    Option("width", int, N_("Width in pixels"), "width", lambda limits: (MIN_SIDE, limits.max_side)),
    Option("height", int, N_("Height in pixels"), "height", lambda limits: (MIN_SIDE, limits.max_side)),
    Option("count", int, N_("How many pictures"), "n_iter", lambda limits: (1, limits.max_count)),
    Option("steps", int, N_("How many steps"), "steps", lambda limits: (1, limits.max_steps)),
    Option("cfg_scale", float, N_("How closely to follow the prompt"), "cfg_scale", _fixed(0, 30)),
    Option("sampler", str, N_("The sampler"), "sampler_name", listing=Listing.SAMPLERS),
    Option("scheduler", str, N_("The noise schedule"), "scheduler", listing=Listing.SCHEDULERS),
    Option("seed", int, N_("The same seed gives the same picture"), "seed", _fixed(0, MAX_SEED)),
    Option("lora", str, N_("LoRAs as name:weight, with commas between"), "prompt", listing=Listing.LORAS),
    Option("spoiler", bool, N_("Hide the picture until it is clicked")),
    Option(
        "strength", float, N_("How far to go from the picture: 0.05 to 1"), "denoising_strength", _fixed(0.05, 1)
    ),
    Option("ping", str, N_("How to be told after a long wait"), choices=PINGS),
    Option("max_steps", int, N_("Most steps allowed here"), "", lambda limits: (1, limits.max_steps)),
    Option("max_side", int, N_("Widest and highest allowed here"), "", lambda limits: (MIN_SIDE, limits.max_side)),
    Option("max_count", int, N_("Most pictures at once here"), "", lambda limits: (1, limits.max_count)),
    Option(
        "max_queued_user",
        int,
        N_("Most jobs one person may have waiting here"),
        "",
        lambda limits: (1, limits.max_queued_user),
    ),
    Option("language", str, N_("The language of public messages here"), choices=LANGUAGES),
    Option("reactions", bool, N_("Put 🔁 under finished pictures")),
    Option("backend", str, N_("The name of a backend"), listing=Listing.BACKENDS),
    Option("job", int, N_("The number of the job, as /queue show has it"), "", _fixed(1, 2**53 - 1)),
)
OPTIONS: Mapping[str, Option] = {option.name: option for option in _ALL}

DRAW = (
    "prompt",
    "negative_prompt",
    "model",
    "size",
    "width",
    "height",
    "count",
    "steps",
    "cfg_scale",
    "sampler",
    "scheduler",
    "seed",
    "lora",
    "spoiler",
)
REMIX = ("image", "prompt", "strength", *DRAW[1:])
RESET = "reset"
EVERYTHING = "everything"


def resettable(names: Iterable[str]) -> Option:
    """Return the option that gives one of ``names`` back to the layer below, or all of them."""
    choices = ((N_("everything"), EVERYTHING), *((name, name) for name in names))
    return Option(RESET, str, N_("Take back what was set"), choices=choices)


@dataclass(frozen=True, slots=True)
class Changes:
    """Settings to be changed: ``None`` takes one back; ``options`` are those whose names a backend must have."""

    values: Mapping[str, object]
    options: Options


def changes(values: Values, names: Iterable[str]) -> Changes:
    """Return what a settings command changes; what was typed stands over what was reset."""
    typed_in = dict(values)
    reset = typed_in.pop(RESET, None)
    taken_back = dict.fromkeys(name for name in names if reset in {name, EVERYTHING})
    listed = {name: typed_in.get(name) for name in ("model", "sampler", "scheduler")}
    return Changes({**taken_back, **typed_in}, Options(**listed))


def typed(values: Values) -> tuple[str, Options]:
    """Return the prompt and the choices that a command's values make; raises ``RequestError`` for a bad LoRA."""
    return str(values.get("prompt", "")), Options(
        negative_prompt=values.get("negative_prompt"),
        model=values.get("model"),
        shape=Shape(values["size"]) if "size" in values else None,
        width=values.get("width"),
        height=values.get("height"),
        count=values.get("count"),
        steps=values.get("steps"),
        cfg_scale=values.get("cfg_scale"),
        sampler=values.get("sampler"),
        scheduler=values.get("scheduler"),
        seed=values.get("seed"),
        loras=loras(values["lora"]) if "lora" in values else None,
        strength=values.get("strength"),
        spoiler=values.get("spoiler"),
    )


def loras(text: str) -> tuple[Lora, ...]:
    """Return the LoRAs of ``name:0.8, other``; raises ``RequestError`` in words."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MAX_LORAS:
        raise RequestError(
            N_("That are {count} LoRAs."), N_("Use at most {max}."), count=len(parts), max=MAX_LORAS
        )
    return tuple(_lora(part) for part in parts)


def _lora(part: str) -> Lora:
    name, colon, weight_text = part.rpartition(":")
    if not colon:
        return Lora(part)
    try:
        weight = float(weight_text)
    except ValueError:
        weight = math.nan
    if not name.strip() or not abs(weight) <= MAX_LORA_WEIGHT:
        raise RequestError(
            N_("“{part}” is no LoRA with a weight."),
            N_("Write name:0.8, with a weight from {low} to {high}."),
            part=cut(part, 100),
            low=-MAX_LORA_WEIGHT,
            high=MAX_LORA_WEIGHT,
        )
    return Lora(name.strip(), weight)


def written_loras(chosen: Iterable[Lora]) -> str:
    """Return LoRAs as the option takes them."""
    return ", ".join(f"{lora.name}:{exact(lora.weight)}" for lora in chosen)


def copyable(job: Job) -> str:
    """Return the one line that paints ``job`` again when it is pasted into Discord, however long it is."""
    request = job.spec.request
    result = job.result
    facts: dict[str, Any] = {
        "prompt": request.prompt,
        "strength": None if request.strength is None else exact(request.strength),
        "negative_prompt": request.negative_prompt,
        "model": request.model or (result.model if result else None),
        "width": request.width,
        "height": request.height,
        "count": request.count if request.count > 1 else None,
        "steps": request.steps,
        "cfg_scale": exact(request.cfg_scale),
        "sampler": request.sampler or (result.sampler if result else None),
        "scheduler": request.scheduler or (result.scheduler if result else None),
        "seed": str(request.seed),
        "lora": written_loras(request.loras),
        "spoiler": "True" if job.spec.spoiler else None,
    }
    name = "draw" if request.init_image is None else "remix"
    options = [f"{key}:{one_line(str(value))}" for key, value in facts.items() if value not in {None, ""}]
    return f"/{name} {' '.join(options)}"
