"""``/history`` and ``/show``: one's own pictures again, and one of them with living buttons."""

from contextlib import suppress
from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.completions import Completions
from bot.delivery.showing import check_showable, may_be_public
from bot.domain.errors import GoneError, RequestError
from bot.domain.gallery import Search
from bot.domain.job import Job
from bot.domain.text import N_
from bot.ui import buttons, history
from bot.ui.card import Attachment
from bot.ui.cards import FROM_ELSEWHERE
from bot.ui.commands import anywhere, command


class History(commands.Cog):
    """Finds people's own pictures and shows them again."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        build = partial(command, limits=self.studio.limits, suggest=bot.suggest)
        self.orders = (
            anywhere(build("history", N_("Find your pictures again"), self.history, history.SEARCH)),
            anywhere(
                build(
                    "show",
                    N_("Show a picture again"),
                    self.show,
                    history.SHOW,
                    required=frozenset({"id"}),
                    completions={"id": Completions(self.studio, bot.suggest).like},
                )
            ),
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        for order in self.orders:
            self.bot.tree.add_command(order)
        self.bot.answers.press(history.PREFIX, self._press)

    async def history(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show the first page of what was searched for."""
        wanted = history.search(values, asker_of(interaction), self.studio.clock())
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._turn(interaction, wanted, 0)

    async def show(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Post the picture of that code again."""
        job = await self.studio.access.named(values["id"], asker_of(interaction))
        await self._post(interaction, job, private=bool(values.get("private")))

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Cancel and forget what the messages showed that a moderator purged, as if they were deleted singly."""
        for message_id in payload.message_ids:
            await self.studio.cancelling.withdraw(message_id)
            await self.studio.gallery.hide(message_id)

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        asker = asker_of(interaction)
        name = custom_id.removeprefix(history.PREFIX).partition(":")[0]
        if name == "show":
            await self._post(interaction, await self.studio.access.seen(_chosen(interaction), asker))
            return
        asked = history.asked(interaction.message, asker)
        if asked is None:
            raise GoneError(N_("This page is no longer kept."), N_("Search again: /history"))
        wanted, number = asked
        if name == "mark":
            job = await self.studio.access.seen(_chosen(interaction), asker)
            await self.studio.gallery.favour(asker.user_id, job.id)
        await interaction.response.defer()
        await self._turn(interaction, wanted, number + {"back": -1, "next": 1}.get(name, 0))

    async def _turn(self, interaction: discord.Interaction, wanted: Search, number: int) -> None:
        """Turn the answer of ``interaction`` into page ``number`` (from 0), or the nearest there is."""
        asker = asker_of(interaction)
        locale = asker.locale
        number, found = await self.studio.gallery.page(wanted, max(0, number))
        if not found.jobs:
            await self.bot.messenger.answer(interaction, history.nothing(wanted, locale))
            return
        notes = {job.id: history.HIDDEN_SPOILER for job in found.jobs if job.spec.spoiler}
        adult = (await self.studio.preferences.effective(asker)).adult
        notes |= {job.id: history.HIDDEN_AGE for job in found.jobs if job.spec.adult and not adult}
        sheet, gone = await self.studio.gallery.sheet(found.jobs, notes)
        notes |= {job.id: history.gone(job) for job in found.jobs if job.id in gone}
        picture = Attachment(f"easel-history.{sheet.ext}", sheet.data, history.alt_text(found, locale))
        card = history.page(history.Page(wanted, number, found, notes), picture, locale)
        await self.bot.messenger.answer(interaction, card)

    async def _post(self, interaction: discord.Interaction, job: Job, *, private: bool = False) -> None:
        check_showable(interaction, job)
        asker = asker_of(interaction)
        await self.studio.access.check_place(asker, job)
        public = not private and may_be_public(interaction, job)
        elsewhere = public and not await self.studio.access.may_repost(asker, job)
        public, notes = public and not elsewhere, (FROM_ELSEWHERE,) if elsewhere else ()
        await interaction.response.defer(ephemeral=not public, thinking=True)
        try:
            message_id = await self.bot.courier.show(job, interaction, notes)
        except GoneError:
            message_id = await self._show_archived(interaction, job, notes)
        if public:
            await self.studio.gallery.show(message_id, job.id, 0)

    async def _show_archived(self, interaction: discord.Interaction, job: Job, notes: tuple[str, ...]) -> int:
        """Show what is past its days as its message has it, or where that is."""
        url = await self.bot.messenger.archived(job, 1)
        only = job.result is not None and len(job.result.pictures) == 1
        with suppress(RequestError):
            if url is not None and only and await self.bot.originals.restore(job, url):
                return await self.bot.courier.show(job, interaction, notes)
        if history.link(job) is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        card = history.only_in_message(job, asker_of(interaction).locale)
        return await self.bot.messenger.answer(interaction, card)


def _chosen(interaction: discord.Interaction) -> int:
    choice = buttons.chosen(interaction)
    return int(choice) if choice.isdecimal() else 0


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(History(bot))
