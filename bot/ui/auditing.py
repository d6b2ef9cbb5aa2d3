"""Entries of a server's log channel, and what there is to say of the channel itself."""

from datetime import UTC, datetime
from typing import Any

import discord
from discord import app_commands

from bot.domain.audit import Change, Entry
from bot.domain.text import N_, Mention
from bot.i18n import say
from bot.services.preferences import WORDS
from bot.ui.failures import GREY
from bot.ui.options import Option
from bot.ui.words import cut, escaped, number, one_line

VALUE = 80
"""Characters of a value: prompts and lists are not spelled out where many may read them."""
MOST = 20
"""Most changes that one entry names."""


class LogChannel(app_commands.Transformer):
    """Takes a channel of a server that messages can be posted in, as Discord names it."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """What Discord calls such an option."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """What may be chosen."""
        kinds = discord.ChannelType
        return [kinds.text, kinds.news, kinds.public_thread, kinds.private_thread]

    async def transform(self, _: discord.Interaction, value: Any, /) -> Any:
        """Return it as it came: only its id is used."""
        return value


CHANNEL = Option("channel", LogChannel, N_("Where changes are told; best a channel that admins alone see"))
OFF = Option("off", bool, N_("Tell nobody any more"))


def entry(told: Entry) -> discord.Embed:
    """Return what was changed, by whom and how; nobody is pinged by an embed."""
    command = f"`/{told.command}`" if told.command else say(N_("a button"), told.locale)
    lines = [say(N_("{person} used {command}"), told.locale, person=f"<@{told.user_id}>", command=command)]
    lines += [_change(each, told.locale) for each in told.changes[:MOST]]
    if (more := len(told.changes) - MOST) > 0:
        lines.append(say(N_("… and {count} more"), told.locale, count=more))
    embed = discord.Embed(colour=GREY, description=cut("\n".join(lines), 4096))
    embed.timestamp = datetime.fromtimestamp(told.at, UTC)
    return embed


def state(channel_id: int | None, locale: str, *, barred: bool) -> discord.Embed:
    """Return where changes are told, and whether that works."""
    if channel_id is None:
        text = say(N_("Changes are not told anywhere. Choose a channel: /log channel:"), locale)
    else:
        text = say(N_("Changes are told in {channel}."), locale, channel=f"<#{channel_id}>")
    return discord.Embed(description=f"{text}\n{unwritten(locale)}" if barred and channel_id else text)


def unwritten(locale: str) -> str:
    """Return that the log channel cannot be written to."""
    words = N_("I cannot write in the log channel: give me my permissions there, or choose another with /log.")
    return say(words, locale)


def _change(change: Change, locale: str) -> str:
    plain = cut(one_line(change.name), VALUE).replace("`", "'")
    name = change.name if isinstance(change.name, Mention) else f"`{plain}`"
    where = f"<#{change.channel_id}> " if change.channel_id else ""
    before, after = (
        "…" if change.name == WORDS and isinstance(value, str) else _value(value, locale)
        for value in (change.before, change.after)
    )
    return f"{where}{name}  {before} → {after}"


def _value(value: object, locale: str) -> str:
    match value:
        case None | "":
            return "—"
        case bool():
            return say(N_("on"), locale) if value else say(N_("off"), locale)
        case float():
            return number(value)
        case Mention():
            return str(value)
        case _:
            return escaped(cut(one_line(str(value)), VALUE))
