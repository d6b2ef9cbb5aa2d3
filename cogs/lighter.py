"""What becomes of an order that cost too much: the nearest one that may be is painted."""

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.ui import lighter


class Lighter(commands.Cog):
    """Answers the button under the refusal."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Answer for its buttons and forms."""
        self.bot.answers.press(lighter.INSTEAD, self._instead)

    async def _instead(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Queue what was offered."""
        key = custom_id.removeprefix(lighter.INSTEAD)
        asker, (offered, sources) = asker_of(interaction), self.bot.desk.offered.find(interaction.user.id, key)
        drafts = [await self.bot.studio.orders.afresh(asker, draft) for draft in offered]
        self.bot.desk.offered.take(interaction.user.id, key)
        if drafts[0].spec.sheet is not None:
            queue = self.bot.studio.explorations.queue
            await self.bot.desk.explore(interaction, drafts, queue, sources=sources)
        else:
            await self.bot.desk.accept(interaction, drafts[0], sources=sources)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Lighter(bot))
