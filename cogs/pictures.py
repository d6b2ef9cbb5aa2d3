"""What the menus under a result do with one of its pictures: vary, enlarge, cut out, send, mark."""

from contextlib import suppress

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of, check_channel
from bot.delivery.describing import describe
from bot.delivery.originals import Original
from bot.delivery.sources import Wanted
from bot.delivery.subjects import Subject, drafted
from bot.domain.capability import Feature
from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Job
from bot.domain.pending import Pending
from bot.domain.request import CutoutRequest, Work
from bot.domain.text import N_
from bot.i18n import say
from bot.services.work_orders import upscaling
from bot.ui.buttons import Action, Press
from bot.ui.cards import FROM_ELSEWHERE


class Pictures(commands.Cog):
    """Answers for finished pictures; a press without a number means the first."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio

    async def cog_load(self) -> None:
        """Take over the choices of the menus."""
        self.bot.presses |= {
            Action.SEND: self.send,
            Action.VARY: self.vary,
            Action.UPSCALE: self.upscale,
            Action.CUTOUT: self.cutout,
            Action.DESCRIBE: self.describe,
            Action.FAVOURITE: self.favourite,
            Action.DM: self.direct,
            Action.ORIGINAL: self.original,
        }

    async def send(self, interaction: discord.Interaction, press: Press) -> None:
        """Post one picture of several by itself."""
        job = await self._showable(interaction, press)
        elsewhere = not await self.studio.access.may_repost(asker_of(interaction), job)
        private = elsewhere or job.address.ephemeral
        if not private:
            check_channel(interaction)
        await self.bot.originals.find(job, press.number)
        answer = await interaction.response.defer(thinking=True, ephemeral=private)
        if answer is not None and answer.message_id is not None:
            await self.studio.gallery.show(answer.message_id, job.id, press.number)
        notes = (FROM_ELSEWHERE,) if elsewhere else ()
        await self.bot.courier.take(job, press.number - 1, interaction, notes)

    async def vary(self, interaction: discord.Interaction, press: Press) -> None:
        """Order a picture that is like this one."""
        asker = asker_of(interaction)
        job = await self._finished(interaction, press)
        found: Original | None = None
        with suppress(GoneError):  # a server that mixes seeds needs no picture
            found = await self.bot.originals.find(job, press.number, interaction.message)
        blob = found.image if found else None
        draft = await self.studio.orders.vary(asker, job, press.number, blob=blob)
        needs_it = draft.spec.request.init_image == Pending.INIT
        sources: Wanted = found.sources if found and needs_it else {}
        await self.bot.originals.renew(draft.spec.order)
        await self.bot.desk.accept(interaction, draft, sources=sources)

    async def upscale(self, interaction: discord.Interaction, press: Press) -> None:
        """Order a larger copy."""
        await self._work(interaction, press, upscaling(self.studio.catalogue))

    async def cutout(self, interaction: discord.Interaction, press: Press) -> None:
        """Order a copy without its background."""
        self.studio.catalogue.check_offers(Feature.CUTOUT)
        await self._work(interaction, press, CutoutRequest(""))

    async def describe(self, interaction: discord.Interaction, press: Press) -> None:
        """Tell how the picture was painted, or have it described."""
        job = await self._finished(interaction, press)
        await describe(self.bot.desk, self.studio, interaction, Subject(job, press.number, interaction.message))

    async def favourite(self, interaction: discord.Interaction, press: Press) -> None:
        """Keep a result among the person's favourites, or no longer."""
        job = await self._finished(interaction, press)
        kept = await self.studio.gallery.favour(interaction.user.id, job.id)
        text = N_("Kept among your favourites.") if kept else N_("No longer among your favourites.")
        await interaction.response.send_message(embed=_said(interaction, text), ephemeral=True)

    async def direct(self, interaction: discord.Interaction, press: Press) -> None:
        """Send the pictures to the person's direct messages."""
        job = await self._finished(interaction, press)
        await interaction.response.defer(ephemeral=True, thinking=True)
        number = press.number if press.arg else 0
        for message_id in await self.bot.handout.direct(interaction.user.id, job, number, interaction.message):
            await self.studio.gallery.show(message_id, job.id, number)
        await interaction.edit_original_response(embed=_said(interaction, N_("Sent to your direct messages.")))

    async def original(self, interaction: discord.Interaction, press: Press) -> None:
        """Give the file as it was painted, in private."""
        job = await self._showable(interaction, press)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self.bot.handout.original(interaction, job, press.number)

    async def _work(self, interaction: discord.Interaction, press: Press, work: Work) -> None:
        asker, job = asker_of(interaction), await self._finished(interaction, press)
        subject = Subject(job, press.number, interaction.message)
        draft, sources = await drafted(self.studio, asker, work, subject)
        await self.bot.desk.accept(interaction, draft, sources=sources)

    async def _finished(self, interaction: discord.Interaction, press: Press) -> Job:
        job = await self.studio.access.seen(press.job, asker_of(interaction))
        if job.result is None:
            raise RequestError(N_("There is no picture there yet."), N_("Wait until it is painted."))
        return job

    async def _showable(self, interaction: discord.Interaction, press: Press) -> Job:
        job = await self._finished(interaction, press)
        await self.studio.access.check_place(asker_of(interaction), job)
        return job


def _said(interaction: discord.Interaction, text: str) -> discord.Embed:
    return discord.Embed(description=say(text, asker_of(interaction).locale))


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Pictures(bot))
