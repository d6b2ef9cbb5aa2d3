"""``/upscale`` and ``/cutout``: a finished picture made larger, or freed from its background."""

from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.places import is_private
from bot.delivery.subjects import drafted, meant
from bot.domain.capability import Feature, Listing
from bot.domain.request import CutoutRequest, Work
from bot.domain.text import N_
from bot.services.work_orders import upscaling
from bot.ui.commands import anywhere, command
from bot.ui.options import WORK


class Upscale(commands.Cog):
    """Reads what is to be done with which picture and hands it to the desk."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        limits, suggest = bot.studio.limits, bot.suggest
        self._commands = (
            command(
                "upscale",
                N_("Make a picture larger"),
                self.upscale,
                WORK["upscale"],
                limits=limits,
                suggest=suggest,
            ),
            command(
                "cutout",
                N_("Take the background away from a picture"),
                self.cutout,
                WORK["cutout"],
                limits=limits,
                suggest=suggest,
            ),
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        for each in self._commands:
            self.bot.tree.add_command(anywhere(each))

    async def upscale(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a larger copy."""
        chosen = {name: values.get(name) for name in ("upscaler", "scale", "second", "second_share", "face_fix")}
        await self._order(interaction, upscaling(self.studio.catalogue, **chosen), values)

    async def cutout(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a picture without its background."""
        catalogue = self.studio.catalogue
        catalogue.check_offers(Feature.CUTOUT)
        catalogue.check_name(Listing.CUTTERS, "model", values.get("model"))
        await self._order(interaction, CutoutRequest("", values.get("model")), values)

    async def _order(self, interaction: discord.Interaction, work: Work, values: dict[str, Any]) -> None:
        asker = asker_of(interaction)
        subject = await meant(self.studio, asker, values)
        private = is_private(interaction, values.get("private"))
        draft, sources = await drafted(self.studio, asker, work, subject, private=private)
        await self.bot.desk.accept(interaction, draft, sources=sources)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Upscale(bot))
