"""``/queue``: who waits, how to leave the line, and what moderators may do with it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.messenger import BlockedError
from bot.domain.asker import Asker
from bot.domain.codes import code
from bot.domain.errors import GoneError, RequestError
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import queue
from bot.ui.commands import anywhere, command, group
from bot.ui.options import OPTIONS


class Queue(commands.Cog):
    """Shows the line of a server (in direct messages one's own), takes jobs out of it and holds it up."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        build = partial(command, limits=self.studio.limits, suggest=bot.suggest)
        self.order = anywhere(
            group(
                "queue",
                N_("Who waits, and for how long"),
                build("show", N_("Show who waits here"), self.show),
                build("cancel", N_("Cancel a job, yours or as a moderator"), self.cancel, [OPTIONS["job"]]),
                build("clear", N_("Cancel every waiting job of this server, as a moderator"), self.clear),
                build("pause", N_("Start none of this server's waiting jobs, as a moderator"), self.pause),
                build("resume", N_("Let this server's jobs go on, as a moderator"), self.resume),
            )
        )
        self._presses: dict[str, Callable[[Asker], Awaitable[object]]] = {
            queue.CANCEL: self.studio.cancelling.cancel_own,
            queue.PAUSE: self.studio.pausing.pause,
            queue.RESUME: self.studio.pausing.resume,
            queue.CLEAR: self.studio.cancelling.clear,
        }

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)
        self.bot.answers.press(queue.PREFIX, self._press)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show whose jobs run and wait, and for how long, and keep that true for some minutes."""
        asker = asker_of(interaction)
        card = await self.bot.panels.draw(asker)
        answer = await interaction.response.send_message(ephemeral=True, **card.send_fields())
        if answer.message_id is not None:
            self.bot.panels.watch(interaction, answer.message_id, asker, card)

    async def cancel(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Cancel the job of that code; without one, the asker's latest."""
        asker, typed = asker_of(interaction), values.get("job")
        if typed is not None:
            job = await self.studio.cancelling.cancel_named(typed, asker)
        else:
            job = await self.studio.cancelling.cancel(await self._latest(asker), asker)
        await _tell(interaction, say(N_("Cancelled job {code}."), asker.locale, code=code(job.id)))

    async def clear(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Cancel all that waits in this server; each job's message says so."""
        asker = asker_of(interaction)
        count = await self.studio.cancelling.clear(asker)
        await _tell(interaction, say(N_("Cancelled jobs: {count}."), asker.locale, count=count))

    async def pause(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Start nothing of this server any more; each waiting job's message says so."""
        asker = await _begin(interaction)
        await self.studio.pausing.pause(asker)
        await _tell(interaction, say(N_("Paused: what runs is finished, what waits is kept."), asker.locale))

    async def resume(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Let the jobs of this server go on."""
        asker = await _begin(interaction)
        await self.studio.pausing.resume(asker)
        await _tell(interaction, say(N_("The queue goes on."), asker.locale))

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Do what a button says and draw its panel anew."""
        name = custom_id.removeprefix(queue.PREFIX)
        act = self._presses.get(name)
        if act is None and name != queue.REFRESH:
            raise GoneError(N_("What this belongs to is no longer kept."), N_("See who waits: /queue show"))
        asker = asker_of(interaction, f"queue {name}")
        await interaction.response.defer()
        if act is not None:
            await act(asker)
        card = await self.bot.panels.draw(asker)
        try:
            message_id = await self.bot.messenger.answer(interaction, card)
        except BlockedError as blocked:
            raise RequestError(N_("Discord did not take the message."), N_("Try again in a moment.")) from blocked
        self.bot.panels.watch(interaction, message_id, asker, card)

    async def _latest(self, asker: Asker) -> int:
        own = await self.studio.jobs.waiting(guild=asker.payer, user=asker.user_id)
        if not own:
            raise RequestError(N_("You have nothing in line here."), N_("See who waits: /queue show"))
        return max(job.id for job in own)


async def _begin(interaction: discord.Interaction) -> Asker:
    """Return who asks; a moderator is answered at once, because a long line takes seconds."""
    asker = asker_of(interaction)
    if asker.moderates_server:
        await interaction.response.defer(ephemeral=True, thinking=True)
    return asker


async def _tell(interaction: discord.Interaction, text: str) -> None:
    embed = discord.Embed(description=text)
    if interaction.response.is_done():
        await interaction.edit_original_response(embed=embed)
    else:
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Queue(bot))
