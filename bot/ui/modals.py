"""The forms behind Edit and Remix, and how a submitted one is read, even by a bot that was started since."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import discord

from bot.domain.errors import RequestError
from bot.domain.job import Job
from bot.domain.limits import MAX_PROMPT
from bot.domain.options import Options
from bot.domain.request import Lora, PaintRequest
from bot.domain.text import N_
from bot.i18n import say
from bot.ui.buttons import Action, encode
from bot.ui.options import loras
from bot.ui.words import cut, exact

TITLE = 45
"""Characters in a modal's title and in a field's label (Discord docs, Modals)."""
DEFAULT_STRENGTH = 0.6
PICTURE_FORM = "easel-remix:"
"""Begins the custom id of a remix form for a picture that is no job's; its message's id follows."""
EXAMPLE = "768×512 · steps 25 · cfg 7 · count 1"


def edit(job: Job, locale: str) -> discord.ui.Modal:
    """Return the form that changes anything about ``job``, filled with what it was painted from."""
    request = job.spec.request
    return _modal(
        encode(Action.EDIT, job.id),
        say(N_("Edit"), locale),
        (
            _field("prompt", say(N_("Prompt"), locale), request.prompt, long=True, required=True),
            _field("negative_prompt", say(N_("Negative prompt"), locale), request.negative_prompt, long=True),
            _field("model", say(N_("Model (empty: the usual one)"), locale), request.model or ""),
            _field("settings", say(N_("Settings"), locale), settings_line(request), long=True),
            _field("seed", say(N_("Seed (empty: a new one)"), locale), str(request.seed)),
        ),
    )


def remix(job: Job, locale: str, number: int = 1) -> discord.ui.Modal:
    """Return the form that paints over ``job``'s picture ``number``, from 1."""
    return remix_form(encode(Action.REMIX, job.id, str(number)), job.spec.request.prompt, locale)


def remix_form(custom_id: str, prompt: str, locale: str) -> discord.ui.Modal:
    """Return the remix form under any custom id, for a picture that is no job's."""
    return _modal(
        custom_id,
        say(N_("Remix"), locale),
        (
            _field("prompt", say(N_("Prompt"), locale), prompt, long=True, required=True),
            _field(
                "strength",
                say(N_("How far to go from the picture: 0.05 to 1"), locale),
                exact(DEFAULT_STRENGTH),
            ),
        ),
    )


def fields(interaction: discord.Interaction) -> dict[str, str]:
    """Return what was typed into a submitted form, by the fields' custom ids."""
    return texts(interaction.data or {})


def texts(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the same from the raw data of a submit, with its fields in rows or in labels."""
    return dict(_texts(data.get("components", ())))


def _texts(components: Any) -> Iterator[tuple[str, str]]:
    for component in components:
        if "value" in component:
            yield str(component.get("custom_id", "")), str(component["value"] or "")
        yield from _texts(component.get("components", ()))
        if "component" in component:
            yield from _texts((component["component"],))


def edited(parent: Job, typed: Mapping[str, str]) -> tuple[str, Options]:
    """Return the prompt and the choices of a submitted Edit; raises ``RequestError`` in words."""
    chosen = settings(typed.get("settings", ""))
    seed = typed.get("seed", "").strip()
    options = replace(
        chosen,
        negative_prompt=typed.get("negative_prompt", "").strip(),
        model=typed.get("model", "").strip() or None,
        loras=chosen.loras or (),
        seed=_integer("seed", seed) if seed else None,
    )
    if parent.spec.request.init_image is None:
        options = replace(options, strength=None)
    return typed.get("prompt", ""), options


def remixed(parent: Job | None, typed: Mapping[str, str]) -> tuple[str, Options]:
    """Return the prompt and the choices of a submitted Remix, the rest as in ``parent``."""
    strength = typed.get("strength", "").strip()
    options = Options(strength=_number("strength", strength) if strength else None)
    if parent is not None:
        request = parent.spec.request
        options = replace(
            options,
            negative_prompt=request.negative_prompt,
            model=request.model,
            width=request.width,
            height=request.height,
            steps=request.steps,
            cfg_scale=request.cfg_scale,
            sampler=request.sampler,
            scheduler=request.scheduler,
            loras=request.loras,
        )
    return typed.get("prompt", ""), options


def settings_line(request: PaintRequest) -> str:
    """Return a request's numbers and names in the line that ``settings`` reads."""
    parts = [
        f"{request.width}×{request.height}",
        f"steps {request.steps}",
        f"cfg {exact(request.cfg_scale)}",
        f"count {request.count}",
        f"sampler {request.sampler}" if request.sampler else "",
        f"scheduler {request.scheduler}" if request.scheduler else "",
        f"strength {exact(request.strength)}" if request.strength is not None else "",
        *(f"lora {lora.name}:{exact(lora.weight)}" for lora in request.loras),
    ]
    return " · ".join(part for part in parts if part)


def settings(line: str) -> Options:
    """Return the choices in a settings line; raises ``RequestError`` naming the part that says nothing."""
    chosen: dict[str, Any] = {}
    found: list[Lora] = []
    for part in filter(None, (part.strip() for part in re.split(r"[·;\n]", line))):
        if size := re.fullmatch(r"(?:size\s*)?(\d{1,9})\s*[x×*]\s*(\d{1,9})", part, re.IGNORECASE):
            chosen |= {"width": int(size[1]), "height": int(size[2])}
            continue
        name, _, value = re.sub(r"^(\w+)\s*[:=]?\s*", r"\1 ", part).partition(" ")
        if name.lower() == "lora" and value:
            found += loras(value)
        elif (reader := _READERS.get(name.lower())) and value:
            field, read = reader
            chosen[field] = read(value.strip())
        else:
            raise RequestError(
                N_("“{part}” in the settings says nothing to me."),
                N_("Write them like this: {example}"),
                part=cut(part, 100),
                example=EXAMPLE,
            )
    return Options(**chosen, loras=tuple(found) or None)


def _number(name: str, text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RequestError(
            N_("“{text}” is no number for {option}."),
            N_("Write a number, such as {example}."),
            text=cut(text, 100),
            option=name,
            example="0.6" if name == "strength" else "25",
        )
    return value


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return int(_number(name, text))


def _whole(name: str) -> Callable[[str], object]:
    return lambda text: _integer(name, text)


_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "steps": ("steps", _whole("steps")),
    "count": ("count", _whole("count")),
    "width": ("width", _whole("width")),
    "height": ("height", _whole("height")),
    "cfg": ("cfg_scale", lambda text: _number("cfg_scale", text)),
    "cfg_scale": ("cfg_scale", lambda text: _number("cfg_scale", text)),
    "strength": ("strength", lambda text: _number("strength", text)),
    "sampler": ("sampler", str),
    "scheduler": ("scheduler", str),
}


def _field(
    custom_id: str, label: str, value: str, *, long: bool = False, required: bool = False
) -> discord.ui.Label[discord.ui.Modal]:
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    return discord.ui.Label(
        text=cut(label, TITLE),
        component=discord.ui.TextInput(
            custom_id=custom_id,
            style=style,
            default=value[:MAX_PROMPT] or None,
            required=required,
            max_length=MAX_PROMPT,
        ),
    )


def _modal(custom_id: str, title: str, labels: tuple[discord.ui.Label[discord.ui.Modal], ...]) -> discord.ui.Modal:
    """Return a modal that is only drawn: its submit is found by its id, so discord.py must not keep it."""
    modal = discord.ui.Modal(title=cut(title, TITLE), custom_id=custom_id)
    for label in labels:
        modal.add_item(label)
    modal.stop()
    return modal
