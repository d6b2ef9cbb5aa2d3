"""``/backends``: how the painters are, for admins, and what the host may do about it."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.errors import DeniedError
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import fleet
from bot.ui.commands import anywhere, command, group
from bot.ui.options import OPTIONS


class Backends(commands.Cog):
    """Shows the backends to those who manage a server; draining and refreshing are the host's."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.upkeep = bot.studio.upkeep
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        one, needed = [OPTIONS["backend"]], frozenset({"backend"})
        self.order = anywhere(
            group(
                "backends",
                N_("How the painters are"),
                build("show", N_("Show every backend: state, model, speed, what it has"), self.show),
                build("drain", N_("Give a backend no more jobs"), self.drain, one, required=needed),
                build("resume", N_("Give a drained backend jobs again"), self.resume, one, required=needed),
                build("refresh", N_("Have a backend look for new files"), self.refresh, one, required=needed),
                default_permissions=discord.Permissions(manage_guild=True),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show every backend, without its address."""
        asker = asker_of(interaction)
        if not await self.bot.is_owner(interaction.user):
            await self.bot.studio.authority.check(
                asker,
                N_("Only members with Manage Server may look at the backends."),
                N_("See who waits, and for how long: /queue show"),
            )
        embed = fleet.backends(await self.upkeep.reports(), asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def drain(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Give a backend no more jobs; what it paints is finished."""
        await self._check_host(interaction)
        await self.upkeep.drain(values["backend"], drained=True)
        await self._tell(interaction, N_("{backend} gets no more jobs until /backends resume."), values)

    async def resume(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Give a backend jobs again."""
        await self._check_host(interaction)
        await self.upkeep.drain(values["backend"], drained=False)
        await self._tell(interaction, N_("{backend} gets jobs again."), values)

    async def refresh(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Have a backend look for new files, which may take it some seconds."""
        await self._check_host(interaction)
        await interaction.response.defer(ephemeral=True)
        here = await self.upkeep.refresh(values["backend"])
        words = N_("The lists of {backend} are fresh.") if here else N_("{backend} looks for new files now.")
        await self._tell(interaction, words, values)

    async def _check_host(self, interaction: discord.Interaction) -> None:
        if not await self.bot.is_owner(interaction.user):
            raise DeniedError(
                N_("The backends belong to all servers of this bot."), N_("Only its host may do that: ask there.")
            )

    async def _tell(self, interaction: discord.Interaction, message: str, values: dict[str, Any]) -> None:
        text = say(message, asker_of(interaction).locale, backend=values["backend"])
        embed = discord.Embed(description=text)
        if interaction.response.is_done():
            await interaction.edit_original_response(embed=embed)
        else:
            await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Backends(bot))
