"""Commands made from declared options, so that every command that has an option has the same one."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import discord
from discord import app_commands

from bot.domain.capability import Listing
from bot.domain.limits import Limits
from bot.ui.options import Option
from bot.ui.values import quoted

CHOICE_LENGTH = 100
"""Characters in a suggestion's name and value (Discord docs, Application Commands)."""
Command = app_commands.Command[Any, ..., None]
Order = TypeVar("Order", bound=Command | app_commands.Group | app_commands.ContextMenu)
Suggest = Callable[[discord.Interaction, Listing, str], Awaitable[list[str]]]
Complete = Callable[[discord.Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]
Callback = Callable[[discord.Interaction, dict[str, Any]], Awaitable[None]]
_SEVERAL = frozenset({Listing.LORAS, Listing.STYLES})
"""Lists of whose names an option takes several, with commas between."""
Annotation = type | app_commands.Transformer


def command(
    name: str,
    description: str,
    callback: Callback,
    options: Iterable[Option] = (),
    *,
    limits: Limits,
    suggest: Suggest,
    required: frozenset[str] = frozenset(),
    completions: Mapping[str, Complete] = MappingProxyType({}),
) -> Command:
    """Return a command with these options, in this order; ``callback`` gets what was typed by name.

    ``limits`` are the host's: they make the minimum and maximum that Discord itself holds people to.
    ``suggest`` and ``completions``, for options whose suggestions are no listing's, must answer from memory.
    """
    chosen = tuple(options)

    async def run(interaction: discord.Interaction, **values: Any) -> None:
        await callback(interaction, {key: value for key, value in values.items() if value is not None})

    first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # discord.py reads the options off it
        [first, *(_parameter(option, limits, required=option.name in required) for option in chosen)]
    )
    run.__module__ = callback.__module__
    app_commands.describe(**{option.name: option.description for option in chosen})(run)
    choices = {
        option.name: [app_commands.Choice(name=label, value=value) for label, value in option.choices]
        for option in chosen
        if option.choices
    }
    app_commands.choices(**choices)(run)
    listed = {option.name: completion(option, suggest) for option in chosen if option.listing}
    own = {option.name: completions[option.name] for option in chosen if option.name in completions}
    app_commands.autocomplete(**listed, **own)(run)
    return app_commands.Command(name=name, description=description, callback=run)


def group(
    name: str,
    description: str,
    *commands: Command,
    default_permissions: discord.Permissions | None = None,
) -> app_commands.Group:
    """Return a command whose subcommands are ``commands``; default permissions hold for all of it."""
    made = app_commands.Group(name=name, description=description, default_permissions=default_permissions)
    for each in commands:
        made.add_command(each)
    return made


def extend(tree: app_commands.CommandTree[Any], name: str, *commands: Command) -> None:
    """Put more subcommands into a command that the tree has; raises ``LookupError`` if it has none."""
    found = tree.get_command(name)
    if not isinstance(found, app_commands.Group):
        raise LookupError(name)  # noqa: TRY004 - it is not there
    for each in commands:
        found.add_command(each)


def anywhere(order: Order) -> Order:
    """State that a command works in servers, in direct messages and wherever a person brings the bot along."""
    app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)(order)
    app_commands.allowed_installs(guilds=True, users=True)(order)
    return order


def servers_only(order: Order) -> Order:
    """State that a command works only in servers that the bot belongs to."""
    app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)(order)
    app_commands.allowed_installs(guilds=True, users=False)(order)
    return order


def _parameter(option: Option, limits: Limits, *, required: bool) -> inspect.Parameter:
    annotation: Annotation = option.kind
    if option.caps is not None:
        low, high = option.caps(limits)
        cast = float if option.kind is float else int
        annotation = app_commands.Range[option.kind, cast(low), cast(high)]  # type: ignore[assignment]
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else None,
        annotation=annotation,
    )


def completion(option: Option, suggest: Suggest) -> Complete:
    """Return the autocomplete callback of an option that has a listing."""
    listing = option.listing
    if listing is None:
        raise ValueError(option.name)

    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        several = listing in _SEVERAL
        before, last = _last_of_list(current) if several else ("", current)
        names = await suggest(interaction, listing, last)
        values = [before + (quoted(name, ",") if several else name) for name in names]
        # A longer value cannot be a choice at all, and a cut one would name nothing.
        return [app_commands.Choice(name=value, value=value) for value in values if len(value) <= CHOICE_LENGTH]

    return complete


def _last_of_list(current: str) -> tuple[str, str]:
    before, comma, last = current.rpartition(",")
    return (f"{before.strip()}, " if comma else ""), last.strip()
