"""A ComfyUI's WebSockets: who is connected, and who is told what."""

import contextlib
import json
from typing import Any
from uuid import uuid4

from aiohttp import ClientError, WSMsgType, web

FEATURES = {"supports_preview_metadata": True, "max_upload_size": 104857600}
Socket = web.WebSocketResponse


class Sockets:
    """``table`` maps client ids to sockets; ``refuse`` counts the next handshakes to refuse with 503.

    As in ComfyUI, a second socket of a client takes the first one's place, and when the first one closes
    at last it takes the second out of the table: that one stays open and hears nothing.
    """

    def __init__(self) -> None:
        self.table: dict[str, Socket] = {}
        self.refuse = 0
        self.opened = 0
        self.old = False
        self._with_metadata: set[str] = set()
        self._open: dict[Socket, web.Request] = {}

    async def serve(
        self, request: web.Request, queue_remaining: int, last_node: tuple[str, str] | None
    ) -> web.StreamResponse:
        """Hold one connection; ``last_node`` is the client and node that run."""
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503)
        socket = Socket()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid4().hex
        self.table[sid] = socket
        self._with_metadata.discard(sid)
        self._open[socket] = request
        self.opened += 1
        try:
            status = {"exec_info": {"queue_remaining": queue_remaining}}
            await _send(socket, "status", {"status": status, "sid": sid})
            if last_node is not None and last_node[0] == sid:
                await _send(socket, "executing", {"node": last_node[1]})
            await self._listen(socket, sid)
        finally:
            self.table.pop(sid, None)
            del self._open[socket]
        return socket

    async def _listen(self, socket: Socket, sid: str) -> None:
        first = True
        async for message in socket:
            if message.type is WSMsgType.TEXT and first and not self.old:
                content = json.loads(message.data)
                if content.get("type") == "feature_flags":
                    if content["data"].get("supports_preview_metadata"):
                        self._with_metadata.add(sid)
                    await _send(socket, "feature_flags", FEATURES)
            first = False

    async def tell(self, kind: str, data: dict[str, Any], sid: str | None = None) -> None:
        """Send a message to one client, or to all."""
        for socket in self._heard_by(sid):
            await _send(socket, kind, data)

    async def show(self, frame: bytes, sid: str | None) -> None:
        """Send a binary frame to one client, or to all."""
        for socket in self._heard_by(sid):
            with contextlib.suppress(ClientError, ConnectionError):
                await socket.send_bytes(frame)

    def takes_metadata(self, sid: str | None) -> bool:
        """Return whether the client asked for previews with metadata."""
        return sid in self._with_metadata

    def drop(self, sid: str | None = None) -> None:
        """Break a client's connection, or all."""
        for socket, request in list(self._open.items()):
            if (sid is None or self.table.get(sid) is socket) and request.transport is not None:
                request.transport.abort()
        if sid is None:
            self.table.clear()
        else:
            self.table.pop(sid, None)

    def _heard_by(self, sid: str | None) -> list[Socket]:
        if sid is None:
            return list(self.table.values())
        return [self.table[sid]] if sid in self.table else []


async def _send(socket: Socket, kind: str, data: dict[str, Any]) -> None:
    with contextlib.suppress(ClientError, ConnectionError):
        await socket.send_json({"type": kind, "data": data})
