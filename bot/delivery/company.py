"""What a process does because it is not alone: it hears the others, and takes and gives what is theirs."""

import asyncio

from bot.delivery.budget import Budget
from bot.delivery.floor import Floor
from bot.delivery.sharing import RateShare
from bot.domain.shards import Shards
from bot.foundations import Foundations
from bot.services.claiming import OwnShards
from bot.services.freshness import Freshness
from bot.services.roster import Roster


class Company:
    """One of several processes on one database; ``rate`` is what Discord lets all of them do a second."""

    def __init__(
        self,
        base: Foundations,
        floor: Floor,
        freshness: Freshness,
        roster: Roster,
        shards: OwnShards,
        budget: Budget,
        *,
        rate: int,
    ) -> None:
        share = RateShare(base.database, budget, lambda: base.engine.node, total=rate)
        self._roster, self._shards = roster, shards
        self._parts = (base.jobs, base.notices, floor, freshness, roster, shards, share)

    async def open(self, shards: Shards | None = None) -> None:
        """Join the others; raises ``TakenError`` for a backend whose name, or shards that another one has."""
        await self._shards.open(shards)
        await self._roster.open()

    async def run(self) -> None:
        """Take part until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for part in self._parts:
                tasks.create_task(part.run(), name=type(part).__name__)
