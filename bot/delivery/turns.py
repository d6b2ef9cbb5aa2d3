"""Whose turn it is to call Discord: last words before statuses, and those of one channel one after another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakValueDictionary

from bot.delivery.messenger import Messenger
from bot.domain.job import Job

LOOK_S = 0.4
"""How soon it is asked again whether last words still wait for a channel's limit."""


class PutOffError(Exception):
    """A status is not drawn now: something newer is, or Discord is called often enough as it is."""


class Turns:
    """Lets ``deliveries`` last words through at once, and ``edits`` statuses of each of both routes.

    Messages whose token is fresh have a rate limit each; others share that of their channel and take turns.
    """

    def __init__(self, messenger: Messenger, *, deliveries: int, edits: int) -> None:
        self._messenger = messenger
        self._deliveries = asyncio.Semaphore(deliveries)
        self._by_token = asyncio.Semaphore(edits)
        self._by_channel = asyncio.Semaphore(edits)
        self._channels: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._last_words: Counter[int | None] = Counter()

    @property
    def pressed(self) -> bool:
        """Whether last words wait for each other, or little is left of what the bot's token may do."""
        return self._deliveries.locked() or self._messenger.pressed

    @asynccontextmanager
    async def last_word(self, job: Job) -> AsyncIterator[None]:
        """Wait until a job's last word may be sent."""
        with self._first(job):
            async with self._deliveries:
                yield

    @asynccontextmanager
    async def status(self, job: Job, *, news: bool) -> AsyncIterator[None]:
        """Wait until a job's status may be edited: through a channel as often as its headers allow.

        Raises ``PutOffError`` for what is no ``news``, only progress or place, where the bot's token is busy.
        """
        if self._messenger.by_token(job):
            async with self._by_token:
                yield
            return
        async with self._channels.setdefault(job.address.channel_id, asyncio.Lock()):
            while wait_s := self._wait_s(job):  # noqa: ASYNC110 - the limit is known only from answer to answer
                await asyncio.sleep(wait_s)
            async with self._by_channel:
                if not news and self._messenger.pressed:
                    raise PutOffError
                yield

    @contextmanager
    def _first(self, job: Job) -> Iterator[None]:
        """Keep statuses from the limit that a last word waits for: discord.py would let them pass."""
        channel_id = None if self._messenger.by_token(job) else job.address.channel_id
        self._last_words[channel_id] += 1
        try:
            yield
        finally:
            self._last_words[channel_id] -= 1
            self._last_words += Counter()  # drops what is zero

    def _wait_s(self, job: Job) -> float:
        return self._messenger.wait_s(job) or (LOOK_S if self._last_words[job.address.channel_id] else 0.0)
