"""Putting entries into servers' log channels, each server's in their order, in nobody's way."""

import asyncio
from collections import deque

import structlog

from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.domain.audit import Entry
from bot.domain.job import Address
from bot.ui import auditing
from bot.ui.card import Card

log = structlog.get_logger(__name__)

MAX_WAITING = 50
"""Entries of one server that wait to be posted; more are dropped, for nothing may pile up."""


class AuditLog:
    """``bot.domain.audit.Log``: ``run`` owns the posting. What waits when the bot stops is lost."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self._waiting: dict[int, deque[Entry]] = {}
        self._barred: set[int] = set()
        self._count = 0
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Post what comes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._tasks = None

    def post(self, entry: Entry) -> None:
        """Put an entry into its channel once its turn has come."""
        waiting = self._waiting.setdefault(entry.guild_id, deque())
        if self._tasks is None or len(waiting) >= MAX_WAITING:
            log.warning("log entry dropped", guild=entry.guild_id)
            return
        waiting.append(entry)
        if len(waiting) == 1:
            self._tasks.create_task(self._empty(entry.guild_id, waiting), name="log entries")

    def is_barred(self, guild_id: int) -> bool:
        """Return whether the latest entry of a server could not be put there."""
        return guild_id in self._barred

    async def _empty(self, guild_id: int, waiting: deque[Entry]) -> None:
        while waiting:
            try:
                await self._put(waiting[0])
                self._barred.discard(guild_id)
            except BlockedError as blocked:
                log.warning("log entry not posted", guild=guild_id, reason=blocked.obstacle.value)
                if blocked.obstacle is not Obstacle.LATER:
                    self._barred.add(guild_id)
            except Exception:
                # What is wrong with a log is no reason to stop painting.
                log.exception("log entry not posted", guild=guild_id)
            waiting.popleft()

    async def _put(self, entry: Entry) -> None:
        self._count += 1
        place = Address(entry.channel_id, guild_id=entry.guild_id)
        nonce = f"log-{int(entry.at)}-{self._count}"
        await self._messenger.post(place, Card(embed=auditing.entry(entry)), nonce=nonce)
