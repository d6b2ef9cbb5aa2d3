"""``/style``: words kept under a name, to be laid around a prompt."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.capability import Listing
from bot.domain.errors import RequestError
from bot.domain.snippets import Kind, Style
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import library
from bot.ui.commands import anywhere, command, group


class Styles(commands.Cog):
    """Keeps, shows and deletes styles; the backends' own are shown beside them."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self.snippets = bot.studio.snippets
        build = partial(command, limits=self.studio.limits, suggest=bot.suggest)
        named, chosen = frozenset({"name"}), [library.STYLE_NAME]
        self.order = anywhere(
            group(
                "style",
                N_("Words kept under a name"),
                build("save", N_("Keep words under a name"), self.save, library.STYLE, required=named),
                build("list", N_("Show the styles there are"), self.list),
                build("show", N_("Show a style's words"), self.show, chosen, required=named),
                build("delete", N_("Delete a style"), self.delete, [*chosen, library.SERVER], required=named),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def save(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep words under a name and show them."""
        asker = asker_of(interaction)
        prompt, negative = (str(values.get(name, "")).strip() for name in ("prompt", "negative_prompt"))
        if not prompt and not negative:
            raise RequestError(N_("There is nothing to keep."), N_("Write its words: prompt:in watercolour"))
        style = Style(values["name"], prompt, negative)
        replaced = await self.snippets.keep(asker, style, server=bool(values.get("server")))
        embed = library.kept(library.style(style, asker.locale), asker.locale, replaced=replaced)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def list(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the names of one's own styles, the server's and the backends'."""
        asker = asker_of(interaction)
        kept = await self.snippets.kept(asker, Kind.STYLE)
        listed = self.studio.catalogue.names(Listing.STYLES)
        embed = library.shelf(Kind.STYLE, kept, [(N_("The backends'"), listed)], asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def show(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show one style."""
        asker = asker_of(interaction)
        embed = library.style(await self.snippets.style(asker, values["name"]), asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def delete(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Delete one's own style, or the server's."""
        asker = asker_of(interaction)
        await self.snippets.forget(asker, Kind.STYLE, values["name"], server=bool(values.get("server")))
        embed = library.told(say(N_("The style is deleted."), asker.locale))
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Styles(bot))
