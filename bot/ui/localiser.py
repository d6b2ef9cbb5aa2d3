"""What Discord's own menus say of the commands, in every language that has a catalogue."""

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation

from bot.i18n import translated
from bot.ui.options import OPTIONS

_NAMES = frozenset(
    {
        TranslationContextLocation.command_name,
        TranslationContextLocation.group_name,
        TranslationContextLocation.parameter_name,
    }
)


class Localiser(app_commands.Translator):
    """Translates descriptions, choices and the names of menus.

    What is typed stays English: presets, copied commands, ``more`` and every help text name commands and options,
    and what one member tells another has to work for both. Menus are not typed.
    """

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the words for one of Discord's languages; ``None`` leaves it to the English ones."""
        about = context.data
        if context.location in _NAMES and not isinstance(about, app_commands.ContextMenu):
            return None
        if isinstance(about, app_commands.Choice) and about.value in OPTIONS:
            return None
        return translated(string.message, locale.value)
