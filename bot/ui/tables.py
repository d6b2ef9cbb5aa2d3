"""Compact private lists: ``name  value  · where it comes from``, one a line."""

from collections.abc import Iterable, Sequence
from math import inf

import discord

from bot.domain.rules import Rules
from bot.domain.text import N_
from bot.i18n import say
from bot.services.preferences import (
    EMOJI,
    LIMIT_NAMES,
    OPTION_NAMES,
    PLACE_NAMES,
    RULE_NAMES,
    SHOWN_NAMES,
    Effective,
    Scope,
)
from bot.ui.words import cut, escaped, number, one_line

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
VALUE = 120
PERSONAL = (*OPTION_NAMES, *SHOWN_NAMES)
CHANNEL = (*PERSONAL, *LIMIT_NAMES, *PLACE_NAMES)
SERVER = (*CHANNEL, "show_backend")
REACTIONS = tuple(EMOJI)
_SOURCES = {
    Scope.HOST: N_("this bot"),
    Scope.SERVER: N_("this server"),
    Scope.CHANNEL: N_("this channel"),
    Scope.PERSON: N_("you"),
}


def settings(
    effective: Effective, names: Iterable[str], title: str, locale: str, *, channel_id: int | None = None
) -> discord.Embed:
    """Return what holds for a person, a server or a channel, and whose word each value is."""
    place = [] if channel_id is None else [f"<#{channel_id}>"]
    return _sheet(say(title, locale), [*place, *(line(effective, name, locale) for name in names)])


def line(effective: Effective, name: str, locale: str) -> str:
    """Return one setting: its name, its value, and whose word that is."""
    written = shown(name, value(effective, name), locale)
    if not written:
        return f"`{name}`  —"
    return f"`{name}`  {written}  · {say(_SOURCES[effective.sources[name]], locale)}"


def shown(name: str, found: object, locale: str) -> str:
    """Return a setting's value as people read it; empty if there is none."""
    if found is None or found == "":
        return ""
    if name in RULE_NAMES:
        found = str(found).replace("\n", ", ")
    return str(found) if name in EMOJI else _written(found, locale)


def value(effective: Effective, name: str) -> object:
    """Return a setting's value; rules for models are names and patterns, one a line."""
    if name in RULE_NAMES:
        return "\n".join(_patterns(effective.rules, name))
    layers = (effective.options, effective.limits, effective)
    return next(getattr(layer, name) for layer in layers if hasattr(layer, name))


def _patterns(rules: Rules, name: str) -> tuple[str, ...]:
    """Return what is denied in a channel or its server; of what is allowed, the narrower list."""
    upper = _patterns(rules.upper, name) if rules.upper else ()
    return rules.allowed or upper if name == "models_allowed" else (*rules.denied, *upper)


def _written(value: object, locale: str) -> str:
    match value:
        case bool():
            return say(N_("on"), locale) if value else say(N_("off"), locale)
        case float() if value == inf:
            return say(N_("no cap"), locale)
        case float():
            return number(value)
        case _:
            return escaped(cut(one_line(str(value)), VALUE))


def _sheet(title: str, lines: Sequence[str]) -> discord.Embed:
    return discord.Embed(title=title, description=cut("\n".join(lines), DESCRIPTION))
