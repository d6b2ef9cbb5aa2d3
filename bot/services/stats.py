"""How much was painted lately, by a server or by a person."""

from bot.domain.gallery import Tally
from bot.domain.ports import Clock
from bot.storage.tally import DAY_S, StoredTally

DAYS = 30
FRESH_S = 60.0
"""Counting a busy server's jobs takes a while: within this time everybody gets the same answer."""


class Stats:
    """Counts, at most once a minute for each who asks."""

    def __init__(self, store: StoredTally, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[tuple[int | None, int | None], tuple[float, Tally]] = {}

    def first_day(self) -> float:
        """Return the unix time at which the first of the counted days began (UTC)."""
        return (self._clock() // DAY_S - DAYS + 1) * DAY_S

    async def of_server(self, guild_id: int) -> Tally:
        """Return what all members had painted in a server."""
        return await self._of(guild_id, None)

    async def of_person(self, user_id: int) -> Tally:
        """Return what a person had painted anywhere."""
        return await self._of(None, user_id)

    def forget(self) -> None:
        """Count anew what is asked next: something was deleted."""
        self._known.clear()

    async def _of(self, guild: int | None, user: int | None) -> Tally:
        now = self._clock()
        self._known = {key: known for key, known in self._known.items() if abs(now - known[0]) < FRESH_S}
        if (guild, user) not in self._known:
            tally = await self._store.of(guild=guild, user=user, since=self.first_day(), days=DAYS)
            self._known[guild, user] = (now, tally)
        return self._known[guild, user][1]
