"""The bot in a process of its own, for the tests that kill it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.rehearsal import Discord, Message


class Process:
    """One life of ``python -m bot``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def kill(self) -> None:
        """End it as a power cut would: no signal handler, no clean-up."""
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    def freeze(self) -> None:
        """Stop it where it is: nothing of it goes on, but its connections stay."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    async def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        self._process.terminate()
        return await self._process.wait()


@asynccontextmanager
async def started(environ: Mapping[str, str], *command: str) -> AsyncIterator[Process]:
    """Start a command of the bot's; whatever still runs at the end is killed."""
    variables = {**os.environ, **environ}
    process = Process(await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", *command, env=variables))
    try:
        yield process
    finally:
        await process.kill()


@asynccontextmanager
async def running(discord: Discord, environ: Mapping[str, str], *options: str) -> AsyncIterator[Process]:
    """Start the bot and wait until it is online; whatever still runs at the end is killed."""
    before = set(discord.gateway.sessions)
    async with started(environ, "run", *options) as process:
        await discord.until(lambda: discord.gateway.sessions.keys() - before and discord.commands.any, 30)
        yield process


def painted(message: Message) -> bool:
    """Return whether a message shows a result."""
    return any("easel-" in file.filename for file in message.attachments)


def results_of(message: Message) -> int:
    """Count how often a picture appeared in a message: by edits from something else to a picture."""
    shown = [*(version.attachments for version in message.history), message.attachments]
    ids = {file.id for files in shown for file in files if "easel-" in file.filename}
    return len(ids)
