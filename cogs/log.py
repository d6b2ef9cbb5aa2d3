"""``/log``: the channel that is told of what admins change."""

from contextlib import suppress
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of, check_posts
from bot.delivery.messenger import CUT
from bot.domain.errors import RequestError
from bot.domain.text import N_
from bot.ui import auditing
from bot.ui.commands import command, servers_only


class Log(commands.Cog):
    """Shows and chooses a server's log channel, and says in private when it cannot be written."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self.order = servers_only(
            command(
                "log",
                N_("Choose the channel that is told of what admins change"),
                self.log,
                [auditing.CHANNEL, auditing.OFF],
                limits=bot.studio.limits,
                suggest=bot.suggest,
            )
        )
        self.order.default_permissions = discord.Permissions(manage_guild=True)

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(self.order)

    async def log(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Choose the channel, or none, and show which it is."""
        asker = asker_of(interaction)
        guild_id = await self.studio.authority.check_managed(asker)
        channel = values.get("channel")
        if channel is not None and values.get("off"):
            raise RequestError(N_("You chose a channel and off at once."), N_("Leave one of the two out."))
        if channel is not None:
            check_posts(interaction.client, guild_id, channel.id)
        if channel is not None or values.get("off"):
            await self.studio.auditing.set(asker, guild_id, None if channel is None else channel.id)
        chosen = await self.studio.auditing.channel(guild_id)
        barred = channel is None and self.studio.auditing.is_barred(guild_id)
        embed = auditing.state(chosen, asker.locale, barred=barred)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: discord.Interaction, _: object) -> None:
        """Tell whoever changed something, in private, that the log channel could not be told of it."""
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            # A follow-up might fill a public placeholder: the next answer has room for it.
            return
        asker = asker_of(interaction)
        if self.studio.auditing.is_unheard(asker):
            embed = discord.Embed(description=auditing.unwritten(asker.locale))
            with suppress(discord.HTTPException, *CUT):
                await interaction.followup.send(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Log(bot))
