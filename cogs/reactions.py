"""Reactions on messages that show a job: shortcuts for the buttons."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import discord
import structlog
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of_reaction, check_channel_of_reaction, name_roles
from bot.delivery.desk import reaction_key
from bot.delivery.messenger import CUT, BlockedError, Obstacle
from bot.delivery.subjects import Subject, check_single, drafted, is_grid
from bot.domain.asker import Asker
from bot.domain.errors import BotError, RequestError
from bot.domain.job import Address, Job
from bot.domain.text import N_
from bot.ops.logging import failure_code
from bot.services.drafts import Draft
from bot.services.work_orders import upscaling
from bot.ui import reactions
from bot.ui.buttons import Action
from bot.ui.failures import explain

log = structlog.get_logger(__name__)

Event = discord.RawReactionActionEvent


class Reactions(commands.Cog):
    """🔁 rerolls, ❌ cancels or deletes, ⭐ marks, ✉️ sends home, ⬆️ enlarges, by the rules of the buttons."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._held: set[tuple[int, int, str]] = set()
        self._deeds: dict[Action, Callable[[Event, Job, int], Awaitable[None]]] = {
            Action.REROLL: self._reroll,
            Action.CANCEL: self._remove,
            Action.FAVOURITE: self._favour,
            Action.DM: self._direct,
            Action.UPSCALE: self._upscale,
        }

    @commands.Cog.listener()
    async def on_shard_ready(self, _: int) -> None:
        """Forget which reactions stand: a new session replays none, nor tells what was taken away before."""
        self._held.clear()

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, payload: Event) -> None:
        """Let the same person use the same reaction again; a star taken away is a favourite less."""
        self._held.discard((payload.message_id, payload.user_id, _name(payload)))
        if await self._meant(payload) is Action.FAVOURITE:
            found = await self._shown(payload.message_id)
            if found is not None:
                await self.studio.gallery.unfavour(payload.user_id, found[0].id)

    @commands.Cog.listener()
    async def on_raw_reaction_clear(self, payload: discord.RawReactionClearEvent) -> None:
        """Let everybody use every reaction again: a moderator took them all away."""
        self._held = {held for held in self._held if held[0] != payload.message_id}

    @commands.Cog.listener()
    async def on_raw_reaction_clear_emoji(self, payload: discord.RawReactionClearEmojiEvent) -> None:
        """Let everybody use this reaction again."""
        gone = (payload.message_id, str(payload.emoji))
        self._held = {held for held in self._held if (held[0], held[2]) != gone}

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, payload: Event) -> None:
        """Do what the reaction stands for, once for each time it is put."""
        ours = self.bot.user is not None and self.bot.user.id
        by_bot = payload.user_id == ours or (payload.member is not None and payload.member.bot)
        held = (payload.message_id, payload.user_id, _name(payload))
        if by_bot or held in self._held or payload.message_author_id not in {None, ours}:
            # A reaction that was never taken away cannot be put again: this is a replay after a resume.
            return
        action = None
        try:
            action = await self._meant(payload)
            found = None if action is None else await self._shown(payload.message_id)
            if action is None or found is None:
                return
            self._held.add(held)
            if action not in {Action.REROLL, Action.CANCEL}:
                check_single(found[0], payload.message_id)
            await self._deeds[action](payload, *found)
        except Exception as error:  # noqa: BLE001 - whatever it was, the person is told
            await self._tell(payload, error)
        if action is not Action.FAVOURITE:
            await self._clear(payload)

    async def _meant(self, payload: Event) -> Action | None:
        effective = await self.studio.preferences.effective(Asker.nobody(payload.guild_id))
        return reactions.meant(effective, _name(payload))

    async def _shown(self, message_id: int) -> tuple[Job, int] | None:
        """Return the job that a message shows, and the number of the picture; 0 for all of it."""
        job = await self.studio.jobs.by_message(message_id)
        return await self.studio.gallery.shown_by(message_id) if job is None else (job, 0)

    async def _reroll(self, payload: Event, job: Job, _: int) -> None:
        check_channel_of_reaction(self.bot, payload)
        asker = asker_of_reaction(self.bot, payload)
        parent = await self.studio.access.seen(job.id, asker)
        if is_grid(parent, payload.message_id):
            drafts = await self.studio.explorations.again(asker, parent)
        else:
            drafts = [await self.studio.orders.again(asker, parent)]
        await self.bot.originals.renew(drafts[0].spec.order)
        await self._accept(payload, *drafts)

    async def _upscale(self, payload: Event, job: Job, number: int) -> None:
        check_channel_of_reaction(self.bot, payload)
        asker = asker_of_reaction(self.bot, payload)
        parent = await self.studio.access.seen(job.id, asker)
        if not number and parent.result is not None and len(parent.result.pictures) > 1:
            raise RequestError(
                N_("There are several pictures: I do not know which to enlarge."),
                N_("Choose one from the menu under them."),
            )
        draft, _ = await drafted(
            self.studio, asker, upscaling(self.studio.catalogue), Subject(parent, number or 1)
        )
        await self.bot.originals.renew(draft.spec.order)
        await self._accept(payload, draft)

    async def _accept(self, payload: Event, *drafts: Draft) -> None:
        nth = await self.studio.jobs.count_keys(reaction_key(payload)) + 1
        if drafts[0].spec.sheet is not None:
            await self.bot.desk.explore_by_reaction(payload, drafts, self.studio.explorations.queue, nth)
        else:
            await self.bot.desk.accept_reaction(payload, drafts[0], nth)

    async def _favour(self, payload: Event, job: Job, _: int) -> None:
        await self.studio.access.seen(job.id, asker_of_reaction(self.bot, payload))
        if job.result is not None and not await self.studio.gallery.is_favourite(payload.user_id, job.id):
            await self.studio.gallery.favour(payload.user_id, job.id)

    async def _direct(self, payload: Event, job: Job, number: int) -> None:
        await self.studio.access.seen(job.id, asker_of_reaction(self.bot, payload))
        for message_id in await self.bot.handout.direct(payload.user_id, job, number):
            await self.studio.gallery.show(message_id, job.id, number)

    async def _remove(self, payload: Event, job: Job, _: int) -> None:
        # A copy in somebody's own direct messages is theirs to throw away.
        copy = payload.guild_id is None and job.address.message_id != payload.message_id
        if not copy:
            asker = asker_of_reaction(self.bot, payload)
            await self.studio.access.owned(job.id, asker)
            # Where nothing is left to be cancelled, what has to go is the message.
            with suppress(RequestError):
                await self.studio.cancelling.cancel(job.id, asker)
                return
        try:
            await self.bot.messenger.delete(_place(payload))
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.GONE:
                raise

    async def _clear(self, payload: Event) -> None:
        """Take the used reaction away where the bot may, so that it can be put again."""
        guild = self.bot.get_guild(payload.guild_id) if payload.guild_id else None
        channel = guild.get_channel_or_thread(payload.channel_id) if guild else None
        if guild is None or channel is None or not channel.permissions_for(guild.me).manage_messages:
            return
        try:
            await self.bot.messenger.take_back(_place(payload), _name(payload), payload.user_id)
        except BlockedError as blocked:
            log.info("reaction not cleared", reason=blocked.obstacle.value)

    async def _tell(self, payload: Event, error: Exception) -> None:
        # A reaction has no private answer of its own; closed direct messages leave only the log.
        if isinstance(error, BotError):
            name_roles(error, self.bot.get_guild(payload.guild_id) if payload.guild_id else None)
        code = None if isinstance(error, BotError) else failure_code()
        if code is not None:
            log.error("reaction failed", code=code, exc_info=error)
        try:
            channel = await self.bot.create_dm(discord.Object(payload.user_id))
            await channel.send(embed=explain(error, "en", code=code))
        except (discord.HTTPException, *CUT) as failed:
            log.info("reaction's refusal not shown", reason=type(failed).__name__)


def _place(payload: Event) -> Address:
    return Address(payload.channel_id, payload.message_id, payload.guild_id)


def _name(payload: Event) -> str:
    return str(payload.emoji)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Reactions(bot))
