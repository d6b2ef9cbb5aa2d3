"""What is kept in memory of rules is read anew in time, whatever else is heard meanwhile."""

import asyncio
from typing import Any, cast

import pytest

from bot.services import freshness
from bot.services.freshness import Freshness


class Shelf:
    """Any of the services: counts how often it forgot all it had."""

    forgot = 0

    def forget_all(self) -> None:
        self.forgot += 1

    def forget_rules(self) -> None:
        """Forget."""

    async def load(self) -> None:
        """Read."""


class Heard:
    """Notices that a test speaks itself."""

    def __init__(self) -> None:
        self.acts: dict[str, Any] = {}

    def hear(self, topic: str, act: Any) -> None:
        self.acts[topic] = act

    def missed(self, look: Any) -> None:
        """Nothing is missed."""


async def test_all_is_read_anew_in_time_though_something_is_heard_all_the_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(freshness, "STALE_S", 0.1)
    heard, shelf = Heard(), Shelf()
    fresh = Freshness(cast("Any", heard), *cast("Any", [shelf] * 8))
    running = asyncio.create_task(fresh.run())
    while not shelf.forgot:
        heard.acts["blocks"]("1")
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
