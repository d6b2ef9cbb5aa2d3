"""Connections to Discord's gateway: one for each shard, each kept by itself."""

import asyncio
from collections import defaultdict
from typing import Any, cast

import discord
from discord.ext import commands
from discord.gateway import DiscordWebSocket

SESSION_S = 5.0
"""How long after a session's start the next one of its bucket may start (Discord docs, Gateway, Rate Limiting)."""


class Turns:
    """Says when a shard may start a session; ``at_once`` is Discord's ``max_concurrency``."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._locks: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[int, float] = {}

    async def wait(self, shard_id: int) -> None:
        """Return when it is the shard's turn; shards whose number leaves the same rest take turns."""
        bucket, loop = shard_id % self._at_once, asyncio.get_running_loop()
        async with self._locks[bucket]:
            await asyncio.sleep(self._next.get(bucket, 0.0) - loop.time())
            self._next[bucket] = loop.time() + SESSION_S


class Shard:
    """What ``Client.connect`` of discord.py takes for the client: the bot, with one shard of its own.

    discord.py's own keeper of several shards (2.7.1, ``shard.py``) has one wait for another, begins a session
    anew that might be resumed, and may not hear that it is cancelled; its keeper of one does none of that.
    """

    def __init__(self, bot: commands.AutoShardedBot, shard_id: int, turns: Turns) -> None:
        self.shard_id = shard_id
        self.ws: DiscordWebSocket | None = None
        self._bot = bot
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bot, name)

    async def keep(self) -> None:
        """Stay connected until the bot is closed; raises as ``Client.connect`` where Discord ends it for good."""
        try:
            while not self._bot.is_closed():
                await self._turns.wait(self.shard_id)
                try:
                    await discord.Client.connect(cast("discord.Client", self))
                except AttributeError:
                    # discord.py waits after a first connection that failed, then trips: there is none to resume.
                    if self.ws is not None:
                        raise
        finally:
            if self.ws is not None:
                await self.ws.close(1000)
