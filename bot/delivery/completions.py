"""Suggestions that depend on more than a list of names: sizes, jobs to paint like, and settings lines."""

from collections.abc import Iterable, Mapping

import discord
from discord import app_commands

from bot.delivery.asking import asker_of
from bot.domain.capability import Listing
from bot.domain.codes import code
from bot.domain.options import Shape
from bot.domain.searching import CHOICES
from bot.domain.text import N_
from bot.i18n import say
from bot.services.studio import Studio
from bot.ui import settings_line
from bot.ui.commands import CHOICE_LENGTH, Complete, Suggest
from bot.ui.settings import BY_NAME, SETTINGS, Setting
from bot.ui.values import SEPARATOR, quoted
from bot.ui.words import cut, one_line

Choices = list[app_commands.Choice[str]]
_SHAPES = {
    Shape.SQUARE: N_("Square"),
    Shape.PORTRAIT: N_("Portrait"),
    Shape.LANDSCAPE: N_("Landscape"),
    Shape.TALL: N_("Tall"),
    Shape.WIDE: N_("Wide"),
}
_KEPT = frozenset({Listing.PRESETS, Listing.STYLES})
"""Lists of what people keep by name: they may have something where no backend has."""


def completions(studio: Studio, suggest: Suggest) -> Mapping[str, Complete]:
    """Return what completes the options ``size``, ``like`` and ``more``."""
    own = Completions(studio, suggest)
    return {"size": own.size, "like": own.like, "more": own.more}


class Completions:
    """Answers from memory, or with one fast read."""

    def __init__(self, studio: Studio, suggest: Suggest) -> None:
        self._studio = studio
        self._suggest = suggest

    async def size(self, interaction: discord.Interaction, current: str) -> Choices:
        """Offer the shapes, with the size that each has for the model that was typed so far."""
        asker = asker_of(interaction)
        model = getattr(interaction.namespace, "model", None) or None
        width, height = await self._studio.orders.usual_size(asker, model)
        found = []
        for shape, words in _SHAPES.items():
            sides = "×".join(map(str, shape.size(width * height)))
            name = f"{say(words, asker.locale)} {shape.value} · {sides}"
            if current.casefold() in name.casefold():
                found.append(app_commands.Choice(name=name, value=shape.value))
        return found

    async def like(self, interaction: discord.Interaction, current: str) -> Choices:
        """Offer one's own latest pictures: their code and the first words of their prompt."""
        found = await self._studio.gallery.latest(interaction.user.id)
        named = {code(job.id): f"{code(job.id)} · {one_line(job.spec.request.prompt)}" for job in found}
        return _choices((name, value) for value, name in named.items() if current.casefold() in name.casefold())

    async def more(self, interaction: discord.Interaction, current: str) -> Choices:
        """Offer names, then what may follow the name that was typed."""
        at = max(current.rfind("·"), current.rfind(";")) + 1
        done, last = current[:at].strip(" ·;"), current[at:].strip()
        before = f"{done}{SEPARATOR}" if done else ""
        name, text = settings_line.split(last)
        setting = BY_NAME.get(name.lower())
        offered: list[str] = []
        if setting is not None and self._is_there(setting):
            offered += [f"{setting.name} {value}" for value in await self._values(interaction, setting, text)]
        if not text:
            names = [each.name for each in SETTINGS if self._is_there(each)]
            offered += [each for each in names if name.lower() in each and each != name.lower()]
        return _choices((f"{before}{each}", f"{before}{each}") for each in offered)

    async def _values(self, interaction: discord.Interaction, setting: Setting, text: str) -> list[str]:
        if setting.listing is not None:
            names = await self._suggest(interaction, setting.listing, text)
            return [quoted(name, "," if setting.raw else "") for name in names]
        if setting.known:
            return [value for value in setting.known if value.startswith(text.lower())]
        return [text] if text else []

    def _is_there(self, setting: Setting) -> bool:
        catalogue = self._studio.catalogue
        if setting.feature is not None and not catalogue.offers(setting.feature):
            return False
        return setting.listing is None or setting.listing in _KEPT or bool(catalogue.names(setting.listing))


def _choices(found: Iterable[tuple[str, str]]) -> Choices:
    # A longer value cannot be a choice at all, and a cut one would mean something else.
    fitting = [(name, value) for name, value in found if len(value) <= CHOICE_LENGTH]
    return [app_commands.Choice(name=cut(name, CHOICE_LENGTH), value=value) for name, value in fitting[:CHOICES]]
