"""Quotas, as options and as private answers."""

from collections.abc import Iterable, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.domain.quotas import Period, Quota, Scope, Use
from bot.domain.text import N_
from bot.i18n import duration, say
from bot.ui.options import Option
from bot.ui.words import cut

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
MOST_S = 100_000_000
_PERIODS = ((N_("a day"), Period.DAY.value), (N_("a month"), Period.MONTH.value))


class ChannelChoice(app_commands.Transformer):
    """Takes any channel of a server that people can write in or under, as Discord names it."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """What Discord calls such an option."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """What may be chosen."""
        kinds = discord.ChannelType
        return [kinds.text, kinds.news, kinds.voice, kinds.stage_voice, kinds.forum]

    async def transform(self, _: discord.Interaction, value: Any, /) -> Any:
        """Return it as it came: only its id is used."""
        return value


PERIOD = Option("period", str, N_("How long it lasts; both begin at midnight UTC"), choices=_PERIODS)
SECONDS = Option("seconds", int, N_("How many seconds of painting"), "", lambda _: (1, MOST_S))
WHOM = (
    Option("role", discord.Role, N_("For each person with this role, instead of what others have")),
    Option("channel", ChannelChoice, N_("For all that is painted in this channel")),
    Option("server", bool, N_("For all that is painted in this server")),
)
_NAMES = {
    (Scope.PERSON, Period.DAY): N_("You, today"),
    (Scope.PERSON, Period.MONTH): N_("You, this month"),
    (Scope.CHANNEL, Period.DAY): N_("This channel, today"),
    (Scope.CHANNEL, Period.MONTH): N_("This channel, this month"),
    (Scope.SERVER, Period.DAY): N_("This server, today"),
    (Scope.SERVER, Period.MONTH): N_("This server, this month"),
}


def shown(spent: Sequence[Use], left: Iterable[Use], kept: Iterable[Quota] | None, locale: str) -> discord.Embed:
    """Return what somebody has used, ``spent``, and has ``left``; for admins what is ``kept`` for whom too."""
    today, month = (duration(use.painted_s, locale) for use in spent)
    lines = [
        say(N_("Painted for you here: {today} today, {month} this month."), locale, today=today, month=month),
        *(_left(use, locale) for use in left),
    ]
    if len(lines) == 1:
        lines.append(say(N_("There is no quota here."), locale))
    lines.append(
        say(N_("Days and months begin at midnight UTC. What fails or is cancelled costs nothing."), locale)
    )
    if kept is not None:
        lines += ["", say(N_("**Set for this server**"), locale), listed(kept, locale)]
    return discord.Embed(title=say(N_("Quotas"), locale), description=cut("\n".join(lines), DESCRIPTION))


def listed(kept: Iterable[Quota], locale: str) -> str:
    """Return a server's quotas, one a line."""
    lines = [f"{_whose(quota, locale)}  {_length(quota, locale)}" for quota in kept]
    return "\n".join(lines) or say(N_("Nothing is set."), locale)


def flat(kept: Iterable[Quota]) -> dict[str, object]:
    """Return a server's quotas as names and seconds that a log can compare."""
    named = ((" ".join(map(str, filter(None, (each.scope, each.about, each.period)))), each) for each in kept)
    return {name: quota.seconds for name, quota in named}


def changed(kept: Iterable[Quota], locale: str) -> discord.Embed:
    """Return what is set after a change."""
    title = say(N_("Set for this server"), locale)
    return discord.Embed(title=title, description=cut(listed(kept, locale), DESCRIPTION))


def _left(use: Use, locale: str) -> str:
    allowance = use.allowance
    words = N_("{whose}: {left} left of {most}, {painted} used, {reserved} set aside. More <t:{at}:R>.")
    if allowance.everywhere:
        words = N_(
            "{whose}, everywhere: {left} left of {most}, {painted} used, {reserved} set aside. More <t:{at}:R>."
        )
    return say(
        words,
        locale,
        whose=say(_NAMES[allowance.scope, allowance.period], locale),
        left=duration(use.left_s, locale),
        most=duration(allowance.seconds, locale),
        painted=duration(use.painted_s, locale),
        reserved=duration(use.reserved_s, locale),
        at=use.renews_at,
    )


def _whose(quota: Quota, locale: str) -> str:
    match quota.scope:
        case Scope.PERSON:
            return say(N_("each person"), locale)
        case Scope.ROLE:
            return say(N_("each person with {role}"), locale, role=f"<@&{quota.about}>")
        case Scope.CHANNEL:
            return f"<#{quota.about}>"
        case Scope.SERVER:
            return say(N_("the whole server"), locale)


def _length(quota: Quota, locale: str) -> str:
    words = N_("{seconds} s a day") if quota.period is Period.DAY else N_("{seconds} s a month")
    return say(words, locale, seconds=quota.seconds)
