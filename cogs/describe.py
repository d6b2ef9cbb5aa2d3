"""``/describe`` and what can be pressed under its answers."""

import asyncio
from dataclasses import replace
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.describing import describe
from bot.delivery.places import is_private
from bot.delivery.showing import like
from bot.delivery.subjects import meant
from bot.domain.capability import Listing
from bot.domain.errors import GoneError
from bot.domain.request import DescribeRequest
from bot.domain.text import N_
from bot.imaging import carried
from bot.ui import modals, work
from bot.ui.commands import anywhere, command
from bot.ui.options import WORK


class Describe(commands.Cog):
    """Says what is on a picture, or how it was painted."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._presses = {"draw": self._draw, "words": self._words, "caption": self._caption}
        self._command = command(
            "describe",
            N_("Tell how a picture was painted, or what is on it"),
            self.describe,
            WORK["describe"],
            limits=bot.studio.limits,
            suggest=bot.suggest,
        )

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(anywhere(self._command))
        self.bot.answers.press(work.PREFIX, self._press)
        self.bot.answers.form(work.PREFIX, self._paint)

    async def describe(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Describe what was attached or linked to, or one's last picture here."""
        model = values.get("model")
        self.studio.catalogue.check_name(Listing.INTERROGATORS, "model", model)
        subject = await meant(self.studio, asker_of(interaction), values)
        private = is_private(interaction, values.get("private"))
        await describe(self.bot.desk, self.studio, interaction, subject, model=model, private=private)

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        name, on, spoiler = work.pressed(custom_id)
        await self._presses.get(name, self._gone)(interaction, on, spoiler)

    async def _draw(self, interaction: discord.Interaction, blob: str, spoiler: bool) -> None:
        """Open the form with what a picture told of itself; the picture is still there."""
        told = await asyncio.to_thread(carried.read, await self.studio.blobs.get(blob))
        if told.recipe is None:
            raise _gone()
        form = work.draw_form(told.recipe, asker_of(interaction).locale, spoiler=spoiler)
        await interaction.response.send_modal(form)

    async def _words(self, interaction: discord.Interaction, blob: str, spoiler: bool) -> None:
        """Have a backend describe a picture that told its recipe."""
        await self.studio.blobs.get(blob)
        draft = await self.studio.orders.work(
            asker_of(interaction), DescribeRequest(blob), spoiler=spoiler, private=_in_private(interaction)
        )
        await self.bot.desk.accept(interaction, draft)

    async def _caption(self, interaction: discord.Interaction, number: str, _: bool) -> None:
        """Open the form with the words that a picture was described by."""
        asker = asker_of(interaction)
        job = await self.studio.access.seen(int(number) if number.isdecimal() else 0, asker)
        if job.result is None or not job.result.caption:
            raise _gone()
        usual = await self.studio.preferences.effective(asker)
        request = usual.options.request(job.result.caption, seed=0)
        form = work.draw_form(request, asker.locale, seed=False, spoiler=job.spec.spoiler)
        await interaction.response.send_modal(form)

    async def _gone(self, *_: object) -> None:
        raise _gone()

    async def _paint(self, interaction: discord.Interaction, custom_id: str) -> None:
        given = modals.submitted(modals.fields(interaction))
        *_, spoiler = work.pressed(custom_id)
        draft = await self.studio.orders.draft(
            asker_of(interaction),
            given.prompt,
            replace(given.options, spoiler=spoiler or given.options.spoiler),
            preset=given.preset,
            like=await like(self.studio, interaction, given.like),
            private=bool(given.private) or _in_private(interaction),
        )
        await self.bot.desk.accept(interaction, draft)


def _in_private(interaction: discord.Interaction) -> bool:
    """Return whether the message under which that was pressed is seen by one person alone."""
    return interaction.message is not None and interaction.message.flags.ephemeral


def _gone() -> GoneError:
    return GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /describe"))


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Describe(bot))
