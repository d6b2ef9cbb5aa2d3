"""Defaults and limits in layers: the host's, the server's, the channel's, one's own."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import is_
from types import MappingProxyType
from typing import Any

from bot.domain.adult import Adult, House
from bot.domain.asker import Asker
from bot.domain.errors import RequestError
from bot.domain.job import Batch, Ping
from bot.domain.limits import MAX_COST, MIN_COST, MIN_SIDE, Limits
from bot.domain.load import lighter
from bot.domain.options import Options
from bot.domain.permits import OPEN, Grant
from bot.domain.ports import SettingsStore
from bot.domain.request import PaintRequest
from bot.domain.rules import Rules
from bot.domain.text import N_
from bot.services.authority import Authority


class Scope(StrEnum):
    """Who set a value."""

    HOST = "host"
    SERVER = "server"
    CHANNEL = "channel"
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
"""The defaults that servers, channels and persons may set, by the names of ``Options``."""
LIMIT_NAMES = ("max_steps", "max_side", "max_count", "max_queued_user", "max_cost")
"""The limits that servers may set, and channels within them, by the names of ``Limits``."""
RULE_NAMES = ("models_allowed", "models_denied")
"""The rules that servers and channels may set, and both have to allow: names or patterns, one a line."""
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
"""How servers, channels and persons may have it that results are shown."""
PLACE_NAMES = ("language", "reactions", "others_may_reroll", "links", "accent")
"""What servers and channels may set, besides limits and rules."""
ADULT_NAMES = ("adult", "adult_models")
"""Where a server lets adult pictures be painted, and what paints them: names or patterns, one a line."""
SERVER_NAMES = (*PLACE_NAMES, "show_backend", *ADULT_NAMES, *EMOJI)
"""What servers may set, besides limits and rules."""
SETTABLE: Mapping[Scope, tuple[str, ...]] = {
    Scope.SERVER: (*OPTION_NAMES, *LIMIT_NAMES, *RULE_NAMES, *SHOWN_NAMES, *SERVER_NAMES, WORDS),
    Scope.CHANNEL: (*OPTION_NAMES, *LIMIT_NAMES, *RULE_NAMES, *SHOWN_NAMES, *PLACE_NAMES),
    Scope.PERSON: (*OPTION_NAMES, *SHOWN_NAMES),
}
"""What can be set where."""
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
    "adult": Adult,
}

Values = Mapping[str, object]
Change = Callable[[Values], Awaitable[Values]]
"""Returns what is to be changed of the values there are; ``None`` takes one back."""
_NOTHING: Values = MappingProxyType({})


def kind(name: str) -> type:
    """Return the type of a setting's values."""
    parser = _PARSERS.get(name, str)
    return parser if isinstance(parser, type) else str


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one person in one place, and whose word each value is.

    ``adult``: adult pictures may be asked for and shown there; ``adult_models`` are patterns of what paints them;
    ``grant`` is what their roles change.
    """

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
    grant: Grant = OPEN
    emoji_reroll: str = EMOJI["emoji_reroll"]
    emoji_cancel: str = EMOJI["emoji_cancel"]
    emoji_favourite: str = EMOJI["emoji_favourite"]
    emoji_dm: str = EMOJI["emoji_dm"]
    emoji_upscale: str = EMOJI["emoji_upscale"]
    adult: bool = False
    adult_models: tuple[str, ...] = ()


class Preferences:
    """Reads and keeps what servers, channels and persons set, over the host's own defaults and limits."""

    def __init__(
        self,
        store: SettingsStore,
        authority: Authority,
        *,
        defaults: Options,
        limits: Limits,
        house: House | None = None,
    ) -> None:
        self._store = store
        self._authority = authority
        self._house = house or House(guests=limits)
        self._defaults = defaults
        self._limits = limits
        self._cache: dict[tuple[Scope, int], Mapping[str, object]] = {}
        self._laid: dict[tuple[int | None, int, int, bool, bool], tuple[tuple[Values, ...], Effective]] = {}
        self._writing = asyncio.Lock()

    async def effective(self, asker: Asker) -> Effective:
        """Return what holds for somebody where they ask."""
        server = channel = _NOTHING
        if asker.guild_id is not None:
            server = await self.values(Scope.SERVER, asker.guild_id)
            channel = await self.values(Scope.CHANNEL, asker.main_channel_id)
        person = await self.values(Scope.PERSON, asker.user_id)
        layers, grant = (server, channel, person), await self._authority.granted(asker)
        adult = self._house.allows_adult(asker, Adult(str(server.get("adult", Adult.OFF))))
        # Channels that set nothing share what is laid for their server.
        key = (asker.guild_id, asker.main_channel_id if channel else 0, asker.user_id, adult, asker.guest)
        known = self._laid.get(key)
        if known is None or not all(map(is_, known[0], layers)) or known[1].grant != grant:
            known = self._laid[key] = (layers, self._lay(*layers, grant, adult=adult, guest=asker.guest))
        return known[1]

    def _lay(
        self, server: Values, channel: Values, person: Values, grant: Grant, *, adult: bool, guest: bool
    ) -> Effective:
        options, limits = self._defaults, self._house.guests if guest else self._limits
        named = dict.fromkeys((*SETTABLE[Scope.SERVER], *SETTABLE[Scope.PERSON]), Scope.HOST)
        for scope, values in ((Scope.SERVER, server), (Scope.CHANNEL, channel), (Scope.PERSON, person)):
            options, limits = _options(values).over(options), _capped(limits, values)
            # A limit above the one below says nothing.
            named |= {name: scope for name in values if values[name] == getattr(limits, name, values[name])}
        place = {**server, **channel}
        shown, accent, language = {**place, **person}, place.get("accent"), place.get("language")
        rules = rules_of(server)
        if not channel.keys().isdisjoint(RULE_NAMES):
            rules = rules_of(channel, rules)
        adult_models = (*self._house.adult_models, *str(server.get("adult_models", "")).splitlines())
        rules = replace(rules if adult else replace(rules, adult=adult_models), reserved=grant.models)
        limits = grant.raised(limits, self._limits)
        return Effective(
            options=_within(options, limits, rules),
            limits=limits,
            language=str(language) if language else None,
            ping=Ping(str(shown.get("ping", Ping.MENTION))),
            batch=Batch(str(shown.get("batch", Batch.GRID))),
            accent=str(accent) if accent else None,
            show_backend=bool(server.get("show_backend", False)),
            reactions=bool(place.get("reactions", True)),
            rules=rules,
            sources=named,
            others_may_reroll=bool(place.get("others_may_reroll", True)),
            links=bool(place.get("links", True)),
            grant=grant,
            adult=adult,
            adult_models=adult_models,
            **{name: str(server.get(name, usual)) for name, usual in EMOJI.items()},
        )

    async def check(self, asker: Asker, options: Options) -> None:
        """Raise ``LimitError`` for choices with which nothing could be painted there."""
        effective = await self.effective(asker)
        effective.limits.check(options.over(effective.options).request("-", seed=0))

    async def values(self, scope: Scope, owner: int) -> Values:
        """Return what one server, channel or person set."""
        known = self._cache.get((scope, owner))
        if known is None:
            known = _read(await self._store.load(scope.value, owner))
            # What was set in the meantime is newer than what was read.
            known = self._cache.setdefault((scope, owner), known)
        return known

    async def channels(self, guild_id: int) -> Mapping[int, Values]:
        """Return what a server's channels set, by their ids."""
        return {owner: _read(stored) for owner, stored in (await self._store.channels(guild_id)).items()}

    async def set(self, scope: Scope, owner: int, **changes: object) -> Values:
        """Set values of a server or person and return all it has; ``None`` resets one to the layer below.

        Raises ``LimitError`` for a default or limit outside the host's limits, ``RequestError`` for a name
        that cannot be set here.
        """
        async with self._writing:
            return await self._set(scope, owner, changes, None)

    async def change(self, scope: Scope, owner: int, change: Change) -> tuple[Values, Values]:
        """Do the same with what ``change`` makes of the values, with nothing set in between.

        Returns what there was and what there is.
        """
        async with self._writing:
            former = await self.values(scope, owner)
            return former, await self._set(scope, owner, await change(former), None)

    async def set_in_channel(self, guild_id: int, channel_id: int, **changes: object) -> Values:
        """Do the same for a channel of a server; raises ``LimitError`` for a limit above the server's too."""
        async with self._writing:
            chosen = {name: value for name, value in changes.items() if value is not None}
            _check_limits(chosen, _capped(self._limits, await self.values(Scope.SERVER, guild_id)))
            return await self._set(Scope.CHANNEL, channel_id, changes, guild_id)

    async def _set(self, scope: Scope, owner: int, changes: Values, guild_id: int | None) -> Values:
        if unknown := sorted(set(changes) - set(SETTABLE[scope])):
            raise RequestError(N_("{name} cannot be set here."), name=unknown[0])
        former = await self.values(scope, owner)
        # What stays may be outside limits that the host lowered since: it is cut where it is used.
        kept = {name: value for name, value in former.items() if name not in changes}
        values = {**kept, **self.checked(changes, kept)}
        await self._store.save(scope.value, owner, values, guild_id)
        self._cache[scope, owner] = values
        return values

    async def replace(self, guild_id: int, server: Values, channels: Mapping[int, Values]) -> None:
        """Put ``checked`` values in the place of all that a server and its channels have: all of them or none."""
        async with self._writing:
            emptied = dict.fromkeys(await self._store.channels(guild_id), _NOTHING)
            wanted = {(Scope.CHANNEL, owner): values for owner, values in {**emptied, **channels}.items()}
            wanted[Scope.SERVER, guild_id] = server
            await self._store.save_all(
                guild_id, {(scope.value, owner): wanted[scope, owner] for scope, owner in wanted}
            )
            self._cache |= wanted

    def checked(self, values: Values, others: Values = _NOTHING) -> Values:
        """Return values as they are kept; raises ``LimitError`` for what is outside the host's limits.

        ``others`` stand beside them, and only count with what the host lets be of them.
        """
        kept = {name: _as_kept(name, value) for name, value in values.items() if value is not None}
        _check_limits(kept, self._limits)
        if (options := _options(kept)) != Options():
            beside = _within(_options(others).over(self._defaults), self._limits, Rules())
            self._limits.check(options.over(beside).request("-", seed=0))
        return kept

    async def keep_channels(self, guild_id: int, present: Collection[int]) -> None:
        """Forget what a server's channels set that are no longer among those ``present``."""
        for channel_id in await self._store.channels(guild_id):
            if channel_id not in present:
                await self.drop_channel(channel_id)

    async def drop_channel(self, channel_id: int) -> None:
        """Forget what a channel set, as it is deleted."""
        async with self._writing:
            await self._store.save(Scope.CHANNEL.value, channel_id, _NOTHING)
            self.forget(Scope.CHANNEL, channel_id)

    def forget(self, scope: Scope, owner: int) -> None:
        """Keep in memory no more what one server, with its channels, or one person set."""
        self._cache.pop((scope, owner), None)
        if scope is Scope.SERVER:
            self._cache = {of: known for of, known in self._cache.items() if of[0] is not Scope.CHANNEL}
        place = {Scope.SERVER: 0, Scope.CHANNEL: 1}.get(scope, 2)
        self._laid = {of: laid for of, laid in self._laid.items() if of[place] != owner}

    def forget_all(self) -> None:
        """Keep in memory no more what anybody set."""
        self._cache.clear()
        self._laid.clear()


def _read(stored: Mapping[str, object]) -> Values:
    return {name: parsed for name, parsed in map(_parsed, stored.items()) if parsed is not None} or _NOTHING


def _capped(upper: Limits, values: Values) -> Limits:
    """Return limits with the values' own, none of them above ``upper``'s."""
    chosen: dict[str, Any] = {name: values[name] for name in LIMIT_NAMES if name in values}
    return replace(upper, **chosen).within(upper) if chosen else upper


def rules_of(values: Values, upper: Rules | None = None) -> Rules:
    """Return the rules for models among some values; ``upper`` as in ``Rules``."""
    allowed, denied = (tuple(str(values.get(name) or "").splitlines()) for name in RULE_NAMES)
    return Rules(allowed, denied, upper)


def _check_limits(values: Values, upper: Limits) -> None:
    for name in LIMIT_NAMES:
        if name not in values:
            continue
        most = getattr(upper, name)
        if name == "max_cost":
            Limits.check_range(name, float(str(values[name])), MIN_COST, min(MAX_COST, most))
        else:
            Limits.check_range(name, int(str(values[name])), MIN_SIDE if name == "max_side" else 1, most)


def _parsed(item: tuple[str, object]) -> tuple[str, object]:
    # A value written by another version must never stop a command: it falls back to the layer below.
    name, value = item
    try:
        return name, _PARSERS.get(name, str)(value)
    except ValueError:
        return name, None


def _as_kept(name: str, value: object) -> object:
    """Return a value as it is kept; raises ``RequestError`` for what is none of that setting."""
    try:
        return _PARSERS.get(name, str)(value)
    except ValueError as error:
        shown = str(value)[:20]
        if name == "accent":
            raise RequestError(
                N_("“{value}” is no colour."), N_("Write one like #3ba55d."), value=shown
            ) from error
        raise RequestError(
            N_("“{value}” is nothing for {option}."),
            N_("Choose one of what is offered."),
            value=shown,
            option=name,
        ) from error


def _options(values: Mapping[str, object]) -> Options:
    chosen: dict[str, Any] = {name: values[name] for name in OPTION_NAMES if name in values}
    return Options(**chosen)


def _within(options: Options, limits: Limits, rules: Rules) -> Options:
    """Change defaults that limits and rules have overtaken, so that a plain command is never refused."""
    width, height = limits.fitted(options.width or limits.max_side, options.height or limits.max_side)
    clamped = replace(
        options,
        model=options.model if options.model and rules.allows(options.model) else None,
        steps=min(options.steps or limits.max_steps, limits.max_steps),
        count=min(options.count or 1, limits.max_count),
        width=width,
        height=height,
    )
    fit = lighter(clamped.request("-", seed=0), limits.max_cost)
    if not isinstance(fit, PaintRequest):
        return clamped
    return replace(clamped, steps=fit.steps, count=fit.count, width=fit.width, height=fit.height)
