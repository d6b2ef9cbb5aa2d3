"""``/remix``: how a picture is made from another one."""

from dataclasses import replace
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.completions import completions
from bot.delivery.memory import Memory
from bot.delivery.places import is_private
from bot.delivery.showing import like
from bot.delivery.sources import Source, Wanted, attached, with_pictures
from bot.delivery.subjects import Subject, attached_or_last, linked
from bot.domain.asker import Asker
from bot.domain.errors import RequestError
from bot.domain.job import Job, Origin
from bot.domain.options import Options
from bot.domain.pending import Pending
from bot.domain.permits import Command
from bot.domain.text import N_
from bot.i18n import say
from bot.imaging import areas
from bot.imaging.areas import Area, Extension
from bot.ui import buttons, modals
from bot.ui.commands import anywhere, command
from bot.ui.options import OPTIONS, REMIX, typed
from bot.ui.settings import Typed

FORM = f"{buttons.ELSEWHERE}remixed:"
EXTENDING = 0.9
"""The strength that paints what lies beyond a picture: it begins with no more than colours."""


class Remix(commands.Cog):
    """Gathers the pictures of an order and hands it to the desk."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._command = command(
            "remix",
            N_("Paint over a picture: one you attach or link to, or your last one here"),
            self.remix,
            [OPTIONS[name] for name in REMIX],
            limits=bot.studio.limits,
            suggest=bot.suggest,
            completions=completions(bot.studio, bot.suggest),
        )
        self._wanted: Memory[Wanted] = Memory(N_("Use the command again: /remix"))

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(anywhere(self._command))
        self.bot.answers.form(FORM, self._submitted)

    async def remix(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a picture from another one; without words, ask for them in a form, which takes more."""
        asker, given = asker_of(interaction), typed(values)
        wanted: dict[str, Source | Area] = {**attached(values)}
        if link := await linked(self.studio, asker, values):
            wanted[Pending.INIT] = link
        if "area" in values:
            wanted[Pending.MASK] = _area(values["area"], wanted)
        if given.prompt or given.like:
            await self._order(interaction, given, wanted)
            return
        await self.studio.access.check_commands(asker, Command.REMIX)
        if Pending.INIT not in wanted:
            parent, _ = await self._source(asker, None)
            given = replace(given, prompt=parent.spec.request.prompt if parent else "")
        self._wanted.keep(asker.user_id, interaction.id, wanted)
        title = say(N_("Remix"), asker.locale)
        await interaction.response.send_modal(
            modals.open_form(f"{FORM}{interaction.id}", title, given, asker.locale)
        )

    async def _submitted(self, interaction: discord.Interaction, custom_id: str) -> None:
        wanted = self._wanted.find(interaction.user.id, custom_id.removeprefix(FORM))
        await self._order(interaction, modals.filled(modals.fields(interaction)), wanted)

    async def _order(self, interaction: discord.Interaction, given: Typed, given_pictures: Wanted) -> None:
        asker, wanted, parent = asker_of(interaction), {**given_pictures}, None
        liked = await like(self.studio, interaction, given.like)
        if Pending.INIT not in wanted:
            parent, wanted[Pending.INIT] = await self._source(asker, liked)
        draft = await self.studio.orders.draft(
            asker,
            given.prompt,
            with_pictures(_extending(given.options, wanted), wanted),
            origin=Origin.REMIX,
            parent=parent,
            init_image=Pending.INIT,
            preset=given.preset,
            like=liked,
            private=is_private(interaction, given.private),
        )
        await self.bot.desk.accept(interaction, draft, sources=wanted)

    async def _source(self, asker: Asker, like: Job | None) -> tuple[Job | None, Source]:
        """Return what ``like`` was itself made from, or else its result; without it the last one made here."""
        if like is not None and like.spec.request.init_image is not None:
            return None, Source(blob=like.spec.request.init_image, spoiler=like.spec.spoiler)
        subject = Subject(like) if like is not None else await attached_or_last(self.studio, asker, None)
        if subject.picture is None:
            raise RequestError(N_("There is no picture to remix yet."), N_("Wait until it is painted."))
        return subject.job, Source(blob=subject.picture.blob, job=subject.job, number=subject.number)


def _area(words: str, wanted: Wanted) -> Area:
    if Pending.MASK in wanted:
        raise RequestError(
            N_("A mask and an area both say what is painted."), N_("Leave one of the two out and ask again.")
        )
    return areas.read(words)


def _extending(options: Options, wanted: Wanted) -> Options:
    if options.strength is None and isinstance(wanted.get(Pending.MASK), Extension):
        return replace(options, strength=EXTENDING)
    return options


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Remix(bot))
