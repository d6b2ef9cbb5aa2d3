"""A process's share of the calls that Discord allows one bot's token, where several have it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog

from bot.delivery.budget import Budget
from bot.domain.rates import FLOOR, HEARTBEAT_S, LEASE_S, TOTAL
from bot.storage import rates
from bot.storage.database import Database

log = structlog.get_logger(__name__)

AGAIN_S = 1.0
"""How soon a process that finds its share too small asks again."""
SETTLE_S = 1.0
"""How long a larger share waits: a second that another process had it for must be over at Discord too."""


class RateShare:
    """Keeps ``budget`` at what this process holds of ``total``; with no lease, at first too, at the floor.

    ``node`` is asked for the number of this process: it has another one after others took it for dead.
    """

    def __init__(self, database: Database, budget: Budget, node: Callable[[], int], *, total: int = TOTAL) -> None:
        self._database = database
        self._budget = budget
        self._node = node
        self._total = total
        self._lapse: asyncio.TimerHandle | None = None
        budget.allow(FLOOR)

    async def run(self) -> None:
        """Renew the lease until cancelled, then give it back."""
        try:
            while True:
                await self._renew()
                await asyncio.sleep(AGAIN_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_S - AGAIN_S):
                        await self._budget.short.wait()
        finally:
            if self._lapse is not None:
                self._lapse.cancel()
            self._budget.allow(FLOOR)
            await self._release()

    async def _renew(self) -> None:
        loop = asyncio.get_running_loop()
        # Not counted from the answer, and by a timer: a database that hangs must not make a lease last.
        until = loop.time() + LEASE_S
        rate = await self._held()
        if rate is None:
            return
        if rate > self._budget.rate:
            await asyncio.sleep(SETTLE_S)
        if self._lapse is not None:
            self._lapse.cancel()
        self._lapse = loop.call_at(until, self._budget.allow, FLOOR)
        self._budget.allow(max(rate, FLOOR) if loop.time() < until else FLOOR)

    async def _held(self) -> int | None:
        """Return what this process holds now, or ``None`` if the database does not say."""
        wanted = self._budget.wanted()
        work = partial(rates.renew, node_id=self._node(), wanted=wanted, total=self._total)
        try:
            return await self._database.write(work, synced=False)
        except Exception as error:  # noqa: BLE001 - whatever ails it, deliveries go on at the floor
            log.warning("share of Discord's limit not renewed", reason=type(error).__name__)
            return None

    async def _release(self) -> None:
        try:
            await self._database.write(partial(rates.release, node_id=self._node()))
        except Exception as error:  # noqa: BLE001 - it lapses by itself
            log.warning("share of Discord's limit not given back", reason=type(error).__name__)
