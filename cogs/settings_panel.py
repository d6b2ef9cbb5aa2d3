"""``/settings panel``: all settings of a server or a channel in one place, page by page."""

from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.emoji import check_emoji
from bot.domain.asker import Asker
from bot.domain.text import N_
from bot.ui import buttons, panel
from bot.ui.commands import command, extend
from bot.ui.panel import Asked, Where


class SettingsPanel(commands.Cog):
    """Draws the panel and does what its menus, buttons and forms ask for, those of an earlier life too."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.settings = bot.studio.server_settings
        self.order = command(
            "panel",
            N_("See and change all settings in one place"),
            self.open,
            limits=bot.studio.limits,
            suggest=bot.suggest,
        )

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        extend(self.bot.tree, "settings", self.order)
        self.bot.answers.press(panel.PREFIX, self._press)
        self.bot.answers.form(panel.PREFIX, self._submit)

    async def open(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the first page."""
        view = await self._drawn(asker_of(interaction), Where())
        await interaction.response.send_message(
            view=view, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
        )

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        asker, wanted = await self._asked(interaction, custom_id)
        if wanted.verb == panel.EDIT:
            channel_id = wanted.where.channel_id
            effective = await self.settings.effective(asker, channel_id)
            own = await self.settings.own(asker, channel_id)
            await interaction.response.send_modal(panel.form(effective, own, wanted, asker.locale))
        elif wanted.verb == panel.RESET:
            await self._change(interaction, asker, wanted, wanted.reset(buttons.chosen(interaction)))
        else:
            where = wanted.turned(buttons.chosen(interaction), asker.main_channel_id)
            await interaction.response.edit_message(view=await self._drawn(asker, where))

    async def _submit(self, interaction: discord.Interaction, custom_id: str) -> None:
        asker, wanted = await self._asked(interaction, custom_id)
        own = await self.settings.own(asker, wanted.where.channel_id)
        await self._change(interaction, asker, wanted, panel.submitted(interaction.data or {}, own, wanted))

    async def _asked(self, interaction: discord.Interaction, custom_id: str) -> tuple[Asker, Asked]:
        asker = asker_of(interaction, "settings panel")
        await self.settings.managed(asker)
        return asker, panel.asked(custom_id, asker.main_channel_id)

    async def _change(
        self, interaction: discord.Interaction, asker: Asker, wanted: Asked, values: dict[str, object]
    ) -> None:
        channel_id = wanted.where.channel_id
        await interaction.response.defer()
        effective = await self.settings.effective(asker, channel_id)
        await check_emoji(self.bot.messenger, await self.settings.managed(asker), values, effective)
        await self.settings.change(asker, channel_id, values)
        await interaction.edit_original_response(view=await self._drawn(asker, wanted.where))

    async def _drawn(self, asker: Asker, where: Where) -> discord.ui.LayoutView:
        effective = await self.settings.effective(asker, where.channel_id)
        return panel.panel(effective, await self.settings.own(asker, where.channel_id), where, asker.locale)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(SettingsPanel(bot))
