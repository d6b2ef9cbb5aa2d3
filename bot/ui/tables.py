"""Compact private lists: ``name  value  · where it comes from``, one a line."""

from collections.abc import Iterable, Mapping, Sequence

import discord

from bot.domain.capability import Listing
from bot.domain.job import Job, Place, State
from bot.domain.text import N_
from bot.i18n import duration, ordinal, say
from bot.services.catalogue import Catalogue
from bot.services.preferences import LIMIT_NAMES, OPTION_NAMES, Effective, Scope
from bot.ui.words import cut, escaped, model_name, number, one_line

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
VALUE = 120
SHOWN = 15
"""Lines of a list before the rest is only counted."""
PERSONAL = (*OPTION_NAMES, "ping")
SERVER = (*PERSONAL, *LIMIT_NAMES, "language", "reactions")
_HELP = (
    ("draw", N_("paints a picture from words")),
    ("remix", N_("paints over a picture; also in a message's menu, under Apps")),
    ("model list", N_("shows the models and your default")),
    ("preferences", N_("shows and sets your own defaults")),
    ("queue show", N_("shows who waits, and for how long")),
    ("queue cancel", N_("takes your job out of the line")),
    ("settings show", N_("is for those who manage this server")),
)
_SOURCES = {
    Scope.HOST: N_("this bot"),
    Scope.SERVER: N_("this server"),
    Scope.PERSON: N_("you"),
}

_DEFAULT_OF = {
    Scope.HOST: N_("the usual one"),
    Scope.SERVER: N_("this server's default"),
    Scope.PERSON: N_("your default"),
}


def settings(effective: Effective, names: Iterable[str], title: str, locale: str) -> discord.Embed:
    """Return what holds for a person or a server, and whose word each value is."""
    return _sheet(say(title, locale), [_setting(effective, name, locale) for name in names])


def models(catalogue: Catalogue, effective: Effective, locale: str) -> discord.Embed:
    """Return the models there are, which one is used when none is asked for, and which are in memory."""
    names, loaded = catalogue.names(Listing.MODELS), catalogue.loaded_models()
    title = say(N_("Models"), locale)
    if not names:
        return _sheet(title, [say(N_("No backend has told of any model yet."), locale)])
    chosen = effective.options.model
    first = [name for name in names if name == chosen]
    ordered = [*first, *(name for name in names if name != chosen)]
    lines = []
    for name in ordered[:SHOWN]:
        notes = [escaped(model_name(name))]
        if name == chosen:
            notes = [f"**{notes[0]}**", say(_DEFAULT_OF[effective.sources["model"]], locale)]
        if name in loaded:
            notes.append(say(N_("in memory"), locale))
        lines.append(" · ".join(notes))
    return _sheet(title, _counted(lines, len(names), locale))


def queue(jobs: Sequence[Job], places: dict[int, Place], *, asker: int, locale: str) -> discord.Embed:
    """Return who is being painted for and who waits, without their prompts; one's own lines are bold."""
    if not jobs:
        return _sheet(say(N_("In line"), locale), [say(N_("Nobody waits here."), locale)])
    lines = []
    for job in jobs[:SHOWN]:
        line = f"`{job.id}`  {_state(job, places.get(job.id), locale)}  · <@{job.user}>"
        lines.append(f"**{line}**" if job.user == asker else line)
    return _sheet(say(N_("In line"), locale), _counted(lines, len(jobs), locale))


def help_page(ids: Mapping[str, int], locale: str) -> discord.Embed:
    """Return what the bot can do; ``ids`` are the commands' own ids, by which their names become clickable."""
    lines = [f"{_mention(name, ids)}  {say(words, locale)}" for name, words in _HELP]
    lines += [
        "",
        say(N_("Under a picture: 🔁 paints it anew, ❌ takes it away. The buttons do the rest."), locale),
    ]
    return _sheet("Easel", lines)


def _mention(name: str, ids: Mapping[str, int]) -> str:
    command_id = ids.get(name.split(maxsplit=1)[0])
    return f"`/{name}`" if command_id is None else f"</{name}:{command_id}>"


def _state(job: Job, place: Place | None, locale: str) -> str:
    if job.state is not State.QUEUED or place is None:
        return say(N_("painting"), locale) if job.state is State.RUNNING else say(N_("waiting"), locale)
    where = ordinal(place.ahead + 1, locale)
    if place.eta_s is None:
        return where
    return f"{where}, {say(N_('about {time}'), locale, time=duration(max(1.0, place.eta_s), locale))}"


def _setting(effective: Effective, name: str, locale: str) -> str:
    layers = (effective.options, effective.limits, effective)
    value = next(getattr(layer, name) for layer in layers if hasattr(layer, name))
    if value is None or value == "":
        return f"`{name}`  —"
    return f"`{name}`  {_written(value, locale)}  · {say(_SOURCES[effective.sources[name]], locale)}"


def _written(value: object, locale: str) -> str:
    match value:
        case bool():
            return say(N_("on"), locale) if value else say(N_("off"), locale)
        case float():
            return number(value)
        case _:
            return escaped(cut(one_line(str(value)), VALUE))


def _counted(lines: list[str], total: int, locale: str) -> list[str]:
    if total <= len(lines):
        return lines
    return [*lines, say(N_("… and {count} more"), locale, count=total - len(lines))]


def _sheet(title: str, lines: Sequence[str]) -> discord.Embed:
    return discord.Embed(title=title, description=cut("\n".join(lines), DESCRIPTION))
