"""``/model``: which models there are, which one is used when none is asked for, and which a server allows."""

from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.errors import RequestError
from bot.domain.options import Options
from bot.domain.snippets import ModelCard
from bot.domain.text import N_
from bot.i18n import say
from bot.services.preferences import Scope
from bot.ui import library, models
from bot.ui.card import Card
from bot.ui.commands import anywhere, command, group


class Model(commands.Cog):
    """Shows the models, sets which one is whose default, and keeps what a server says of them."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        self.models = bot.studio.models
        build = partial(command, limits=self.studio.limits, suggest=bot.suggest)
        named, pattern = frozenset({"name"}), frozenset({"pattern"})
        own = N_("Choose your own default; leave it out to take it back")
        servers = N_("Choose this server's default; leave it out to take it back")
        self.order = anywhere(
            group(
                "model",
                N_("Choose what paints"),
                build("list", N_("Show the models there are"), self.list),
                build(
                    "search",
                    N_("Find models by their names"),
                    self.list,
                    [models.SEARCH],
                    required=frozenset({"words"}),
                ),
                build("info", N_("Show what is known of a model"), self.info, [models.NAME], required=named),
                build("use", own, self.use, [models.MODEL]),
                build("default", servers, self.default, [models.MODEL]),
                build("allow", N_("Allow models here; without a name all of them"), self.allow, [models.PATTERN]),
                build("deny", N_("Deny models here"), self.deny, [models.PATTERN], required=pattern),
                build("only", N_("Allow nothing else here"), self.only, [models.PATTERN], required=pattern),
                build("card", N_("Tell of a model here"), self.card, models.CARD, required=named),
                build("refresh", N_("Have all backends look for new files"), self.refresh),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)
        self.bot.answers.press(models.PREFIX, self._turn)

    async def _turn(self, interaction: discord.Interaction, custom_id: str) -> None:
        card = await self._page(asker_of(interaction), *models.asked(custom_id))
        await interaction.response.edit_message(**card.edit_fields())

    async def list(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show the models that may be used here, or those like the words."""
        card = await self._page(asker_of(interaction), 0, str(values.get("words", "")))
        await _show(interaction, card)

    async def info(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Show all that is known of one model."""
        asker = asker_of(interaction)
        await _show(interaction, models.about(await self.models.about(asker, values["name"]), asker.locale))

    async def use(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Set or take back one's own default."""
        await self._set(interaction, Scope.PERSON, interaction.user.id, values.get("model"))

    async def default(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Set or take back the server's default, for those with Manage Server."""
        asker = asker_of(interaction)
        if asker.guild_id is None:
            raise RequestError(N_("There is no server here."), N_("Use /model use for your own default."))
        guild_id = await self.studio.authority.check(
            asker,
            N_("Only members with Manage Server may choose this server's model."),
            N_("Use /model use for your own default."),
        )
        await self._set(interaction, Scope.SERVER, guild_id, values.get("model"))

    async def allow(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Allow models, or all of them, for those with Manage Server."""
        asker = asker_of(interaction)
        held = await self.models.allow(asker, values.get("pattern"))
        await _show(interaction, Card(embed=models.rules(held, asker.locale)))

    async def deny(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Deny models, for those with Manage Server."""
        asker = asker_of(interaction)
        held = await self.models.deny(asker, values["pattern"])
        await _show(interaction, Card(embed=models.rules(held, asker.locale)))

    async def only(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Allow nothing but what is named, for those with Manage Server."""
        asker = asker_of(interaction)
        held = await self.models.only(asker, values["pattern"])
        await _show(interaction, Card(embed=models.rules(held, asker.locale)))

    async def card(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep what an admin tells of a model, and show it."""
        asker = asker_of(interaction)
        await self.models.check_manages(asker)
        await interaction.response.defer(ephemeral=True, thinking=True)
        if values.get("forget"):
            await self.models.forget(asker, values["name"])
        sample = await self.bot.files.sample(values["sample"]) if "sample" in values else None
        told = ModelCard(values["name"], str(values.get("trigger", "")), str(values.get("note", "")))
        if sample is not None or told.trigger or told.note:
            await self.models.tell(asker, told, sample)
        shown = models.about(await self.models.about(asker, values["name"]), asker.locale)
        await self.bot.messenger.answer(interaction, shown)

    async def refresh(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Have all backends look for new files, for those with Manage Server."""
        asker = asker_of(interaction)
        await self.models.check_refreshes(asker)
        await interaction.response.defer(ephemeral=True, thinking=True)
        silent = await self.models.refresh(asker)
        text = say(N_("The lists are fresh."), asker.locale)
        if silent:
            text = say(N_("Fresh, but for {backends}: no answer."), asker.locale, backends=", ".join(silent))
        await self.bot.messenger.answer(interaction, Card(embed=library.told(text)))

    async def _set(self, interaction: discord.Interaction, scope: Scope, owner: int, model: str | None) -> None:
        self.studio.catalogue.check(Options(model=model))
        asker = asker_of(interaction)
        await self.models.check_allowed(Asker.nobody(owner) if scope is Scope.SERVER else asker, model)
        former = await self.studio.preferences.values(scope, owner)
        kept = await self.studio.preferences.set(scope, owner, model=model)
        if scope is Scope.SERVER:
            await self.studio.auditing.record(asker, differences(former, kept))
        await _show(interaction, await self._page(asker, 0, ""))

    async def _page(self, asker: Asker, shown: int, words: str) -> Card:
        words = words[: models.MAX_WORDS]
        names = await self.models.names(asker, words)
        effective = await self.studio.preferences.effective(asker)
        return models.page(names, shown, words, effective, self.studio.catalogue.loaded_models(), asker.locale)


async def _show(interaction: discord.Interaction, card: Card) -> None:
    await interaction.response.send_message(**card.send_fields(), ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Model(bot))
