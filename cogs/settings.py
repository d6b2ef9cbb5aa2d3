"""``/settings``: a server's and its channels' defaults and limits, for those who manage it."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.emoji import check_emoji
from bot.domain.asker import Asker
from bot.domain.text import N_
from bot.ui import places, tables
from bot.ui.commands import command, group, servers_only
from bot.ui.options import OPTIONS, changes, resettable


class Settings(commands.Cog):
    """Shows and sets what holds for one server and its channels, within what the host allows."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.settings = bot.studio.server_settings
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        options = [*(OPTIONS[name] for name in tables.SERVER), resettable(tables.SERVER)]
        emoji = [*(OPTIONS[name] for name in tables.REACTIONS), resettable(tables.REACTIONS)]
        in_channel = N_("Set a channel's defaults, limits and models, within this server's")
        self.order = servers_only(
            group(
                "settings",
                N_("This server's defaults and limits"),
                build("show", N_("Show what holds here and who set it"), self.show, [places.OF_CHANNEL]),
                build("server", N_("Set this server's defaults and limits"), self.server, options),
                build("channel", in_channel, self.channel, places.IN_CHANNEL),
                build("reactions", N_("Choose which emoji do what under a picture"), self.reactions, emoji),
                default_permissions=discord.Permissions(manage_guild=True),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def show(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show the server's settings, or a channel's."""
        chosen = values.get("channel")
        await self._show(interaction, asker_of(interaction), chosen.id if chosen else None)

    async def server(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Change the server's settings and show them."""
        asker = asker_of(interaction)
        await self.settings.change(asker, None, changes(values, tables.SERVER).values)
        await self._show(interaction, asker, None)

    async def channel(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Change a channel's settings, this one's if none is named, and show them."""
        asker = asker_of(interaction)
        chosen = values.pop("channel", None)
        channel_id = chosen.id if chosen else asker.main_channel_id
        if values:
            await self.settings.change(asker, channel_id, places.typed(values))
        await self._show(interaction, asker, channel_id)

    async def reactions(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Change which emoji count as what, and show them."""
        asker = asker_of(interaction)
        guild_id = await self.settings.managed(asker)
        changed = changes(values, tables.REACTIONS).values
        await interaction.response.defer(ephemeral=True, thinking=True)
        await check_emoji(self.bot.messenger, guild_id, changed, await self.settings.effective(asker))
        await self.settings.change(asker, None, changed)
        effective = await self.settings.effective(asker)
        embed = tables.settings(effective, tables.REACTIONS, N_("This server"), asker.locale)
        await interaction.edit_original_response(embed=embed)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget what was set for a channel that is gone."""
        await self.bot.studio.preferences.drop_channel(channel.id)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Do the same for those that went while nobody listened: at the start, and after an outage."""
        await self.bot.studio.preferences.keep_channels(guild.id, {channel.id for channel in guild.channels})

    async def _show(self, interaction: discord.Interaction, asker: Asker, channel_id: int | None) -> None:
        effective = await self.settings.effective(asker, channel_id)
        if channel_id is None:
            embed = tables.settings(effective, places.SHOWN, N_("This server"), asker.locale)
        else:
            title = N_("What holds in a channel")
            embed = tables.settings(effective, places.SHOWN_OF_CHANNEL, title, asker.locale, channel_id=channel_id)
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Settings(bot))
