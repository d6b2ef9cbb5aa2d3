"""``/explore``: the same picture over two parameters, in one labelled grid."""

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.completions import completions
from bot.delivery.places import is_private
from bot.delivery.showing import like
from bot.delivery.sources import attached, with_pictures
from bot.domain.asker import Asker
from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Job
from bot.domain.pending import Pending
from bot.domain.text import N_
from bot.ui import axes, buttons, explore
from bot.ui.axes import Axis
from bot.ui.commands import CHOICE_LENGTH, Complete, anywhere, command
from bot.ui.options import typed
from bot.ui.settings import Typed
from bot.ui.values import quoted

Choices = list[app_commands.Choice[str]]
MOST_CHOICES = 25
"""Most suggestions Discord takes (Discord docs, Application Commands)."""


class Explore(commands.Cog):
    """Reads two parameters off Discord and hands all cells to the desk; answers what is under the grid."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self._presses: dict[str, Callable[[discord.Interaction, Job], Awaitable[None]]] = {
            explore.TAKE: self.take,
            explore.AGAIN: self.again,
            explore.SETTINGS: self.settings,
        }
        own: dict[str, Complete] = {
            "across": self.suggest_names,
            "down": self.suggest_names,
            "across_values": self.suggest_values_across,
            "down_values": self.suggest_values_down,
        }
        self._command = command(
            "explore",
            N_("Paint the same picture over two parameters, in one grid"),
            self.explore,
            explore.EXPLORE,
            limits=bot.studio.limits,
            suggest=bot.suggest,
            required=explore.REQUIRED,
            completions={**completions(bot.studio, bot.suggest), **own},
        )

    async def cog_load(self) -> None:
        """Put the command into the tree."""
        self.bot.tree.add_command(anywhere(self._command))
        self.bot.answers.press(explore.PREFIX, self._press)

    async def explore(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Order a picture for every pair of values."""
        asker, given, sources = asker_of(interaction), typed(values), attached(values)
        plan = axes.plan(given, *(self._axis(name, values, given) for name in ("across", "down")))
        cells = tuple((prompt, with_pictures(options, sources)) for prompt, options in plan.cells)
        drafts = await self.studio.explorations.draft(
            asker,
            plan.of(cells),
            init_image=Pending.INIT if sources else None,
            preset=given.preset,
            like=await like(self.studio, interaction, given.like),
            private=is_private(interaction, given.private),
        )
        await self.bot.desk.explore(interaction, drafts, self.studio.explorations.queue, sources=sources)

    def _axis(self, name: str, values: dict[str, Any], given: Typed) -> Axis:
        parameter, text = values.get(name), values.get(f"{name}_values")
        if parameter is None and text is None:
            return Axis()
        if parameter is None or text is None:
            raise RequestError(
                N_("“{name}” and its values go together."), N_("Choose both, or leave both out."), name=name
            )
        return axes.axis(parameter, text, given, self.studio.explorations.draw_seed)

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        name, job_id = explore.pressed(custom_id)
        job = await self.studio.access.seen(job_id, asker_of(interaction))
        await self._presses[name](interaction, job)

    async def take(self, interaction: discord.Interaction, first: Job) -> None:
        """Post one cell as a result of its own."""
        chosen = buttons.chosen(interaction)
        asker = asker_of(interaction)
        cell = await self._cell(first, int(chosen) if chosen.isdecimal() else 0, asker)
        await self.studio.access.check_place(asker, cell)
        await self.bot.originals.find(cell, 1)
        await interaction.response.defer(thinking=True, ephemeral=first.address.ephemeral)
        message_id = await self.bot.courier.show(cell, interaction)
        await self.studio.gallery.show(message_id, cell.id, 0)

    async def again(self, interaction: discord.Interaction, first: Job) -> None:
        """Explore the same with other seeds."""
        drafts = await self.studio.explorations.again(asker_of(interaction), first)
        await self.bot.originals.renew(drafts[0].spec.order)
        await self.bot.desk.explore(interaction, drafts, self.studio.explorations.queue)

    async def settings(self, interaction: discord.Interaction, first: Job) -> None:
        """Show the command that explores the same."""
        sheet = first.spec.sheet
        cells = [] if sheet is None else await self.studio.jobs.sheet(sheet.key)
        card = explore.settings(cells or [first], asker_of(interaction).locale)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def suggest_names(self, _: discord.Interaction, current: str) -> Choices:
        """Offer what can be explored."""
        found = axes.names(current, self.studio.catalogue.offers)
        return [app_commands.Choice(name=name, value=name) for name in found[:MOST_CHOICES]]

    async def suggest_values_across(self, interaction: discord.Interaction, current: str) -> Choices:
        """Offer values of the parameter across."""
        return await self._suggest_values(interaction, "across", current)

    async def suggest_values_down(self, interaction: discord.Interaction, current: str) -> Choices:
        """Offer values of the parameter down."""
        return await self._suggest_values(interaction, "down", current)

    async def _suggest_values(self, interaction: discord.Interaction, option: str, current: str) -> Choices:
        setting = axes.SETTING_OF.get(str(getattr(interaction.namespace, option, "") or "").strip().lower())
        if setting is None:
            return []
        before, comma, last = current.rpartition(",")
        if setting.listing is None:
            found = [each for each in axes.examples(setting) if each.startswith(last.strip())]
        else:
            names = await self.bot.suggest(interaction, setting.listing, last.strip())
            found = [quoted(name, ",") for name in names]
        start = f"{before.strip()}, " if comma else ""
        # What was typed is offered too: a person has to be able to send it as it is.
        whole = dict.fromkeys([*([current.strip()] if current.strip() else []), *(start + each for each in found)])
        fitting = [value for value in whole if len(value) <= CHOICE_LENGTH]
        return [app_commands.Choice(name=value, value=value) for value in fitting[:MOST_CHOICES]]

    async def _cell(self, first: Job, cell_id: int, asker: Asker) -> Job:
        cell = await self.studio.access.seen(cell_id, asker) if cell_id else first
        sheets = (first.spec.sheet, cell.spec.sheet)
        if None in sheets or len({sheet.key for sheet in sheets if sheet}) > 1 or cell.result is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        return cell


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Explore(bot))
