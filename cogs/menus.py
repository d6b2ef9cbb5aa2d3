"""The menus on any message: Remix, Upscale, Describe, Show settings, Cancel or delete."""

from contextlib import suppress

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of, had_it_sent
from bot.delivery.describing import describe
from bot.delivery.memory import Memory
from bot.delivery.places import is_private
from bot.delivery.sources import Source, Wanted, check_files, with_pictures
from bot.delivery.subjects import Subject, drafted, is_grid, job_shown, shown
from bot.domain.errors import RequestError
from bot.domain.job import Job, Origin
from bot.domain.pending import Pending
from bot.domain.permits import Command
from bot.domain.text import N_
from bot.i18n import say
from bot.services.work_orders import upscaling
from bot.ui import cards, explore, modals
from bot.ui.commands import anywhere


class Menus(commands.Cog):
    """Does with the picture of a message what the buttons do with those of jobs."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._files: Memory[discord.Attachment] = Memory(
            N_("Open the message's menu once more: Apps, then Remix.")
        )
        self._menus = (
            app_commands.ContextMenu(name=N_("Remix"), callback=self.remix),
            app_commands.ContextMenu(name=N_("Upscale"), callback=self.upscale),
            app_commands.ContextMenu(name=N_("Describe"), callback=self.describe),
            app_commands.ContextMenu(name=N_("Show settings"), callback=self.settings),
            app_commands.ContextMenu(name=N_("Cancel or delete"), callback=self.remove),
        )

    async def cog_load(self) -> None:
        """Put the menus into the tree."""
        for each in self._menus:
            self.bot.tree.add_command(anywhere(each))
        self.bot.answers.form(modals.PICTURE_FORM, self._remix_submitted)

    async def remix(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Ask how the picture is to be remixed; the form must be the first answer."""
        asker = asker_of(interaction)
        await self.studio.access.check_commands(asker, Command.REMIX)
        subject = await shown(self.studio, asker, message, self.bot.application_id)
        if subject.job is not None:
            await self.studio.access.check_follows(asker, subject.job)
            await interaction.response.send_modal(modals.remix(subject.job, asker.locale, subject.number))
            return
        if subject.file is not None:
            self._files.keep(interaction.user.id, message.id, subject.file)
        await interaction.response.send_modal(
            modals.remix_form(f"{modals.PICTURE_FORM}{message.id}", "", asker.locale)
        )

    async def upscale(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Order a larger copy of the picture."""
        asker = asker_of(interaction)
        subject = await shown(self.studio, asker, message, self.bot.application_id)
        work, private = upscaling(self.studio.catalogue), _is_private(interaction, subject)
        draft, sources = await drafted(self.studio, asker, work, subject, private=private)
        await self.bot.desk.accept(interaction, draft, sources=sources)

    async def describe(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell how the picture was painted, or have it described."""
        subject = await shown(self.studio, asker_of(interaction), message, self.bot.application_id)
        private = _is_private(interaction, subject)
        await describe(self.bot.desk, self.studio, interaction, subject, private=private)

    async def settings(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Show the command that paints the picture again."""
        asker = asker_of(interaction)
        job = await self.studio.access.seen((await self._own(message)).id, asker)
        card = cards.settings(job, asker.locale)
        if job.spec.sheet is not None and is_grid(job, message.id):
            card = explore.settings(await self.studio.jobs.sheet(job.spec.sheet.key), asker.locale)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def remove(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Cancel the job of a message, or take the message away if it is finished."""
        asker = asker_of(interaction)
        job = await self._own(message)
        if not had_it_sent(message, asker):
            await self.studio.access.owned(job.id, asker)
        if job.address.message_id == message.id and not job.state.ended:
            await self.studio.cancelling.cancel(job.id, asker)
            await interaction.response.send_message(embed=_said(N_("Cancelled."), asker.locale), ephemeral=True)
            return
        await interaction.response.defer(thinking=True, ephemeral=True)
        with suppress(discord.NotFound):
            await message.delete()
        await interaction.edit_original_response(embed=_said(N_("Deleted."), asker.locale))

    async def _own(self, message: discord.Message) -> Job:
        found = await job_shown(self.studio, message, self.bot.application_id)
        if found is None:
            raise RequestError(N_("That message shows no picture of mine."), N_("Choose one that I have painted."))
        return found[0]

    async def _remix_submitted(self, interaction: discord.Interaction, custom_id: str) -> None:
        file = self._files.find(interaction.user.id, custom_id.removeprefix(modals.PICTURE_FORM))
        check_files([(Pending.INIT, file)])
        wanted: Wanted = {Pending.INIT: Source.attached(file)}
        prompt, options = modals.remixed(None, modals.fields(interaction))
        draft = await self.studio.orders.draft(
            asker_of(interaction),
            prompt,
            with_pictures(options, wanted),
            origin=Origin.REMIX,
            init_image=Pending.INIT,
            private=is_private(interaction, None),
        )
        await self.bot.desk.accept(interaction, draft, sources=wanted)


def _is_private(interaction: discord.Interaction, subject: Subject) -> bool:
    """Return whether what is made of a picture is its asker's alone: of a result it is as that was."""
    return subject.job is None and is_private(interaction, None)


def _said(text: str, locale: str) -> discord.Embed:
    return discord.Embed(description=say(text, locale))


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Menus(bot))
