"""The log channel of a server: told of what those who manage it change, as well as can be."""

from collections.abc import Iterable

from bot.domain.asker import Asker
from bot.domain.audit import Change, Entry, Log
from bot.domain.ports import Clock, SettingsStore
from bot.domain.text import Mention
from bot.services.preferences import Preferences

SCOPE = "log"
"""The scope of servers' log channels: apart from their settings, so that no file of those turns a log off."""
_CHANNEL = "channel"


class Auditing:
    """Knows servers' log channels and writes what is changed there; nothing that is changed waits for it."""

    def __init__(self, store: SettingsStore, preferences: Preferences, log: Log, *, clock: Clock) -> None:
        self._store = store
        self._preferences = preferences
        self._log = log
        self._clock = clock
        self._channels: dict[int, int | None] = {}
        self._unheard: set[tuple[int, int]] = set()

    async def channel(self, guild_id: int) -> int | None:
        """Return the id of a server's log channel."""
        if guild_id not in self._channels:
            found = (await self._store.load(SCOPE, guild_id)).get(_CHANNEL)
            # What was set in the meantime is newer than what was read.
            self._channels.setdefault(guild_id, found if isinstance(found, int) else None)
        return self._channels[guild_id]

    async def set(self, asker: Asker, guild_id: int, channel_id: int | None) -> None:
        """Choose a server's log channel, or none; the one that was and the one that is are both told."""
        former = await self.channel(guild_id)
        kept = {} if channel_id is None else {_CHANNEL: channel_id}
        await self._store.save(SCOPE, guild_id, kept, guild_id)
        self._channels[guild_id] = channel_id
        before, after = (place and Mention(f"<#{place}>") for place in (former, channel_id))
        for place in dict.fromkeys(filter(None, (former, channel_id))):
            await self._post(asker, guild_id, place, (Change("channel", before, after),))

    async def record(self, asker: Asker, changes: Iterable[Change] | None = None) -> None:
        """Tell a server's log channel, if it has one, what ``asker`` changed by their command.

        ``None``: the command says it all; where nothing was changed, nothing is told.
        """
        listed = None if changes is None else tuple(changes)
        channel_id = None if asker.guild_id is None else await self.channel(asker.guild_id)
        if asker.guild_id is None or channel_id is None or listed == ():
            return
        if self._log.is_barred(asker.guild_id):
            self._unheard.add((asker.guild_id, asker.user_id))
        await self._post(asker, asker.guild_id, channel_id, listed or ())

    def is_barred(self, guild_id: int) -> bool:
        """Return whether the latest entry could not be put into the channel."""
        return self._log.is_barred(guild_id)

    def is_unheard(self, asker: Asker) -> bool:
        """Return, once, whether ``asker`` changed something after the log channel had shut itself to the bot."""
        known = (asker.guild_id or 0, asker.user_id)
        unheard = known in self._unheard
        self._unheard.discard(known)
        return unheard

    def forget(self, guild_id: int) -> None:
        """Keep in memory no more what a server chose."""
        self._channels.pop(guild_id, None)
        self._unheard = {known for known in self._unheard if known[0] != guild_id}

    def forget_all(self) -> None:
        """Keep in memory no more where servers have it told."""
        self._channels.clear()

    async def _post(self, asker: Asker, guild_id: int, channel_id: int, changes: tuple[Change, ...]) -> None:
        effective = await self._preferences.effective(Asker.nobody(guild_id))
        locale = effective.language or asker.guild_locale or "en"
        now = self._clock()
        self._log.post(Entry(guild_id, channel_id, asker.user_id, asker.command, changes, now, locale))
