"""An installation of many processes: a bot, workers, a database, and a Discord whose people never stop asking."""

import asyncio
import os
import sys
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from bench.webui import WebUI
from bot.rehearsal import Discord, Exchange, Interaction, Person
from tests.postgres import Postgres

GUILDS, MEMBERS = 16, 2
START_S = 60.0
AHEAD = 2
"""Orders that wait for each backend, whatever is painted meanwhile."""
_ROOT = Path(__file__).parents[1]


class Installation:
    """``workers`` processes with ``each`` backends of ``job_s`` seconds a picture, and a bot without any.

    ``delivered`` is when (unix seconds) each prompt's picture began to arrive at Discord.
    """

    def __init__(self, server: Postgres, workers: int, each: int, job_s: float) -> None:
        self.server = server
        self.url = server.empty()
        self.discord = Discord()
        self.webui = WebUI(job_s=job_s)
        self.delivered: dict[str, float] = {}
        self.refused = 0
        self.bot = 0
        self.workers: list[int] = []
        self.backends = workers * each
        self._sizes = workers, each
        self._people: deque[Person] = deque()
        self._processes: list[asyncio.subprocess.Process] = []
        self._asked = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.discord)
        await self._stack.enter_async_context(self.webui)
        self._folder = Path(self._stack.enter_context(TemporaryDirectory()))
        world = self.discord.world
        for n in range(GUILDS):
            guild = world.add_guild(f"Guild {n}", world.owner)
            channel = world.add_channel(guild, "studio")
            members = [world.add_member(guild, world.add_user(f"User {n}.{k}")) for k in range(MEMBERS)]
            self._people += [self.discord.as_(member, channel, waits=False) for member in members]
        self.discord.on_request.append(self._seen)
        try:
            self.bot = await self._start("bot", "run")
            await self.discord.online(START_S)
            workers, each = self._sizes
            for n in range(workers):
                urls = [f"webui={self.webui.url(n * each + k)} name=b{n * each + k}" for k in range(each)]
                self.workers.append(
                    await self._start(f"w{n}", "worker", "--name", f"w{n}", "--backends", ",".join(urls))
                )
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        await self._stack.aclose()

    async def order(self) -> None:
        """Let people ask for pictures, so that there are always some in line, until cancelled."""
        orders: dict[str, Interaction] = {}
        while True:
            self._check()
            orders = {prompt: order for prompt, order in orders.items() if self._is_open(prompt, order)}
            while len(orders) < (1 + AHEAD) * self.backends:
                self._asked += 1
                prompt = f"a lighthouse in a storm, {self._asked}"
                orders[prompt] = await self._people[0].slash("draw", prompt=prompt)
                self._people.rotate(1)
            await asyncio.sleep(0.02)

    async def warm(self) -> None:
        """Wait until every backend has had a picture delivered."""
        painters = self.webui.painter
        while len({painters[prompt] for prompt in self.delivered}) < self.backends:  # noqa: ASYNC110 - as good
            await asyncio.sleep(0.1)

    async def _start(self, name: str, *command: str) -> int:
        folder = self._folder / name
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", *command), cwd=_ROOT, env=self._environ(folder), stderr=log
            )
        self._processes.append(process)
        return process.pid

    def _is_open(self, prompt: str, order: Interaction) -> bool:
        """Return whether a picture will come of it: while the workers start, the bot may answer too late."""
        waited_s = asyncio.get_running_loop().time() - order.sent_at
        late = order.kind is None and waited_s > self.discord.interactions.deadline_s
        return prompt not in self.delivered and not late

    def _check(self) -> None:
        """End the bench if one of the processes has ended."""
        for process in self._processes:
            if process.returncode is not None:
                logs = "\n".join(log.read_text()[-2000:] for log in self._folder.glob("*/log"))
                raise SystemExit(f"a process ended by {process.returncode}:\n{logs}")

    def _environ(self, folder: Path) -> dict[str, str]:
        return {
            **os.environ,
            "DISCORD_TOKEN": self.discord.token,
            "EASEL_DISCORD_API": self.discord.api_url,
            "DATABASE_URL": self.url,
            "EASEL_DATA_DIR": str(folder),
            "EASEL_BACKENDS": "none",
            "EASEL_MAX_QUEUED_GUILD": "1000",
            "EASEL_MAX_QUEUED_USER": "1000",
        }

    def _seen(self, exchange: Exchange) -> None:
        self.refused += exchange.status == 429
        if not exchange.files or exchange.method != "PATCH":
            return
        token = exchange.path.split("/")[3]
        options = self.discord.interactions.all[token].data["options"]
        prompt = next(option["value"] for option in options if option["name"] == "prompt")
        self.delivered.setdefault(prompt, exchange.at)
