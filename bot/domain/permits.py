"""What a server lets which roles do: manage it, use a command or a model, ask for more than others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bot.domain.asker import NOBODY, Asker
from bot.domain.errors import DeniedError
from bot.domain.job import Origin
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest
from bot.domain.text import N_, Mention

LIMITED = ("max_steps", "max_side", "max_count", "max_queued_user", "max_cost")
"""What a role may have more of, by the names of ``Limits``."""
Roles = tuple[int, ...]
_ASK = N_("Ask those who manage this server for such a role.")
_MANAGERS = N_("Only they can change that: /roles show")


class Command(StrEnum):
    """What may be kept for some roles, whichever way it is asked for."""

    DRAW = "draw"
    REMIX = "remix"
    EXPLORE = "explore"
    UPSCALE = "upscale"
    CUTOUT = "cutout"
    DESCRIBE = "describe"


def needed(origin: Origin, request: PaintRequest) -> Iterator[Command]:
    """Yield the commands that an order to paint counts as, by whatever button, menu or reaction it came.

    What paints over a picture counts as /remix and what paints from words alone as /draw; a cell of a grid is
    one of both and /explore besides.
    """
    if origin is Origin.EXPLORE:
        yield Command.EXPLORE
    if request.init_image is None or origin is Origin.DRAW:
        yield Command.DRAW
    if request.init_image is not None:
        yield Command.REMIX


@dataclass(frozen=True, slots=True)
class Grant:
    """What a server's permits come to for one member.

    ``commands`` and ``models`` (by pattern) are those kept from them, with the roles that have them; ``limits``
    are the most generous of their roles', by name.
    """

    commands: tuple[tuple[str, Roles], ...] = ()
    models: tuple[tuple[str, Roles], ...] = ()
    limits: tuple[tuple[str, float], ...] = ()

    def check(self, *commands: Command) -> None:
        """Raise ``DeniedError`` for a command that is kept for roles they do not have."""
        for name, roles in self.commands:
            if name in commands:
                raise kept_for(
                    roles,
                    N_("Only {roles} may use /{name} here."),
                    N_("Only those who manage this server may use /{name} here."),
                    name=name,
                )

    def raised(self, limits: Limits, upper: Limits) -> Limits:
        """Return the more generous of their roles' limits and the place's, none above ``upper``'s."""
        more: dict[str, Any] = {name: max(getattr(limits, name), value) for name, value in self.limits}
        return replace(limits, **more).within(upper) if more else limits


@dataclass(frozen=True, slots=True)
class Permits:
    """What a server says of its roles, by their ids.

    ``admins`` may do what Manage Server may. A command (by name) or a model (by pattern) that is listed is for the
    roles there, of which none may be left; who manages the server may use all. ``limits`` are by role and name.
    Names that another version wrote are kept and mean nothing.
    """

    admins: Roles = ()
    commands: Mapping[str, Roles] = field(default_factory=lambda: MappingProxyType({}))
    models: Mapping[str, Roles] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[int, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))

    def manages(self, asker: Asker) -> bool:
        """Return whether somebody may do there what Manage Server may."""
        return asker.guild_id is not None and (asker.manages or not asker.roles.isdisjoint(self.admins))

    def granted(self, asker: Asker) -> Grant:
        """Return what holds for one member; nothing is kept from those who manage the server, nor from nobody."""
        if asker.user_id == NOBODY or not self:
            return OPEN
        limits: dict[str, float] = {}
        for role in self.limits.keys() & asker.roles:
            for name, value in self.limits[role].items():
                if name in LIMITED:
                    kind = float if name == "max_cost" else int
                    limits[name] = max(limits.get(name, 0), kind(value))
        more = tuple(sorted(limits.items()))
        if self.manages(asker):
            return Grant(limits=more)
        return Grant(_kept(self.commands, asker.roles), _kept(self.models, asker.roles), more)

    def __bool__(self) -> bool:
        """Return whether anything is said at all."""
        return bool(self.admins or self.commands or self.models or self.limits)

    def managed_by(self, role: int) -> "Permits":
        """Return them with ``role`` among those that manage the server."""
        return replace(self, admins=_with(self.admins, role))

    def commanding(self, command: str, role: int) -> "Permits":
        """Return them with ``command`` for ``role`` too."""
        return replace(self, commands={**self.commands, command: _with(self.commands.get(command, ()), role)})

    def modelling(self, pattern: str, role: int) -> "Permits":
        """Return them with the models of ``pattern`` for ``role`` too."""
        known = next((each for each in self.models if each.casefold() == pattern.casefold()), pattern)
        return replace(self, models={**self.models, known: _with(self.models.get(known, ()), role)})

    def limiting(self, role: int, limits: Mapping[str, float]) -> "Permits":
        """Return them with these limits of ``role`` set beside the others it has."""
        return replace(self, limits={**self.limits, role: {**self.limits.get(role, {}), **limits}})

    def opened(self, *, command: Iterable[str] = (), model: Iterable[str] = ()) -> "Permits":
        """Return them with these commands, and models by pattern, for everybody."""
        return replace(
            self,
            commands={name: roles for name, roles in self.commands.items() if not _names(command, name)},
            models={name: roles for name, roles in self.models.items() if not _names(model, name)},
        )

    def without(self, role: int, *, command: Iterable[str] = (), model: Iterable[str] = ()) -> "Permits":
        """Return them without ``role``, in these commands and models or, if none is named, altogether.

        What was for it alone stays closed to all but those who manage the server: only ``opened`` opens.
        """
        everywhere = not command and not model
        return Permits(
            _less(self.admins, role) if everywhere else self.admins,
            {
                name: _less(roles, role) if everywhere or _names(command, name) else roles
                for name, roles in self.commands.items()
            },
            {
                name: _less(roles, role) if everywhere or _names(model, name) else roles
                for name, roles in self.models.items()
            },
            {known: limits for known, limits in self.limits.items() if known != role or not everywhere},
        )


OPEN = Grant()
"""What holds where a server says nothing of its roles."""


def kept_for(roles: Roles, message: str, message_if_none: str, *, name: str) -> DeniedError:
    """Return the refusal of what is kept for ``roles``, in the marked words for several and for none."""
    if not roles:
        return DeniedError(message_if_none, _MANAGERS, name=name)
    return DeniedError(message, _ASK, name=name, roles=mentions(roles))


def mentions(roles: Iterable[int]) -> Mention:
    """Return roles as Discord shows them by their names (Discord docs, Message Formatting)."""
    return Mention(", ".join(f"<@&{role}>" for role in roles))


def _names(wanted: Iterable[str], name: str) -> bool:
    return any(each.casefold() == name.casefold() for each in wanted)


def _kept(reserved: Mapping[str, Roles], roles: frozenset[int]) -> tuple[tuple[str, Roles], ...]:
    return tuple((name, having) for name, having in reserved.items() if roles.isdisjoint(having))


def _with(roles: Roles, role: int) -> Roles:
    return (*_less(roles, role), role)


def _less(roles: Roles, role: int) -> Roles:
    return tuple(each for each in roles if each != role)
