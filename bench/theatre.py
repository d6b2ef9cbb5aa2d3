"""A bot in its own process, before a stand-in Discord of its own with people in five guilds."""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.rehearsal import Discord, Exchange, Interaction, Message, Person

GUILDS = 5
START_S = 30.0
PICTURE_S = 60.0
_ROOT = Path(__file__).parents[1]
_numbers = count(1)


class Theatre:
    """One bot (``kind`` as ``bench.subject`` knows it) with its Discord; ``backends`` are WebUI addresses.

    ``uploads`` is when (unix seconds) each prompt's picture began to arrive, ``calls`` how often which route
    was used.
    """

    def __init__(self, kind: str, backends: list[str]) -> None:
        self.kind = kind
        self.discord = Discord()
        self.uploads: dict[str, float] = {}
        self.calls: Counter[str] = Counter()
        self._backends = backends
        self._people: list[Person] = []
        self._process: asyncio.subprocess.Process | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.discord)
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        log = self._stack.enter_context((folder / "log").open("w+b"))
        world = self.discord.world
        for n in range(GUILDS):
            guild = world.add_guild(f"Guild {n}", world.owner)
            channel = world.add_channel(guild, "studio")
            members = [world.add_member(guild, world.add_user(f"User {n}.{k}")) for k in range(2)]
            self._people += [self.discord.as_(member, channel, waits=False) for member in members]
        # The bots are compared, not Discord's limits, which hold for both alike.
        self.discord.rate_limits.enabled = False
        self.discord.on_request.append(self._seen)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.subject",
            self.kind,
            cwd=_ROOT,
            env=self._environ(folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=1 << 24,
        )
        if self.kind in {"easel", "bare"}:
            try:
                await self.discord.online(START_S)
            except TimeoutError:
                log.seek(0)
                raise SystemExit(f"the {self.kind} bot did not come:\n{log.read().decode()}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()
        await self._stack.aclose()

    def _environ(self, folder: Path) -> dict[str, str]:
        return {
            **os.environ,
            "DISCORD_TOKEN": self.discord.token,
            "EASEL_DISCORD_API": self.discord.api_url,
            "EASEL_DATA_DIR": str(folder),
            "EASEL_BACKENDS": ",".join(f"webui={url}" for url in self._backends),
            "EASEL_DISCORD_RATE": "10000",  # Discord's limit rests here, and so does Easel's way of keeping it
            "EASEL_MAX_QUEUED_GUILD": "1000",
            "EASEL_MAX_QUEUED_USER": "1000",
            "BENCH_BACKEND": self._backends[0],
            "BENCH_BACKENDS": " ".join(self._backends),
        }

    async def ask(self, question: str, **values: object) -> Any:
        """Ask the bot's process and return its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": question, **values}).encode() + b"\n")
        return json.loads(await self._process.stdout.readline())

    async def draw(self, **options: Any) -> tuple[str, Interaction]:
        """Let the next person type ``/draw``; return the prompt, which is like no other, and what comes of it."""
        number = next(_numbers)
        prompt = f"a lighthouse in a storm, oil on canvas, {self.kind} {number}"
        person = self._people[number % len(self._people)]
        return prompt, await person.slash("draw", prompt=prompt, **options)

    async def painted(self, interaction: Interaction) -> Message:
        """Wait for the picture that came of it."""
        return await interaction.until(lambda message: message.attachments, PICTURE_S)

    def _seen(self, exchange: Exchange) -> None:
        self.calls[f"{exchange.method} {exchange.route}{' +file' if exchange.files else ''}"] += 1
        if not exchange.files or exchange.method != "PATCH":
            return
        token = exchange.path.split("/")[3]
        options = self.discord.interactions.all[token].data["options"]
        prompt = next(option["value"] for option in options if option["name"] == "prompt")
        self.uploads[prompt] = exchange.at
