"""A stand-in for the open web: one https server that every name leads to, and a look-up that says what it is told.

``web.pem`` is a throw-away certificate for ``pictures.example`` and all names under it, made by
``openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500``.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.fetching.network import AddressInfo, Network

PEM = Path(__file__).with_name("web.pem")
HOST = "pictures.example"
PUBLIC = "93.184.215.14"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StandInWeb:
    """The server. ``pages`` are answers by path, ``addresses`` what a name's look-ups give, one after another.

    What is noticed: ``looked_up`` names, ``dialled`` addresses, names ``called`` in TLS handshakes, ``requests``.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Answer | bytes] = {}
        self.addresses: dict[str, list[Sequence[str]]] = {}
        self.looked_up: list[str] = []
        self.dialled: list[str] = []
        self.called: list[str | None] = []
        self.requests: list[web.Request] = []
        self._gone = asyncio.Event()
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(PEM)
        tls.sni_callback = lambda _, name, __: self.called.append(name)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.set()
        await self._runner.cleanup()

    def network(self, *, trusted: bool = True) -> Network:
        """Return the way here: the same as to the web, but that the wire of every address ends at this server."""
        tls = ssl.create_default_context(cafile=PEM) if trusted else None
        return Network(self.resolve, tls, self._wire)

    async def resolve(self, name: str) -> Sequence[str]:
        """Look a name up; the last of what it was told is said over and over."""
        self.looked_up.append(name)
        told = self.addresses.get(name, [[PUBLIC]])
        return told.pop(0) if len(told) > 1 else told[0]

    async def hang(self, _: web.Request) -> web.StreamResponse:
        """Answer nothing until the server ends."""
        await self._gone.wait()
        return web.Response()

    def _wire(self, _: AddressInfo) -> socket.socket:
        return _Wire(self.port, self.dialled)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        page = self.pages.get(request.path)
        if page is None:
            raise web.HTTPNotFound
        return web.Response(body=page) if isinstance(page, bytes) else await page(request)


class _Wire(socket.socket):
    """Notes whom it is to reach, and reaches the stand-in."""

    def __init__(self, port: int, dialled: list[str]) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._port = port
        self._dialled = dialled

    def connect(self, address: Any, /) -> None:
        self._dialled.append(f"{address[0]}:{address[1]}")
        super().connect(("127.0.0.1", self._port))
