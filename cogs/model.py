"""``/model``: which models there are, and which one is used when none is asked for."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.errors import DeniedError, RequestError
from bot.domain.options import Options
from bot.domain.text import N_
from bot.services.preferences import Scope
from bot.ui import tables
from bot.ui.commands import anywhere, command, group
from bot.ui.options import OPTIONS


class Model(commands.Cog):
    """Shows the models and sets which one is whose default."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        build = partial(command, limits=self.studio.limits, suggest=self.studio.catalogue.suggest)
        model = [OPTIONS["model"]]
        self.order = anywhere(
            group(
                "model",
                N_("Choose what paints"),
                build("list", N_("Show the models there are"), self.list),
                build("use", N_("Choose your own default; leave it out to take it back"), self.use, model),
                build(
                    "default",
                    N_("Choose this server's default; leave it out to take it back"),
                    self.default,
                    model,
                ),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def list(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the models, those in memory, and what is used by default."""
        await self._show(interaction)

    async def use(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Set or take back one's own default."""
        await self._set(interaction, Scope.PERSON, interaction.user.id, values.get("model"))

    async def default(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Set or take back the server's default, for those with Manage Server."""
        asker = asker_of(interaction)
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use /model use for your own default."))
        if not asker.manages:
            raise DeniedError(
                N_("Only members with Manage Server may choose this server's model."),
                N_("Use /model use for your own default."),
            )
        await self._set(interaction, Scope.SERVER, asker.guild_id, values.get("model"))

    async def _set(self, interaction: discord.Interaction, scope: Scope, owner: int, model: str | None) -> None:
        self.studio.catalogue.check(Options(model=model))
        await self.studio.preferences.set(scope, owner, model=model)
        await self._show(interaction)

    async def _show(self, interaction: discord.Interaction) -> None:
        asker = asker_of(interaction)
        catalogue = self.studio.catalogue
        effective = await self.studio.preferences.effective(asker.guild_id, asker.user_id)
        embed = tables.models(catalogue, effective, asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Model(bot))
