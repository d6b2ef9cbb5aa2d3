"""``/review``: what a server has looked at first, strikes and blocks; and the buttons under what is held."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of, check_review_channel, is_open_to_all
from bot.domain.errors import DeniedError, RequestError
from bot.domain.reviewing import Hold, ReviewRule, Verdict
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import reviews
from bot.ui.commands import command, group, servers_only


class Review(commands.Cog):
    """Answers who manages a server about its review, and moderators about pictures and members."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.reviewing = bot.studio.reviewing
        self.blocking = bot.studio.blocking
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        about = partial(build, options=[reviews.MEMBER], required=frozenset({"member"}))
        self.order = servers_only(
            group(
                "review",
                N_("Pictures that moderators look at first"),
                build(
                    "channel",
                    N_("Choose where, and whose pictures are held (Manage Server)"),
                    self.channel,
                    [reviews.CHANNEL, reviews.HOLD, reviews.TRUSTED, reviews.STRIKES],
                    required=frozenset({"channel"}),
                ),
                build("off", N_("Hold no more pictures (Manage Server)"), self.off),
                build("show", N_("Show what is held here, and whether that works"), self.show),
                about("strikes", N_("Show a member's declined pictures"), self.strikes),
                about("pardon", N_("Take a member's strikes away"), self.pardon),
                build(
                    "block",
                    N_("Take no order of a member for a while"),
                    self.block,
                    [reviews.MEMBER, reviews.HOURS],
                    required=frozenset({"member"}),
                ),
                about("unblock", N_("Take a member's orders again"), self.unblock),
                default_permissions=discord.Permissions(manage_messages=True),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)
        self.bot.answers.press(reviews.PREFIX, self._decide)

    async def channel(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Set where pictures are looked at, and what else was typed."""
        asker = asker_of(interaction)
        guild_id = await self.reviewing.managed(asker)
        check_review_channel(interaction, values["channel"].id)
        changes: dict[str, Any] = {"channel": values["channel"].id}
        if "hold" in values:
            changes["hold"] = Hold(values["hold"])
        if "trusted_role" in values:
            changes["trusted_role"] = values["trusted_role"].id
        if "strikes_to_block" in values:
            changes["strikes_to_block"] = values["strikes_to_block"]
        rule = await self.reviewing.rule(guild_id)
        if changes.get("hold", rule.hold) is Hold.UNTRUSTED and not changes.get("trusted_role", rule.trusted_role):
            raise RequestError(N_("There is no trusted role yet."), N_("Name one with trusted_role."))
        await self._show(interaction, await self.reviewing.set(asker, **changes))

    async def off(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Hold no more; what is held already is still decided on."""
        await self._show(interaction, await self.reviewing.set(asker_of(interaction), channel=None))

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show what is held, and what is in the way of it."""
        asker = asker_of(interaction)
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use it in a server that I belong to."))
        if not asker.moderates_server and not await self.bot.studio.authority.manages(asker):
            raise DeniedError(N_("Only members with Manage Messages may do that."), N_("Ask a moderator."))
        await self._show(interaction, await self.reviewing.rule(asker.guild_id))

    async def strikes(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show a member's strikes, and whether they are blocked."""
        await self._show_strikes(interaction, values["member"].id)

    async def pardon(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take a member's strikes away."""
        if not await self.blocking.pardon(asker_of(interaction), values["member"].id):
            raise RequestError(N_("They have no strikes."), N_("See how they stand: /review strikes"))
        await self._show_strikes(interaction, values["member"].id)

    async def block(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take no order of a member."""
        await self.blocking.block(asker_of(interaction), values["member"].id, values.get("hours"))
        await self._show_strikes(interaction, values["member"].id)

    async def unblock(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take a member's orders again."""
        await self.blocking.unblock(asker_of(interaction), values["member"].id)
        await self._show_strikes(interaction, values["member"].id)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Post a card again that somebody deleted: what it was about is still held."""
        await self.reviewing.lost(payload.message_id)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Do the same for all that a moderator purged."""
        for message_id in payload.message_ids:
            await self.reviewing.lost(message_id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Have cards posted again, elsewhere, whose channel was deleted."""
        await self.reviewing.lost(channel_id=channel.id)

    async def _decide(self, interaction: discord.Interaction, custom_id: str) -> None:
        asker = asker_of(interaction)
        name, job_id = reviews.pressed(custom_id)
        if interaction.message is not None:
            await self.reviewing.found(job_id, asker, interaction.message.id)
        if name == reviews.APPROVE:
            decision = await self.reviewing.approve(job_id, asker)
        else:
            decision = await self.reviewing.deny(job_id, asker, block=name == reviews.BLOCK)
        if decision.won and decision.sentence is not None:
            rule = await self.reviewing.rule(decision.review.guild_id)
            embed = reviews.sentenced(decision.jobs[0].user, decision.sentence, rule, asker.locale)
        elif decision.won:
            await interaction.response.defer()
            return
        else:
            said = reviews.decided(decision.review, asker.locale)
            taken = decision.review.verdict is Verdict.WITHDRAWN
            title = N_("There is nothing to decide any more.") if taken else N_("That was decided already.")
            embed = discord.Embed(description=f"{say(title, asker.locale)}\n{said}")
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _show(self, interaction: discord.Interaction, rule: ReviewRule) -> None:
        asker = asker_of(interaction)
        guild_id = asker.guild_id or 0
        troubles = self.bot.review_desk.troubles(guild_id)
        if rule.channel is not None and is_open_to_all(interaction, rule.channel):
            troubles += (N_("Everybody can see the review channel: choose one that moderators alone can see."),)
        embed = reviews.rule(
            rule,
            self.reviewing.waiting(guild_id),
            troubles,
            asker.locale,
            classifies=self.reviewing.classifies,
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _show_strikes(self, interaction: discord.Interaction, user_id: int) -> None:
        asker = asker_of(interaction)
        given = await self.blocking.strikes(asker, user_id)
        until = self.blocking.until(asker.guild_id or 0, user_id)
        embed = reviews.strikes(user_id, given, until, asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Review(bot))
