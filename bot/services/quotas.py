"""Quotas of a place: what servers and the host set, and what somebody there has left."""

from collections.abc import Sequence

from bot.domain.asker import Asker
from bot.domain.errors import RequestError
from bot.domain.quotas import Allowance, Period, Quota, Scope, Spender, Use, allowances
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.drafts import Draft
from bot.storage.quotas import StoredQuotas

MAX_QUOTAS = 30
"""Most that one server keeps."""


class Quotas:
    """Keeps servers' quotas beside the ``host``'s, and holds people to both.

    The host's for each person count what is painted for them everywhere.
    """

    def __init__(self, jobs: Jobs, store: StoredQuotas, host: Sequence[Quota]) -> None:
        self._jobs = jobs
        self._store = store
        self._host = tuple(
            Allowance(quota.scope, quota.period, quota.seconds, everywhere=quota.scope is Scope.PERSON)
            for quota in host
        )
        self._cache: dict[int, tuple[Quota, ...]] = {}

    async def of(self, guild_id: int) -> tuple[Quota, ...]:
        """Return what a server has set."""
        known = self._cache.get(guild_id)
        if known is None:
            known = self._cache.setdefault(guild_id, await self._store.load(guild_id))
        return known

    async def held_to(self, asker: Asker) -> tuple[Allowance, ...]:
        """Return all that an order of theirs is held to in this place."""
        if asker.guild_id is None:
            return tuple(allowance for allowance in self._host if allowance.everywhere)
        return (*self._host, *allowances(await self.of(asker.guild_id), asker.roles, asker.main_channel_id))

    async def left(self, asker: Asker) -> list[Use]:
        """Return what is used of each, and left."""
        spender = Spender(asker.payer, asker.user_id, asker.main_channel_id)
        return await self._jobs.uses(spender, await self.held_to(asker))

    async def spent(self, asker: Asker) -> list[Use]:
        """Return what was painted for somebody in this place today and this month, whatever holds there."""
        spender = Spender(asker.payer, asker.user_id, asker.main_channel_id)
        return await self._jobs.uses(spender, [Allowance(Scope.PERSON, period, 0) for period in Period])

    async def check(self, drafts: Sequence[Draft]) -> None:
        """Raise the ``QuotaError`` that queueing the drafts, which are one order, would."""
        asker = drafts[0].asker
        held_to = await self.held_to(asker)
        if held_to:
            spender = Spender(asker.payer, asker.user_id, asker.main_channel_id)
            await self._jobs.check_quotas(spender, [draft.spec.order for draft in drafts], held_to)

    async def set(self, guild_id: int, quota: Quota) -> None:
        """Set one quota of a server in the place of the one for the same; raises ``RequestError`` for too many."""
        others = [other for other in await self.of(guild_id) if not _same(other, quota)]
        if len(others) >= MAX_QUOTAS:
            raise RequestError(
                N_("There are {count} quotas already."), N_("Take some back: /quota reset"), count=len(others)
            )
        await self._save(guild_id, (*others, quota))

    async def reset(self, guild_id: int, scope: Scope, about: int, period: Period | None) -> int:
        """Take back what was set for whom, in one period or (``None``) both; return how many quotas that were."""
        known = await self.of(guild_id)
        kept = tuple(
            quota
            for quota in known
            if (quota.scope, quota.about) != (scope, about) or period not in {None, quota.period}
        )
        await self._save(guild_id, kept)
        return len(known) - len(kept)

    def forget(self, guild_id: int) -> None:
        """Keep in memory no more what a server set."""
        self._cache.pop(guild_id, None)

    def forget_all(self) -> None:
        """Keep in memory no more what servers set."""
        self._cache.clear()

    async def _save(self, guild_id: int, kept: tuple[Quota, ...]) -> None:
        await self._store.save(guild_id, kept)
        self._cache[guild_id] = kept


def _same(one: Quota, other: Quota) -> bool:
    return (one.scope, one.about, one.period) == (other.scope, other.about, other.period)
