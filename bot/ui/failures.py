"""Every error in words: what happened, and what to do next; never a stack trace."""

from collections.abc import Mapping

import discord
from discord import app_commands

from bot.domain.errors import BackendError, BotError, Failure
from bot.domain.text import N_, Mention, Text, Value
from bot.i18n import say
from bot.ui.words import cut, escaped, one_line

GREEN = discord.Colour(0x3BA55D)
AMBER = discord.Colour(0xE8912D)
YELLOW = discord.Colour(0xF2CC3D)
RED = discord.Colour(0xD83C3E)
GREY = discord.Colour(0x80848E)

VALUE = 300
"""Characters of one value in a sentence: a server's own reason can be pages long."""


def explain(error: BaseException, locale: str, *, code: str | None = None) -> discord.Embed:
    """Return the private answer to any error; ``code`` also stands in the log and is shown for our own bugs.

    In this order: our errors by their own words, discord.py's by kind, Discord's refusals, anything else.
    """
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    known = _words(error)
    ours = known is None
    message, hint = known or (
        Text(N_("Something went wrong on our side.")),
        Text(N_("Try again. If it stays, give the host this code.") if code else N_("Try again.")),
    )
    colour = RED if ours or isinstance(error, BackendError) else YELLOW
    embed = discord.Embed(colour=colour, description=cut(_both(message, hint, locale), 4096))
    if isinstance(error, BotError) and error.about:
        embed.title = say(error.about, locale)
    if ours and code:
        embed.set_footer(text=say(N_("code {code}"), locale, code=code))
    return embed


def failure_text(failure: Failure, locale: str) -> str:
    """Return why a job ended without a picture: one sentence on what happened, one on what to do."""
    return cut(_both(Text(failure.message, failure.values), Text(failure.hint, failure.values), locale), 2000)


def _both(message: Text, hint: Text, locale: str) -> str:
    return "\n".join(
        say(Text(part.message, _shown(part.values)), locale) for part in (message, hint) if part.message
    )


def _shown(values: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: escaped(cut(one_line(value), VALUE))
        if isinstance(value, str) and not isinstance(value, Mention)
        else value
        for name, value in values.items()
    }


def _words(error: BaseException) -> tuple[Text, Text] | None:
    match error:
        case BotError():
            return error.texts()
        case app_commands.AppCommandError():
            return _command_words(error)
        case discord.Forbidden():
            return (
                Text(N_("Discord does not let me do that here.")),
                Text(N_("Ask an admin to check my permissions in this channel.")),
            )
        case _:
            return None


def _command_words(error: app_commands.AppCommandError) -> tuple[Text, Text] | None:
    values: dict[str, Value] = {}
    match error:
        case app_commands.MissingPermissions():
            message, hint = N_("You need {permissions} for this."), N_("Ask an admin of this server.")
            values = {"permissions": _named(error.missing_permissions)}
        case app_commands.BotMissingPermissions():
            message = N_("I need {permissions} for this.")
            hint = N_("Ask an admin to give me that permission here.")
            values = {"permissions": _named(error.missing_permissions)}
        case app_commands.CommandOnCooldown():
            message, hint = N_("That was quick."), N_("Try again in {seconds} s.")
            values = {"seconds": max(1, round(error.retry_after))}
        case app_commands.NoPrivateMessage():
            message, hint = N_("This works in servers only."), N_("Use it in a server's channel.")
        case app_commands.TransformerError():
            message, hint = N_("“{value}” does not fit this option."), N_("Choose one of the suggestions.")
            values = {"value": str(error.value)}
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            message = N_("This command has changed since your Discord learnt it.")
            hint = N_("Reload Discord and use it again.")
        case app_commands.CheckFailure():
            message, hint = N_("You may not use this here."), N_("Ask an admin of this server.")
        case _:
            return None
    return Text(message, values), Text(hint, values)


def _named(permissions: list[str]) -> str:
    """Write permissions as Discord's own settings do: ``manage_guild`` is called Manage Server there."""
    return ", ".join(name.replace("_", " ").replace("guild", "server").title() for name in permissions)
