"""Reactions on jobs' messages: shortcuts for the buttons."""

import discord
import structlog
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of_reaction, check_channel_of_reaction
from bot.delivery.desk import reaction_key
from bot.delivery.messenger import CUT, BlockedError, Obstacle
from bot.domain.errors import BotError, RequestError
from bot.domain.job import Job
from bot.ops.logging import failure_code
from bot.ui.failures import explain

log = structlog.get_logger(__name__)

REROLL = "🔁"
CANCEL = "❌"


class Reactions(commands.Cog):
    """🔁 rerolls, ❌ cancels or deletes, by the rules of the buttons."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._held: set[tuple[int, int, str]] = set()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Forget which reactions stand: a new session replays none, nor tells what was taken away before."""
        self._held.clear()

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """Let the same person use the same reaction again."""
        self._held.discard((payload.message_id, payload.user_id, payload.emoji.name))

    @commands.Cog.listener()
    async def on_raw_reaction_clear(self, payload: discord.RawReactionClearEvent) -> None:
        """Let everybody use every reaction again: a moderator took them all away."""
        self._held = {held for held in self._held if held[0] != payload.message_id}

    @commands.Cog.listener()
    async def on_raw_reaction_clear_emoji(self, payload: discord.RawReactionClearEmojiEvent) -> None:
        """Let everybody use this reaction again."""
        gone = (payload.message_id, payload.emoji.name)
        self._held = {held for held in self._held if (held[0], held[2]) != gone}

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Do what the reaction stands for, once for each time it is put."""
        ours = self.bot.user is not None and self.bot.user.id
        by_bot = payload.user_id == ours or (payload.member is not None and payload.member.bot)
        if payload.emoji.name not in {REROLL, CANCEL} or by_bot:
            return
        held = (payload.message_id, payload.user_id, payload.emoji.name)
        if held in self._held or payload.message_author_id not in {None, ours}:
            # A reaction that was never taken away cannot be put again: this is a replay after a resume.
            return
        try:
            job = await self.studio.jobs.by_message(payload.message_id)
            if job is not None:
                self._held.add(held)
                await (self._reroll if payload.emoji.name == REROLL else self._remove)(payload, job)
        except Exception as error:  # noqa: BLE001 - whatever it was, the person is told
            await self._tell(payload.user_id, error)

    async def _reroll(self, payload: discord.RawReactionActionEvent, parent: Job) -> None:
        check_channel_of_reaction(self.bot, payload)
        asker = asker_of_reaction(self.bot, payload)
        nth = await self.studio.jobs.count_keys(reaction_key(payload)) + 1
        await self.bot.desk.accept_reaction(payload, await self.studio.orders.again(asker, parent), nth)

    async def _remove(self, payload: discord.RawReactionActionEvent, job: Job) -> None:
        asker = asker_of_reaction(self.bot, payload)
        try:
            await self.studio.orders.cancel(job.id, asker)
        except RequestError:
            # Nothing is left to be cancelled, so what has to go is the message.
            await self._delete(job)

    async def _delete(self, job: Job) -> None:
        try:
            await self.bot.messenger.delete(job)
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.GONE:
                raise

    async def _tell(self, user_id: int, error: Exception) -> None:
        # A reaction has no private answer of its own; closed direct messages leave only the log.
        code = None if isinstance(error, BotError) else failure_code()
        if code is not None:
            log.error("reaction failed", code=code, exc_info=error)
        try:
            channel = await self.bot.create_dm(discord.Object(user_id))
            await channel.send(embed=explain(error, "en", code=code))
        except (discord.HTTPException, *CUT) as failed:
            log.info("reaction's refusal not shown", reason=type(failed).__name__)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Reactions(bot))
