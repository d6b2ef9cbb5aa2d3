"""The Discord client and the order in which everything starts and stops."""

import asyncio
import gc
import secrets
import time
from functools import partial

import discord
import structlog
from discord.ext import commands
from yarl import URL

from bot import i18n
from bot.answers import Answers
from bot.delivery import memory
from bot.delivery.asking import asker_of
from bot.delivery.auditlog import AuditLog
from bot.delivery.board import Board
from bot.delivery.courier import Courier
from bot.delivery.desk import Desk
from bot.delivery.files import Files
from bot.delivery.handout import Handout
from bot.delivery.messenger import CUT, Messenger
from bot.delivery.originals import Originals
from bot.delivery.pace import EditPace
from bot.delivery.panels import Panels
from bot.delivery.places import Places
from bot.delivery.reviews import ReviewDesk
from bot.delivery.sheets import Sheets
from bot.delivery.sources import Sources
from bot.domain.capability import Listing
from bot.domain.job import Job
from bot.domain.ports import Classifier, Clock
from bot.domain.request import MAX_SEED
from bot.extensions import EXTENSIONS
from bot.fetching.network import Network
from bot.foundations import Foundations, opened
from bot.ops.loop import LoopProbe
from bot.services.access import Access
from bot.services.adult import AdultRule, AdultSettings
from bot.services.allowing import Allowing
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.blocking import Blocking
from bot.services.cancelling import Cancelling
from bot.services.catalogue import Catalogue
from bot.services.examining import Examining
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
from bot.services.reviewing import Reviewing
from bot.services.routing import Routing
from bot.services.server_settings import ServerSettings
from bot.services.snippets import Snippets
from bot.services.stats import Stats
from bot.services.studio import Studio
from bot.services.suggestions import Suggestions
from bot.services.upkeep import Upkeep
from bot.services.wording import Wording
from bot.settings import DISCORD_API, Settings
from bot.storage.wildcards import read_lists
from bot.tree import Tree, tell_commands
from bot.ui.buttons import Action, Handler
from bot.ui.localiser import Localiser

log = structlog.get_logger(__name__)

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
        authority = Authority(base.store)
        preferences = Preferences(
            base.store, authority, defaults=settings.defaults, limits=settings.limits, house=settings.house
        )
        self.messenger = Messenger(self, pace, clock=clock)
        self.audit_log = AuditLog(self.messenger)
        auditing = Auditing(base.store, preferences, self.audit_log, clock=clock)
        snippets = Snippets(
            base.snippets,
            authority,
            auditing,
            clock=clock,
            read_host_lists=partial(read_lists, settings.wildcards_dir),
        )
        wording = Wording(preferences)
        quotas = Quotas(jobs, base.quotas, settings.quotas)
        allowing = Allowing(preferences, quotas)
        self._suggestions = Suggestions(catalogue, preferences, snippets)
        places = Places(self.messenger, preferences)
        self.files = Files(base.attachments, base.imaging)
        self.courier = Courier(
            jobs,
            self.messenger,
            base.blobs,
            base.imaging,
            preferences,
            places,
            offers=catalogue.offers,
            clock=clock,
        )
        blocking = Blocking(base.reviews, auditing, clock=clock)
        examining = Examining(
            base.classifier,
            base.blobs,
            base.imaging,
            labels=settings.classifier_labels,
            threshold=settings.classifier_threshold,
        )
        reviewing = Reviewing(
            base.reviews,
            base.store,
            jobs,
            preferences,
            authority,
            auditing,
            blocking,
            examining,
            keep_s=settings.keep_images_days * 86400,
            clock=clock,
        )
        sheets = Sheets(jobs, self.messenger, self.courier, preferences, reviewing, base.blobs, base.imaging)
        self.board = Board(
            jobs, fleet, routing, self.messenger, self.courier, sheets, preferences, reviewing, clock=clock
        )
        jobs.on_change(self.board.changed)
        self.review_desk = ReviewDesk(
            reviewing,
            jobs,
            self.messenger,
            sheets,
            preferences,
            base.blobs,
            base.imaging,
            announcer=self.board,
        )
        reviewing.on_change(self.board.changed, self.review_desk.wake)
        draw_seed = partial(secrets.randbelow, MAX_SEED + 1)
        access = Access(jobs, preferences, reviewing)
        cancelling = Cancelling(jobs, access, reviewing, auditing, announcer=self.board)
        orders = Orders(
            jobs,
            access,
            catalogue,
            routing,
            preferences,
            snippets,
            wording,
            AdultRule(wording, catalogue),
            allowing,
            reviewing,
            announcer=self.board,
            draw_seed=draw_seed,
            premium_guilds=settings.premium_guild_ids,
        )
        pausing = Pausing(base.store, jobs, routing, auditing, announcer=self.board, clock=clock)
        self.panels = Panels(jobs, pausing, self.messenger, clock=clock)
        self.originals = Originals(base.blobs, base.attachments)
        self.handout = Handout(self.originals, self.messenger, base.imaging, places)
        self.answers = Answers()
        self.presses: dict[Action, Handler] = {}
        self.submits: dict[Action, Handler] = {}
        sources = Sources(base.attachments, base.links, base.imaging, base.blobs, self.messenger.archived)
        self.desk = Desk(jobs, orders, cancelling, self.messenger, sources, allowing, places, clock=clock)
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
            ServerSettings(preferences, authority, auditing, catalogue),
            upkeep,
            Gallery(base.gallery, base.blobs, base.imaging),
            stats,
            base.blobs,
            base.links,
            clock=clock,
            limits=settings.limits,
            snippets=snippets,
            pausing=pausing,
            models=Models(
                catalogue, preferences, authority, auditing, snippets, jobs, upkeep, base.blobs, clock=clock
            ),
            wording=wording,
            quotas=quotas,
            reviewing=reviewing,
            blocking=blocking,
            authority=authority,
            auditing=auditing,
            adult=AdultSettings(preferences, authority, auditing),
            privacy=Privacy(
                base.forgetting,
                base.own,
                base.blobs,
                Shelves(preferences, snippets, stats, pausing, quotas, reviewing, authority, auditing),
                terms=settings.terms,
                forsake=self._forsake,
                forget=self._forget,
            ),
        )

    def _forsake(self, job: Job) -> None:
        self.board.forsake(job)
        self.studio.reviewing.forsake(job)

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
        await self.studio.reviewing.load()
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await tell_commands(self.tree, self._store, self.settings.sync_guild or 0)

    async def on_interaction(self, interaction: discord.Interaction, /) -> None:
        """Send presses and submitted forms to whoever answers them; commands go through the tree."""
        await self.answers.answer(interaction)

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
                tasks.create_task(self.audit_log.run(), name="audit log"),
                tasks.create_task(self.review_desk.run(), name="review desk"),
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
        await self.studio.reviewing.lapse()
        keep = {*await self.studio.jobs.blobs_in_use(), *await self.studio.snippets.samples()}
        await self._blobs.sweep(self.settings.keep_images_days * 86400, keep)
        await self.studio.privacy.tidy()


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    clock: Clock = time.time,
    network: Network | None = None,
    classifier: Classifier | None = None,
) -> None:
    """Run the bot until ``stop`` is set, with the rest as in ``opened``. Raises ``StartError`` for the host."""
    discord.http.Route.BASE = settings.discord_api
    foundations = opened(settings, clock=clock, network=network, classifier=classifier)
    async with foundations as base, Easel(settings, base) as easel:
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
