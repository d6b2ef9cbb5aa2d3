"""``/preferences``: one's own defaults, everywhere."""

from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.text import N_
from bot.services.preferences import Scope
from bot.ui import tables
from bot.ui.commands import anywhere, command
from bot.ui.options import OPTIONS, changes, resettable


class OwnDefaults(commands.Cog, name="Preferences"):
    """Shows and sets what one person's commands start from."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self.order = anywhere(
            command(
                "preferences",
                N_("Show or set your own defaults"),
                self.preferences,
                [*(OPTIONS[name] for name in tables.PERSONAL), resettable(tables.PERSONAL)],
                limits=self.studio.limits,
                suggest=bot.suggest,
            )
        )

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(self.order)

    async def preferences(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Change what was typed, if anything, and show what holds for the asker here."""
        asker = asker_of(interaction)
        preferences = self.studio.preferences
        if values:
            changed = changes(values, tables.PERSONAL)
            self.studio.catalogue.check(changed.options)
            await preferences.set(Scope.PERSON, asker.user_id, **changed.values)
        effective = await preferences.effective(asker)
        embed = tables.settings(effective, tables.PERSONAL, N_("Your defaults here"), asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(OwnDefaults(bot))
