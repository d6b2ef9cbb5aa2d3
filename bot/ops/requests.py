"""Counting the requests to Discord, as they are answered."""

import re
from types import SimpleNamespace

import aiohttp

from bot.domain.metering import Answered, Meter

_BY_TOKEN = re.compile(r"/(?:interactions|webhooks)/[0-9]+/")
"""Routes that an interaction's token opens; they have limits of their own (Discord docs, Rate Limits)."""


def count_requests(trace: aiohttp.TraceConfig, meter: Meter) -> None:
    """Have ``meter`` told of every request of the client that ``trace`` is given to."""

    async def answered(_: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams) -> None:
        meter(Answered(_route(end.url.path), end.response.status))

    async def cut(_: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestExceptionParams) -> None:
        meter(Answered(_route(end.url.path), None))

    trace.on_request_end.append(answered)
    trace.on_request_exception.append(cut)


def _route(path: str) -> str:
    return "interaction" if _BY_TOKEN.search(path) else "bot"
