"""Every option of every command, declared once: name, type, range, description, suggestions, payload field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.domain.capability import Listing
from bot.domain.job import Batch, Ping
from bot.domain.limits import CLIP_SKIP, MAX_COST, MAX_HIRES, MIN_COST, MIN_SIDE, Limits
from bot.domain.options import Options
from bot.domain.request import MAX_SEED
from bot.domain.text import N_
from bot.i18n import languages
from bot.ui.settings import BY_NAME, Typed
from bot.ui.settings_line import Chosen, read

PROMPT_LENGTH = 1500
"""Characters a prompt option takes; the modals take the full 4,000."""
RULES_LENGTH = 4000
"""Characters that a list of models may have."""
MAX_LINK = 2000
"""Characters a link may have."""

Values = Mapping[str, Any]
Caps = Callable[[Limits], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``caps`` gives lowest and highest value, or shortest and longest text.

    ``payload`` is where it ends up in a request of the AUTOMATIC1111 API, unless its ``field`` is that of the same
    name in a settings line. ``suggested``: its suggestions depend on more than a list of names.
    """

    name: str
    kind: type
    description: str
    payload: str = ""
    caps: Caps | None = None
    listing: Listing | None = None
    choices: tuple[tuple[str, str], ...] = ()
    suggested: bool = False

    @property
    def field(self) -> str:
        """Where it ends up; of what can be said in a settings line, what that says."""
        known = BY_NAME.get(self.name)
        return self.payload or (known.payload if known else "")


def _fixed(low: float, high: float) -> Caps:
    return lambda _: (low, high)


PINGS = (
    (N_("No ping"), Ping.OFF.value),
    (N_("Mention me in a reply"), Ping.MENTION.value),
    (N_("Direct message"), Ping.DM.value),
)
BATCHES = (
    (N_("All in one picture, numbered"), Batch.GRID.value),
    (N_("Each by itself, in full"), Batch.SINGLE.value),
)

_ALL = (
    Option("image", discord.Attachment, N_("The picture to start from"), "init_images"),
    Option("link", str, N_("Its address on the web, instead of a file"), "init_images", _fixed(10, MAX_LINK)),
    Option("mask", discord.Attachment, N_("White is painted anew, black stays"), "mask"),
    Option(
        "area",
        str,
        N_("What is painted anew: a side, a box, or beyond the picture"),
        "mask",
        listing=Listing.AREAS,
    ),
    Option(
        "control_image",
        discord.Attachment,
        N_("The picture a ControlNet reads"),
        "alwayson_scripts.controlnet.args.image",
    ),
    Option(
        "control_model",
        str,
        N_("The ControlNet model"),
        "alwayson_scripts.controlnet.args.model",
        listing=Listing.CONTROL_MODELS,
    ),
    Option(
        "face_image", discord.Attachment, N_("The face to put into the picture"), "alwayson_scripts.reactor.args"
    ),
    Option("prompt", str, N_("What to paint"), "prompt", _fixed(1, PROMPT_LENGTH)),
    Option("negative_prompt", str, N_("What to keep out"), "negative_prompt", _fixed(1, PROMPT_LENGTH)),
    Option(
        "model",
        str,
        N_("The model that paints"),
        "override_settings.sd_model_checkpoint",
        listing=Listing.MODELS,
    ),
    Option("preset", str, N_("Choices kept under a name; what you type goes over them"), listing=Listing.PRESETS),
    Option("style", str, N_("Words kept under a name, with commas between several"), listing=Listing.STYLES),
    Option("size", str, N_("A shape, or width and height as 768x512"), suggested=True),
    Option("width", int, N_("Width in pixels"), "width", lambda limits: (MIN_SIDE, limits.max_side)),
    Option("height", int, N_("Height in pixels"), "height", lambda limits: (MIN_SIDE, limits.max_side)),
    Option("count", int, N_("How many pictures"), "n_iter", lambda limits: (1, limits.max_count)),
    Option("steps", int, N_("How many steps"), "steps", lambda limits: (1, limits.max_steps)),
    Option("cfg_scale", float, N_("How closely to follow the prompt"), "cfg_scale", _fixed(0, 30)),
    Option("sampler", str, N_("The sampler"), "sampler_name", listing=Listing.SAMPLERS),
    Option("scheduler", str, N_("The noise schedule"), "scheduler", listing=Listing.SCHEDULERS),
    Option("seed", int, N_("The same seed gives the same picture"), "seed", _fixed(0, MAX_SEED)),
    Option("lora", str, N_("LoRAs as name:weight, with commas between"), listing=Listing.LORAS),
    Option("vae", str, N_("The VAE"), listing=Listing.VAES),
    Option("clip_skip", int, N_("How many layers of the text encoder to leave out"), caps=_fixed(*CLIP_SKIP)),
    Option("hires", float, N_("Paint it again this many times larger; 1 is off"), caps=_fixed(1, MAX_HIRES)),
    Option("more", str, N_("Anything else, as name value · name value"), suggested=True),
    Option("like", str, N_("A picture's code: start from all that made it"), suggested=True),
    Option("private", bool, N_("Show it to me alone")),
    Option("spoiler", bool, N_("Hide the picture until it is clicked")),
    Option(
        "strength", float, N_("How far to go from the picture: 0.05 to 1"), "denoising_strength", _fixed(0.05, 1)
    ),
    Option("upscaler", str, N_("What makes it larger"), "upscaler_1", listing=Listing.UPSCALERS),
    Option("scale", float, N_("How many times as wide and high"), "upscaling_resize", _fixed(1, 4)),
    Option("second", str, N_("A second upscaler, mixed in"), "upscaler_2", listing=Listing.UPSCALERS),
    Option(
        "second_share", float, N_("How much of the second: 0 to 1"), "extras_upscaler_2_visibility", _fixed(0, 1)
    ),
    Option(
        "face_fix",
        str,
        N_("What mends the faces"),
        "gfpgan_visibility, codeformer_visibility",
        listing=Listing.FACE_RESTORERS,
    ),
    Option("ping", str, N_("How to be told after a long wait"), choices=PINGS),
    Option("batch", str, N_("How several pictures are shown"), choices=BATCHES),
    Option("accent", str, N_("The colour beside finished pictures, as #3ba55d"), caps=_fixed(6, 7)),
    Option("show_backend", bool, N_("Name the backend while it paints")),
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
    Option(
        "max_cost",
        float,
        N_("Most one order may cost, in standard pictures: 30 steps at 1024×1024"),
        "",
        lambda limits: (MIN_COST, min(MAX_COST, limits.max_cost)),
    ),
    Option(
        "models_allowed", str, N_("Only these models, with commas; * for any letters"), "", _fixed(1, RULES_LENGTH)
    ),
    Option("models_denied", str, N_("None of these models, likewise"), "", _fixed(1, RULES_LENGTH)),
    Option("language", str, N_("The language of public messages here"), choices=languages()),
    Option("reactions", bool, N_("Put 🔁 under finished pictures")),
    Option("others_may_reroll", bool, N_("Let everybody paint on from others' pictures")),
    Option("links", bool, N_("Let pictures be given by links to other sites")),
    Option("emoji_reroll", str, N_("The emoji that paints a picture anew")),
    Option("emoji_cancel", str, N_("The emoji that cancels a job or takes a picture away")),
    Option("emoji_favourite", str, N_("The emoji that marks a favourite")),
    Option("emoji_dm", str, N_("The emoji that sends a picture home by direct message")),
    Option("emoji_upscale", str, N_("The emoji that makes a picture larger")),
    Option("backend", str, N_("The name of a backend"), listing=Listing.BACKENDS),
    Option("job", str, N_("The job's code, as in /queue show; without it, your latest"), "", _fixed(1, 20)),
)
OPTIONS: Mapping[str, Option] = {option.name: option for option in _ALL}
_FINISHED = Option("image", discord.Attachment, N_("The picture; without it, your last one here"), "image")
_LINKED = replace(OPTIONS["link"], payload="image")
WORK: Mapping[str, tuple[Option, ...]] = {
    "upscale": (
        _FINISHED,
        _LINKED,
        *(OPTIONS[name] for name in ("upscaler", "scale", "second", "second_share", "face_fix", "private")),
    ),
    "cutout": (
        replace(_FINISHED, payload="input_image"),
        replace(_LINKED, payload="input_image"),
        Option("model", str, N_("What tells the background"), "model", listing=Listing.CUTTERS),
        OPTIONS["private"],
    ),
    "describe": (
        _FINISHED,
        _LINKED,
        Option("model", str, N_("What looks at the picture"), "model", listing=Listing.INTERROGATORS),
        OPTIONS["private"],
    ),
}
"""The options of the commands for finished pictures; some of these names mean other things elsewhere."""

_DRAWN = ("negative_prompt", "model", "preset", "style", "size")
_PAINTED = ("count", "steps", "cfg_scale", "sampler", "scheduler", "seed", "lora")
_GUIDED = ("control_image", "control_model", "face_image")
_ENDING = ("more", "like", "spoiler", "private")
DRAW = (
    "prompt",
    *_DRAWN,
    "width",
    "height",
    *_PAINTED,
    "vae",
    "clip_skip",
    "hires",
    *_GUIDED,
    *_ENDING,
)
REMIX = ("image", "link", "prompt", "strength", "mask", "area", *_DRAWN, *_PAINTED, *_GUIDED, *_ENDING)
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


def typed(values: Values) -> Typed:
    """Return all that a command's values choose, those in ``more`` too; raises ``RequestError`` in words."""
    chosen = Chosen()
    for name, value in values.items():
        setting = BY_NAME.get(name)
        if setting is not None:
            chosen.take(setting, setting.read(name, value) if isinstance(value, str) else value)
    return chosen.typed().over(read(values.get("more", "")))
