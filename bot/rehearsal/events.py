"""What happens in the stand-in, told to whoever listens: gateway sessions, the page, waiting tests."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.rehearsal.errors import Json
from bot.rehearsal.world import Channel, Guild, Message

_GLANCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatch: ``name`` and ``data`` as the gateway sends them, the rest to decide who gets it.

    ``private_to`` is the one user who sees it (ephemeral messages); such events never reach the gateway.
    """

    name: str
    data: Json
    guild: Guild | None = None
    channel: Channel | None = None
    message: Message | None = None
    private_to: int | None = None


class Bus:
    """Hands every event to every listener, in order, at once."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []
        self._changed = asyncio.Event()

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` with each event from now on; the returned call ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        """Tell everyone."""
        for listener in tuple(self._listeners):
            listener(event)
        self.touch()

    def touch(self) -> None:
        """Wake those who wait for a change that has no event of its own."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, predicate: Callable[[], object], timeout_s: float) -> None:
        """Return once ``predicate()`` is true, asked after each change; raises ``TimeoutError``.

        It is asked now and then without a change too, since it may look at things outside of this world.
        """
        async with asyncio.timeout(timeout_s):
            while not predicate():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GLANCE_S):
                        await self._changed.wait()
