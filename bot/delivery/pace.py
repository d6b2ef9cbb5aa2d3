"""When Discord may be called: a budget for the bot's token, and what its answers say of each channel's edits."""

import re
from http import HTTPStatus
from time import monotonic
from types import SimpleNamespace

import aiohttp

from bot.delivery.budget import Budget
from bot.domain.rates import TOTAL

_EDITED = re.compile(r"/channels/(?P<channel>[0-9]+)/messages/[0-9]+$")
_MOST_CHANNELS = 1000


class EditPace:
    """Holds every request by the bot's token to a budget, ``rate`` a second at first, and knows a channel's limit.

    discord.py waits for that limit too, but with a message in its hand that grows old meanwhile.
    """

    def __init__(self, rate: int = TOTAL) -> None:
        self.budget = Budget(rate)
        self._free_at: dict[int, float] = {}
        self.trace = aiohttp.TraceConfig()
        """To be given to the client, so that its requests wait and its answers are seen."""
        self.trace.on_request_start.append(self._wait)
        self.trace.on_request_end.append(self._end)
        self.trace.on_request_exception.append(self._end)
        self.trace.on_request_end.append(self._look)

    def wait_s(self, channel_id: int) -> float:
        """Return the seconds until a message of that channel may be edited again."""
        return max(0.0, self._free_at.get(channel_id, 0.0) - monotonic())

    async def _wait(
        self, _session: aiohttp.ClientSession, context: SimpleNamespace, start: aiohttp.TraceRequestStartParams
    ) -> None:
        """Wait for the budget: aiohttp sends nothing before, and is not heard of again where this is cancelled."""
        # Discord counts by this header; what goes by an interaction's token, and the gateway, come without it.
        context.budgeted = "Authorization" in start.headers
        if context.budgeted:
            await self.budget.take()

    async def _end(self, _session: aiohttp.ClientSession, context: SimpleNamespace, _event: object) -> None:
        if context.budgeted:
            context.budgeted = False
            self.budget.spent()

    async def _look(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        edited = _EDITED.search(end.url.path) if end.method == "PATCH" else None
        if edited is None or "/webhooks/" in end.url.path:
            return
        headers = end.response.headers
        spent = headers.get("X-RateLimit-Remaining") == "0" or end.response.status == HTTPStatus.TOO_MANY_REQUESTS
        if spent:
            if len(self._free_at) > _MOST_CHANNELS:
                self._free_at.clear()
            reset_s = headers.get("X-RateLimit-Reset-After") or headers.get("Retry-After") or "1"
            self._free_at[int(edited["channel"])] = monotonic() + float(reset_s)
