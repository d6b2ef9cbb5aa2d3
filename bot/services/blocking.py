"""Members whose orders a server does not take for a while."""

from bot.domain.asker import Asker
from bot.domain.audit import Change
from bot.domain.errors import DeniedError, RequestError
from bot.domain.ports import Clock
from bot.domain.reviewing import BLOCK_S, Strike
from bot.domain.text import N_, Mention
from bot.jobs.reviews import Reviews
from bot.services.auditing import Auditing

HOUR_S = 3600.0
_NAME = "blocked"


class Blocking:
    """Knows who is blocked where, across restarts; moderators give and take strikes and blocks."""

    def __init__(self, store: Reviews, auditing: Auditing, *, clock: Clock) -> None:
        self._store = store
        self._auditing = auditing
        self._clock = clock
        self._until: dict[tuple[int, int], float] = {}

    async def load(self) -> None:
        """Take up the blocks that an earlier life left, before anything is ordered."""
        self._until = await self._store.blocked()

    def check(self, asker: Asker) -> None:
        """Raise ``DeniedError`` if this server takes no order of theirs."""
        until = None if asker.guild_id is None else self.until(asker.guild_id, asker.user_id)
        if until is not None:
            raise DeniedError(
                N_("Moderators of this server have blocked you from painting here, until <t:{until}:f>."),
                N_("Ask one of them if you think that is wrong."),
                until=int(until),
            )

    def until(self, guild_id: int, user_id: int) -> float | None:
        """Return until when (unix seconds) a member is blocked; ``None`` if they are not."""
        until = self._until.get((guild_id, user_id), 0.0)
        return until if until > self._clock() else None

    def note(self, guild_id: int, user_id: int, until: float) -> None:
        """Take note of a block that is stored already."""
        self._until[guild_id, user_id] = until

    async def block(self, asker: Asker, user_id: int, hours: int | None) -> float:
        """Block a member, by default for 7 days; return until when. Raises ``DeniedError`` or ``RequestError``."""
        guild_id = moderated(asker)
        if user_id == asker.user_id:
            raise RequestError(N_("You cannot block yourself."), N_("Name somebody else."))
        until = self._clock() + (BLOCK_S if hours is None else hours * HOUR_S)
        await self._store.block(guild_id, user_id, until)
        self.note(guild_id, user_id, until)
        await self._auditing.record(asker, [Change(_NAME, after=Mention(f"<@{user_id}> <t:{int(until)}:f>"))])
        return until

    async def unblock(self, asker: Asker, user_id: int) -> None:
        """Take a member's orders again; raises ``DeniedError``, ``RequestError`` if they are not blocked."""
        guild_id = moderated(asker)
        blocked = self.until(guild_id, user_id) is not None
        self._until.pop((guild_id, user_id), None)
        if not await self._store.unblock(guild_id, user_id) or not blocked:
            raise RequestError(N_("They are not blocked here."), N_("See how they stand: /review strikes"))
        await self._auditing.record(asker, [Change(_NAME, Mention(f"<@{user_id}>"))])

    async def strikes(self, asker: Asker, user_id: int) -> list[Strike]:
        """Return a member's strikes that count, the latest first; raises ``DeniedError``."""
        return await self._store.strikes(moderated(asker), user_id)

    async def pardon(self, asker: Asker, user_id: int) -> int:
        """Take a member's strikes away and return how many there were; raises ``DeniedError``."""
        count = await self._store.pardon(moderated(asker), user_id)
        changes = [Change(Mention(f"<@{user_id}>"), count, 0)] if count else []
        await self._auditing.record(asker, changes)
        return count

    def forget(self, guild_id: int) -> None:
        """Keep in memory no more who is blocked there."""
        self._until = {of: until for of, until in self._until.items() if of[0] != guild_id}


def moderated(asker: Asker) -> int:
    """Return the server whose moderator ``asker`` is; raises ``DeniedError`` or ``RequestError``."""
    if asker.guild_id is None:
        raise RequestError(N_("There is no server here."), N_("Use it in a server that I belong to."))
    if not asker.moderates_server:
        raise DeniedError(N_("Only members with Manage Messages may do that."), N_("Ask a moderator."))
    return asker.guild_id
