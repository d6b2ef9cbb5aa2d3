"""The Discord client and the order in which everything starts and stops."""

import asyncio
import time

import discord
import structlog
from discord.ext import commands
from yarl import URL

from bot import i18n
from bot.answers import Answers
from bot.delivery import memory
from bot.delivery.asking import asker_of
from bot.delivery.auditlog import AuditLog
from bot.delivery.desk import Desk
from bot.delivery.files import Files
from bot.delivery.handout import Handout
from bot.delivery.messenger import Messenger
from bot.delivery.originals import Originals
from bot.delivery.pace import EditPace
from bot.delivery.panels import Panels
from bot.delivery.sources import Sources
from bot.domain.capability import Listing
from bot.domain.metering import Refused
from bot.domain.ports import Classifier, Clock
from bot.domain.shards import Shards
from bot.extensions import EXTENSIONS
from bot.fetching.network import Network
from bot.foundations import Foundations, opened
from bot.gateway import Shard, Turns
from bot.observing import observed
from bot.ops.loop import LoopProbe, loaded
from bot.ops.requests import count_requests
from bot.refusals import INTENTS_REFUSED, login, refusal
from bot.services.suggestions import Suggestions
from bot.settings import Settings
from bot.tree import Tree, tell_commands
from bot.ui.buttons import Action, Handler
from bot.ui.localiser import Localiser
from bot.wiring import company, delivery, generation, painters, rulebook, studio

log = structlog.get_logger(__name__)

SWEEP_S = 60.0
SETTLE_S = 10.0
"""How long results that are painted get to reach their messages when the bot stops."""


def intents() -> discord.Intents:
    """Return what the gateway is asked for: nothing privileged, no message content."""
    wanted = discord.Intents.none()
    wanted.guilds = True  # channels, roles and permissions
    wanted.guild_messages = True  # a deleted status message cancels its job
    wanted.dm_messages = True  # likewise in direct messages
    wanted.guild_reactions = True  # 🔁 and ❌
    wanted.dm_reactions = True  # likewise in direct messages
    return wanted


class Easel(commands.AutoShardedBot):
    """The bot as discord.py sees it; the cogs find everything they call in ``studio`` and ``desk``.

    ``presses`` and ``submits`` say who answers what under a job's message; every cog adds its own.
    ``own_shards`` are those it connects: as many as Discord recommends unless ``shards`` says which.
    """

    def __init__(self, settings: Settings, base: Foundations, shards: Shards | None = None) -> None:
        pace = EditPace(settings.discord_rate)
        count_requests(pace.trace, base.meter)
        super().__init__(
            http_trace=pace.trace,
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents(),
            tree_cls=Tree,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.settings = settings
        self.own_shards = shards or Shards.all(1)
        self._chosen = shards is not None
        self._connections: dict[int, Shard] = {}
        self._turns = Turns(at_once=1)
        self._meter = base.meter
        self._store = base.store
        self._blobs = base.blobs
        self.imaging = base.imaging
        self.messenger = Messenger(self, pace, clock=base.clock)
        self.audit_log = AuditLog(self.messenger)
        rules, paint = rulebook(settings, base, self.audit_log), painters(base)
        delivered = delivery(base, self.messenger, rules, paint, self.own_shards)
        self.fleet = paint.fleet
        self._voice = delivered.voice
        self.courier, self.board, self.review_desk = delivered.courier, delivered.board, delivered.review_desk
        self.studio = studio(settings, base, rules, paint, delivered.voice, forget=self._forget)
        self._company = company(settings, base, rules, paint, self.studio.pausing, delivered.floor, pace.budget)
        self._suggestions = Suggestions(paint.catalogue, rules.preferences, rules.snippets)
        self.generation = generation(base, paint, delivered.voice)
        self.files = Files(base.attachments, base.imaging)
        self.panels = Panels(base.jobs, self.studio.pausing, self.messenger, clock=base.clock)
        self.originals = Originals(base.blobs, base.attachments)
        self.handout = Handout(self.originals, self.messenger, base.imaging, delivered.places)
        self.desk = Desk(
            base.jobs,
            self.studio.orders,
            self.studio.cancelling,
            self.messenger,
            Sources(base.attachments, base.links, base.imaging, base.blobs, self.messenger.archived),
            rules.allowing,
            delivered.places,
            clock=base.clock,
        )
        self.answers = Answers()
        self.presses: dict[Action, Handler] = {}
        self.submits: dict[Action, Handler] = {}

    def _forget(self, user_id: int) -> None:
        self.messenger.forget(user_id)
        memory.forget(user_id)

    async def suggest(self, interaction: discord.Interaction, listing: Listing, typed: str) -> list[str]:
        """Return what an option's autocomplete offers to whoever types there."""
        return await self._suggestions.suggest(asker_of(interaction), listing, typed)

    async def setup_hook(self) -> None:
        """Load the cogs and tell Discord about the commands if they changed since the last start.

        Of several processes the one with shard 0 tells.
        """
        await self._find_gateway()
        await asyncio.to_thread(i18n.load)
        await self.tree.set_translator(Localiser())
        await self.studio.snippets.reread()
        if self._company is not None:
            await self._company.open(self.own_shards)
        await self.studio.pausing.load()
        await self.studio.reviewing.load()
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        if 0 in self.own_shards.ids:
            await tell_commands(self.tree, self._store, self.settings.sync_guild or 0)

    async def _find_gateway(self) -> None:
        """Ask Discord where the gateway is, how many shards it recommends, and how many may start at once."""
        recommended, gateway, limit = await self.http.get_bot_gateway()
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway)
        if not self._chosen:
            self.own_shards = Shards.all(recommended)
        self._turns = Turns(at_once=limit["max_concurrency"])
        self.shard_count = self._connection.shard_count = self.own_shards.count
        self._connection.shard_ids = self.own_shards.ids
        log.info("shards", own=str(self.own_shards), recommended=recommended)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait for the shard's turn to start a session, and forget its servers: Discord tells of all anew.

        discord.py would keep those that the bot left meanwhile, and call them all told while they still come in.
        """
        if shard_id is None:
            return
        if not initial:
            await self._turns.wait(shard_id)
        if unfinished := self._connection._ready_tasks.pop(shard_id, None):  # noqa: SLF001 - no public way
            unfinished.cancel()
        for guild in self.guilds:
            if guild.shard_id == shard_id:
                self._connection._remove_guild(guild)  # noqa: SLF001 - nor here

    async def on_interaction(self, interaction: discord.Interaction, /) -> None:
        """Send presses and submitted forms to whoever answers them; commands go through the tree."""
        await self.answers.answer(interaction)

    async def on_refused(self, error: Exception) -> None:
        """Count that somebody was told no."""
        self._meter(Refused(type(error).__name__))

    def disconnection(self) -> str | None:
        """Return which connection to the gateway does not stand, in words for the host; ``None``: all do."""
        if not self.is_ready():
            return "not ready"
        lost = [str(each) for each, shard in self._connections.items() if shard.ws is None or not shard.ws.open]
        return f"shards {', '.join(lost)} of {self.own_shards.count} are not connected" if lost else None

    async def on_message(self, message: discord.Message, /) -> None:
        """Ignore text: every command is a slash command."""

    async def work(self, stop: asyncio.Event) -> None:
        """Paint and deliver, connected to the gateway, until ``stop``; then drain within bounds.

        Painting and delivering need no gateway: they go on while it is lost.
        """
        async with asyncio.TaskGroup() as tasks:
            others = [
                *(
                    tasks.create_task(self._stay_connected(each), name=f"shard {each}")
                    for each in self.own_shards.ids
                ),
                tasks.create_task(self.board.run(), name="board"),
                tasks.create_task(self.panels.run(), name="queue panels"),
                tasks.create_task(self.audit_log.run(), name="audit log"),
                tasks.create_task(self.review_desk.run(), name="review desk"),
                tasks.create_task(self.studio.catalogue.watch(), name="catalogue"),
                tasks.create_task(self._sweep(), name="sweep"),
                tasks.create_task(LoopProbe(self._meter).run(), name="loop probe"),
            ]
            if self._company is not None:
                others.append(tasks.create_task(self._company.run(), name="company"))
            painting = tasks.create_task(self.generation.run(), name="painting")
            await stop.wait()
            log.info("stopping")
            self.generation.stop()
            await painting
            await self.board.settle(SETTLE_S)
            # Nobody may speak to Discord any more by the time the connections close.
            for task in others:
                task.cancel()
            await asyncio.wait(others)
            await self.close()

    async def _stay_connected(self, shard_id: int) -> None:
        try:
            shard = self._connections[shard_id] = Shard(self, shard_id, self._turns)
            await shard.keep()
        except discord.ConnectionClosed as closed:
            raise refusal(closed.code, self.own_shards, chosen=self._chosen) from closed
        except discord.PrivilegedIntentsRequired as refused:
            raise refusal(INTENTS_REFUSED, self.own_shards, chosen=self._chosen) from refused

    async def _apologise(self) -> None:
        if apologies := await self.desk.apologise():
            log.info("orders seen but not queued", count=apologies)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._tidy()
            except Exception:
                # What is left lying about can be tidied up a minute later; the painting must not end over it.
                log.exception("not tidied up", again_s=SWEEP_S)
            await asyncio.sleep(SWEEP_S)

    async def _tidy(self) -> None:
        await self._apologise()
        for job in await self.studio.jobs.sweep():
            self._voice.changed(job)
        await self.studio.reviewing.lapse()
        keep = {*await self.studio.jobs.blobs_in_use(), *await self.studio.snippets.samples()}
        await self._blobs.sweep(self.settings.keep_images_days * 86400, keep)
        await self.studio.privacy.tidy(self.own_shards)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    clock: Clock = time.time,
    network: Network | None = None,
    classifier: Classifier | None = None,
    shards: Shards | None = None,
) -> None:
    """Run the bot until ``stop`` is set, with the rest as in ``opened``. Raises ``StartError`` for the host.

    ``shards`` are those to connect: as many as Discord recommends if ``None``.
    """

    def stopping() -> str | None:
        return "stopping" if stop.is_set() else None

    discord.http.Route.BASE = settings.discord_api
    foundations = opened(settings, clock=clock, network=network, classifier=classifier)
    async with (
        foundations as base,
        Easel(settings, base, shards) as easel,
        observed(settings.metrics, base, easel.fleet, {"discord": easel.disconnection, "running": stopping}),
    ):
        await login(easel, settings.discord_token.get_secret_value())
        with loaded():
            await easel.work(stop)
