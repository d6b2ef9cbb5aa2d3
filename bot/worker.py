"""A process that paints and delivers on another machine: only interactions need the gateway, which it has not."""

import asyncio
import time

import discord
import structlog

from bot import i18n
from bot.delivery.auditlog import AuditLog
from bot.delivery.messenger import Messenger
from bot.delivery.pace import EditPace
from bot.domain.ports import Clock
from bot.foundations import Foundations, opened
from bot.observing import observed
from bot.ops.loop import LoopProbe, loaded
from bot.ops.requests import count_requests
from bot.refusals import login
from bot.services.pausing import Pausing
from bot.settings import Settings
from bot.wiring import company, delivery, generation, painters, rulebook

log = structlog.get_logger(__name__)

SETTLE_S = 10.0
"""How long results that are painted get to reach their messages when the worker stops."""


class Worker:
    """Paints what waits and shows it in its messages; ``client`` is logged in and connects to no gateway."""

    def __init__(self, settings: Settings, base: Foundations) -> None:
        pace = EditPace(settings.discord_rate)
        count_requests(pace.trace, base.meter)
        self.client = discord.Client(
            intents=discord.Intents(guilds=True),  # discord.py warns without, though it connects to no gateway
            http_trace=pace.trace,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        messenger = Messenger(self.client, pace, clock=base.clock)
        rules, paint = rulebook(settings, base, AuditLog(messenger)), painters(base)
        delivered = delivery(base, messenger, rules, paint, None)
        self.fleet = paint.fleet
        self._catalogue, self._board, self._meter = paint.catalogue, delivered.board, base.meter
        self._pausing = Pausing(
            base.store, base.jobs, paint.routing, rules.auditing, announcer=delivered.voice, clock=base.clock
        )
        self._generation = generation(base, paint, delivered.voice)
        joined = company(settings, base, rules, paint, self._pausing, delivered.floor, pace.budget)
        if joined is None:
            raise ValueError("a worker needs a database that is shared")
        self._company = joined

    async def work(self, stop: asyncio.Event) -> None:
        """Paint and deliver until ``stop``; then drain within bounds."""
        await asyncio.to_thread(i18n.load)
        await self._company.open()
        await self._pausing.load()
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._company.run(), name="company"),
                tasks.create_task(self._board.run(), name="board"),
                tasks.create_task(self._catalogue.watch(), name="catalogue"),
                tasks.create_task(LoopProbe(self._meter).run(), name="loop probe"),
            ]
            painting = tasks.create_task(self._generation.run(), name="painting")
            await stop.wait()
            log.info("stopping")
            self._generation.stop()
            await painting
            await self._board.settle(SETTLE_S)
            for task in others:
                task.cancel()
            await asyncio.wait(others)


async def serve(settings: Settings, stop: asyncio.Event, *, name: str = "", clock: Clock = time.time) -> None:
    """Run a worker until ``stop`` is set; ``name`` is else that of the machine. Raises ``StartError``."""

    def stopping() -> str | None:
        return "stopping" if stop.is_set() else None

    discord.http.Route.BASE = settings.discord_api
    async with opened(settings, kind="worker", name=name, clock=clock) as base:
        worker = Worker(settings, base)
        async with worker.client, observed(settings.metrics, base, worker.fleet, {"running": stopping}):
            await login(worker.client, settings.discord_token.get_secret_value())
            log.info("worker", name=name, node=base.engine.node)
            with loaded():
                await worker.work(stop)
