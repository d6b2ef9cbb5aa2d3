"""Panels that renew themselves: what ``/queue`` shows stays true for some minutes."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import discord
import structlog

from bot.delivery.messenger import BlockedError, Messenger, Obstacle
from bot.domain.asker import Asker
from bot.domain.ports import Clock
from bot.jobs.service import Jobs
from bot.services.pausing import Pausing
from bot.ui import queue
from bot.ui.card import Card
from bot.ui.queue import Line

log = structlog.get_logger(__name__)

INTERVAL_S = 3.0
LIFE_S = 600.0
"""How long a panel is renewed: its interaction's token is good for 15 minutes."""
MAX_PANELS = 100
"""Panels renewed at once; the oldest gives way."""
_FRESH_S = 1.0
"""For so long one reading of a line serves all who look at it."""


@dataclass(eq=False, slots=True)
class _Panel:
    """One panel: whose it is, how it looks, and until when (unix seconds) it is renewed."""

    interaction: discord.Interaction
    asker: Asker
    shown: dict[str, Any]
    until: float
    closing: bool = field(default=False)


class Panels:
    """Draws panels and keeps them true; ``run`` owns the tasks that do so."""

    def __init__(self, jobs: Jobs, pausing: Pausing, messenger: Messenger, *, clock: Clock) -> None:
        self._jobs = jobs
        self._pausing = pausing
        self._messenger = messenger
        self._clock = clock
        self._open: OrderedDict[int, _Panel] = OrderedDict()
        self._read: dict[int, tuple[float, Line]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Renew panels until cancelled; those of an earlier life wait for their Refresh button."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._tasks = None
                self._open.clear()

    async def draw(self, asker: Asker) -> Card:
        """Return the panel as it is now."""
        self._read.pop(asker.payer, None)
        return queue.panel(await self._line(asker), asker, live=True)

    def watch(self, interaction: discord.Interaction, message_id: int, asker: Asker, card: Card) -> None:
        """Renew the panel ``message_id``, the answer to ``interaction``, which shows ``card`` now."""
        panel = _Panel(interaction, asker, _looks(card), self._clock() + LIFE_S)
        self._open[message_id] = panel
        self._open.move_to_end(message_id)
        if len(self._open) > MAX_PANELS:
            self._open.popitem(last=False)[1].closing = True
        if self._tasks is not None:
            self._tasks.create_task(self._keep(message_id, panel), name="queue panel")

    async def _keep(self, message_id: int, panel: _Panel) -> None:
        """Renew one panel until its time is over, it is gone, or another took its place."""
        ending = False
        while not ending:
            await asyncio.sleep(INTERVAL_S)
            if self._open.get(message_id) is not panel and not panel.closing:
                return
            ending = panel.closing or self._clock() >= panel.until
            try:
                await self._renew(panel, live=not ending)
            except BlockedError as blocked:
                ending = ending or blocked.obstacle is not Obstacle.LATER
            except Exception:
                # What is wrong with a panel is no reason to stop painting.
                log.exception("queue panel not renewed")
        if self._open.get(message_id) is panel:
            del self._open[message_id]

    async def _renew(self, panel: _Panel, *, live: bool) -> None:
        card = queue.panel(await self._line(panel.asker), panel.asker, live=live)
        looks = _looks(card)
        if looks != panel.shown:
            await self._messenger.answer(panel.interaction, card)
            panel.shown = looks

    async def _line(self, asker: Asker) -> Line:
        now = self._clock()
        read_at, line = self._read.get(asker.payer, (0.0, Line((), {})))
        if abs(now - read_at) > _FRESH_S:
            jobs = await self._jobs.waiting(guild=asker.payer)
            places = await self._jobs.places([job.id for job in jobs])
            line = Line(jobs, places, self._pausing.since(asker.guild_id))
            if len(self._read) > MAX_PANELS:
                self._read.clear()
            self._read[asker.payer] = (self._clock(), line)
        return line


def _looks(card: Card) -> dict[str, Any]:
    """Return what can be seen of a card, to be compared."""
    return {
        "embed": card.embed.to_dict() if card.embed else None,
        "rows": card.view.to_components() if card.view else None,
    }
