"""Buttons, menus and modals on jobs' messages, found by their custom id: they outlive restarts."""

from collections.abc import Awaitable, Callable

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of, check_channel
from bot.domain.errors import GoneError
from bot.domain.job import Origin
from bot.domain.text import N_
from bot.services.orders import PENDING_IMAGE
from bot.tree import answer_error
from bot.ui import buttons, cards, modals
from bot.ui.buttons import Action, Press

SMALLER = 0.75
"""What "Smaller" scales the sides by: a bit over half the pixels."""

Handler = Callable[[discord.Interaction, Press], Awaitable[None]]


class Actions(commands.Cog):
    """What can be done with a job's message besides looking at it."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._presses: dict[Action, Handler] = {
            Action.CANCEL: self._cancel,
            Action.REROLL: self._reroll,
            Action.AGAIN: self._reroll,
            Action.SMALLER: self._smaller,
            Action.EDIT: self._edit,
            Action.REMIX: self._remix,
            Action.SETTINGS: self._settings,
            Action.DELETE: self._delete,
            Action.TAKE: self._take,
        }
        self._submits: dict[Action, Handler] = {Action.EDIT: self._edited, Action.REMIX: self._remixed}

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Send presses, choices and submitted modals to what they stand for."""
        handlers = {
            discord.InteractionType.component: self._presses,
            discord.InteractionType.modal_submit: self._submits,
        }.get(interaction.type)
        custom_id = buttons.custom_id(interaction)
        if handlers is None or custom_id.startswith(modals.PICTURE_FORM):
            return
        press = buttons.decode(custom_id)
        if press is None or press.action not in handlers:
            gone = GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /draw"))
            await answer_error(interaction, gone)
            return
        try:
            await handlers[press.action](interaction, press)
        except Exception as error:  # noqa: BLE001 - the error door tells known from unknown
            await answer_error(interaction, error)

    async def _cancel(self, interaction: discord.Interaction, press: Press) -> None:
        await self.studio.orders.cancel(press.job, asker_of(interaction))
        await interaction.response.defer()

    async def _reroll(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        parent = await self.studio.orders.seen(press.job, asker)
        await self.bot.desk.accept(interaction, await self.studio.orders.again(asker, parent))

    async def _smaller(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        parent = await self.studio.orders.seen(press.job, asker)
        draft = await self.studio.orders.again(asker, parent, same_seed=True, scale=SMALLER)
        await self.bot.desk.accept(interaction, draft)

    async def _edit(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        job = await self.studio.orders.seen(press.job, asker)
        await interaction.response.send_modal(modals.edit(job, asker.locale))

    async def _remix(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        job = await self.studio.orders.seen(press.job, asker)
        await interaction.response.send_modal(modals.remix(job, asker.locale))

    async def _edited(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        parent = await self.studio.orders.seen(press.job, asker)
        prompt, options = modals.edited(parent, modals.fields(interaction))
        draft = await self.studio.orders.draft(
            asker,
            prompt,
            options,
            origin=Origin.EDIT,
            parent=parent,
            init_image=parent.spec.request.init_image,
        )
        await self.bot.desk.accept(interaction, draft)

    async def _remixed(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        parent = await self.studio.orders.seen(press.job, asker)
        if parent.result is None:
            raise GoneError(N_("There is no picture to remix yet."), N_("Wait until it is painted."))
        # A form that was opened before pictures had numbers means the first.
        number = int(press.arg) if press.arg and press.arg.isdecimal() else 1
        number = min(max(number, 1), len(parent.result.pictures))
        blob, source = parent.result.pictures[number - 1].blob, None
        try:
            # Put again, so that it does not get too old while the job waits.
            await self.studio.blobs.put(await self.studio.blobs.get(blob))
        except GoneError:
            # Past the days that originals are kept, the message is the archive.
            source = cards.archived(interaction.message, parent, number)
            if source is None:
                raise
        prompt, options = modals.remixed(parent, modals.fields(interaction))
        draft = await self.studio.orders.draft(
            asker,
            prompt,
            options,
            origin=Origin.REMIX,
            parent=parent,
            init_image=PENDING_IMAGE if source else blob,
        )
        await self.bot.desk.accept(interaction, draft, source=source)

    async def _settings(self, interaction: discord.Interaction, press: Press) -> None:
        asker = asker_of(interaction)
        card = cards.settings(await self.studio.orders.seen(press.job, asker), asker.locale)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def _delete(self, interaction: discord.Interaction, press: Press) -> None:
        await self.studio.orders.owned(press.job, asker_of(interaction))
        await interaction.response.defer()
        await interaction.delete_original_response()

    async def _take(self, interaction: discord.Interaction, press: Press) -> None:
        check_channel(interaction)
        job = await self.studio.orders.seen(press.job, asker_of(interaction))
        choice = buttons.chosen(interaction)
        index = int(choice) - 1 if choice.isdecimal() else -1
        if job.result is None or not 0 <= index < len(job.result.pictures):
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        await self.studio.blobs.get(job.result.pictures[index].blob)
        await interaction.response.defer(thinking=True)
        await self.bot.courier.take(job, index, interaction)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Cancel the job of a status message that somebody deleted."""
        await self.studio.orders.withdraw(payload.message_id)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Actions(bot))
