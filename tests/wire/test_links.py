"""Links are followed to public https sites alone, whatever they, their names or their redirects say."""

import asyncio
import gzip
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.domain.errors import DeniedError, LimitError, RequestError
from bot.fetching.addresses import is_public
from bot.fetching.attachments import Attachments
from bot.fetching.links import Links
from bot.fetching.network import Network
from tests.standins.web import HOST, PUBLIC, StandInWeb
from tests.wire.hostile_addresses import PRIVATE, TRICKS

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(1000)
URL = f"https://{HOST}/a.png"
DIALLED = f"{PUBLIC}:443"

connected: list[Any] = []
sys.addaudithook(lambda event, args: connected.append(args[1]) if event == "socket.connect" else None)


@pytest.fixture(autouse=True)
def connections() -> Iterator[list[Any]]:
    """Every address that this process connects to, as the interpreter itself tells."""
    connected.clear()
    yield connected
    connected.clear()


@pytest.fixture
async def site() -> AsyncIterator[StandInWeb]:
    async with StandInWeb() as site:
        site.pages["/a.png"] = PICTURE
        yield site


@pytest.fixture
async def links(site: StandInWeb) -> AsyncIterator[Links]:
    links = Links(Attachments(), network=site.network(), timeout_s=5)
    yield links
    await links.close()


def leading(site: StandInWeb, location: str | None, status: int = 302) -> None:
    """Let ``/moved`` lead to ``location``."""
    headers = {} if location is None else {"Location": location}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    site.pages["/moved"] = answer


async def fetched(links: Links, url: str = URL, max_bytes: int = 5000) -> bytes:
    return await links.fetch(url, max_bytes=max_bytes)


async def test_a_picture_is_fetched_from_the_address_that_was_looked_up_once_by_its_name(
    site: StandInWeb, links: Links, connections: list[Any]
) -> None:
    assert await fetched(links, f"https://Pictures.Example:443/a.png?b=%2F&c=~%7e#{HOST}") == PICTURE
    assert (site.looked_up, site.dialled, site.called) == ([HOST], [DIALLED], [HOST])
    assert connections == [("127.0.0.1", site.port)]
    [request] = site.requests
    assert (request.host, request.raw_path) == (HOST, "/a.png?b=%2F&c=~%7e")
    assert {*request.headers} == {"Host", "Connection", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.mark.parametrize("url", TRICKS)
async def test_what_is_no_plain_link_is_refused_before_anything_is_looked_up(
    site: StandInWeb, links: Links, connections: list[Any], url: str
) -> None:
    with pytest.raises(RequestError, match="I cannot follow that link"):
        await fetched(links, url)
    with pytest.raises(RequestError, match="I cannot follow that link"):
        links.check(url)
    assert (site.looked_up, site.dialled, connections) == ([], [], [])


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_of_a_private_address_is_not_connected_to(
    site: StandInWeb, links: Links, connections: list[Any], address: str
) -> None:
    for answer in ([address], [PUBLIC, address], [address, PUBLIC]):
        site.addresses[HOST] = [answer]
        with pytest.raises(RequestError, match="No picture could be fetched"):
            await fetched(links)
    assert (site.dialled, connections) == ([], [])


@pytest.mark.parametrize("address", PRIVATE)
async def test_no_socket_is_opened_to_a_private_address_whoever_asks_for_it(address: str) -> None:
    opened: list[Any] = []
    with ThreadPoolExecutor(1) as threads:
        async with Network(open_socket=opened.append).connector(threads) as connector:  # type: ignore[arg-type]
            assert isinstance(connector, aiohttp.TCPConnector)
            make = connector._socket_factory
            assert make is not None
            with pytest.raises(OSError):  # noqa: PT011 - it has no words
                make((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)))
    assert not opened


async def test_the_real_way_to_the_internet_looks_up_no_name_within_our_own_domains_and_reaches_nothing_private(
    connections: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def look_up(name: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    links = Links(Attachments())
    with pytest.raises(RequestError, match="No picture could be fetched"):
        await fetched(links)
    await links.close()
    assert (asked, connections) == ([f"{HOST}."], [])


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "192.0.1.1", "2606:4700::1", "2a00:1450::8a"]
)
async def test_public_addresses_are_followed(address: str) -> None:
    assert is_public(address)


async def test_a_name_that_turns_private_between_two_requests_is_refused_at_the_second(
    site: StandInWeb, links: Links
) -> None:
    site.addresses[HOST] = [[PUBLIC], ["127.0.0.1"]]
    assert await fetched(links) == PICTURE
    with pytest.raises(RequestError, match="No picture could be fetched"):
        await fetched(links)
    assert (site.dialled, len(site.looked_up)) == ([DIALLED], 2)


async def test_a_name_that_turns_private_between_two_hops_is_refused_at_the_second(
    site: StandInWeb, links: Links
) -> None:
    leading(site, "/a.png")
    site.addresses[HOST] = [[PUBLIC], ["169.254.169.254"]]
    with pytest.raises(RequestError, match="No picture could be fetched"):
        await fetched(links, f"https://{HOST}/moved")
    assert site.dialled == [DIALLED]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/a.png", URL, f"//{HOST}/a.png", f"https://cdn.{HOST}/a.png"])
async def test_redirects_are_followed_each_looked_up_anew(
    site: StandInWeb, links: Links, status: int, location: str
) -> None:
    leading(site, location, status)
    assert await fetched(links, f"https://{HOST}/moved") == PICTURE
    assert (len(site.looked_up), site.dialled) == (2, [DIALLED] * 2)


@pytest.mark.parametrize(
    "location",
    [
        "http://pictures.example/a.png",
        "https://127.0.0.1/",
        "//127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://localhost/",
        "https://pictures.example:8080/a.png",
        "https://me:secret@pictures.example/a.png",
        "https://pictures.example\\@127.0.0.1/",
        "https://１２７.0.0.1/",
        "\\\\127.0.0.1\\a",
        "file:///etc/passwd",
        "https://[",
        "/a b",
    ],
)
async def test_a_redirect_to_anywhere_else_is_refused(site: StandInWeb, links: Links, location: str) -> None:
    leading(site, location)
    with pytest.raises(RequestError, match="leads on to where I do not follow"):
        await fetched(links, f"https://{HOST}/moved")
    assert site.dialled == [DIALLED]


async def test_a_redirect_to_a_private_name_is_not_connected_to(site: StandInWeb, links: Links) -> None:
    leading(site, f"https://inside.{HOST}/")
    site.addresses[f"inside.{HOST}"] = [["10.0.0.1"]]
    with pytest.raises(RequestError, match="No picture could be fetched"):
        await fetched(links, f"https://{HOST}/moved")
    assert site.dialled == [DIALLED]


async def test_three_redirects_are_followed_and_no_more(site: StandInWeb, links: Links) -> None:
    async def down(request: web.Request) -> web.StreamResponse:
        number = int(request.path[1:])
        raise web.HTTPFound(f"/{number - 1}" if number > 1 else "/a.png")

    site.pages |= {f"/{number}": down for number in range(1, 5)}
    assert await fetched(links, f"https://{HOST}/3") == PICTURE
    for path in ("4", "moved"):
        leading(site, None)
        with pytest.raises(RequestError, match="leads on too many times"):
            await fetched(links, f"https://{HOST}/{path}")
    assert len(site.dialled) == 4 * 3


async def test_a_certificate_that_nobody_vouches_for_ends_it(site: StandInWeb) -> None:
    site.addresses["other.example"] = [[PUBLIC]]
    for trusted, url in ((False, URL), (True, "https://other.example/a.png")):
        links = Links(Attachments(), network=site.network(trusted=trusted))
        with pytest.raises(RequestError, match="No picture could be fetched"):
            await fetched(links, url)
        await links.close()
    assert (site.requests, len(site.dialled)) == ([], 2)


async def test_what_is_too_large_is_refused_whether_it_says_so_or_not(site: StandInWeb, links: Links) -> None:
    async def unsized(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            while True:
                await response.write(PICTURE)
                # A write that fails at once gives nobody else a turn, and that the line is cut is told in one.
                await asyncio.sleep(0)
        except (OSError, aiohttp.ClientError):
            return response

    site.pages["/endless"] = unsized
    site.pages["/large"] = PICTURE * 300
    for path in ("endless", "large"):
        with pytest.raises(LimitError, match=r"at most 0\.2 MB"):
            await fetched(links, f"https://{HOST}/{path}", max_bytes=200_000)
    assert await fetched(links, max_bytes=len(PICTURE)) == PICTURE


async def test_whoever_is_silent_or_slow_is_given_up(site: StandInWeb) -> None:
    async def drops(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for byte in PICTURE:
                await response.write(bytes([byte]))
                await asyncio.sleep(0.02)
        except OSError:
            pass
        return response

    async def around(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.15)
        raise web.HTTPFound("/around")

    site.pages |= {"/silent": site.hang, "/slow": drops, "/around": around}
    links = Links(Attachments(), network=site.network(), timeout_s=0.3)
    for path in ("silent", "slow", "around"):
        with pytest.raises(RequestError, match="No picture could be fetched"):
            await fetched(links, f"https://{HOST}/{path}")
    await links.close()


async def test_what_is_packed_is_not_unpacked_and_what_is_no_picture_not_read(
    site: StandInWeb, links: Links
) -> None:
    async def packed(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
        return web.Response(body=gzip.compress(PICTURE + bytes(50_000_000)), headers=headers)

    async def endless_page(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        await response.write(b"<!doctype html>")
        return await site.hang(request)

    site.pages |= {"/packed": packed, "/page": endless_page, "/empty": b"", "/svg": b"<svg xmlns='http://www'/>"}
    for path in ("packed", "page", "empty", "svg"):
        with pytest.raises(RequestError, match="no picture behind that link"):
            await fetched(links, f"https://{HOST}/{path}", max_bytes=100_000_000)


async def test_a_site_without_the_picture_is_said_with_its_number(links: Links) -> None:
    with pytest.raises(RequestError, match="it says 404"):
        await fetched(links, f"https://{HOST}/gone")


async def test_nothing_of_ours_goes_along_and_nothing_of_theirs_is_kept(
    site: StandInWeb, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sets(_: web.Request) -> web.StreamResponse:
        response = web.Response(status=302, headers={"Location": "/a.png"})
        response.set_cookie("who", "you")
        return response

    site.pages["/sets"] = sets
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for _ in range(2):
        assert await fetched(links, f"https://{HOST}/sets") == PICTURE
    assert site.dialled == [DIALLED] * 4
    assert not any("Cookie" in request.headers or "Referer" in request.headers for request in site.requests)


class Kept(Attachments):
    """Discord's files, without Discord."""

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        return f"{max_bytes} of {url}".encode()


async def test_links_to_discord_go_the_way_of_attachments_and_always_may(site: StandInWeb) -> None:
    links = Links(Kept(hosts={"127.0.0.1"}), enabled=False, network=site.network())
    file = "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1&is=2&hm=3&"
    links.check(file, allowed=False)
    assert await fetched(links, file) == f"5000 of {file}".encode()
    for url in (
        URL,
        "http://127.0.0.1/",
        "https://cdn.discordapp.com:8080/a.png",
        "https://me@cdn.discordapp.com/",
    ):
        with pytest.raises(DeniedError, match="Discord's own files only"):
            await fetched(links, url)
    await links.close()
    assert not site.looked_up


async def test_a_server_may_switch_links_off(links: Links) -> None:
    links.check(URL)
    with pytest.raises(DeniedError, match="/settings server"):
        links.check(URL, allowed=False)
