import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.domain.errors import LimitError, RequestError
from bot.fetching.attachments import Attachments, fetch

LOCAL = frozenset({"127.0.0.1"})


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        size = int(request.query.get("size", "10"))
        match request.path:
            case "/picture":
                return web.Response(body=bytes(size))
            case "/unsized":
                response = web.StreamResponse()
                response.enable_chunked_encoding()
                await response.prepare(request)
                await response.write(bytes(size))
                return response
            case "/moved":
                raise web.HTTPFound("/picture")
            case "/slow":
                await asyncio.sleep(5)
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("path", ["/picture?size=1000", "/unsized?size=1000"])
async def test_an_attachment_is_fetched(server: str, session: aiohttp.ClientSession, path: str) -> None:
    assert await fetch(server + path, max_bytes=1000, session=session, hosts=LOCAL) == bytes(1000)


@pytest.mark.parametrize("path", ["/picture?size=300000", "/unsized?size=300000"])
async def test_a_file_that_is_too_large_is_refused(server: str, session: aiohttp.ClientSession, path: str) -> None:
    with pytest.raises(LimitError, match=r"too large. Use one of at most 0\.2 MB"):
        await fetch(server + path, max_bytes=200_000, session=session, hosts=LOCAL)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.png",
        "https://example.org/a.png",
        "https://discordapp.com.example.org/a.png",
        "https://evil-discordapp.com/a.png",
        "http://127.0.0.1:1/a.png",
        "file:///etc/passwd",
        "https://[::1",
        "",
    ],
)
async def test_nothing_but_discord_is_asked(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(RequestError, match="from Discord only"):
        await fetch(url, max_bytes=1000, session=session)


@pytest.mark.parametrize("path", ["/moved", "/gone"])
async def test_what_is_not_there_any_more_is_said(server: str, session: aiohttp.ClientSession, path: str) -> None:
    with pytest.raises(RequestError, match="does not have this picture any more"):
        await fetch(server + path, max_bytes=1000, session=session, hosts=LOCAL)


async def test_no_answer_is_a_failure_in_words(server: str, session: aiohttp.ClientSession) -> None:
    with pytest.raises(RequestError, match="could not be fetched"):
        await fetch(f"{server}/slow", max_bytes=10, session=session, timeout_s=0.1, hosts=LOCAL)
    with pytest.raises(RequestError, match="could not be fetched"):
        await fetch("http://127.0.0.1:1/x", max_bytes=10, session=session, hosts=LOCAL)


async def test_attachments_are_fetched_over_connections_that_can_be_closed(server: str) -> None:
    attachments = Attachments(hosts=LOCAL)
    await attachments.close()
    for _ in range(2):
        assert await attachments.fetch(f"{server}/picture", max_bytes=10) == bytes(10)
    await attachments.close()
