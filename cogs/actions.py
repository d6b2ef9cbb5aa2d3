"""Buttons, menus and modals on jobs' messages, found by their custom id: they outlive restarts."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of, had_it_sent
from bot.delivery.showing import like
from bot.domain.errors import GoneError
from bot.domain.job import Job, Origin
from bot.domain.permits import Command, needed
from bot.domain.text import N_
from bot.services.drafts import Draft
from bot.ui import buttons, cards, modals
from bot.ui.buttons import Action, Handler, Press

SMALLER = 0.75
"""What "Smaller" scales the sides by: a bit over half the pixels."""


class Actions(commands.Cog):
    """Finds who answers a press, and answers what can be done with any job."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio

    async def cog_load(self) -> None:
        """Take over the buttons, the menus and the forms."""
        self.bot.presses |= {
            Action.CANCEL: self.cancel,
            Action.REROLL: self.reroll,
            Action.AGAIN: self.reroll,
            Action.SMALLER: self.smaller,
            Action.EDIT: self.edit,
            Action.REMIX: self.remix,
            Action.SETTINGS: self.settings,
            Action.DELETE: self.delete,
            Action.TAKE: self.pick,
            Action.MORE: self.pick,
        }
        self.bot.submits |= {Action.EDIT: self.edited, Action.REMIX: self.remixed}
        self.bot.answers.press(buttons.OF_JOBS, self._press)
        self.bot.answers.form(buttons.OF_JOBS, self._submit)

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        await self._do(self.bot.presses, interaction, custom_id)

    async def _submit(self, interaction: discord.Interaction, custom_id: str) -> None:
        await self._do(self.bot.submits, interaction, custom_id)

    async def _do(
        self, handlers: Mapping[Action, Handler], interaction: discord.Interaction, custom_id: str
    ) -> None:
        press = buttons.decode(custom_id)
        if press is None or press.action not in handlers:
            raise GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /draw"))
        await handlers[press.action](interaction, press)

    async def pick(self, interaction: discord.Interaction, press: Press) -> None:
        """Do what was chosen from a menu."""
        picked = buttons.picked(press, buttons.chosen(interaction))
        if picked is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        await self.bot.presses[picked.action](interaction, picked)

    async def cancel(self, interaction: discord.Interaction, press: Press) -> None:
        """Take a job out of the line, or stop it."""
        await self.studio.cancelling.cancel(press.job, asker_of(interaction))
        await interaction.response.defer()

    async def reroll(self, interaction: discord.Interaction, press: Press) -> None:
        """Order the same with another seed."""
        asker = asker_of(interaction)
        parent = await self.studio.access.seen(press.job, asker)
        await self._accept(interaction, await self.studio.orders.again(asker, parent))

    async def smaller(self, interaction: discord.Interaction, press: Press) -> None:
        """Order the same at a smaller size."""
        asker = asker_of(interaction)
        parent = await self.studio.access.seen(press.job, asker)
        await self._accept(
            interaction, await self.studio.orders.again(asker, parent, same_seed=True, scale=SMALLER)
        )

    async def edit(self, interaction: discord.Interaction, press: Press) -> None:
        """Open the form that changes anything."""
        asker, job = asker_of(interaction), await self._followed(interaction, press)
        await self.studio.access.check_commands(asker, *needed(Origin.EDIT, job.spec.request))
        await interaction.response.send_modal(modals.edit(job, asker.locale))

    async def remix(self, interaction: discord.Interaction, press: Press) -> None:
        """Open the form that paints over a picture."""
        asker, job = asker_of(interaction), await self._followed(interaction, press)
        await self.studio.access.check_commands(asker, Command.REMIX)
        await interaction.response.send_modal(modals.remix(job, asker.locale, press.number))

    async def edited(self, interaction: discord.Interaction, press: Press) -> None:
        """Order what the form was changed to."""
        asker, parent = asker_of(interaction), await self._followed(interaction, press)
        given = modals.edited(parent, modals.fields(interaction))
        draft = await self.studio.orders.draft(
            asker,
            given.prompt,
            given.options,
            origin=Origin.EDIT,
            parent=parent,
            init_image=parent.spec.request.init_image,
            preset=given.preset,
            like=await like(self.studio, interaction, given.like),
            private=bool(given.private),
        )
        await self._accept(interaction, draft)

    async def remixed(self, interaction: discord.Interaction, press: Press) -> None:
        """Order a picture painted over one of the job's."""
        asker, parent = asker_of(interaction), await self._followed(interaction, press)
        if parent.result is None:
            raise GoneError(N_("There is no picture to remix yet."), N_("Wait until it is painted."))
        found = await self.bot.originals.find(parent, press.number, interaction.message)
        prompt, options = modals.remixed(parent, modals.fields(interaction))
        draft = await self.studio.orders.draft(
            asker, prompt, options, origin=Origin.REMIX, parent=parent, init_image=found.image
        )
        draft = replace(draft, spec=replace(draft.spec, parent_picture=press.number))
        await self.bot.desk.accept(interaction, draft, sources=found.sources)

    async def settings(self, interaction: discord.Interaction, press: Press) -> None:
        """Show the command that paints the same."""
        asker = asker_of(interaction)
        card = cards.settings(await self.studio.access.seen(press.job, asker), asker.locale)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def delete(self, interaction: discord.Interaction, press: Press) -> None:
        """Take the message away, for its owner, for whoever had it sent, or for a moderator."""
        asker = asker_of(interaction)
        await self.studio.access.seen(press.job, asker)
        if not had_it_sent(interaction.message, asker):
            await self.studio.access.owned(press.job, asker)
        await interaction.response.defer()
        with suppress(discord.NotFound):  # somebody was faster
            await interaction.delete_original_response()

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Cancel the job of a status message that somebody deleted."""
        await self.studio.cancelling.withdraw(payload.message_id)
        await self.studio.gallery.hide(payload.message_id)

    async def _followed(self, interaction: discord.Interaction, press: Press) -> Job:
        asker = asker_of(interaction)
        job = await self.studio.access.seen(press.job, asker)
        await self.studio.access.check_follows(asker, job)
        return job

    async def _accept(self, interaction: discord.Interaction, draft: Draft) -> None:
        """Queue an order whose pictures are all kept already; raises ``GoneError`` if one is not any more."""
        await self.bot.originals.renew(draft.spec.order)
        await self.bot.desk.accept(interaction, draft)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Actions(bot))
