"""What those who manage a server set for it and for its channels; every such change goes through here."""

from collections.abc import Collection, Mapping
from typing import Any

from bot.domain.asker import Asker
from bot.domain.audit import Change, differences
from bot.domain.capability import Listing
from bot.domain.errors import RequestError
from bot.domain.options import Options
from bot.domain.text import N_
from bot.services import settings_files
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.catalogue import Catalogue
from bot.services.models import check_rules
from bot.services.preferences import RULE_NAMES, SETTABLE, Effective, Preferences, Scope, Values, rules_of
from bot.services.settings_files import Import, Whole


class ServerSettings:
    """Reads and changes them; ``channel_id`` is ``None`` for the server itself."""

    def __init__(
        self, preferences: Preferences, authority: Authority, auditing: Auditing, catalogue: Catalogue
    ) -> None:
        self._preferences = preferences
        self._authority = authority
        self._auditing = auditing
        self._catalogue = catalogue

    async def managed(self, asker: Asker) -> int:
        """Return the server's id; raises ``DeniedError`` for those who may not change it."""
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Your own defaults are under /preferences."))
        return await self._authority.check(
            asker,
            N_("Only members with Manage Server may see and change these settings."),
            N_("Your own defaults are under /preferences."),
        )

    async def effective(self, asker: Asker, channel_id: int | None = None) -> Effective:
        """Return what holds there for nobody in particular."""
        return await self._preferences.effective(Asker.nobody(await self.managed(asker), channel_id))

    async def own(self, asker: Asker, channel_id: int | None = None) -> Values:
        """Return what is set there itself, in the order that settings are told in."""
        scope, owner = _whose(await self.managed(asker), channel_id)
        values = await self._preferences.values(scope, owner)
        return {name: values[name] for name in SETTABLE[scope] if name in values}

    async def change(self, asker: Asker, channel_id: int | None, values: Mapping[str, object]) -> None:
        """Set values there; ``None`` takes one back.

        Raises what ``Preferences.set`` does, and ``RequestError`` for names that no backend has and for rules that
        leave no model.
        """
        guild_id = await self.managed(asker)
        self._catalogue.check(_listed(values))
        if not values.keys().isdisjoint(RULE_NAMES):
            upper = (await self.effective(asker)).rules if channel_id is not None else None
            merged = {**await self.own(asker, channel_id), **values}
            check_rules(rules_of(merged, upper), self._catalogue.names(Listing.MODELS))
        former = await self.own(asker, channel_id)
        if channel_id is None:
            await self._preferences.set(Scope.SERVER, guild_id, **values)
        else:
            await self._preferences.set_in_channel(guild_id, channel_id, **values)
        await self._auditing.record(asker, differences(former, await self.own(asker, channel_id), channel_id))

    async def whole(self, asker: Asker, present: Collection[int]) -> Whole:
        """Return all that the server and its channels, those ``present``, have set."""
        guild_id = await self.managed(asker)
        channels = await self._preferences.channels(guild_id)
        server = await self._preferences.values(Scope.SERVER, guild_id)
        return Whole(
            server, {channel_id: channels[channel_id] for channel_id in channels if channel_id in present}
        )

    async def read(self, asker: Asker, data: bytes, present: Collection[int]) -> Import:
        """Return what a file is to change; raises ``RequestError`` for the first thing wrong."""
        before = await self.whole(asker, present)
        return Import(before, await self._checked(await settings_files.imported(data, present)))

    async def replace(self, asker: Asker, wanted: Whole) -> None:
        """Put settings in the place of all there are; raises as ``read`` does, and then changes nothing."""
        guild_id = await self.managed(asker)
        wanted = await self._checked(wanted)
        former = await self.whole(asker, await self._preferences.channels(guild_id))
        await self._preferences.replace(guild_id, wanted.server, wanted.channels)
        changes = settings_files.differences(former, wanted)
        told = [Change(each.name, each.before, each.after, each.channel_id) for each in changes]
        await self._auditing.record(asker, told)

    async def _checked(self, wanted: Whole) -> Whole:
        names, upper = self._catalogue.names(Listing.MODELS), rules_of(wanted.server)
        for values in (wanted.server, *wanted.channels.values()):
            self._catalogue.check(_listed(values))
            check_rules(upper if values is wanted.server else rules_of(values, upper), names)
        check = self._preferences.checked
        return Whole(check(wanted.server), {owner: check(values) for owner, values in wanted.channels.items()})


def _whose(guild_id: int, channel_id: int | None) -> tuple[Scope, int]:
    return (Scope.SERVER, guild_id) if channel_id is None else (Scope.CHANNEL, channel_id)


def _listed(values: Values) -> Options:
    """Return what of some values must be a name that a backend has."""
    named: dict[str, Any] = {name: values.get(name) for name in ("model", "sampler", "scheduler")}
    return Options(**named)
