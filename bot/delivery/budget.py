"""How often this process may call Discord by the bot's token: one budget for whoever does, last words first."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from bot.domain.rates import TOTAL

KEPT = 0.3
"""The share of the rate that is kept for last words."""
KEPT_FROM_PROGRESS = 0.5
"""The share that has to be left for what can be put off: progress, places in line, inviting reactions."""
LOOK_S = 0.2
"""How soon whoever found too little left looks again."""

_delivering: ContextVar[asyncio.Task[Any] | None] = ContextVar("delivering", default=None)


@contextmanager
def delivering() -> Iterator[None]:
    """Let this task's calls go before all others; what it starts beside itself is not meant."""
    token = _delivering.set(asyncio.current_task())
    try:
        yield
    finally:
        _delivering.reset(token)


class Budget:
    """Lets at most ``rate`` requests be on their way or answered less than ``second_s`` ago.

    Counted from the answers, that holds at Discord's end of the line too, however long each was on its way. All
    that the token may do is ``rate``; ``allow`` makes it what this process has of that.
    """

    def __init__(self, rate: int = TOTAL, *, second_s: float = 1.0) -> None:
        self._whole = self._rate = rate
        self._second_s = second_s
        self._out = 0
        self._peak = 0
        self._last_words: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self.short = asyncio.Event()
        """Set once somebody found too little left, until ``wanted`` is asked."""

    @property
    def rate(self) -> int:
        """Requests a second that may be made now."""
        return self._rate

    @property
    def pressed(self) -> bool:
        """Whether so little is left that what can be put off should be."""
        return self._is_short(KEPT_FROM_PROGRESS)

    def wait_s(self) -> float:
        """Return how long an edit that is no last word should wait before it is drawn, in seconds."""
        return LOOK_S if self._is_short(KEPT) else 0.0

    def wanted(self) -> int:
        """Return how many requests a second would do, by what was made or wished since this was last asked."""
        wanted = self._whole if self.short.is_set() else 2 * self._peak
        self.short.clear()
        self._peak = self._out
        return wanted

    def allow(self, rate: int) -> None:
        """Let ``rate`` requests a second be made from now on."""
        self._rate = rate
        self._admit()

    async def take(self) -> None:
        """Wait until one request may be made; ``spent`` has to follow once it is answered or has failed."""
        turn = asyncio.get_running_loop().create_future()
        first = _delivering.get() is asyncio.current_task()
        (self._last_words if first else self._others).append(turn)
        self._admit()
        if not turn.done():
            self.short.set()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._give_back()
            raise

    def spent(self) -> None:
        """Note that a request is over: another one may take its place when its second is."""
        asyncio.get_running_loop().call_later(self._second_s, self._give_back)

    def _give_back(self) -> None:
        self._out -= 1
        self._admit()

    def _admit(self) -> None:
        """Let those go whose turn it is; where last words wait there is no room for others."""
        for waiting, kept in ((self._last_words, 0.0), (self._others, KEPT)):
            while waiting and (waiting[0].done() or self._has_room(kept)):
                turn = waiting.popleft()
                if not turn.done():
                    self._out += 1
                    self._peak = max(self._peak, self._out)
                    turn.set_result(None)

    def _has_room(self, kept: float) -> bool:
        return self._rate - self._out >= max(1.0, kept * self._rate)

    def _is_short(self, kept: float) -> bool:
        short = bool(self._others) or not self._has_room(kept)
        if short:
            self.short.set()
        return short
