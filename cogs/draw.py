"""``/draw``: how a picture is ordered."""

from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.completions import completions
from bot.delivery.memory import Memory
from bot.delivery.places import is_private
from bot.delivery.showing import like
from bot.delivery.sources import Source, attached, with_pictures
from bot.domain.permits import Command
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import buttons, modals
from bot.ui.commands import anywhere, command
from bot.ui.options import DRAW, OPTIONS, typed
from bot.ui.settings import Typed

FORM = f"{buttons.ELSEWHERE}draw:"
BARE = "0"
"""Stands in the form's id where no picture was attached: such a form outlives a restart."""
Sources = dict[str, Source]


class Draw(commands.Cog):
    """Reads an order off Discord, has it checked and hands it to the desk."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._attached: Memory[Sources] = Memory()
        self._command = command(
            "draw",
            N_("Paint a picture from words"),
            self.draw,
            [OPTIONS[name] for name in DRAW],
            limits=bot.studio.limits,
            suggest=bot.suggest,
            completions=completions(bot.studio, bot.suggest),
        )

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(anywhere(self._command))
        self.bot.answers.form(FORM, self._submitted)

    async def draw(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a picture from words; without any, ask for them in a form, which takes more than an option."""
        given, sources = typed(values), attached(values)
        if given.prompt or given.like:
            await self._order(interaction, given, sources)
            return
        asker = asker_of(interaction)
        await self.studio.access.check_commands(asker, Command.DRAW)
        key = BARE
        if sources:
            key = str(interaction.id)
            self._attached.keep(interaction.user.id, interaction.id, sources)
        locale = asker.locale
        await interaction.response.send_modal(
            modals.open_form(f"{FORM}{key}", say(N_("Draw"), locale), given, locale)
        )

    async def _submitted(self, interaction: discord.Interaction, custom_id: str) -> None:
        key = custom_id.removeprefix(FORM)
        sources = {} if key == BARE else self._attached.find(interaction.user.id, key)
        await self._order(interaction, modals.filled(modals.fields(interaction)), sources)

    async def _order(self, interaction: discord.Interaction, given: Typed, sources: Sources) -> None:
        draft = await self.studio.orders.draft(
            asker_of(interaction),
            given.prompt,
            with_pictures(given.options, sources),
            preset=given.preset,
            like=await like(self.studio, interaction, given.like),
            private=is_private(interaction, given.private),
        )
        await self.bot.originals.renew(draft.spec.order)
        await self.bot.desk.accept(interaction, draft, sources=sources)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Draw(bot))
