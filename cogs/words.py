"""``/words``: which words a server denies, replaces or leaves out of prompts, for those who manage it."""

import io
from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.asker import Asker
from bot.domain.audit import Change
from bot.domain.errors import RequestError
from bot.domain.text import N_
from bot.domain.wordrules import Action, Rule, WordRules
from bot.services.preferences import WORDS
from bot.services.wording import MAX_FILE_BYTES, exported, imported, listed
from bot.ui import wording
from bot.ui.commands import command, group, servers_only


class Words(commands.Cog):
    """Keeps and shows a server's word rules, tries them, and takes and gives them as a file."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.wording = bot.studio.wording
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        words = partial(build, options=[wording.WORDS], required=frozenset({"words"}))
        self.order = servers_only(
            group(
                "words",
                N_("This server's rules for words in prompts"),
                words("deny", N_("Refuse prompts that have one of these words"), self.deny),
                build(
                    "replace",
                    N_("Paint another word instead of these"),
                    self.replace,
                    [wording.WORDS, wording.BY],
                    required=frozenset({"words", "by"}),
                ),
                words("strip", N_("Leave these words out of prompts"), self.strip),
                words("allow", N_("Let these through, whatever other rules say of a part"), self.allow),
                words("adult", N_("Paint these only where adult pictures may be"), self.adult),
                words("remove", N_("Take the rules for these words back"), self.remove),
                build("show", N_("Show the rules"), self.show),
                build(
                    "test",
                    N_("See what would become of a prompt"),
                    self.test,
                    [wording.PROMPT],
                    required=frozenset({"text"}),
                ),
                build("export", N_("Get the rules as a file"), self.export),
                build(
                    "import",
                    N_("Put a file's rules in the place of all there are"),
                    self.import_,
                    [wording.FILE],
                    required=frozenset({"file"}),
                ),
                default_permissions=discord.Permissions(manage_guild=True),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def deny(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Refuse prompts that have one of these words."""
        await self._set(interaction, values, Rule(Action.DENY))

    async def replace(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Paint another word instead of these."""
        await self._set(interaction, values, Rule(Action.REPLACE, " ".join(values["by"].split())))

    async def strip(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Leave these words out of prompts."""
        await self._set(interaction, values, Rule(Action.STRIP))

    async def allow(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Let these words through."""
        await self._set(interaction, values, Rule(Action.ALLOW))

    async def adult(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Say that these words ask for adult pictures."""
        await self._set(interaction, values, Rule(Action.ADULT))

    async def remove(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take the rules for these words back."""
        guild_id = await self._managed(asker_of(interaction))
        former = await self.wording.rules(guild_id)
        rules = await self.wording.remove(guild_id, listed(values["words"]))
        await self._record(interaction, former, rules)
        await self._show(interaction, rules)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the rules."""
        await self._show(interaction, await self.wording.rules(await self._managed(asker_of(interaction))))

    async def test(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show what would become of a prompt."""
        found, wish = await self.wording.tried(await self._managed(asker_of(interaction)), values["text"])
        embed = wording.tried(values["text"], found, wish, asker_of(interaction).locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def export(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Give the rules as a file."""
        data = exported(await self.wording.rules(await self._managed(asker_of(interaction))))
        await interaction.response.send_message(
            file=discord.File(io.BytesIO(data), "easel-words.json"), ephemeral=True
        )

    async def import_(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Put a file's rules in the place of all there are."""
        guild_id = await self._managed(asker_of(interaction))
        await interaction.response.defer(ephemeral=True, thinking=True)
        rules = imported(await self.bot.files.data(values["file"], max_bytes=MAX_FILE_BYTES))
        former = await self.wording.rules(guild_id)
        await self.wording.replace(guild_id, rules)
        await self._record(interaction, former, rules)
        embed = wording.rules(rules, asker_of(interaction).locale)
        await interaction.edit_original_response(embed=embed)

    async def _set(self, interaction: discord.Interaction, values: dict[str, Any], rule: Rule) -> None:
        guild_id = await self._managed(asker_of(interaction))
        former = await self.wording.rules(guild_id)
        rules = await self.wording.set(guild_id, listed(values["words"]), rule)
        await self._record(interaction, former, rules)
        await self._show(interaction, rules)

    async def _record(self, interaction: discord.Interaction, former: WordRules, rules: WordRules) -> None:
        """Tell the log how many rules there are: words that are denied need not be read there."""
        change = Change(WORDS, len(former.words), len(rules.words))
        await self.bot.studio.auditing.record(asker_of(interaction), [change])

    async def _show(self, interaction: discord.Interaction, rules: WordRules) -> None:
        embed = wording.rules(rules, asker_of(interaction).locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _managed(self, asker: Asker) -> int:
        """Return the server's id if the asker manages it; raises ``DeniedError`` or ``RequestError``."""
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use it in a server that I belong to."))
        return await self.bot.studio.authority.check(
            asker,
            N_("Only members with Manage Server may see and change the rules for words."),
            N_("Ask one of them if a word is refused that should not be."),
        )


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Words(bot))
