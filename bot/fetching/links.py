"""Pictures from links that people give: from public https sites, and by no detour from anywhere else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import urljoin

import aiohttp
import structlog

from bot import __version__
from bot.domain.errors import BotError, DeniedError, RequestError
from bot.domain.text import N_
from bot.fetching import addresses, reading
from bot.fetching.attachments import Attachments
from bot.fetching.network import Network
from bot.imaging import sniffing

log = structlog.get_logger(__name__)

MAX_REDIRECTS = 3
TIMEOUT_S = 20.0
"""How long a picture may take, redirects and look-ups included."""
_LOOKING_UP = 4
"""Threads that look names up."""
_MOVED = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_HEADERS = {"User-Agent": f"Easel/{__version__}", "Accept": "image/*", "Accept-Encoding": "identity"}


class Links:
    """Fetches pictures from links, those of Discord as ``attachments`` are fetched.

    ``enabled``: whether any others are followed. Every hop is looked up once, checked, and connected to at the
    address that was checked; no cookie, proxy or password of ours goes along, and nothing is unpacked.
    """

    def __init__(
        self,
        attachments: Attachments,
        *,
        enabled: bool = True,
        network: Network | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._attachments = attachments
        self._enabled = enabled
        self._network = network or Network()
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(_LOOKING_UP, thread_name_prefix="names")
        self._session: aiohttp.ClientSession | None = None

    def check(self, url: str, *, allowed: bool = True) -> None:
        """Raise ``RequestError`` for a link that cannot be followed, ``DeniedError`` where none may be.

        ``allowed``: whether the place where it was given lets links be followed. Discord's own always are.
        """
        if self._attachments.serves(url):
            return
        if not self._enabled:
            raise DeniedError(
                N_("Links are followed to Discord's own files only."), N_("Attach the picture itself instead.")
            )
        if not allowed:
            raise DeniedError(
                N_("This server has links switched off."),
                N_("Attach the picture itself instead. Who manages the server can change it: /settings server."),
            )
        addresses.link(url)

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """Return a picture's bytes, at most ``max_bytes``, recognised by how they begin.

        Raises ``RequestError`` in words (``LimitError`` if it is too large).
        """
        self.check(url)
        if self._attachments.serves(url):
            return await self._attachments.fetch(url, max_bytes=max_bytes)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(url, max_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Whether a name is unknown, silent or private is nobody's to learn from us.
            log.info("link not followed", reason=type(error).__name__)
            raise RequestError(
                N_("No picture could be fetched from that link."),
                N_("Check it in a browser, or attach the picture itself."),
            ) from error

    async def _follow(self, url: str, max_bytes: int) -> bytes:
        target = addresses.link(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._opened().get(target, allow_redirects=False) as response:
                if response.status not in _MOVED:
                    return await _picture(response, max_bytes)
                location = response.headers.get("Location", "")
            try:
                target = addresses.link(urljoin(str(target), location))
            except (BotError, ValueError) as error:
                raise RequestError(
                    N_("That link leads on to where I do not follow."), N_("Attach the picture itself instead.")
                ) from error
        raise RequestError(
            N_("That link leads on too many times."), N_("Give the address of the picture itself, or attach it.")
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._network.connector(self._threads),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Free the connections."""
        if self._session is not None:
            await self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _picture(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if response.status != HTTPStatus.OK:
        raise RequestError(
            N_("The site behind that link gives no picture: it says {status}."),
            N_("Check the link in a browser, or attach the picture itself."),
            status=response.status,
        )
    head = await reading.start(response, max_bytes, sniffing.HEAD_BYTES)
    if not sniffing.may_be_picture(head):
        raise RequestError(
            N_("There is no picture behind that link."),
            N_("Open the picture itself in a browser and copy its address, or attach it."),
        )
    return await reading.rest(response, max_bytes, head)
