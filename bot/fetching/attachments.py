"""Fetching what people attached, without being led anywhere else."""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import structlog

from bot.domain.errors import RequestError
from bot.domain.text import N_
from bot.fetching import addresses, reading

log = structlog.get_logger(__name__)

DOMAINS = ("discordapp.com", "discordapp.net")
"""Where Discord serves attachments and proxied pictures from."""


async def fetch(
    url: str,
    *,
    max_bytes: int,
    session: aiohttp.ClientSession,
    timeout_s: float = 20.0,
    hosts: Collection[str] = (),
) -> bytes:
    """Return an attachment's bytes, reading at most ``max_bytes``.

    Only Discord's own hosts are asked, over HTTPS; ``hosts`` are further names that may be asked over plain HTTP
    too. Redirects are not followed. Raises ``RequestError`` in words (``LimitError`` if it is too large).
    """
    if not _allowed(url, hosts):
        raise RequestError(
            N_("Pictures are taken from Discord only."), N_("Attach the picture itself instead of a link.")
        )
    try:
        async with session.get(
            url, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=timeout_s)
        ) as response:
            if response.status != HTTPStatus.OK:
                raise _gone()
            return await reading.rest(response, max_bytes, await reading.start(response, max_bytes, 0))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("picture not fetched", reason=repr(error))
        raise RequestError(
            N_("The picture could not be fetched from Discord."), N_("Try again in a moment.")
        ) from error


def _allowed(url: str, hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        if parts.hostname in hosts:
            return parts.scheme in {"http", "https"}
        host = addresses.link(url).host or ""
    except (ValueError, RequestError):
        return False
    return host.endswith(tuple(f".{domain}" for domain in DOMAINS))


def _gone() -> RequestError:
    return RequestError(
        N_("Discord does not have this picture any more."), N_("Attach it again and repeat the command.")
    )


class Attachments:
    """Fetches attachments over connections of its own; ``hosts`` as in ``fetch``."""

    def __init__(self, *, hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(hosts)
        self._session: aiohttp.ClientSession | None = None

    def serves(self, url: str) -> bool:
        """Return whether ``url`` leads to Discord's own files, as anybody may say: ``hosts`` are not for them."""
        return _allowed(url, ())

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """Return an attachment's bytes; see ``fetch``."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return await fetch(url, max_bytes=max_bytes, session=self._session, hosts=self._hosts)

    async def close(self) -> None:
        """Free the connections."""
        if self._session is not None:
            await self._session.close()
