"""How a running process is watched from outside: one call opens all of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from bot.domain.breaker import Condition
from bot.foundations import Foundations
from bot.ops.forecasts import ForecastProbe
from bot.ops.server import Address, Check, Server
from bot.services.fleet import Fleet

Reason = Callable[[], str | None]
"""Returns why something is not ready, ``None`` if it is."""


@asynccontextmanager
async def observed(
    address: Address | None, base: Foundations, fleet: Fleet, ready: Mapping[str, Reason]
) -> AsyncIterator[None]:
    """Answer at ``address`` about this process while the context is open; do nothing if it is ``None``.

    ``ready`` says beside the database what ``/readyz`` is about. Raises ``AddressTakenError``.
    """
    if address is None:
        yield
        return

    def backends() -> dict[str, Condition]:
        return {name: member.condition for name, member in fleet.members.items()}

    checks: dict[str, Check] = {"database": base.gauges.answers}
    checks |= {name: partial(_now, reason) for name, reason in ready.items()}
    probe = ForecastProbe(base.gauges, base.jobs.place, base.meter, base.clock)
    async with Server(base.exporter, base.gauges.queue, backends, checks, base.clock).listening(address):
        sampling = asyncio.create_task(probe.run(), name="forecast probe")
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.wait({sampling})


async def _now(reason: Reason) -> str | None:
    return reason()
