"""Reading an answer's bytes, no more of them than wanted."""

import aiohttp

from bot.domain.errors import LimitError
from bot.domain.text import N_


async def start(response: aiohttp.ClientResponse, max_bytes: int, least: int) -> bytearray:
    """Return the first ``least`` bytes or a little more, or all there are; raises ``LimitError``."""
    if (response.content_length or 0) > max_bytes:
        raise _too_big(max_bytes)
    head = bytearray()
    while len(head) < least and (chunk := await response.content.readany()):
        head += chunk
    return head


async def rest(response: aiohttp.ClientResponse, max_bytes: int, head: bytearray) -> bytes:
    """Return ``head`` with all that follows; raises ``LimitError`` as soon as it is more than ``max_bytes``."""
    while len(head) <= max_bytes:
        chunk = await response.content.readany()
        if not chunk:
            return bytes(head)
        head += chunk
    raise _too_big(max_bytes)


def _too_big(max_bytes: int) -> LimitError:
    return LimitError(
        N_("This file is too large."),
        N_("Use one of at most {max} MB."),
        max=round(max_bytes / 1e6, 1),
    )
