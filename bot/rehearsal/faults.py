"""What goes wrong on purpose: single requests, the gateway, places, deadlines."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Do(StrEnum):
    """What a fault does to a request."""

    ANSWER = "answer"
    RATE_LIMIT = "rate_limit"
    CUT = "cut"
    DELAY = "delay"


@dataclass(slots=True)
class Fault:
    """One thing that will go wrong, ``left`` more times; ``done`` counts how often it has.

    ``after``: the request has had its effect by then, only the answer is lost.
    """

    method: str
    path: re.Pattern[str]
    do: Do
    left: int
    status: int = 500
    code: int = 0
    seconds: float = 0.0
    scope: str = "user"
    after: bool = False
    done: int = 0


@dataclass(slots=True)
class Faults:
    """Orders what goes wrong; ``path`` is a regular expression searched for in the path after ``/api/v10``."""

    drop: Callable[[int, int | None], Awaitable[None]]
    ask_to_reconnect: Callable[[], Awaitable[None]]
    refuse_resumes: int = 0
    replay_again: int = 0
    _orders: list[Fault] = field(default_factory=list)

    def rate_limit(
        self, method: str, path: str, *, times: int = 1, retry_after_s: float = 0.05, scope: str = "user"
    ) -> Fault:
        """Answer 429; ``scope`` is user, shared or global."""
        return self._add(
            Fault(method, re.compile(path), Do.RATE_LIMIT, times, 429, seconds=retry_after_s, scope=scope)
        )

    def answer(
        self, method: str, path: str, status: int, *, times: int = 1, code: int = 0, after: bool = False
    ) -> Fault:
        """Answer with ``status`` (500, 502 …) and Discord's ``code``."""
        return self._add(Fault(method, re.compile(path), Do.ANSWER, times, status, code, after=after))

    def cut(self, method: str, path: str, *, times: int = 1, after: bool = False) -> Fault:
        """Cut the connection instead of answering."""
        return self._add(Fault(method, re.compile(path), Do.CUT, times, after=after))

    def delay(self, method: str, path: str, seconds: float, *, times: int = 1) -> Fault:
        """Let the request wait before it has any effect."""
        return self._add(Fault(method, re.compile(path), Do.DELAY, times, seconds=seconds))

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._orders.clear()
        self.refuse_resumes = self.replay_again = 0

    async def drop_gateway(self, code: int = 4000, *, shard: int | None = None) -> None:
        """Close the bot's gateway connections, or those of one shard; 1006 cuts them without a word."""
        await self.drop(code, shard)

    async def reconnect_gateway(self) -> None:
        """Ask the bot to reconnect (opcode 7)."""
        await self.ask_to_reconnect()

    def next(self, method: str, path: str) -> Fault | None:
        """Return the fault that befalls this request, counting it."""
        for fault in self._orders:
            if fault.method in {method, "*"} and fault.path.search(path):
                fault.left -= 1
                fault.done += 1
                if not fault.left:
                    self._orders.remove(fault)
                return fault
        return None

    def _add(self, fault: Fault) -> Fault:
        self._orders.append(fault)
        return fault
