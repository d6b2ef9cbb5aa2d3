"""The command that gives a picture again when it is pasted into Discord."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.domain import infotext
from bot.domain.codes import code
from bot.domain.job import Job, Result
from bot.domain.options import Options
from bot.domain.recipes import recipe
from bot.domain.request import PaintRequest
from bot.prompting.wildcards import literal
from bot.ui import settings_line, values
from bot.ui.options import DRAW, PROMPT_LENGTH
from bot.ui.settings import BY_NAME
from bot.ui.words import exact, one_line

LONGEST = 6000
"""Characters of a text option (Discord docs, Application Command Interaction Data)."""
_OPTION = re.compile(rf"(?:^|\s)(?:{'|'.join(DRAW)}):")
"""What Discord's client would read as the next option."""
_WRITTEN = ("model", "width", "height", "count", "steps", "cfg_scale", "sampler", "scheduler", "seed")
_SIMPLE = ("vae", "clip_skip")


def copyable(job: Job) -> str:
    """Return the one line that paints ``job`` again, however long it is."""
    return command_line(job.spec.request, made_by(job), spoiler=job.spec.spoiler, like=job.id)


def spelled_out(job: Job) -> str:
    """Return the same with what the line leaves to the job itself below it, to be read."""
    request, spoiler = job.spec.request, job.spec.spoiler
    left = [
        f"{name}: {text}"
        for name, text in _facts(request.prompt, settled(request, made_by(job)), spoiler=spoiler)
        if not can_be_typed(name, text)
    ]
    return "\n\n".join([copyable(job), *left])


def made_by(job: Job) -> Result | PaintRequest | None:
    """Return what tells the choices that a backend made for a job; of work on a picture that is its infotext."""
    if job.spec.work is None or job.result is None:
        return job.result
    text = next((picture.infotext for picture in job.result.pictures), "")
    return (recipe(infotext.parse(text)) if text else None) or job.result


def command_line(
    request: PaintRequest,
    result: Result | PaintRequest | None = None,
    *,
    spoiler: bool = False,
    like: int | None = None,
) -> str:
    """Return the same for an order, and what it came to.

    What cannot be typed in a line, such as pictures and line breaks, is left to the job whose id is ``like``.
    """
    options = settled(request, result)
    facts = dict(_facts(request.prompt, options, spoiler=spoiler))
    typed = {name: text for name, text in facts.items() if can_be_typed(name, text)}
    if like is not None and (typed != facts or not _in_words(request)):
        typed["like"] = code(like)
    return " ".join(["/draw", *(f"{name}:{typed[name]}" for name in DRAW if name in typed)])


def settled(request: PaintRequest, result: Result | PaintRequest | None = None) -> Options:
    """Return the choices of an order, with those that the backend made where it was left to it."""
    options = settings_line.said(request)
    if result is None or request.workflow is not None:
        return options
    return replace(
        options,
        **{name: getattr(options, name) or getattr(result, name) for name in ("model", "sampler", "scheduler")},
    )


def can_be_typed(name: str, text: str) -> bool:
    """Return whether a value comes out of a pasted command as it is."""
    longest = PROMPT_LENGTH if name in {"prompt", "negative_prompt"} else LONGEST
    return text == one_line(text) and len(text) <= longest and not _OPTION.search(text)


def _facts(prompt: str, options: Options, *, spoiler: bool) -> Iterator[tuple[str, str]]:
    if prompt:
        yield "prompt", literal(prompt)
    if options.negative_prompt:
        yield "negative_prompt", options.negative_prompt
    for name in (*_WRITTEN, *_SIMPLE):
        value: Any = getattr(options, name)
        if value not in {None, ""}:
            yield name, exact(value) if isinstance(value, float) else str(value)
    if options.styles:
        yield "style", ", ".join(values.quoted(name, ",") for name in options.styles)
    if options.loras:
        yield "lora", written_loras(options)
    if (hires := options.hires) is not None:
        yield "hires", exact(hires.scale)
    said = frozenset({name for name in DRAW if name in BY_NAME} | {"size", "prompt", "cfg"}) - {"control_model"}
    if more := settings_line.write(options, without=said):
        yield "more", more
    if spoiler:
        yield "spoiler", "True"


def written_loras(options: Options) -> str:
    """Return LoRAs as the option takes them."""
    return ", ".join(values.written_lora(lora) for lora in options.loras or ())


def _in_words(request: PaintRequest) -> bool:
    """Return whether all of an order can be said in words: no picture, and nothing raw from an admin's preset."""
    raw = (request.script, request.workflow, request.overrides, request.extra, request.save_images)
    return not request.images() and not any(raw)
