"""One bot in a process of its own, so that its time is its own.

Its kinds are ``easel``, ``bare``, ``pool`` (Easel's painters without Discord), ``floor`` (the least that keeps
backends busy), and ``idle`` as the control.

It answers questions on standard input, one JSON object a line, and stops when that is closed.
"""

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord

from bench.bare import Bare
from bench.floor import Floor
from bench.pool import Pool
from bot.client import serve
from bot.foundations import opened
from bot.ops.logging import configure
from bot.settings_loading import load
from bot.storage.sqlite import SqliteDatabase

LOOK_S = 0.002


class Subject:
    """What the bench may ask of a bot's process."""

    def __init__(self) -> None:
        self.bare: Bare | None = None
        self.pool: Pool | Floor | None = None
        self.opened = asyncio.Event()
        self.idle_mb = rss_mb()
        self.transactions = 0
        self._lags: list[float] = []
        self._probe: asyncio.Task[None] | None = None

    def count_transactions(self) -> None:
        """Count every transaction from here on."""
        write = SqliteDatabase.write

        async def counted(database: SqliteDatabase, work: Any, **options: Any) -> Any:
            self.transactions += 1
            return await write(database, work, **options)

        SqliteDatabase.write = counted  # type: ignore[assignment,method-assign]

    async def answer(self, question: dict[str, Any]) -> object:
        """Return the answer to one question."""
        match question.pop("ask"):
            case "usage":
                return {
                    "cpu_s": time.process_time(),
                    "rss_mb": rss_mb(),
                    "idle_mb": self.idle_mb,
                    "transactions": self.transactions,
                }
            case "plan" if self.bare is not None:
                self.bare.plan = replace(self.bare.plan, **question)
            case "order":
                await self.opened.wait()
                assert self.pool is not None
                await self.pool.order(**question)
            case "stored" if self.pool is not None:
                return self.pool.stored
            case "probe":
                self._lags = []
                self._probe = asyncio.create_task(self._look())
            case "lags" if self._probe is not None:
                self._probe.cancel()
                return sorted(self._lags)
        return None

    async def _look(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(LOOK_S)
            self._lags.append(time.perf_counter() - before - LOOK_S)


def rss_mb() -> float:
    """Return the most memory this process ever had; elsewhere than on Linux, its parent's counts too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


async def converse(subject: Subject) -> None:
    """Answer questions until there are no more."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        sys.stdout.write(json.dumps(await subject.answer(json.loads(line))) + "\n")
        sys.stdout.flush()


async def run(kind: str) -> None:
    """Be a bot of this kind until standard input is closed."""
    subject = Subject()
    questions = asyncio.create_task(converse(subject))
    if kind == "easel":
        configure("INFO", "json")
        subject.count_transactions()
        stop = asyncio.Event()
        questions.add_done_callback(lambda _: stop.set())
        await serve(load(os.environ, None), stop)
    elif kind == "pool":
        configure("WARNING", "json")
        stop = asyncio.Event()
        questions.add_done_callback(lambda _: stop.set())
        async with opened(load(os.environ, None)) as base:
            subject.pool = Pool(base)
            subject.opened.set()
            await subject.pool.run(stop)
    elif kind == "floor":
        stop = asyncio.Event()
        questions.add_done_callback(lambda _: stop.set())
        subject.pool = Floor(os.environ["BENCH_BACKENDS"].split(), Path(os.environ["EASEL_DATA_DIR"]))
        subject.opened.set()
        await subject.pool.run(stop)
    elif kind == "bare":
        discord.http.Route.BASE = os.environ["EASEL_DISCORD_API"]
        subject.bare = Bare(os.environ["BENCH_BACKEND"], Path(os.environ["EASEL_DATA_DIR"]))
        async with subject.bare as client:
            online = asyncio.create_task(client.start(os.environ["DISCORD_TOKEN"]))
            await questions
            await client.close()
            with suppress(asyncio.CancelledError):
                await online
    await questions


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
