"""What becomes of an order that cost too much: the nearest one that may be is painted."""

import discord
from discord.ext import commands

from bot.client import Easel
from bot.tree import answer_error
from bot.ui import buttons, lighter


class Lighter(commands.Cog):
    """Answers the button under the refusal."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Take what begins with our own prefix."""
        custom_id = buttons.custom_id(interaction)
        if custom_id.startswith(lighter.INSTEAD):
            try:
                await self._instead(interaction, custom_id.removeprefix(lighter.INSTEAD))
            except Exception as error:  # noqa: BLE001 - the error door tells known from unknown
                await answer_error(interaction, error)

    async def _instead(self, interaction: discord.Interaction, key: str) -> None:
        """Queue what was offered."""
        drafts, sources = self.bot.desk.offered.take(interaction.user.id, key)
        if drafts[0].spec.sheet is not None:
            queue = self.bot.studio.explorations.queue
            await self.bot.desk.explore(interaction, drafts, queue, sources=sources)
        else:
            await self.bot.desk.accept(interaction, drafts[0], sources=sources)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Lighter(bot))
