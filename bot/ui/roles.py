"""What a server says of its roles, as options and as a private list."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import discord

from bot.domain.permits import LIMITED, Command, Permits, Roles, mentions
from bot.domain.text import N_
from bot.i18n import say
from bot.ui.models import PATTERN
from bot.ui.options import OPTIONS, Option
from bot.ui.words import cut, escaped, number, one_line

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
_REST = 500
"""Characters kept for what stands below the list."""
ROLE = Option("role", discord.Role, N_("The role"))
COMMAND = Option(
    "command",
    str,
    N_("What it does, by whatever button or menu"),
    choices=tuple((each.value, each.value) for each in Command),
)
MODELS = replace(PATTERN, name="model")
LIMITS = tuple(OPTIONS[name] for name in LIMITED)


def permits(said: Permits, locale: str) -> discord.Embed:
    """Return all that a server says of its roles."""
    lines = _fitting([f"{name}  {value}" for name, value in _lines(said, locale)], locale)
    if said.admins:
        hidden = N_(
            "Discord hides admins' commands from such a role: show them to it in Server Settings, Integrations."
        )
        lines += ["", say(hidden, locale)]
    if not lines:
        lines.append(say(N_("Every role may use everything, within this server's limits."), locale))
    return discord.Embed(title=say(N_("Roles here"), locale), description=cut("\n".join(lines), DESCRIPTION))


def flat(said: Permits) -> Mapping[str, object]:
    """Return the same as names and values that a log can compare."""
    listed: dict[str, object] = {"admin": mentions(said.admins)} if said.admins else {}
    listed |= {f"/{name}": mentions(roles) or "nobody" for name, roles in said.commands.items()}
    listed |= {f"model {name}": mentions(roles) or "nobody" for name, roles in said.models.items()}
    return listed | {mentions([role]): _limits(each).replace("`", "") for role, each in said.limits.items()}


def _fitting(lines: list[str], locale: str) -> list[str]:
    """Return as many lines as there is room for, and say how many more there are."""
    shown: list[str] = []
    left = DESCRIPTION - _REST
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            return [*shown, say(N_("… and {count} more"), locale, count=len(lines) - len(shown))]
        shown.append(line)
    return shown


def _lines(said: Permits, locale: str) -> Iterator[tuple[str, str]]:
    if said.admins:
        yield say(N_("**Do what Manage Server may**"), locale), mentions(said.admins)
    for command, roles in said.commands.items():
        yield f"`/{command}`", _only(roles, locale)
    for pattern, roles in said.models.items():
        yield escaped(cut(one_line(pattern), 100)), _only(roles, locale)
    for role, limits in said.limits.items():
        yield mentions([role]), _limits(limits)


def _only(roles: Roles, locale: str) -> str:
    if not roles:
        return say(N_("only those who manage this server"), locale)
    return say(N_("only {roles}"), locale, roles=mentions(roles))


def _limits(limits: Mapping[str, float]) -> str:
    return ", ".join(f"`{name}` {number(float(value))}" for name, value in limits.items() if name in LIMITED)
