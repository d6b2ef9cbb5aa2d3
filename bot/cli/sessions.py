"""One command's worth of painting: foundations opened, painters reached, orders checked, and a run of them."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.cli import prompts
from bot.cli.painters import Painters, first
from bot.cli.prompts import Line, Ticket
from bot.cli.runs import Outcome, Run
from bot.cli.screens import Screen, screen
from bot.cli.shelves import Gallery, Shelf, Single
from bot.domain.request import MAX_SEED
from bot.foundations import Foundations, opened
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Session:
    """What a command paints and how; ``state`` is the folder for its queue.

    Everything raises ``WrongError`` for what cannot be asked, and ``BotError`` where the folders are unusable.
    """

    settings: Settings
    lines: list[Line]
    state: Path
    timeout_s: float | None = None
    quiet: bool = False

    async def draw(self, stop: asyncio.Event, out: Path) -> Outcome:
        """Paint the one prompt into ``out``."""
        with screen("Painting", quiet=self.quiet) as shown:
            async with self._opened() as base:
                painters = Painters(base)
                nobody = await self._reach(painters, stop, shown)
                if nobody is not None:
                    return nobody
                orders = prompts.tickets(self.lines, secrets.randbelow(MAX_SEED + 1), 1, self._count)
                shown.begin(0, 1)
                return await self._run(base, painters, Single(out), shown, "draw", orders, stop)

    async def batch(self, stop: asyncio.Event, out: Path, run: str, repeat: int | None) -> Outcome:
        """Paint what is not done yet of ``repeat`` rounds (``None``: without end) into the folder ``out``."""
        with screen(f"Painting into {out}", quiet=self.quiet) as shown:
            async with self._opened() as base:
                painters = Painters(base)
                nobody = await self._reach(painters, stop, shown)
                if nobody is not None:
                    return nobody
                gallery = Gallery(out, run, base.clock)
                done = await gallery.open(secrets.randbelow(MAX_SEED + 1), repaint=repeat is not None)
                total = None if repeat is None else repeat * len(self.lines)
                if repeat is not None:
                    done = sum(gallery.has(ticket.mark) for ticket in self._tickets(gallery, repeat))
                shown.begin(done, total)
                orders = (order for order in self._tickets(gallery, repeat) if not gallery.has(order.mark))
                return await self._run(base, painters, gallery, shown, run, orders, stop)

    def _opened(self) -> AbstractAsyncContextManager[Foundations]:
        own = {"data_dir": self.state, "database_url": SecretStr(""), "blobs": None}
        return opened(self.settings.model_copy(update=own), clock=time.time)

    @property
    def _count(self) -> int:
        return self.settings.default_count

    def _tickets(self, gallery: Gallery, repeat: int | None) -> Iterator[Ticket]:
        return prompts.tickets(self.lines, gallery.seed, repeat, self._count)

    async def _reach(self, painters: Painters, stop: asyncio.Event, shown: Screen) -> Outcome | None:
        """Wait for a painter and check the orders against what there is; return how it ended if none came."""
        ended = await first(painters.reach(shown), stop.wait(), _passed(self.timeout_s))
        if ended:
            return Outcome(interrupted=ended == 1, unreachable=ended != 1)
        prompts.check(self.lines, self.settings.defaults, painters.check)
        return None

    async def _run(
        self,
        base: Foundations,
        painters: Painters,
        shelf: Shelf,
        shown: Screen,
        run: str,
        orders: Iterator[Ticket],
        stop: asyncio.Event,
    ) -> Outcome:
        work = Run(
            base,
            painters,
            shelf,
            shown,
            run=run,
            tickets=orders,
            defaults=self.settings.defaults,
            timeout_s=self.timeout_s,
        )
        return await work.work(stop)


async def _passed(timeout_s: float | None) -> None:
    if timeout_s is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(timeout_s)
