"""``/privacy``: what is kept of oneself, to be seen, taken along and deleted; and servers that the bot leaves."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.messenger import BlockedError, Obstacle
from bot.domain.errors import GoneError, LimitError, RequestError
from bot.domain.shards import Shards
from bot.domain.text import N_
from bot.ui import privacy as drawn
from bot.ui.card import Card
from bot.ui.commands import anywhere, command, group


class Privacy(commands.Cog):
    """Answers everybody, everywhere, about their own data alone and in private."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.privacy = bot.studio.privacy
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        self.order = anywhere(
            group(
                "privacy",
                N_("What I keep of you, and how to get or delete it"),
                build("show", N_("Show what I keep of you, and for how long"), self.show),
                build("export", N_("Get all that I keep of you as a file"), self.export),
                build("delete", N_("Have all that I keep of you deleted"), self.delete),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)
        self.bot.answers.press(drawn.PREFIX, self._press)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Tell what there is, in numbers and days."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        kept = await self.privacy.kept(interaction.user.id)
        policy = self.bot.settings.privacy_url
        await self._answer(interaction, drawn.kept(kept, self.privacy.terms, policy, _locale(interaction)))

    async def export(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Give it as a file."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        name, data = await self.privacy.export(interaction.user.id, interaction.filesize_limit)
        await self._answer(interaction, drawn.exported(name, data, _locale(interaction)))

    async def delete(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Ask once more."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        kept = await self.privacy.kept(interaction.user.id)
        await self._answer(interaction, drawn.question(kept, _locale(interaction)))

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Look which of a shard's servers went or came unheard; those in an outage are among the bot's too."""
        shard = Shards(range(shard_id, shard_id + 1), self.bot.own_shards.count)
        present = [guild.id for guild in self.bot.guilds if shard.owns(guild.id)]
        await self.privacy.compare(present, shard)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot was sent away: discord.py tells of no outage by this event."""
        await self.privacy.left(guild.id)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note that the bot is there, again perhaps."""
        await self.privacy.joined(guild.id)

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        locale = _locale(interaction)
        if custom_id not in {drawn.DELETE, drawn.KEEP}:
            raise GoneError(N_("What this belongs to is no longer kept."), N_("Ask again: /privacy delete"))
        await interaction.response.defer()
        if custom_id == drawn.KEEP:
            await self._answer(interaction, drawn.left_alone(locale))
            return
        # It is about whoever presses, never about what an id says: that can be forged.
        await self.privacy.delete(interaction.user.id)
        left = await self.privacy.kept(interaction.user.id)
        await self._answer(interaction, drawn.deleted(left, locale))

    async def _answer(self, interaction: discord.Interaction, card: Card) -> None:
        try:
            await self.bot.messenger.answer(interaction, card)
        except BlockedError as blocked:
            if blocked.obstacle is Obstacle.TOO_LARGE:
                raise LimitError(
                    N_("What I keep of you is too large for a file here."),
                    N_("Use the command in a server that takes larger files, or ask the host of this bot."),
                ) from blocked
            raise RequestError(N_("Discord did not take the message."), N_("Try again in a moment.")) from blocked


def _locale(interaction: discord.Interaction) -> str:
    return asker_of(interaction).locale


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Privacy(bot))
