"""HTTP to one server: every call bounded, every failure a ``BackendError`` in words."""

import asyncio
import io
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import stamina

from bot.backends import errors
from bot.backends.address import BackendAddress
from bot.domain.errors import BackendError, UnreachableError

Refusal = Callable[[str, int, bytes], BackendError]
"""From a backend's name, a status and a body to the error they stand for."""
MAX_ANSWER_BYTES = 512 * 1024 * 1024
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_FINE = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT})
_READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is too long, in seconds.

    ``stall_s``: nothing moves in a running job (loading a model from a slow disk is minutes of that);
    ``total_s``: one whole job; ``get_s``: any other answer; ``poll_s``: between two looks at the progress.
    """

    connect_s: float = 5.0
    get_s: float = 10.0
    interrupt_s: float = 5.0
    stall_s: float = 300.0
    total_s: float = 3600.0
    poll_s: float = 0.5


class Wire:
    """The connection to one server; ``refusal`` reads an answer whose status is not 200.

    Each POST has a connection of its own: Forge closes pooled ones after a failure without saying so, and a
    paint request on such a connection may or may not have begun. A GET may be asked again, so GETs share theirs.
    """

    def __init__(self, address: BackendAddress, pace: Pace, refusal: Refusal) -> None:
        self._name = address.name
        self._number = address.number
        self._url = address.url
        self._headers = _authorization(address.auth)
        self._pace = pace
        self._ca = address.ca
        self._refusal = refusal
        self._opened: dict[bool, aiohttp.ClientSession] = {}

    async def get(self, path: str) -> bytearray:
        """Return the body of a GET; failed connections are tried again with jitter, three times in all."""
        caller = stamina.AsyncRetryingCaller(
            attempts=3, timeout=self._pace.get_s, wait_initial=0.1, wait_max=1.0, wait_jitter=0.2
        )
        return await caller(UnreachableError, self.fetch, "GET", path)

    async def fetch(self, method: str, path: str, body: bytes | None = None) -> bytearray:
        """Return the body of one short call, not repeated."""
        bounds = aiohttp.ClientTimeout(total=self._pace.get_s, sock_connect=self._pace.connect_s)
        async with self._call(method, path, body, bounds) as response:
            return await self._body(response, _nothing)

    async def paint(self, path: str, body: bytes) -> "Incoming":
        """Return the answer to a paint request, however long it takes, as soon as it begins to come.

        Only a connection that was never made is tried again: after that the server may be painting already.
        """
        bounds = aiohttp.ClientTimeout(total=None, sock_connect=self._pace.connect_s)

        async def once() -> Incoming:
            stack = AsyncExitStack()
            response = await stack.enter_async_context(self._call("POST", path, body, bounds))
            answer = Incoming(stack, partial(self._body, response), self._name, self._pace.stall_s)
            if response.status not in _FINE:
                await answer.read()  # raises what it says
            return answer

        caller = stamina.AsyncRetryingCaller(attempts=3, timeout=5.0, wait_initial=0.1, wait_max=1.0)
        return await caller(_never_sent, once)

    async def upload(self, path: str, fields: Mapping[str, str], filename: str, picture: bytes) -> bytearray:
        """Return the answer to an uploaded ``image``; ``filename`` is plain ASCII."""
        form = aiohttp.FormData(fields, quote_fields=False)
        form.add_field("image", io.BytesIO(picture), filename=filename)
        bounds = aiohttp.ClientTimeout(total=self._pace.stall_s, sock_connect=self._pace.connect_s)
        async with self._call("POST", path, form, bounds) as response:
            return await self._body(response, _nothing)

    async def download(self, path: str) -> bytearray:
        """Return a big body that takes its time as long as it comes; it is tried three times in all."""
        bounds = aiohttp.ClientTimeout(total=None, sock_connect=self._pace.connect_s, sock_read=self._pace.get_s)

        async def once() -> bytearray:
            async with self._call("GET", path, None, bounds) as response:
                return await self._body(response, _nothing)

        caller = stamina.AsyncRetryingCaller(attempts=3, timeout=None, wait_initial=0.1, wait_max=1.0)
        return await caller(UnreachableError, once)

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket and close it fully at the end; raises ``UnreachableError`` if it cannot be opened.

        What breaks it later ends its messages. Pings find a server out that is gone without a word.
        """
        try:
            async with asyncio.timeout(self._pace.connect_s + self._pace.get_s):
                opened = await self._session(pooled=False).ws_connect(
                    self._url + path,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    heartbeat=3 * self._pace.get_s,
                    timeout=aiohttp.ClientWSTimeout(ws_close=self._pace.interrupt_s),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.lost(self._name, error) from error
        async with opened:
            yield opened

    async def close(self) -> None:
        """Free the connections."""
        for session in self._opened.values():
            await session.close()

    def _session(self, *, pooled: bool) -> aiohttp.ClientSession:
        if pooled not in self._opened:
            self._opened[pooled] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=64, force_close=not pooled, ssl=_trust(self._ca)),
                headers=self._headers,
                read_bufsize=_READ_BYTES,
            )
        return self._opened[pooled]

    @asynccontextmanager
    async def _call(
        self,
        method: str,
        path: str,
        body: bytes | aiohttp.FormData | None,
        bounds: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session(pooled=method == "GET").request(
                method,
                self._url + path,
                # aiohttp wants big bodies as files, which it sends in slices.
                data=io.BytesIO(body) if isinstance(body, bytes) else body,
                headers={"Content-Type": "application/json"} if isinstance(body, bytes) else {},
                allow_redirects=False,
                timeout=bounds,
            ) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.lost(self._name, error) from error

    async def _body(self, response: aiohttp.ClientResponse, moved: Callable[[], None]) -> bytearray:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            moved()
            if len(body) > MAX_ANSWER_BYTES:
                raise errors.broken(self._name)
        if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise errors.not_let_in(self._name, self._number)
        if response.status not in _FINE:
            raise self._refusal(self._name, response.status, bytes(body))
        return body


class Incoming:
    """An answer that has begun to come, so its server is done with the work; ``read`` is called once."""

    def __init__(
        self,
        stack: AsyncExitStack,
        body: Callable[[Callable[[], None]], Coroutine[Any, Any, bytearray]],
        name: str,
        stall_s: float,
    ) -> None:
        self._stack = stack
        self._body = body
        self._name = name
        self._stall_s = stall_s

    async def read(self) -> bytearray:
        """Return the whole body; raises ``BackendError`` if it breaks off or stops coming."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._stall_s) as stall, self._stack:
                return await self._body(lambda: stall.reschedule(loop.time() + self._stall_s))
        except TimeoutError as error:
            raise errors.stalled(self._name, self._stall_s) from error

    async def close(self) -> None:
        """Let go of an answer that nobody wants."""
        await self._stack.aclose()


@asynccontextmanager
async def alongside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run ``work`` in a task of its own while the block runs, and end it with the block."""
    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


def _trust(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    context = ssl.create_default_context()
    context.load_verify_locations(ca)
    return context


def _authorization(auth: tuple[str, str] | None) -> dict[str, str]:
    """Return the Basic header; the WebUI compares the UTF-8 of both (RFC 7617)."""
    if auth is None:
        return {}
    return {"Authorization": f"Basic {b64encode(':'.join(auth).encode()).decode('ascii')}"}


def _never_sent(error: Exception) -> bool:
    cause = error.__cause__
    return isinstance(error, UnreachableError) and isinstance(
        cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError
    )


def _nothing() -> None:
    """Take no notice."""
