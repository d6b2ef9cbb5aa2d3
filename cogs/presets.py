"""``/preset``: choices kept under a name, for oneself or for the server."""

import io
from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.completions import Completions
from bot.delivery.showing import like
from bot.domain.audit import Change
from bot.domain.errors import RequestError
from bot.domain.options import Options
from bot.domain.snippets import Kind, Preset
from bot.domain.text import N_
from bot.i18n import say
from bot.services import presets
from bot.services.preferences import Scope
from bot.ui import library, settings_line
from bot.ui.commands import anywhere, command, group


class Presets(commands.Cog):
    """Keeps, shows and deletes presets, and takes and gives them as a file."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self.snippets = bot.studio.snippets
        build = partial(command, limits=self.studio.limits, suggest=bot.suggest)
        named, own = frozenset({"name"}), Completions(self.studio, bot.suggest)
        self.order = anywhere(
            group(
                "preset",
                N_("Choices kept under a name"),
                build(
                    "save",
                    N_("Keep choices under a name"),
                    self.save,
                    library.PRESET,
                    required=named,
                    completions={"like": own.like, "settings": own.more},
                ),
                build("list", N_("Show what is kept here"), self.list),
                build("show", N_("Show all that a preset chooses"), self.show, [library.NAME], required=named),
                build(
                    "delete",
                    N_("Delete a preset"),
                    self.delete,
                    [library.NAME, library.SERVER],
                    required=named,
                ),
                build(
                    "import",
                    N_("Keep the presets of a file for this server"),
                    self.import_,
                    [library.FILE],
                    required=frozenset({"file"}),
                ),
                build("export", N_("Get your presets as a file, or this server's"), self.export, [library.SERVER]),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def save(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep what was typed over what a picture was made of."""
        asker, server = asker_of(interaction), bool(values.get("server"))
        options = await self._chosen(interaction, values)
        prompt = str(values.get("prompt", "")).strip()
        if options == Options() and not prompt:
            raise RequestError(
                N_("There is nothing to keep."),
                N_("Say what it chooses: settings:{example}, or like: and a picture's code."),
                example=settings_line.EXAMPLE,
            )
        self.studio.catalogue.check(options)
        await self.studio.preferences.check(asker, options)
        preset = Preset(values["name"], options, prompt)
        replaced = await self.snippets.keep(asker, preset, server=server)
        kept = await self.snippets.preset(asker, values["name"])
        embed = library.kept(library.preset(kept, asker.locale), asker.locale, replaced=replaced)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def list(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the names of one's own presets and the server's."""
        asker = asker_of(interaction)
        kept = await self.snippets.kept(asker, Kind.PRESET)
        embed = library.shelf(Kind.PRESET, kept, (), asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def show(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show one preset."""
        asker = asker_of(interaction)
        embed = library.preset(await self.snippets.preset(asker, values["name"]), asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def delete(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Delete one's own preset, or the server's."""
        asker = asker_of(interaction)
        await self.snippets.forget(asker, Kind.PRESET, values["name"], server=bool(values.get("server")))
        embed = library.told(say(N_("The preset is deleted."), asker.locale))
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def import_(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep the presets of a file for the server: it may hold what no option can say."""
        asker = asker_of(interaction)
        await self.studio.authority.check(
            asker,
            N_("Only members with Manage Server may import presets, for their server."),
            N_("Keep one for yourself: /preset save"),
        )
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = presets.imported(await self.bot.files.data(values["file"]))
        for each in found:
            await self.studio.preferences.check(asker, each.options)
        keep = partial(self.snippets.keep, asker, server=True, recorded=False)
        replaced = {each.name: await keep(each) for each in found}
        await self.studio.auditing.record(asker, [Change(Kind.PRESET.value, after=", ".join(replaced))])
        text = library.counted(replaced, asker.locale)
        await interaction.edit_original_response(embed=library.told(text))

    async def export(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Give one's own presets as a file, or the server's to those who manage it."""
        asker, server = asker_of(interaction), bool(values.get("server"))
        if server:
            await self.studio.authority.check(
                asker,
                N_("Only members with Manage Server may export the server's presets."),
                N_("Leave “server” out to get your own."),
            )
        scope = Scope.SERVER if server else Scope.PERSON
        kept = await self.snippets.presets(asker, scope)
        file = discord.File(io.BytesIO(presets.exported(kept)), "easel-presets.json")
        await interaction.response.send_message(file=file, ephemeral=True)

    async def _chosen(self, interaction: discord.Interaction, values: dict[str, Any]) -> Options:
        chosen = settings_line.read(values.get("settings", "")).options
        if "negative_prompt" in values:
            chosen = Options(negative_prompt=values["negative_prompt"]).over(chosen)
        job = await like(self.studio, interaction, values.get("like"))
        if job is not None:
            made_of = presets.of_request(job.spec.request)
            if not values.get("server"):
                made_of = presets.without_admins_own(made_of)
            chosen = chosen.over(made_of)
        return chosen


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Presets(bot))
