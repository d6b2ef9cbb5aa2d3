"""``/settings``: a server's defaults and limits, for those who manage it."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.asker import Asker
from bot.domain.errors import DeniedError, RequestError
from bot.domain.text import N_
from bot.services.preferences import Scope
from bot.ui import reactions, tables
from bot.ui.commands import command, group, servers_only
from bot.ui.options import OPTIONS, changes, resettable


class Settings(commands.Cog):
    """Shows and sets what holds for one server, within what the host allows."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        build = partial(command, limits=self.studio.limits, suggest=bot.suggest)
        options = [*(OPTIONS[name] for name in tables.SERVER), resettable(tables.SERVER)]
        emoji = [*(OPTIONS[name] for name in tables.REACTIONS), resettable(tables.REACTIONS)]
        self.order = servers_only(
            group(
                "settings",
                N_("This server's defaults and limits"),
                build("show", N_("Show what holds here and who set it"), self.show),
                build("server", N_("Set this server's defaults and limits"), self.server, options),
                build("reactions", N_("Choose which emoji do what under a picture"), self.reactions, emoji),
                default_permissions=discord.Permissions(manage_guild=True),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the server's settings."""
        await self._show(interaction, _managed(interaction))

    async def server(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Change the server's settings and show them."""
        guild_id = _managed(interaction)
        changed = changes(values, tables.SERVER)
        self.studio.catalogue.check(changed.options)
        await self.studio.preferences.set(Scope.SERVER, guild_id, **changed.values)
        await self._show(interaction, guild_id)

    async def reactions(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Change which emoji count as what, and show them."""
        guild_id = _managed(interaction)
        changed = changes(values, tables.REACTIONS).values
        reactions.check(changed, await self.studio.preferences.effective(Asker.nobody(guild_id)))
        await interaction.response.defer(ephemeral=True, thinking=True)
        for emoji in map(reactions.custom_id, map(str, changed.values())):
            if emoji is not None and not await self.bot.messenger.has_emoji(guild_id, emoji):
                raise RequestError(
                    N_("That emoji is not one of this server's own."),
                    N_("Choose one of this server, or one of the usual ones."),
                )
        await self.studio.preferences.set(Scope.SERVER, guild_id, **changed)
        effective = await self.studio.preferences.effective(Asker.nobody(guild_id))
        embed = tables.settings(effective, tables.REACTIONS, N_("This server"), asker_of(interaction).locale)
        await interaction.edit_original_response(embed=embed)

    async def _show(self, interaction: discord.Interaction, guild_id: int) -> None:
        effective = await self.studio.preferences.effective(Asker.nobody(guild_id))
        embed = tables.settings(
            effective, (*tables.SERVER, *tables.REACTIONS), N_("This server"), asker_of(interaction).locale
        )
        await interaction.response.send_message(embed=embed, ephemeral=True)


def _managed(interaction: discord.Interaction) -> int:
    """Return the server's id if the asker manages it: Discord's own default permission can be widened there."""
    if interaction.guild_id is None:
        raise RequestError(N_("There is no server here."), N_("Your own defaults are under /preferences."))
    if not asker_of(interaction).manages:
        raise DeniedError(
            N_("Only members with Manage Server may see and change these settings."),
            N_("Your own defaults are under /preferences."),
        )
    return interaction.guild_id


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Settings(bot))
