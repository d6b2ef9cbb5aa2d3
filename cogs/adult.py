"""``/adult``: whether adult pictures may be asked for, and for those who manage a server where."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.adult import Adult as Where
from bot.domain.text import N_
from bot.ui import adult as drawn
from bot.ui.commands import anywhere, command, group


class Adult(commands.Cog):
    """Tells everybody what holds where they are, and keeps what servers say."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.adult = bot.studio.adult
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        named = partial(build, options=[drawn.PATTERN], required=frozenset({"name"}))
        self.order = anywhere(
            group(
                "adult",
                N_("Where adult pictures may be"),
                build("show", N_("Show whether they may be asked for here"), self.show),
                build(
                    "set",
                    N_("Say where this server allows them (Manage Server)"),
                    self.set,
                    [drawn.WHERE],
                    required=frozenset({"where"}),
                ),
                named("mark", N_("Mark models and LoRAs that paint them (Manage Server)"), self.mark),
                named("unmark", N_("Take such a mark back (Manage Server)"), self.unmark),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show what holds here."""
        asker = asker_of(interaction)
        effective = await self.bot.studio.preferences.effective(asker)
        server = None if asker.guild_id is None else await self.adult.of(asker.guild_id)
        told = effective.adult or await self.bot.studio.authority.manages(asker)
        marked = effective.adult_models if told else ()
        embed = drawn.shown(server, marked, asker.locale, here=effective.adult)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def set(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Allow them nowhere, or in age-restricted channels."""
        await self.adult.allow(asker_of(interaction), Where(values["where"]))
        await self.show(interaction, values)

    async def mark(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Mark what paints them."""
        await self.adult.mark(asker_of(interaction), values["name"])
        await self.show(interaction, values)

    async def unmark(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take a mark back."""
        await self.adult.unmark(asker_of(interaction), values["name"])
        await self.show(interaction, values)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Adult(bot))
