"""Defaults and limits in layers: the host's, the server's, one's own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bot.domain.asker import Asker
from bot.domain.errors import RequestError
from bot.domain.job import Batch, Ping
from bot.domain.limits import MAX_COST, MIN_COST, Limits
from bot.domain.load import lighter
from bot.domain.options import Options
from bot.domain.ports import SettingsStore
from bot.domain.request import PaintRequest
from bot.domain.rules import Rules
from bot.domain.text import N_


class Scope(StrEnum):
    """Who set a value."""

    HOST = "host"
    SERVER = "server"
    PERSON = "person"


OPTION_NAMES = (
    "model",
    "negative_prompt",
    "width",
    "height",
    "count",
    "steps",
    "cfg_scale",
    "sampler",
    "scheduler",
    "spoiler",
)
"""The defaults that servers and persons may set, by the names of ``Options``."""
LIMIT_NAMES = ("max_steps", "max_side", "max_count", "max_queued_user", "max_cost")
"""The limits that servers may set, by the names of ``Limits``."""
RULE_NAMES = ("models_allowed", "models_denied")
"""The rules that servers may set: names or patterns, one a line."""
WORDS = "words"
"""A server's rules for words, as a file of them is written."""
EMOJI: Mapping[str, str] = {
    "emoji_reroll": "🔁",
    "emoji_cancel": "❌",
    "emoji_favourite": "⭐",
    "emoji_dm": "✉️",
    "emoji_upscale": "⬆️",
}
"""The reactions that do something, and their emoji where a server chose no others."""
SHOWN_NAMES = ("ping", "batch")
"""How servers and persons may have it that results are shown."""
SERVER_NAMES = ("language", "reactions", "others_may_reroll", "links", "accent", "show_backend", *EMOJI)
"""What only servers may set, besides limits and rules."""
_COLOUR = re.compile(r"#?(?P<digits>[0-9a-f]{6})", re.IGNORECASE)


def _colour(value: object) -> str:
    """Return a colour as ``#rrggbb``; raises ``ValueError`` for what is none."""
    match = _COLOUR.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(value)
    return f"#{match['digits'].lower()}"


_PARSERS: Mapping[str, Callable[[Any], object]] = {
    "width": int,
    "height": int,
    "count": int,
    "steps": int,
    "cfg_scale": float,
    "spoiler": bool,
    "ping": Ping,
    "batch": Batch,
    "accent": _colour,
    "show_backend": bool,
    "reactions": bool,
    "others_may_reroll": bool,
    "links": bool,
    **dict.fromkeys(LIMIT_NAMES, int),
    "max_cost": float,
}

Values = Mapping[str, object]
_NOTHING: Values = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one person in one place, and whose word each value is."""

    options: Options
    limits: Limits
    language: str | None
    ping: Ping
    reactions: bool
    rules: Rules
    sources: Mapping[str, Scope]
    batch: Batch = Batch.GRID
    accent: str | None = None
    show_backend: bool = False
    others_may_reroll: bool = True
    links: bool = True
    emoji_reroll: str = EMOJI["emoji_reroll"]
    emoji_cancel: str = EMOJI["emoji_cancel"]
    emoji_favourite: str = EMOJI["emoji_favourite"]
    emoji_dm: str = EMOJI["emoji_dm"]
    emoji_upscale: str = EMOJI["emoji_upscale"]


class Preferences:
    """Reads and keeps what servers and persons set, over the host's own defaults and limits."""

    def __init__(self, store: SettingsStore, *, defaults: Options, limits: Limits) -> None:
        self._store = store
        self._defaults = defaults
        self._limits = limits
        self._cache: dict[tuple[Scope, int], Mapping[str, object]] = {}
        self._laid: dict[tuple[int | None, int], tuple[Values, Values, Effective]] = {}

    async def effective(self, asker: Asker) -> Effective:
        """Return what holds for somebody where they ask."""
        guild_id, user_id = asker.guild_id, asker.user_id
        server = await self.values(Scope.SERVER, guild_id) if guild_id is not None else _NOTHING
        person = await self.values(Scope.PERSON, user_id)
        known = self._laid.get((guild_id, user_id))
        if known is None or known[0] is not server or known[1] is not person:
            known = self._laid[guild_id, user_id] = (server, person, self._lay(server, person))
        return known[2]

    def _lay(self, server: Values, person: Values) -> Effective:
        options = _options(person).over(_options(server).over(self._defaults))
        capped: dict[str, Any] = {name: server[name] for name in LIMIT_NAMES if name in server}
        limits = replace(self._limits, **capped).within(self._limits)
        named = dict.fromkeys((*OPTION_NAMES, *LIMIT_NAMES, *SHOWN_NAMES, *SERVER_NAMES), Scope.HOST)
        named |= dict.fromkeys(server, Scope.SERVER) | dict.fromkeys(person, Scope.PERSON)
        language, shown = server.get("language"), {**server, **person}
        accent = server.get("accent")
        rules = Rules(*(tuple(str(server.get(name, "")).splitlines()) for name in RULE_NAMES))
        return Effective(
            options=_within(options, limits, rules),
            limits=limits,
            language=str(language) if language else None,
            ping=Ping(str(shown.get("ping", Ping.MENTION))),
            batch=Batch(str(shown.get("batch", Batch.GRID))),
            accent=str(accent) if accent else None,
            show_backend=bool(server.get("show_backend", False)),
            reactions=bool(server.get("reactions", True)),
            rules=rules,
            sources=named,
            others_may_reroll=bool(server.get("others_may_reroll", True)),
            links=bool(server.get("links", True)),
            **{name: str(server.get(name, usual)) for name, usual in EMOJI.items()},
        )

    async def check(self, asker: Asker, options: Options) -> None:
        """Raise ``LimitError`` for choices with which nothing could be painted there."""
        effective = await self.effective(asker)
        effective.limits.check(options.over(effective.options).request("-", seed=0))

    async def values(self, scope: Scope, owner: int) -> Mapping[str, object]:
        """Return what one server or person set."""
        known = self._cache.get((scope, owner))
        if known is None:
            stored = await self._store.load(scope.value, owner)
            known = {name: parsed for name, parsed in map(_parsed, stored.items()) if parsed is not None}
            # What was set in the meantime is newer than what was read.
            known = self._cache.setdefault((scope, owner), known)
        return known

    async def set(self, scope: Scope, owner: int, **changes: object) -> Mapping[str, object]:
        """Set values of a server or person and return all it has; ``None`` resets one to the layer below.

        Raises ``LimitError`` for a default or limit outside the host's limits, ``RequestError`` for a name
        that cannot be set here.
        """
        allowed = {*OPTION_NAMES, *SHOWN_NAMES}
        if scope is Scope.SERVER:
            allowed |= {*LIMIT_NAMES, *RULE_NAMES, *SERVER_NAMES, WORDS}
        if unknown := sorted(set(changes) - allowed):
            raise RequestError(N_("{name} cannot be set here."), name=unknown[0])
        merged = {**await self.values(scope, owner), **changes}
        values = {name: value for name, value in merged.items() if value is not None}
        self._check(values)
        if "accent" in values:
            values["accent"] = _checked_colour(values["accent"])
        await self._store.save(scope.value, owner, values)
        self._cache[scope, owner] = values
        return values

    def forget(self, scope: Scope, owner: int) -> None:
        """Keep in memory no more what one server or person set."""
        self._cache.pop((scope, owner), None)
        place = 0 if scope is Scope.SERVER else 1
        self._laid = {of: laid for of, laid in self._laid.items() if of[place] != owner}

    def _check(self, values: Mapping[str, object]) -> None:
        chosen = {name: values[name] for name in LIMIT_NAMES if name in values}
        for name, value in chosen.items():
            upper = getattr(self._limits, name)
            if name == "max_cost":
                Limits.check_range(name, float(str(value)), MIN_COST, min(MAX_COST, upper))
            else:
                Limits.check_range(name, int(str(value)), 1, upper)
        sample = _options(values).over(self._defaults).request("-", seed=0)
        self._limits.check(sample)


def _parsed(item: tuple[str, object]) -> tuple[str, object]:
    # A value written by another version must never stop a command: it falls back to the layer below.
    name, value = item
    try:
        return name, _PARSERS.get(name, str)(value)
    except ValueError:
        return name, None


def _checked_colour(value: object) -> str:
    try:
        return _colour(value)
    except ValueError as error:
        raise RequestError(
            N_("“{value}” is no colour."), N_("Write one like #3ba55d."), value=str(value)[:20]
        ) from error


def _options(values: Mapping[str, object]) -> Options:
    chosen: dict[str, Any] = {name: values[name] for name in OPTION_NAMES if name in values}
    return Options(**chosen)


def _within(options: Options, limits: Limits, rules: Rules) -> Options:
    """Change defaults that limits and rules have overtaken, so that a plain command is never refused."""
    clamped = replace(
        options,
        model=options.model if options.model and rules.allows(options.model) else None,
        steps=min(options.steps or limits.max_steps, limits.max_steps),
        count=min(options.count or 1, limits.max_count),
        width=min(options.width or limits.max_side, limits.max_side),
        height=min(options.height or limits.max_side, limits.max_side),
    )
    fit = lighter(clamped.request("-", seed=0), limits.max_cost)
    if not isinstance(fit, PaintRequest):
        return clamped
    return replace(clamped, steps=fit.steps, count=fit.count, width=fit.width, height=fit.height)
