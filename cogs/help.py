"""``/help``: what there is to know, on one screen."""

import asyncio
from collections.abc import Mapping
from typing import Any

import discord
import structlog
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.text import N_
from bot.ui import tables
from bot.ui.commands import anywhere, command

log = structlog.get_logger(__name__)

IDS_TIMEOUT_S = 1.0
"""An answer is due within 3 s; help does not wait longer than this for looks."""


class Help(commands.Cog):
    """Tells what the commands do, as clickable mentions."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self._ids: Mapping[str, int] = {}
        self.order = anywhere(
            command(
                "help",
                N_("What I can do"),
                self.help,
                limits=bot.studio.limits,
                suggest=bot.studio.catalogue.suggest,
            )
        )

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(self.order)

    async def help(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the commands; clickable if Discord tells their ids in time, else by name."""
        embed = tables.help_page(await self._known_ids(), asker_of(interaction).locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _known_ids(self) -> Mapping[str, int]:
        if not self._ids:
            guild_id = self.bot.settings.sync_guild
            guild = discord.Object(guild_id) if guild_id else None
            try:
                async with asyncio.timeout(IDS_TIMEOUT_S):
                    known = await self.bot.tree.fetch_commands(guild=guild)
            except (discord.HTTPException, OSError, TimeoutError) as failed:
                log.info("commands' ids not known", reason=type(failed).__name__)
            else:
                self._ids = {command.name: command.id for command in known}
        return self._ids


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Help(bot))
