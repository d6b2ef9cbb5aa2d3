"""The bot in a process of its own, for the tests that kill it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.rehearsal import Discord


class Process:
    """One life of ``python -m bot run``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def kill(self) -> None:
        """End it as a power cut would: no signal handler, no clean-up."""
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        self._process.terminate()
        return await self._process.wait()


@asynccontextmanager
async def running(discord: Discord, environ: Mapping[str, str]) -> AsyncIterator[Process]:
    """Start the bot and wait until it is online; whatever still runs at the end is killed."""
    before = set(discord.gateway.sessions)
    variables = {**os.environ, **environ}
    started = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", env=variables)
    process = Process(started)
    try:
        await discord.until(lambda: discord.gateway.sessions.keys() - before and discord.commands.any, 30)
        yield process
    finally:
        await process.kill()
