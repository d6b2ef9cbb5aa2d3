"""``/draw``, ``/remix`` and the message menu Remix: how a picture is ordered."""

from collections import OrderedDict
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.desk import check_source
from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Job, Origin
from bot.domain.options import Options
from bot.domain.text import N_
from bot.services.orders import PENDING_IMAGE
from bot.tree import answer_error
from bot.ui import buttons, cards, modals
from bot.ui.commands import anywhere, command
from bot.ui.options import DRAW, OPTIONS, REMIX, typed

REMEMBERED = 200
"""Pictures kept in mind between the menu and the submitted form."""


class Draw(commands.Cog):
    """Reads an order off Discord, has it checked and hands it to the desk."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._sources: OrderedDict[tuple[int, int], discord.Attachment] = OrderedDict()
        limits, suggest = bot.studio.limits, bot.studio.catalogue.suggest
        self._commands = (
            command(
                "draw",
                N_("Paint a picture from words"),
                self.draw,
                [OPTIONS[name] for name in DRAW],
                limits=limits,
                suggest=suggest,
                required=frozenset({"prompt"}),
            ),
            command(
                "remix",
                N_("Paint over a picture"),
                self.remix,
                [OPTIONS[name] for name in REMIX],
                limits=limits,
                suggest=suggest,
                required=frozenset({"image", "prompt"}),
            ),
            app_commands.ContextMenu(name=N_("Remix"), callback=self.remix_message),
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        for each in self._commands:
            self.bot.tree.add_command(anywhere(each))

    async def draw(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a picture from words."""
        prompt, options = typed(values)
        draft = await self.studio.orders.draft(asker_of(interaction), prompt, options)
        await self.bot.desk.accept(interaction, draft)

    async def remix(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a picture from another one."""
        prompt, options = typed(values)
        await self._remix(interaction, values["image"], prompt, options)

    async def remix_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Ask how the picture of a message is to be remixed; the form must be the first answer."""
        asker = asker_of(interaction)
        job, number = await self._shown(message)
        if job is not None:
            await self.studio.orders.seen(job.id, asker)
            if job.result is None:
                raise RequestError(N_("There is no picture to remix yet."), N_("Wait until it is painted."))
            await interaction.response.send_modal(modals.remix(job, asker.locale, max(1, number)))
            return
        source = next((file for file in message.attachments if _is_picture(file)), None)
        if source is None:
            raise RequestError(
                N_("That message has no picture attached."), N_("Choose one that has, or use /remix.")
            )
        # By person too: a form's id can be forged, and must not reach a picture that its sender cannot see.
        seen = (interaction.user.id, message.id)
        self._sources[seen] = source
        self._sources.move_to_end(seen)
        if len(self._sources) > REMEMBERED:
            self._sources.popitem(last=False)
        await interaction.response.send_modal(
            modals.remix_form(f"{modals.PICTURE_FORM}{message.id}", "", asker.locale)
        )

    async def _shown(self, message: discord.Message) -> tuple[Job | None, int]:
        """Return the job and the number of the picture that a message shows, if it is one of ours."""
        job = await self.studio.jobs.by_message(message.id)
        if job is None and message.author.id == self.bot.application_id:
            # An original that somebody took, or a result that came by direct message, is no job's own message.
            found = cards.shown(message)
            if found is not None:
                return await self.studio.jobs.get(found[0]), found[1]
        return job, 1

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Take the submitted form of the message menu."""
        custom_id = buttons.custom_id(interaction)
        message_id = custom_id.removeprefix(modals.PICTURE_FORM)
        if interaction.type is not discord.InteractionType.modal_submit or message_id == custom_id:
            return
        try:
            await self._remix_submitted(interaction, message_id)
        except Exception as error:  # noqa: BLE001 - the error door tells known from unknown
            await answer_error(interaction, error)

    async def _remix_submitted(self, interaction: discord.Interaction, message_id: str) -> None:
        seen = (interaction.user.id, int(message_id) if message_id.isdecimal() else 0)
        source = self._sources.get(seen)
        if source is None:
            raise GoneError(
                N_("I no longer remember which picture that was."),
                N_("Open the message's menu once more: Apps, then Remix."),
            )
        prompt, options = modals.remixed(None, modals.fields(interaction))
        await self._remix(interaction, source, prompt, options)

    async def _remix(
        self, interaction: discord.Interaction, source: discord.Attachment, prompt: str, options: Options
    ) -> None:
        check_source(source)
        draft = await self.studio.orders.draft(
            asker_of(interaction),
            prompt,
            # What was hidden stays hidden in everything made from it.
            replace(options, spoiler=True) if source.is_spoiler() else options,
            origin=Origin.REMIX,
            init_image=PENDING_IMAGE,
        )
        await self.bot.desk.accept(interaction, draft, source=source.url)


def _is_picture(file: discord.Attachment) -> bool:
    return (file.content_type or "").startswith("image/")


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Draw(bot))
