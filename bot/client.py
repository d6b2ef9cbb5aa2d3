"""The Discord client and the order in which everything starts and stops."""

import asyncio
import gc
import hashlib
import json
import secrets
import time
from functools import partial

import discord
import structlog
from discord.ext import commands
from yarl import URL

from bot import i18n
from bot.delivery import memory
from bot.delivery.asking import asker_of
from bot.delivery.board import Board
from bot.delivery.courier import Courier
from bot.delivery.desk import Desk
from bot.delivery.files import Files
from bot.delivery.handout import Handout
from bot.delivery.messenger import CUT, Messenger
from bot.delivery.originals import Originals
from bot.delivery.pace import EditPace
from bot.delivery.panels import Panels
from bot.delivery.sheets import Sheets
from bot.delivery.sources import Sources
from bot.domain.capability import Listing
from bot.domain.ports import Clock
from bot.domain.request import MAX_SEED
from bot.fetching.network import Network
from bot.foundations import Foundations, opened
from bot.ops.loop import LoopProbe
from bot.services.access import Access
from bot.services.allowing import Allowing
from bot.services.cancelling import Cancelling
from bot.services.catalogue import Catalogue
from bot.services.explorations import Explorations
from bot.services.fleet import Fleet
from bot.services.gallery import Gallery
from bot.services.generation import Generation
from bot.services.models import Models
from bot.services.orders import Orders
from bot.services.pausing import Pausing
from bot.services.preferences import Preferences
from bot.services.privacy import Privacy, Shelves
from bot.services.quotas import Quotas
from bot.services.routing import Routing
from bot.services.snippets import Snippets
from bot.services.stats import Stats
from bot.services.studio import Studio
from bot.services.suggestions import Suggestions
from bot.services.upkeep import Upkeep
from bot.services.wording import Wording
from bot.settings import DISCORD_API, Settings
from bot.storage.wildcards import read_lists
from bot.tree import Tree
from bot.ui.buttons import Action, Handler
from bot.ui.localiser import Localiser

log = structlog.get_logger(__name__)

EXTENSIONS = (
    "cogs.draw",
    "cogs.warned",
    "cogs.lighter",
    "cogs.remix",
    "cogs.explore",
    "cogs.upscale",
    "cogs.describe",
    "cogs.menus",
    "cogs.actions",
    "cogs.pictures",
    "cogs.reactions",
    "cogs.model",
    "cogs.presets",
    "cogs.styles",
    "cogs.wildcards",
    "cogs.settings",
    "cogs.words",
    "cogs.preferences",
    "cogs.quota",
    "cogs.privacy",
    "cogs.queue",
    "cogs.backends",
    "cogs.history",
    "cogs.stats",
    "cogs.help",
)
SWEEP_S = 60.0
TOKEN_REFUSED = 4004
"""The gateway's close code for a token that Discord no longer knows (Discord docs, Opcodes and Status Codes)."""
UNKNOWN = "Discord does not know this DISCORD_TOKEN. Reset it in the developer portal."
SETTLE_S = 10.0
"""How long results that are painted get to reach their messages when the bot stops."""


class StartError(Exception):
    """The bot cannot start; the words are for the host."""


class TokenRefusedError(StartError):
    """Discord does not know the token."""


class DiscordAwayError(StartError):
    """Discord cannot be reached."""


def intents() -> discord.Intents:
    """Return what the gateway is asked for: nothing privileged, no message content."""
    wanted = discord.Intents.none()
    wanted.guilds = True  # channels, roles and permissions
    wanted.guild_messages = True  # a deleted status message cancels its job
    wanted.dm_messages = True  # likewise in direct messages
    wanted.guild_reactions = True  # 🔁 and ❌
    wanted.dm_reactions = True  # likewise in direct messages
    return wanted


class Easel(commands.Bot):
    """The bot as discord.py sees it; the cogs find everything they call in ``studio`` and ``desk``.

    ``presses`` and ``submits`` say who answers what under a job's message; every cog adds its own.
    """

    def __init__(self, settings: Settings, base: Foundations) -> None:
        pace = EditPace()
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
        self._store = base.store
        self._blobs = base.blobs
        self.imaging = base.imaging
        jobs, clock = base.jobs, base.clock
        fleet = Fleet(base.backends, clock=clock)
        catalogue = Catalogue(base.backends)
        routing = Routing(base.backends, catalogue)
        preferences = Preferences(base.store, defaults=settings.defaults, limits=settings.limits)
        snippets = Snippets(
            base.snippets, clock=clock, read_host_lists=partial(read_lists, settings.wildcards_dir)
        )
        wording = Wording(preferences)
        quotas = Quotas(jobs, base.quotas, settings.quotas)
        allowing = Allowing(preferences, quotas)
        self._suggestions = Suggestions(catalogue, preferences, snippets)
        self.messenger = Messenger(self, pace, clock=clock)
        self.files = Files(base.attachments, base.imaging)
        self.courier = Courier(
            jobs,
            self.messenger,
            base.blobs,
            base.imaging,
            preferences,
            offers=catalogue.offers,
            clock=clock,
        )
        sheets = Sheets(jobs, self.messenger, self.courier, preferences, base.blobs, base.imaging)
        self.board = Board(jobs, fleet, routing, self.messenger, self.courier, sheets, preferences, clock=clock)
        jobs.on_change(self.board.changed)
        draw_seed = partial(secrets.randbelow, MAX_SEED + 1)
        access = Access(jobs, preferences)
        cancelling = Cancelling(jobs, access, announcer=self.board)
        orders = Orders(
            jobs,
            access,
            catalogue,
            routing,
            preferences,
            snippets,
            wording,
            allowing,
            announcer=self.board,
            draw_seed=draw_seed,
            premium_guilds=settings.premium_guild_ids,
        )
        pausing = Pausing(base.store, jobs, routing, announcer=self.board, clock=clock)
        self.panels = Panels(jobs, pausing, self.messenger, clock=clock)
        self.originals = Originals(base.blobs, base.attachments)
        self.handout = Handout(self.originals, self.messenger, base.imaging)
        self.presses: dict[Action, Handler] = {}
        self.submits: dict[Action, Handler] = {}
        sources = Sources(base.attachments, base.links, base.imaging, base.blobs, self.messenger.archived)
        self.desk = Desk(jobs, orders, cancelling, self.messenger, sources, allowing, clock=clock)
        self.generation = Generation(jobs, fleet, catalogue, routing, base.blobs, announcer=self.board)
        upkeep, stats = Upkeep(jobs, fleet, catalogue), Stats(base.tally, clock=clock)
        self.studio = Studio(
            jobs,
            access,
            orders,
            cancelling,
            Explorations(jobs, orders, preferences, draw_seed=draw_seed),
            catalogue,
            preferences,
            upkeep,
            Gallery(base.gallery, base.blobs, base.imaging),
            stats,
            base.blobs,
            base.links,
            clock=clock,
            limits=settings.limits,
            snippets=snippets,
            pausing=pausing,
            models=Models(catalogue, preferences, snippets, jobs, upkeep, base.blobs, clock=clock),
            wording=wording,
            quotas=quotas,
            privacy=Privacy(
                base.forgetting,
                base.own,
                base.blobs,
                Shelves(preferences, snippets, stats, pausing, quotas),
                terms=settings.terms,
                forsake=self.board.forsake,
                forget=self._forget,
            ),
        )

    def _forget(self, user_id: int) -> None:
        self.messenger.forget(user_id)
        memory.forget(user_id)

    async def suggest(self, interaction: discord.Interaction, listing: Listing, typed: str) -> list[str]:
        """Return what an option's autocomplete offers to whoever types there."""
        return await self._suggestions.suggest(asker_of(interaction), listing, typed)

    async def setup_hook(self) -> None:
        """Load the cogs and tell Discord about the commands if they changed since the last start."""
        if self.settings.discord_api != DISCORD_API:
            # discord.py knows one gateway by heart; behind another address that API has to be asked.
            _, gateway, _ = await self.http.get_bot_gateway()
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway)
        await asyncio.to_thread(i18n.load)
        await self.tree.set_translator(Localiser())
        await self.studio.snippets.reread()
        await self.studio.pausing.load()
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await self._sync()

    async def on_message(self, message: discord.Message, /) -> None:
        """Ignore text: every command is a slash command."""

    async def work(self, stop: asyncio.Event) -> None:
        """Paint and deliver, connected to the gateway, until ``stop``; then drain within bounds.

        Painting and delivering need no gateway: they go on while it is lost.
        """
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._stay_connected(), name="gateway"),
                tasks.create_task(self.board.run(), name="board"),
                tasks.create_task(self.panels.run(), name="queue panels"),
                tasks.create_task(self.studio.catalogue.watch(), name="catalogue"),
                tasks.create_task(self._sweep(), name="sweep"),
                tasks.create_task(self._apologise(), name="apologies"),
                tasks.create_task(LoopProbe().run(), name="loop probe"),
            ]
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

    async def _stay_connected(self) -> None:
        while not self.is_closed():
            try:
                await self.connect()
            except discord.ConnectionClosed as closed:
                if closed.code == TOKEN_REFUSED:
                    raise TokenRefusedError(UNKNOWN) from closed
                raise DiscordAwayError(f"Discord ended the connection for good: {closed.code}.") from closed
            except AttributeError:
                # discord.py waits after a first connection that failed, then trips: there is none to resume.
                if self.ws is not None:
                    raise

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
        for job in await self.studio.jobs.sweep():
            self.board.changed(job)
        keep = {*await self.studio.jobs.blobs_in_use(), *await self.studio.snippets.samples()}
        await self._blobs.sweep(self.settings.keep_images_days * 86400, keep)
        await self.studio.privacy.tidy()

    async def _sync(self) -> None:
        """Tell Discord about the commands if they changed; a former testing server loses its own."""
        guild_id = self.settings.sync_guild or 0
        known = await self._store.load("commands", 0)
        former = known.get("guild")
        if isinstance(former, int) and former not in {0, guild_id}:
            await self._take_back(former)
        guild = discord.Object(guild_id) if guild_id else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands(guild=guild)]
        told = [self.application_id, guild_id, payload, await asyncio.to_thread(i18n.fingerprint)]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        if known.get("digest") == digest:
            return
        await self.tree.sync(guild=guild)
        await self._store.save("commands", 0, {"digest": digest, "guild": guild_id})
        log.info("commands told to Discord", count=len(payload))

    async def _take_back(self, guild_id: int) -> None:
        try:
            await self.tree.sync(guild=discord.Object(guild_id))
        except discord.HTTPException as error:
            # A server that sent the bot away took the commands with it; that must not keep the bot from starting.
            log.warning("commands not taken back", guild=guild_id, code=error.code)


async def serve(
    settings: Settings, stop: asyncio.Event, *, clock: Clock = time.time, network: Network | None = None
) -> None:
    """Run the bot until ``stop`` is set; ``network`` as in ``opened``. Raises ``StartError`` for the host."""
    discord.http.Route.BASE = settings.discord_api
    async with opened(settings, clock=clock, network=network) as base, Easel(settings, base) as easel:
        try:
            await easel.login(settings.discord_token.get_secret_value())
        except discord.LoginFailure as error:
            raise TokenRefusedError(UNKNOWN) from error
        except discord.HTTPException as error:
            raise DiscordAwayError(f"Discord does not take the start: {error}") from error
        except CUT as error:
            raise DiscordAwayError(f"Discord cannot be reached: {type(error).__name__}.") from error
        # What is loaded by now stays: a collection that looked through it all stopped the loop for 50 ms.
        gc.freeze()
        try:
            await easel.work(stop)
        finally:
            gc.unfreeze()
