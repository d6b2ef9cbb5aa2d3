"""What people may do in a server by their roles: the one place that says who manages it."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError, LimitError, RequestError
from bot.domain.permits import OPEN, Grant, Permits, mentions
from bot.domain.ports import SettingsStore
from bot.domain.text import N_

SCOPE = "roles"
"""The scope of what servers say of their roles: apart from their settings, for roles go into no other server."""
MAX_ROLES = 10
"""Most roles that one command or model is for, and that manage a server: their names fit in a refusal."""
MAX_ENTRIES = 40
"""Most models, and most roles with limits, that a server lists."""
_VALUE = "permits"
Role = Annotated[int, Field(gt=0)]
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Kept(BaseModel):
    """How permits are kept; what another version added is passed over."""

    admins: tuple[Role, ...] = ()
    commands: dict[str, tuple[Role, ...]] = {}
    models: dict[str, tuple[Role, ...]] = {}
    limits: dict[Role, dict[str, Limit]] = {}


class Authority:
    """Keeps servers' permits and answers by them."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self._cache: dict[int, Permits] = {}
        self._writing = asyncio.Lock()

    async def permits(self, guild_id: int) -> Permits:
        """Return what a server says of its roles."""
        known = self._cache.get(guild_id)
        if known is None:
            stored = await self._store.load(SCOPE, guild_id)
            # What was set in the meantime is newer than what was read.
            known = self._cache.setdefault(guild_id, read(stored.get(_VALUE)))
        return known

    async def granted(self, asker: Asker) -> Grant:
        """Return what the permits where ``asker`` is come to for them."""
        return OPEN if asker.guild_id is None else (await self.permits(asker.guild_id)).granted(asker)

    async def manages(self, asker: Asker) -> bool:
        """Return whether somebody has Manage Server where they ask, or a role that stands for it."""
        return asker.guild_id is not None and (await self.permits(asker.guild_id)).manages(asker)

    async def check(self, asker: Asker, message: str, hint: str = "") -> int:
        """Return the server's id if somebody manages it; else raise ``DeniedError`` in these marked words.

        Discord's own default permission, which hides commands, can be widened by a server, so it is no check.
        """
        if asker.guild_id is not None and await self.manages(asker):
            return asker.guild_id
        admins = () if asker.guild_id is None else (await self.permits(asker.guild_id)).admins
        if admins:
            raise DeniedError(message, N_("So may members with {roles}: ask one of them."), roles=mentions(admins))
        raise DeniedError(message, hint)

    async def check_managed(self, asker: Asker) -> int:
        """Return the server's id if somebody manages it; raises ``RequestError`` where there is none."""
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use it in a server that I belong to."))
        return await self.check(
            asker, N_("Only members with Manage Server may see and change that."), N_("Ask one of them.")
        )

    async def change(self, asker: Asker, change: Callable[[Permits], Permits]) -> tuple[Permits, Permits]:
        """Change what a server says and return it as it was and as it is.

        Raises ``DeniedError`` for those who do not manage it, and for a change of who does by those who have but a
        role for it; ``LimitError`` for too much.
        """
        guild_id = await self.check_managed(asker)
        async with self._writing:
            former = await self.permits(guild_id)
            permits = change(former)
            if permits.admins != former.admins and not asker.manages:
                raise DeniedError(
                    N_("Only members with the permission Manage Server itself may say which roles stand for it."),
                    N_("Ask one of them."),
                )
            await self._keep(guild_id, permits)
        return former, permits

    async def drop(self, guild_id: int, role: int) -> None:
        """Take a role that is no more out of all that a server says."""
        async with self._writing:
            await self._keep(guild_id, (await self.permits(guild_id)).without(role))

    async def _keep(self, guild_id: int, permits: Permits) -> None:
        if permits != await self.permits(guild_id):
            _check(permits)
            await self._store.save(SCOPE, guild_id, {_VALUE: written(permits)} if permits else {}, guild_id)
            self._cache[guild_id] = permits

    def forget(self, guild_id: int) -> None:
        """Keep in memory no more what a server said."""
        self._cache.pop(guild_id, None)

    def forget_all(self) -> None:
        """Keep in memory no more what servers said."""
        self._cache.clear()


def read(kept: object) -> Permits:
    """Return permits as they were kept; nothing is said by what cannot be read."""
    if not isinstance(kept, str) or not kept:
        return Permits()
    try:
        found = _Kept.model_validate_json(kept)
    except ValidationError:
        # What another version kept must never stop a command.
        return Permits()
    return Permits(found.admins, found.commands, found.models, found.limits)


def written(permits: Permits) -> str:
    """Return permits as they are kept."""
    kept = _Kept.model_construct(
        admins=permits.admins,
        commands=dict(permits.commands),
        models=dict(permits.models),
        limits={role: dict(limits) for role, limits in permits.limits.items()},
    )
    return kept.model_dump_json(exclude_defaults=True)


def _check(permits: Permits) -> None:
    for roles in (permits.admins, *permits.commands.values(), *permits.models.values()):
        if len(roles) > MAX_ROLES:
            raise LimitError(
                N_("That would be {count} roles."),
                N_("List at most {max}: a role that all of them have does as well."),
                count=len(roles),
                max=MAX_ROLES,
            )
    for entries in (permits.models, permits.limits):
        if len(entries) > MAX_ENTRIES:
            raise LimitError(
                N_("That would be {count} entries."),
                N_("Keep at most {max}; take some back: /roles remove"),
                count=len(entries),
                max=MAX_ENTRIES,
            )
