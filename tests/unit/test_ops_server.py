"""Health and readiness over the wire, with what is asked about hanging or broken."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot import __version__
from bot.domain.breaker import Condition
from bot.ops import server
from bot.ops.server import AddressTakenError, Check, Server, obstacle
from bot.ops.snapshot import Snapshot
from bot.storage.gauges import Line, Queue

QUEUE = Queue({"default": Line(2, 40.0)}, {"gpu": 1}, 0)


class Notes:
    """An exporter that tells what it was given."""

    media_type = "text/plain"

    def __init__(self) -> None:
        self.seen: list[Snapshot] = []

    def count(self, _: object) -> None:
        """Count nothing."""

    def render(self, snapshot: Snapshot) -> bytes:
        """Keep the snapshot."""
        self.seen.append(snapshot)
        return b"rendered"


async def fine() -> None:
    """Pass the check."""


async def stood() -> Queue:
    return QUEUE


async def hang() -> Any:
    await asyncio.sleep(60)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def served(port: int, notes: Notes, queue: Any = stood, **checks: Check) -> AsyncIterator[str]:
    watched = Server(notes, queue, lambda: {"gpu": Condition.AWAY}, checks, lambda: 100.0)
    async with watched.listening(("127.0.0.1", port)):
        yield f"http://127.0.0.1:{port}"


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_every_check_is_told_by_name_with_its_reason(port: int) -> None:
    async def lost() -> str:
        return "not connected"

    async def broken() -> None:
        raise ConnectionError("postgresql://me:hidden@db refused")

    async with served(port, Notes(), database=broken, discord=lost, running=fine) as url:
        status, text = await get(f"{url}/readyz")
    assert status == 503
    assert json.loads(text) == {
        "ready": False,
        "checks": {
            "database": {"ok": False, "reason": "failed: ConnectionError"},
            "discord": {"ok": False, "reason": "not connected"},
            "running": {"ok": True, "reason": None},
        },
    }


async def test_a_database_that_hangs_is_told_within_the_bound_and_asked_once(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_S", 0.05)
    asked = 0

    async def hangs() -> Any:
        nonlocal asked
        asked += 1
        await hang()

    notes = Notes()
    async with served(port, notes, hangs, database=hangs) as url:
        for _ in range(3):
            status, text = await get(f"{url}/readyz")
            assert status == 503
            assert json.loads(text)["checks"]["database"]["reason"] == "no answer within 0.05 s"
        assert await get(f"{url}/healthz") == (200, json.dumps({"easel": __version__}))
        assert asked == 1
        assert (await get(f"{url}/metrics"))[0] == 200
        [snapshot] = notes.seen
        assert (snapshot.queue, snapshot.checks) == (None, {"database": "no answer within 0.05 s"})
    assert snapshot.backends == {"gpu": Condition.AWAY}


async def test_a_database_that_comes_back_is_ready_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ANSWER_S", 0.05)
    back = asyncio.Event()

    async def slow() -> None:
        await back.wait()

    async with served(port, Notes(), database=slow) as url:
        assert (await get(f"{url}/readyz"))[0] == 503
        back.set()
        assert (await get(f"{url}/readyz"))[0] == 200


async def test_a_taken_port_is_refused_in_words_and_an_easel_there_is_no_obstacle(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ANSWER_S", 0.2)
    address = ("127.0.0.1", port)
    assert await obstacle(address) is None
    async with served(port, Notes()):
        assert await obstacle(address) is None
        with pytest.raises(AddressTakenError, match=f"127.0.0.1:{port} .*Choose another port"):
            async with served(port, Notes()):
                pass
    with socket.create_server(address):
        async with asyncio.timeout(10):
            refused = await obstacle(address)
    assert refused is not None
    assert "Choose another port" in refused


async def test_an_address_of_another_machine_is_refused_in_words() -> None:
    watched = Server(None, stood, dict, {}, lambda: 0.0)
    with pytest.raises(AddressTakenError, match=r"192\.0\.2\.1:9464"):
        async with watched.listening(("192.0.2.1", 9464)):
            pass
