"""The Discord client and the order in which everything starts and stops."""

import asyncio
import gc
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
from bot.delivery.messenger import CUT, Messenger
from bot.delivery.originals import Originals
from bot.delivery.pace import EditPace
from bot.delivery.panels import Panels
from bot.delivery.sources import Sources
from bot.domain.capability import Listing
from bot.domain.ports import Classifier, Clock
from bot.extensions import EXTENSIONS
from bot.fetching.network import Network
from bot.foundations import Foundations, opened
from bot.ops.loop import LoopProbe
from bot.services.generation import Generation
from bot.services.suggestions import Suggestions
from bot.settings import DISCORD_API, Settings
from bot.tree import Tree, tell_commands
from bot.ui.buttons import Action, Handler
from bot.ui.localiser import Localiser
from bot.wiring import delivery, painters, rulebook, studio

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
        self.messenger = Messenger(self, pace, clock=base.clock)
        self.audit_log = AuditLog(self.messenger)
        rules, paint = rulebook(settings, base, self.audit_log), painters(base)
        delivered = delivery(base, self.messenger, rules, paint)
        self.courier, self.board, self.review_desk = delivered.courier, delivered.board, delivered.review_desk
        self.studio = studio(settings, base, rules, paint, self.board, forget=self._forget)
        self._suggestions = Suggestions(paint.catalogue, rules.preferences, rules.snippets)
        self.generation = Generation(
            base.jobs, paint.fleet, paint.catalogue, paint.routing, base.blobs, announcer=self.board
        )
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
