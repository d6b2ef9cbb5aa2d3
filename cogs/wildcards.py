"""``/wildcard``: lists of lines, one of which is drawn where a prompt names the list."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.errors import RequestError
from bot.domain.snippets import Kind, Wildcards
from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.prompting.wildcards import lines
from bot.ui import library
from bot.ui.commands import anywhere, command, group


class WildcardLists(commands.Cog):
    """Keeps, shows and deletes lists; the host's own are shown beside them."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.snippets = bot.studio.snippets
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        named, chosen = frozenset({"name"}), [library.LIST_NAME]
        self.order = anywhere(
            group(
                "wildcard",
                N_("Lists of lines to draw from: __name__ in a prompt"),
                build("save", N_("Keep a list under a name"), self.save, library.WILDCARD, required=named),
                build("list", N_("Show the lists there are"), self.list),
                build("show", N_("Show a list's lines"), self.show, chosen, required=named),
                build("delete", N_("Delete a list"), self.delete, [*chosen, library.SERVER], required=named),
                build("refresh", N_("Read the host's lists anew"), self.refresh),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def save(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep a list and show it."""
        asker = asker_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        text = await self.bot.files.text(values["file"]) if "file" in values else str(values.get("lines", ""))
        found = Wildcards(values["name"].strip(), lines(text))
        if not found.lines:
            raise RequestError(N_("There is nothing to keep."), N_("Write its lines: lines:red | green | blue"))
        replaced = await self.snippets.keep(asker, found, server=bool(values.get("server")))
        embed = library.kept(library.wildcards(found, asker.locale), asker.locale, replaced=replaced)
        await interaction.edit_original_response(embed=embed)

    async def list(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the names of one's own lists, the server's and the host's."""
        asker = asker_of(interaction)
        kept = await self.snippets.kept(asker, Kind.WILDCARD)
        others = [(N_("For everybody"), tuple(self.snippets.host_lists))]
        embed = library.shelf(Kind.WILDCARD, kept, others, asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def show(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show one list."""
        asker = asker_of(interaction)
        embed = library.wildcards(await self.snippets.wildcards(asker, values["name"]), asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def delete(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Delete one's own list, or the server's."""
        asker = asker_of(interaction)
        await self.snippets.forget(asker, Kind.WILDCARD, values["name"], server=bool(values.get("server")))
        embed = library.told(say(N_("The list is deleted."), asker.locale))
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def refresh(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Read the host's folder anew, for the host and those who manage a server."""
        asker = asker_of(interaction)
        if not await self.bot.is_owner(interaction.user):
            await self.bot.studio.authority.check(
                asker, N_("Only members with Manage Server may do that."), N_("See what there is: /wildcard list")
            )
        await interaction.response.defer(ephemeral=True, thinking=True)
        count = await self.snippets.reread()
        words = say_many(
            N_("{count} list is for everybody."), N_("{count} lists are for everybody."), count, asker.locale
        )
        await interaction.edit_original_response(embed=library.told(words))


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(WildcardLists(bot))
