"""``/queue``: who waits, and how to leave the line."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.errors import RequestError
from bot.domain.job import State
from bot.domain.text import N_
from bot.i18n import say
from bot.services.orders import Asker
from bot.ui import tables
from bot.ui.commands import anywhere, command, group
from bot.ui.options import OPTIONS


class Queue(commands.Cog):
    """Shows the line of a server (in direct messages one's own) and takes jobs out of it."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        build = partial(command, limits=self.studio.limits, suggest=self.studio.catalogue.suggest)
        self.order = anywhere(
            group(
                "queue",
                N_("Who waits, and for how long"),
                build("show", N_("Show who waits here"), self.show),
                build("cancel", N_("Cancel a job, yours or as a moderator"), self.cancel, [OPTIONS["job"]]),
                build("clear", N_("Cancel every waiting job of this server, as a moderator"), self.clear),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show whose jobs run and wait, and for how long."""
        asker = asker_of(interaction)
        waiting = await self.studio.jobs.waiting(guild=asker.payer)
        shown = [job.id for job in waiting[: tables.SHOWN] if job.state is State.QUEUED]
        places = await self.studio.jobs.places(shown)
        embed = tables.queue(waiting, places, asker=asker.user_id, locale=asker.locale)
        await interaction.response.send_message(embed=embed, ephemeral=True)

    async def cancel(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Cancel the job of that number; without one, the asker's latest."""
        asker = asker_of(interaction)
        number = values.get("job") or await self._latest(asker)
        job = await self.studio.orders.cancel(number, asker)
        await _tell(interaction, say(N_("Cancelled job {number}."), asker.locale, number=str(job.id)))

    async def clear(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Cancel all that waits in this server; each job's message says so."""
        asker = asker_of(interaction)
        count = await self.studio.orders.clear(asker)
        await _tell(interaction, say(N_("Cancelled jobs: {count}."), asker.locale, count=count))

    async def _latest(self, asker: Asker) -> int:
        own = await self.studio.jobs.waiting(guild=asker.payer, user=asker.user_id)
        if not own:
            raise RequestError(N_("You have nothing in line here."), N_("See who waits: /queue show"))
        return max(job.id for job in own)


async def _tell(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.send_message(embed=discord.Embed(description=text), ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Queue(bot))
