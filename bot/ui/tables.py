"""Compact private lists: ``name  value  · where it comes from``, one a line."""

from collections.abc import Iterable, Sequence
from math import inf

import discord

from bot.domain.text import N_
from bot.i18n import say
from bot.services.preferences import EMOJI, LIMIT_NAMES, OPTION_NAMES, SHOWN_NAMES, Effective, Scope
from bot.ui.words import cut, escaped, number, one_line

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
VALUE = 120
PERSONAL = (*OPTION_NAMES, *SHOWN_NAMES)
SERVER = (*PERSONAL, *LIMIT_NAMES, "language", "reactions", "others_may_reroll", "links", "accent", "show_backend")
REACTIONS = tuple(EMOJI)
_SOURCES = {
    Scope.HOST: N_("this bot"),
    Scope.SERVER: N_("this server"),
    Scope.PERSON: N_("you"),
}


def settings(effective: Effective, names: Iterable[str], title: str, locale: str) -> discord.Embed:
    """Return what holds for a person or a server, and whose word each value is."""
    return _sheet(say(title, locale), [_setting(effective, name, locale) for name in names])


def _setting(effective: Effective, name: str, locale: str) -> str:
    layers = (effective.options, effective.limits, effective)
    value = next(getattr(layer, name) for layer in layers if hasattr(layer, name))
    if value is None or value == "":
        return f"`{name}`  —"
    written = str(value) if name in EMOJI else _written(value, locale)
    return f"`{name}`  {written}  · {say(_SOURCES[effective.sources[name]], locale)}"


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
