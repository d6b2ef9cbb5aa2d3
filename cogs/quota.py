"""``/quota``: what one has left, and what a server allows whom, for those who manage it."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.errors import RequestError
from bot.domain.quotas import Period, Quota, Scope
from bot.domain.text import N_
from bot.ui import quotas as drawn
from bot.ui.commands import anywhere, command, group

Kept = tuple[Quota, ...]


class Quotas(commands.Cog):
    """Answers everybody about their own use, and those who manage a server about all that is set there."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.quotas = bot.studio.quotas
        self.authority = bot.studio.authority
        self.auditing = bot.studio.auditing
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        self.order = anywhere(
            group(
                "quota",
                N_("How much painting there is, and how much is left"),
                build("show", N_("Show what you have used, what is left and when there is more"), self.show),
                build(
                    "set",
                    N_("Set how much painting people, a channel or the server have (Manage Server)"),
                    self.set,
                    [drawn.PERIOD, drawn.SECONDS, *drawn.WHOM],
                    required=frozenset({"period", "seconds"}),
                ),
                build(
                    "reset",
                    N_("Take back what was set (Manage Server)"),
                    self.reset,
                    [drawn.PERIOD, *drawn.WHOM],
                ),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show one's own use; to those who manage the server also what is set."""
        asker = asker_of(interaction)
        kept = None
        if asker.guild_id is not None and await self.authority.manages(asker):
            kept = await self.quotas.of(asker.guild_id)
        spent, left = await self.quotas.spent(asker), await self.quotas.left(asker)
        embed = drawn.shown(spent, left, kept, asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def set(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Set one quota and show them all."""
        asker = asker_of(interaction)
        guild_id, former = await self._managed(asker)
        scope, about = _whom(values)
        await self.quotas.set(guild_id, Quota(scope, Period(values["period"]), values["seconds"], about))
        await self._changed(interaction, asker, former)

    async def reset(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take a quota back, or both of one's periods, and show what is left."""
        asker = asker_of(interaction)
        guild_id, former = await self._managed(asker)
        period = Period(values["period"]) if "period" in values else None
        if not await self.quotas.reset(guild_id, *_whom(values), period):
            raise RequestError(N_("Nothing like that is set."), N_("See what is: /quota show"))
        await self._changed(interaction, asker, former)

    async def _changed(self, interaction: discord.Interaction, asker: Asker, former: Kept) -> None:
        kept = await self.quotas.of(asker.guild_id or 0)
        await self.auditing.record(asker, differences(drawn.flat(former), drawn.flat(kept)))
        embed = drawn.changed(kept, asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def _managed(self, asker: Asker) -> tuple[int, Kept]:
        """Return the server's id and quotas if the asker manages it; raises ``BotError``."""
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Quotas are set in a server."))
        guild_id = await self.authority.check(
            asker,
            N_("Only members with Manage Server may set quotas."),
            N_("What you have left is under /quota show."),
        )
        return guild_id, await self.quotas.of(guild_id)


def _whom(values: dict[str, Any]) -> tuple[Scope, int]:
    """Return whom a quota is for, by what was typed: nothing is each person."""
    found = [(Scope.ROLE, values["role"].id)] if "role" in values else []
    if "channel" in values:
        found.append((Scope.CHANNEL, values["channel"].id))
    if values.get("server"):
        found.append((Scope.SERVER, 0))
    if len(found) > 1:
        raise RequestError(
            N_("A quota is for one of these: a role, a channel, the server."), N_("Set one after the other.")
        )
    return found[0] if found else (Scope.PERSON, 0)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Quotas(bot))
