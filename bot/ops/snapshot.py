"""Everything that is read at the moment when somebody looks at the bot."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bot.domain.breaker import Condition
from bot.domain.metering import Event
from bot.storage.gauges import Queue

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment: ``now`` is unix seconds, ``queue`` is ``None`` where the database did not answer in time.

    ``checks`` have the reason why something is not ready, ``None`` where it is.
    """

    now: float
    queue: Queue | None
    backends: Mapping[str, Condition]
    checks: Mapping[str, str | None]


class Exporter(Protocol):
    """Counts events and writes them down, with a snapshot, for a collector of metrics."""

    media_type: str

    def count(self, event: Event, /) -> None:
        """Count an event."""

    def render(self, snapshot: Snapshot) -> bytes:
        """Return everything that is known."""


class Asking(Generic[T]):
    """Asks one question at a time, and waits at most ``timeout_s`` for its answer.

    Whoever asks while a former question is open waits for that one's answer: what hangs gets no heap of them.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], timeout_s: float) -> None:
        self._ask = ask
        self._timeout_s = timeout_s
        self._open: asyncio.Future[T] | None = None

    async def answer(self) -> T:
        """Return the answer or raise what asking does; raises ``TimeoutError`` if it takes too long."""
        if self._open is None or self._open.done():
            self._open = asyncio.ensure_future(self._ask())
            self._open.add_done_callback(_seen)
        await asyncio.wait({self._open}, timeout=self._timeout_s)
        if not self._open.done():
            raise TimeoutError
        return self._open.result()

    async def close(self) -> None:
        """Drop what is open."""
        if self._open is not None:
            self._open.cancel()
            await asyncio.wait({self._open})


def _seen(asked: "asyncio.Future[T]") -> None:
    """Have asyncio not complain of a failure that came when nobody waited any more."""
    if not asked.cancelled():
        asked.exception()
