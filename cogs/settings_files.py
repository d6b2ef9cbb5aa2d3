"""``/settings reset``, ``export`` and ``import``: what changes much at once, and asks before it does."""

from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.emoji import check_emoji
from bot.delivery.memory import Memory
from bot.domain.asker import Asker
from bot.domain.errors import BotError, RequestError
from bot.domain.text import N_
from bot.services.preferences import EMOJI
from bot.services.settings_files import MAX_FILE_BYTES, Import, exported
from bot.ui import places
from bot.ui.card import Card
from bot.ui.commands import command, extend

MOST_FILES = 20
"""Files that wait for their confirmation: each may be large."""


class SettingsFiles(commands.Cog):
    """Takes settings back, gives them as a file and takes one, in the place of all there are."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.settings = bot.studio.server_settings
        self._files = Memory[Import](N_("Send the file again: /settings import"), most=MOST_FILES)
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        self.orders = (
            build(
                "reset",
                N_("Take back one setting, or all, of this server or a channel"),
                self.reset,
                [places.SETTING, places.OF_CHANNEL],
                completions={"setting": self._suggest},
            ),
            build("export", N_("Get all settings of this server and its channels as a file"), self.export),
            build(
                "import",
                N_("Put a file's settings in the place of all there are"),
                self.import_,
                [places.FILE],
                required=frozenset({"file"}),
            ),
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        extend(self.bot.tree, "settings", *self.orders)
        self.bot.answers.press(places.PREFIX, self._press)

    async def reset(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take one setting back, or ask before all of them go."""
        asker = asker_of(interaction)
        channel_id = values["channel"].id if "channel" in values else None
        own, name = await self.settings.own(asker, channel_id), values.get("setting")
        if name is None:
            await _answer(interaction, places.wiping(own, channel_id, asker.locale))
            return
        if name not in own:
            raise RequestError(N_("Nothing like that is set."), N_("See what holds: /settings show"))
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._change(asker, channel_id, {name: None})
        card = places.done(N_("It is as it was before anybody set it here."), asker.locale)
        await self.bot.messenger.answer(interaction, card)

    async def export(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Give everything as a file."""
        asker = asker_of(interaction)
        await self.settings.managed(asker)
        data = exported(await self.settings.whole(asker, _channels(interaction)))
        await _answer(interaction, places.exported(data, asker.locale))

    async def import_(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Read a file and ask before what it changes is changed."""
        asker = asker_of(interaction)
        guild_id = await self.settings.managed(asker)
        await interaction.response.defer(ephemeral=True, thinking=True)
        data = await self.bot.files.data(values["file"], max_bytes=MAX_FILE_BYTES)
        read = await self.settings.read(asker, data, _channels(interaction))
        for part in (read.wanted.server, *read.wanted.channels.values()):
            places.check_language(part)
        emoji = {name: read.wanted.server.get(name) for name in EMOJI}
        await check_emoji(self.bot.messenger, guild_id, emoji, await self.settings.effective(asker))
        self._files.forget(asker.user_id)
        self._files.keep(asker.user_id, interaction.id, read)
        await self.bot.messenger.answer(interaction, places.importing(read.changes, interaction.id, asker.locale))

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        verb, key = places.asked(custom_id)
        asker = asker_of(interaction, "settings import" if verb == places.IMPORT else "settings reset")
        await self.settings.managed(asker)
        if verb == places.LEAVE:
            card = places.said(N_("Everything stays as it is."), asker.locale)
        elif verb == places.IMPORT:
            card = await self._imported(asker, key, _channels(interaction))
        else:
            if key and key not in _channels(interaction):
                raise places.gone()
            own = await self.settings.own(asker, key or None)
            await self.settings.change(asker, key or None, dict.fromkeys(own))
            card = places.done(N_("It is as it was before anybody set it here."), asker.locale)
        await interaction.response.edit_message(**card.edit_fields())

    async def _imported(self, asker: Asker, key: int, present: set[int]) -> Card:
        """Set what a file says, or ask anew if others changed something since the question."""
        read = self._files.take(asker.user_id, str(key))
        if not read.wanted.channels.keys() <= present:
            raise places.gone()
        now = await self.settings.whole(asker, present)
        if now != read.before:
            read = replace(read, before=now)
            self._files.keep(asker.user_id, key, read)
            return places.importing(read.changes, key, asker.locale, anew=True)
        await self.settings.replace(asker, read.wanted)
        return places.done(N_("It is set like that now."), asker.locale)

    async def _change(self, asker: Asker, channel_id: int | None, values: dict[str, object]) -> None:
        effective = await self.settings.effective(asker, channel_id)
        guild_id = await self.settings.managed(asker)
        await check_emoji(self.bot.messenger, guild_id, values, effective)
        await self.settings.change(asker, channel_id, values)

    async def _suggest(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        chosen = interaction.namespace.channel
        try:
            own = await self.settings.own(asker_of(interaction), chosen.id if chosen else None)
        except BotError:
            return []
        return [app_commands.Choice(name=name, value=name) for name in places.suggestions(own, typed)]


def _channels(interaction: discord.Interaction) -> set[int]:
    """Return the ids of the server's channels; raises ``RequestError`` while Discord does not tell them."""
    if interaction.guild is None or interaction.guild.unavailable:
        raise RequestError(
            N_("Discord does not tell me this server's channels at the moment."), N_("Try again in a moment.")
        )
    return {channel.id for channel in interaction.guild.channels}


async def _answer(interaction: discord.Interaction, card: Card) -> None:
    await interaction.response.send_message(**card.send_fields(), ephemeral=True)


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(SettingsFiles(bot))
