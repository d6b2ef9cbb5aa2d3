"""The forms behind Edit and Remix, and how a submitted one is read, even by a bot that was started since."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import discord

from bot.domain.job import Job
from bot.domain.limits import MAX_PROMPT
from bot.domain.options import Options
from bot.domain.request import PaintRequest
from bot.domain.text import N_
from bot.i18n import say
from bot.prompting.wildcards import literal
from bot.ui import settings_line, values
from bot.ui.buttons import Action, encode
from bot.ui.settings import Typed
from bot.ui.words import cut, exact

TITLE = 45
"""Characters in a modal's title and in a field's label (Discord docs, Modals)."""
DEFAULT_STRENGTH = 0.6
PICTURE_FORM = "easel-remix:"
"""Begins the custom id of a remix form for a picture that is no job's; its message's id follows."""


def edit(job: Job, locale: str) -> discord.ui.Modal:
    """Return the form that changes anything about ``job``, filled with what it was painted from."""
    title, template = say(N_("Edit"), locale), job.spec.template
    return form(encode(Action.EDIT, job.id), title, job.spec.request, locale, template=template)


def form(
    custom_id: str,
    title: str,
    request: PaintRequest,
    locale: str,
    *,
    seed: bool = True,
    template: str | None = None,
) -> discord.ui.Modal:
    """Return the form of a whole order, filled with ``request``, with or without its seed.

    ``template`` is its prompt as it was typed; without one nothing is drawn for the prompt's braces.
    """
    options = settings_line.said(request)
    shown = Typed(
        literal(request.prompt) if template is None else template,
        options if seed else replace(options, seed=None),
    )
    return open_form(custom_id, title, shown, locale)


def open_form(custom_id: str, title: str, shown: Typed, locale: str) -> discord.ui.Modal:
    """Return the form of an order, filled with what was typed so far."""
    options = shown.options
    return _modal(
        custom_id,
        title,
        (
            _field("prompt", say(N_("Prompt"), locale), shown.prompt, long=True, required=True),
            _field(
                "negative_prompt",
                say(N_("Negative prompt"), locale),
                options.negative_prompt or "",
                long=True,
            ),
            _field("model", say(N_("Model (empty: the usual one)"), locale), options.model or ""),
            _field(
                "settings",
                say(N_("Settings"), locale),
                settings_line.write_typed(shown, most=MAX_PROMPT),
                long=True,
            ),
            _field(
                "seed",
                say(N_("Seed (empty: a new one)"), locale),
                "" if options.seed is None else str(options.seed),
            ),
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


def edited(parent: Job, typed: Mapping[str, str]) -> Typed:
    """Return all that a submitted Edit says; raises ``RequestError`` in words."""
    return changed(parent.spec.request, typed)


def changed(request: PaintRequest, typed: Mapping[str, str]) -> Typed:
    """Return what a submitted ``form`` of ``request`` makes of it.

    What stood in its line and does not any more is left open. What the line had no room for stays, and so do the
    pictures.
    """
    line = typed.get("settings", "")
    shown = settings_line.names(settings_line.write(settings_line.said(request), most=MAX_PROMPT))
    kept = settings_line.without(Options.of(request), shown - settings_line.names(line))
    read = submitted(typed)
    options = read.options.over(replace(kept, model=None, seed=None))
    return replace(read, options=replace(options, loras=options.loras or ()))


def submitted(typed: Mapping[str, str]) -> Typed:
    """Return all that any submitted ``form`` says; raises ``RequestError`` in words."""
    read = filled(typed)
    return replace(read, options=replace(read.options, negative_prompt=read.options.negative_prompt or ""))


def filled(typed: Mapping[str, str]) -> Typed:
    """Return all that a submitted form says; what is empty is left open."""
    chosen = settings_line.read(typed.get("settings", ""))
    seed = typed.get("seed", "").strip()
    options = replace(
        chosen.options,
        negative_prompt=typed.get("negative_prompt", "").strip() or None,
        model=typed.get("model", "").strip() or None,
        seed=values.integer("seed", seed) if seed else None,
    )
    return replace(chosen, prompt=typed.get("prompt", ""), options=options)


def remixed(parent: Job | None, typed: Mapping[str, str]) -> tuple[str, Options]:
    """Return the prompt and the choices of a submitted Remix, the rest as in ``parent``."""
    strength = typed.get("strength", "").strip()
    options = Options(strength=values.number("strength", strength) if strength else None)
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
