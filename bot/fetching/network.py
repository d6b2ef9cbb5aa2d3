"""The way to the open internet: names looked up by us, connections to public addresses alone."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.fetching.addresses import is_public

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""What ``socket.getaddrinfo`` tells of one address."""
Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Looks a name up and returns its addresses."""
MAX_ADDRESSES = 8
"""Of how many of a name's addresses a connection is tried."""
MAX_CONNECTIONS = 8


class NotPublicError(OSError):
    """A name or an address is none of the open internet."""


def plain_socket(info: AddressInfo) -> socket.socket:
    """Return a new socket for an address."""
    family, kind, protocol, *_ = info
    return socket.socket(family, kind, protocol)


@dataclass(frozen=True, slots=True)
class Network:
    """What the way is made of: a test has its own names, certificates and wires, and the same checks.

    ``resolve``: the system's own if ``None``. ``tls``: the usual authorities if ``None``.
    """

    resolve: Resolve | None = None
    tls: ssl.SSLContext | None = None
    open_socket: Callable[[AddressInfo], socket.socket] = plain_socket

    def connector(self, threads: Executor) -> aiohttp.TCPConnector:
        """Return what connects to public addresses alone, a new connection and a new look-up for every request.

        ``threads`` look names up: the event loop's own threads must not wait for a slow name server.
        """
        return aiohttp.TCPConnector(
            resolver=_Checked(self.resolve or _System(threads)),
            ssl=self.tls or True,
            socket_factory=self._open,
            use_dns_cache=False,
            force_close=True,
            limit=MAX_CONNECTIONS,
        )

    def _open(self, info: AddressInfo) -> socket.socket:
        # The last place before a connection, and the one where no spelling of an address matters any more.
        if not is_public(str(info[4][0])):
            raise NotPublicError
        return self.open_socket(info)


class _System:
    """Looks names up as the system does."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads

    async def __call__(self, name: str) -> Sequence[str]:
        # The dot at its end keeps the system from trying the name within our own domains.
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]


class _Checked(AbstractResolver):
    """Gives the connection the very addresses that were checked; a name with a single bad one has none."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - the name is aiohttp's
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``; raises ``NotPublicError``, also where it has none."""
        addresses = await self._resolve(host)
        if not addresses or not all(map(is_public, addresses)):
            raise NotPublicError
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Have nothing to free."""
