"""How often messages of a channel may be edited, read off the headers of Discord's own answers."""

import re
from http import HTTPStatus
from time import monotonic
from types import SimpleNamespace

import aiohttp

_EDITED = re.compile(r"/channels/(?P<channel>[0-9]+)/messages/[0-9]+$")
_MOST_CHANNELS = 1000


class EditPace:
    """Knows how long the next edit through a channel's own route has to wait.

    discord.py waits for it too, but with a message in its hand that grows old meanwhile.
    """

    def __init__(self) -> None:
        self._free_at: dict[int, float] = {}
        self.trace = aiohttp.TraceConfig()
        """To be given to the client, so that its answers are seen."""
        self.trace.on_request_end.append(self._look)

    def wait_s(self, channel_id: int) -> float:
        """Return the seconds until a message of that channel may be edited again."""
        return max(0.0, self._free_at.get(channel_id, 0.0) - monotonic())

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
