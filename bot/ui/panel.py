"""The panel of a server's and a channel's settings, page by page, and the forms behind its Edit buttons.

Its ids say all that there is to know, so it works after a restart as before.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from math import isfinite
from typing import Any

import discord

from bot.domain.errors import GoneError, RequestError
from bot.domain.text import N_
from bot.i18n import say
from bot.services.preferences import (
    EMOJI,
    LIMIT_NAMES,
    OPTION_NAMES,
    RULE_NAMES,
    SETTABLE,
    Effective,
    Scope,
    Values,
)
from bot.ui import tables, values
from bot.ui.buttons import ELSEWHERE
from bot.ui.options import EVERYTHING, OPTIONS, PROMPT_LENGTH, RULES_LENGTH, Option
from bot.ui.words import cut, exact, one_line

PREFIX = f"{ELSEWHERE}panel:"
PLACE, PAGE, EDIT, RESET = "place", "page", "edit", "reset"
FIELDS = 5
"""Fields in one form (Discord docs, Modals)."""
_ID = re.compile(
    rf"{PREFIX}(?P<verb>[a-z]+):(?P<place>server|channel):(?P<page>[a-z]+)(?::(?P<section>[0-9]))?(?::(?P<seen>[0-9a-f]{{16}}))?"
)
_TITLE = 45
_NAME = 100
"""Characters of an option, a description and a placeholder (Discord docs, Component Reference)."""
_SHORT = 200
_LONG = {"negative_prompt": PROMPT_LENGTH, **dict.fromkeys(RULE_NAMES, RULES_LENGTH)}
"""Characters of what takes more than a line."""
_SWITCH = ((N_("on"), "on"), (N_("off"), "off"))
_BETWEEN = re.compile(r"[,;]")
_PAGES: Mapping[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "pictures": (N_("Pictures"), (OPTION_NAMES[:FIELDS], OPTION_NAMES[FIELDS:])),
    "limits": (N_("Limits"), (LIMIT_NAMES, RULE_NAMES)),
    "results": (N_("Results"), (("ping", "batch", "accent", "show_backend"),)),
    "replies": (
        N_("Reactions and language"),
        (("language", "reactions", "others_may_reroll", "links"), tuple(EMOJI)),
    ),
}
"""The title of every page, and what stands there, in the parts that one form each changes."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which page of the panel is open, and for which channel; ``None`` for the server."""

    channel_id: int | None = None
    page: str = "pictures"

    @property
    def scope(self) -> Scope:
        """Whose settings these are."""
        return Scope.SERVER if self.channel_id is None else Scope.CHANNEL

    @property
    def title(self) -> str:
        """What the page is called."""
        return _PAGES[self.page][0]

    @property
    def sections(self) -> list[tuple[str, ...]]:
        """The names on the page, in parts, as far as they can be set there."""
        parts = (tuple(name for name in part if name in SETTABLE[self.scope]) for part in _PAGES[self.page][1])
        return [part for part in parts if part]

    def id(self, verb: str, section: int | None = None) -> str:
        """Return the custom id by which a press finds its way back here."""
        return f"{PREFIX}{verb}:{self.scope}:{self.page}" + ("" if section is None else f":{section}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a press or a form wants, and for what: ``names`` are those of the part that its id names.

    ``seen`` is the ``digest`` of what a form was filled with.
    """

    verb: str
    where: Where
    section: int = 0
    seen: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the part; raises ``GoneError`` if the page has none such."""
        if self.section >= len(self.where.sections):
            raise _gone()
        return self.where.sections[self.section]

    def turned(self, choice: str, channel_id: int) -> Where:
        """Return what is to be shown after ``choice`` in a menu, in a channel; raises ``GoneError``."""
        if self.verb == PLACE and choice in {Scope.SERVER, Scope.CHANNEL}:
            return Where(channel_id if choice == Scope.CHANNEL else None, self.where.page)
        if self.verb == PAGE and choice in _PAGES:
            return Where(self.where.channel_id, choice)
        raise _gone()

    def reset(self, choice: str) -> dict[str, object]:
        """Return the changes that take back what was chosen."""
        names = [name for part in self.where.sections for name in part]
        return dict.fromkeys(names if choice == EVERYTHING else [name for name in names if name == choice])


def asked(custom_id: str, channel_id: int) -> Asked:
    """Return what an id stands for, in that channel; raises ``GoneError`` for what is none of ours."""
    found = _ID.fullmatch(custom_id)
    if found is None or found["page"] not in _PAGES or found["verb"] not in {PLACE, PAGE, EDIT, RESET}:
        raise _gone()
    where = Where(channel_id if found["place"] == Scope.CHANNEL else None, found["page"])
    return Asked(found["verb"], where, int(found["section"] or 0), found["seen"])


def panel(effective: Effective, own: Values, where: Where, locale: str) -> discord.ui.LayoutView:
    """Return a page: what holds there and whose word it is, and what can be done; ``own`` is set there itself."""
    place = say(N_("This server"), locale) if where.channel_id is None else f"<#{where.channel_id}>"
    box = discord.ui.Container[discord.ui.LayoutView](
        discord.ui.TextDisplay(f"## {place} · {say(where.title, locale)}"),
        discord.ui.ActionRow(_places(where, locale)),
        discord.ui.ActionRow(_pages(where, locale)),
        discord.ui.Separator(),
        accent_colour=discord.Colour.from_str(effective.accent) if effective.accent else None,
    )
    for number, names in enumerate(where.sections):
        text = "\n".join(tables.line(effective, name, locale) for name in names)
        edit = discord.ui.Button[discord.ui.LayoutView](
            label=say(N_("Edit"), locale)[:80], custom_id=where.id(EDIT, number)
        )
        box.add_item(discord.ui.Section(text, accessory=edit))
    if resets := [name for part in where.sections for name in part if name in own]:
        box.add_item(discord.ui.ActionRow(_resets(where, resets, locale)))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(box)
    view.stop()
    return view


def form(effective: Effective, own: Values, wanted: Asked, locale: str) -> discord.ui.Modal:
    """Return the form that changes one part of a page, filled with what is set there itself."""
    custom_id = f"{wanted.where.id(EDIT, wanted.section)}:{digest(own, wanted.names)}"
    modal = discord.ui.Modal(title=cut(say(wanted.where.title, locale), _TITLE), custom_id=custom_id)
    for name in wanted.names:
        option = OPTIONS[name]
        written = _typed(name, own.get(name))
        holds = cut(one_line(_typed(name, tables.value(effective, name)).replace("\n", ", ")), _NAME)
        component = _menu(option, written, holds, locale) if _choices(option) else _text(name, written, holds)
        modal.add_item(
            discord.ui.Label(
                text=name[:_TITLE], description=cut(say(option.description, locale), _NAME), component=component
            )
        )
    modal.stop()
    return modal


def submitted(data: Mapping[str, Any], own: Values, wanted: Asked) -> dict[str, object]:
    """Return what a submitted form changes: ``None`` for what was left empty.

    Raises ``RequestError`` in words, also where what the form was filled with holds no longer, or was only a part.
    """
    if wanted.seen != digest(own, wanted.names):
        raise RequestError(N_("Somebody changed this meanwhile."), N_("Open it again: /settings panel"))
    given = dict(_given(data.get("components", ())))
    former = {name: _typed(name, own.get(name)) for name in wanted.names}
    changed = [name for name in wanted.names if name in given and given[name] != former[name].strip()]
    if uncut := next((name for name in changed if given[name] and not _fits(name, own.get(name))), None):
        raise RequestError(
            N_("What is set for {option} is too long for a form."),
            N_("Change it in a file: /settings export"),
            option=uncut,
        )
    return {name: read(name, given[name], former[name]) for name in changed}


def digest(own: Values, names: Iterable[str]) -> str:
    """Return 16 digits that tell whether these settings are still the same."""
    shown = json.dumps([own.get(name) for name in names])
    return blake2b(shown.encode(), digest_size=8).hexdigest()


def read(name: str, text: str, former: str = "") -> object:
    """Return a setting's value as it is kept, of what was typed or chosen; ``None`` for nothing.

    Lines that stood among ``former`` names and patterns are taken whole, commas and all.
    """
    if not text:
        return None
    if name in RULE_NAMES:
        whole = frozenset(former.splitlines())
        parts = ([line] if line in whole else _BETWEEN.split(line) for line in text.splitlines())
        return "\n".join(dict.fromkeys(filter(None, map(str.strip, chain.from_iterable(parts))))) or None
    kind = OPTIONS[name].kind
    readers = {int: values.integer, float: values.number, bool: values.switch}
    return readers.get(kind, values.word)(name, text)


def _typed(name: str, value: object) -> str:
    """Return a value as it stands in a form."""
    match value:
        case None:
            return ""
        case bool():
            return values.written_switch(value)
        case float():
            return exact(value) if isfinite(value) else ""
        case _:
            return str(value)[: _LONG.get(name, _SHORT)]


def _fits(name: str, value: object) -> bool:
    return len(str(value)) <= _LONG.get(name, _SHORT)


def _given(components: Any) -> Iterator[tuple[str, str]]:
    for outer in components:
        field = outer.get("component") or {}
        chosen = field.get("values")
        text = str(field.get("value") or "") if chosen is None else "".join(map(str, chosen[:1]))
        yield str(field.get("custom_id", "")), text.strip()


def _choices(option: Option) -> tuple[tuple[str, str], ...]:
    return _SWITCH if option.kind is bool else option.choices


def _menu(option: Option, written: str, holds: str, locale: str) -> discord.ui.Select[discord.ui.Modal]:
    options = [
        discord.SelectOption(label=cut(say(label, locale), _NAME), value=value, default=value == written)
        for label, value in _choices(option)
    ]
    return discord.ui.Select(
        custom_id=option.name, options=options, placeholder=holds or None, required=False, min_values=0
    )


def _text(name: str, written: str, holds: str) -> discord.ui.TextInput[discord.ui.Modal]:
    most = _LONG.get(name, _SHORT)
    return discord.ui.TextInput(
        custom_id=name,
        style=discord.TextStyle.paragraph if name in _LONG else discord.TextStyle.short,
        default=written[:most] or None,
        placeholder=holds or None,
        required=False,
        max_length=most,
    )


def _places(where: Where, locale: str) -> discord.ui.Select[discord.ui.LayoutView]:
    labels = {Scope.SERVER: N_("This server"), Scope.CHANNEL: N_("This channel")}
    options = [
        discord.SelectOption(label=say(label, locale)[:_NAME], value=scope, default=scope is where.scope)
        for scope, label in labels.items()
    ]
    return discord.ui.Select(custom_id=where.id(PLACE), options=options)


def _pages(where: Where, locale: str) -> discord.ui.Select[discord.ui.LayoutView]:
    options = [
        discord.SelectOption(label=say(title, locale)[:_NAME], value=name, default=name == where.page)
        for name, (title, _) in _PAGES.items()
    ]
    return discord.ui.Select(custom_id=where.id(PAGE), options=options)


def _resets(where: Where, names: list[str], locale: str) -> discord.ui.Select[discord.ui.LayoutView]:
    options = [discord.SelectOption(label=name, value=name) for name in names]
    options.append(discord.SelectOption(label=say(N_("everything"), locale)[:_NAME], value=EVERYTHING))
    placeholder = say(N_("Take back what was set"), locale)[:_NAME]
    return discord.ui.Select(custom_id=where.id(RESET), placeholder=placeholder, options=options)


def _gone() -> GoneError:
    return GoneError(N_("What this belongs to is no longer kept."), N_("Open it again: /settings panel"))
