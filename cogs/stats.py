"""``/stats``: how much was painted lately, here or by oneself."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.errors import RequestError
from bot.domain.gallery import Tally
from bot.domain.text import N_
from bot.imaging import charts
from bot.ui import stats
from bot.ui.card import Attachment
from bot.ui.commands import anywhere, command, group


class Stats(commands.Cog):
    """Counts pictures and draws them."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.stats = bot.studio.stats
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        self.order = anywhere(
            group(
                "stats",
                N_("How much was painted lately"),
                build("server", N_("Show how much was painted in this server"), self.server),
                build("me", N_("Show how much you had painted, everywhere"), self.me),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def server(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the last days of this server."""
        guild_id = asker_of(interaction).guild_id
        if guild_id is None:
            raise RequestError(N_("I belong to no server here."), N_("See your own pictures: /stats me"))
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._answer(interaction, await self.stats.of_server(guild_id), person=False)

    async def me(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show one's own last days."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._answer(interaction, await self.stats.of_person(interaction.user.id), person=True)

    async def _answer(self, interaction: discord.Interaction, tally: Tally, *, person: bool) -> None:
        locale = asker_of(interaction).locale
        card = stats.nothing(locale)
        if tally.pictures:
            first_day = self.stats.first_day()
            drawn = await self.bot.imaging.run(charts.bars, stats.bars(tally, first_day))
            chart = Attachment(f"easel-stats.{drawn.ext}", drawn.data, stats.alt_text(tally, first_day, locale))
            card = stats.card(tally, chart, locale, person=person)
        await self.bot.messenger.answer(interaction, card)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Stats(bot))
