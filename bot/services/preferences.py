"""Defaults and limits in layers: the host's, the server's, one's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bot.domain.errors import RequestError
from bot.domain.job import Ping
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.ports import SettingsStore
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
LIMIT_NAMES = ("max_steps", "max_side", "max_count", "max_queued_user")
"""The limits that servers may set, by the names of ``Limits``."""
_PARSERS: Mapping[str, Callable[[Any], object]] = {
    "width": int,
    "height": int,
    "count": int,
    "steps": int,
    "cfg_scale": float,
    "spoiler": bool,
    "ping": Ping,
    "reactions": bool,
} | dict.fromkeys(LIMIT_NAMES, int)

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
    sources: Mapping[str, Scope]


class Preferences:
    """Reads and keeps what servers and persons set, over the host's own defaults and limits."""

    def __init__(self, store: SettingsStore, *, defaults: Options, limits: Limits) -> None:
        self._store = store
        self._defaults = defaults
        self._limits = limits
        self._cache: dict[tuple[Scope, int], Mapping[str, object]] = {}
        self._laid: dict[tuple[int | None, int], tuple[Values, Values, Effective]] = {}

    async def effective(self, guild_id: int | None, user_id: int) -> Effective:
        """Return what holds for ``user_id`` in the server ``guild_id`` (``None``: direct messages)."""
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
        named = dict.fromkeys((*OPTION_NAMES, *LIMIT_NAMES, "language", "ping", "reactions"), Scope.HOST)
        named |= dict.fromkeys(server, Scope.SERVER) | dict.fromkeys(person, Scope.PERSON)
        language, ping = server.get("language"), person.get("ping", server.get("ping", Ping.MENTION))
        return Effective(
            options=_within(options, limits),
            limits=limits,
            language=str(language) if language else None,
            ping=Ping(str(ping)),
            reactions=bool(server.get("reactions", True)),
            sources=named,
        )

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
        allowed = {*OPTION_NAMES, "ping"}
        if scope is Scope.SERVER:
            allowed |= {*LIMIT_NAMES, "language", "reactions"}
        if unknown := sorted(set(changes) - allowed):
            raise RequestError(N_("{name} cannot be set here."), name=unknown[0])
        merged = {**await self.values(scope, owner), **changes}
        values = {name: value for name, value in merged.items() if value is not None}
        self._check(values)
        await self._store.save(scope.value, owner, values)
        self._cache[scope, owner] = values
        return values

    def _check(self, values: Mapping[str, object]) -> None:
        chosen = {name: values[name] for name in LIMIT_NAMES if name in values}
        for name, value in chosen.items():
            Limits.check_range(name, int(str(value)), 1, getattr(self._limits, name))
        sample = _options(values).over(self._defaults).request("-", seed=0)
        self._limits.check(sample)


def _parsed(item: tuple[str, object]) -> tuple[str, object]:
    # A value written by another version must never stop a command: it falls back to the layer below.
    name, value = item
    try:
        return name, _PARSERS.get(name, str)(value)
    except ValueError:
        return name, None


def _options(values: Mapping[str, object]) -> Options:
    chosen: dict[str, Any] = {name: values[name] for name in OPTION_NAMES if name in values}
    return Options(**chosen)


def _within(options: Options, limits: Limits) -> Options:
    """Lower defaults that a server's limits have overtaken, so that a plain command is never refused."""
    return replace(
        options,
        steps=min(options.steps or limits.max_steps, limits.max_steps),
        count=min(options.count or 1, limits.max_count),
        width=min(options.width or limits.max_side, limits.max_side),
        height=min(options.height or limits.max_side, limits.max_side),
    )
