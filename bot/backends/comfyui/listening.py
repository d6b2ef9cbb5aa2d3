"""One WebSocket to a ComfyUI, kept open as long as somebody waits for what it tells.

Two sockets of one client disturb each other: when the older one closes, the server forgets the newer. So there
is one at a time, and it is closed fully before the next is opened.
"""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import structlog

from bot.backends.wire import Pace, Wire
from bot.domain.errors import BackendError

log = structlog.get_logger(__name__)

_HELLO = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
"""Must be the first frame; servers that know it send previews with their prompt's id."""
_PREVIEW, _PREVIEW_WITH_METADATA = 1, 4


class Listener(Protocol):
    """Whoever waits for one prompt."""

    def told(self, kind: str, data: dict[str, Any]) -> None:
        """Take a message in."""

    def shown(self, picture: bytes) -> None:
        """Take a preview in."""

    def missed(self) -> None:
        """Know that messages may be lost: the socket was broken."""


class Ear:
    """Listens as ``client_id`` and gives each message to whoever waits for its prompt; others' are dropped.

    ``close`` ends it; a bug in it is raised there or when the next prompt is followed.
    """

    def __init__(self, wire: Wire, client_id: str, pace: Pace) -> None:
        self.client_id = client_id
        self._wire = wire
        self._pace = pace
        self._listeners: dict[str, Listener] = {}
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._current: Any = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    @asynccontextmanager
    async def following(self, prompt_id: str, listener: Listener) -> AsyncIterator[None]:
        """Give ``listener`` what comes of ``prompt_id``; the socket was tried before the block begins."""
        if self._task is None or self._task.done():
            if self._task is not None:
                self._task.result()
            self._task = asyncio.create_task(self._listen())
        self._listeners[prompt_id] = listener
        self._wanted.set()
        try:
            await self._tried.wait()
            yield
        finally:
            del self._listeners[prompt_id]
            if not self._listeners:
                self._wanted.clear()

    async def reopen(self) -> None:
        """Close a socket that tells nothing: its server may have mistaken it for an older one that is gone."""
        if self._socket is not None:
            await self._socket.close()

    async def close(self) -> None:
        """Close the socket."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def _listen(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                async with self._wire.socket(f"/ws?clientId={self.client_id}") as socket:
                    await socket.send_str(_HELLO)
                    self._socket = socket
                    self._tried.set()
                    await self._hear(socket)
            except (BackendError, aiohttp.ClientError, OSError) as error:
                log.info("not listening", client=self.client_id, reason=type(error).__name__)
            self._socket = self._current = None
            self._tried.set()
            for listener in tuple(self._listeners.values()):
                listener.missed()
            await asyncio.sleep(self._pace.poll_s)
            self._tried.clear()

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._take(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._look(message.data)

    def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
            kind, data = message["type"], message["data"]
            prompt_id = data.get("prompt_id")
        except (ValueError, LookupError, TypeError, AttributeError):
            return
        if prompt_id is None:
            return
        self._current = prompt_id
        listener = self._listeners.get(prompt_id) if isinstance(prompt_id, str) else None
        if listener is not None and isinstance(kind, str):
            listener.told(kind, data)

    def _look(self, frame: bytes) -> None:
        """Take a preview in: event 4 names its prompt, event 1 belongs to the one that was told of last."""
        try:
            event, length = struct.unpack_from(">II", frame)
            if event == _PREVIEW_WITH_METADATA:
                prompt_id, at = json.loads(frame[8 : 8 + length]).get("prompt_id"), 8 + length
            elif event == _PREVIEW:
                prompt_id, at = self._current, 8
            else:
                return
        except (struct.error, ValueError, AttributeError):
            return
        listener = self._listeners.get(prompt_id) if isinstance(prompt_id, str) else None
        if listener is not None:
            listener.shown(frame[at:])
