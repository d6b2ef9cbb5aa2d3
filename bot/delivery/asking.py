"""Who asks, read off an interaction or a reaction."""

import re
from collections.abc import Mapping

import discord

from bot.domain.asker import Asker
from bot.domain.errors import BotError, DeniedError
from bot.domain.text import N_, Mention

_NEEDED = {
    "view_channel": N_("View Channel"),
    "embed_links": N_("Embed Links"),
    "attach_files": N_("Attach Files"),
}
_NEEDED_TO_REPLY = {"read_message_history": N_("Read Message History")}
_NEEDED_TO_SEND = {
    False: {"send_messages": N_("Send Messages")},
    True: {"send_messages_in_threads": N_("Send Messages in Threads")},
}
"""By whether it is in a thread: what an ordinary message needs and the answer to an interaction does not."""


def asker_of(interaction: discord.Interaction, command: str = "") -> Asker:
    """Return who asks, with the permissions Discord computed for them in that very channel.

    ``command`` is what a button or a form stands for.
    """
    permissions = interaction.permissions
    guild_id = interaction.guild_id if interaction.is_guild_integration() else None
    return Asker(
        user_id=interaction.user.id,
        guild_id=guild_id,
        channel_id=interaction.channel_id,
        moderates=interaction.guild_id is not None and permissions.manage_messages,
        moderates_server=guild_id is not None and _everywhere(interaction.user),
        manages=guild_id is not None and permissions.manage_guild,
        locale=interaction.locale.value,
        guild_locale=interaction.guild_locale.value if interaction.guild_locale else None,
        max_file_bytes=interaction.filesize_limit,
        roles=_roles(interaction.user),
        parent_id=_parent(interaction.channel),
        command=interaction.command.qualified_name if interaction.command else command,
        restricted=is_age_restricted(interaction.channel),
        guest=not reaches_channel(interaction),
    )


def asker_of_reaction(client: discord.Client, payload: discord.RawReactionActionEvent) -> Asker:
    """Return who reacted; permissions come from the cached server, as no interaction brings them."""
    guild = client.get_guild(payload.guild_id) if payload.guild_id else None
    channel = guild.get_channel_or_thread(payload.channel_id) if guild else None
    permissions = discord.Permissions.none()
    if channel is not None and payload.member is not None:
        permissions = channel.permissions_for(payload.member)
    locale = guild.preferred_locale.value if guild else "en"
    return Asker(
        user_id=payload.user_id,
        guild_id=payload.guild_id,
        channel_id=payload.channel_id,
        moderates=permissions.manage_messages,
        moderates_server=payload.member is not None and _everywhere(payload.member),
        manages=permissions.manage_guild,
        locale=locale,
        guild_locale=locale,
        max_file_bytes=guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES,
        roles=_roles(payload.member),
        parent_id=_parent(channel),
        restricted=is_age_restricted(channel),
    )


def had_it_sent(message: discord.Message | None, asker: Asker) -> bool:
    """Tell whether it was ``asker`` who had the bot send that message, by a command, a button or a menu."""
    metadata = None if message is None else message.interaction_metadata
    return metadata is not None and metadata.user.id == asker.user_id


def _roles(person: discord.abc.User | None) -> frozenset[int]:
    return frozenset(role.id for role in person.roles) if isinstance(person, discord.Member) else frozenset()


def is_age_restricted(channel: object) -> bool:
    """Tell whether Discord calls a channel age-restricted; a thread is what its channel is, and unknown is not.

    Direct messages and groups have no such flag (Discord docs, Channel Object).
    """
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return False
    return bool(getattr(channel, "is_nsfw", bool)())


def name_roles(error: BotError, guild: discord.Guild | None) -> None:
    """Call an error's roles by their names: outside of their server no mention shows them."""
    for key, value in error.values.items():
        if isinstance(value, Mention):
            known = [guild.get_role(int(found)) if guild else None for found in re.findall(r"[0-9]+", value)]
            error.values[key] = ", ".join(f"@{role.name}" for role in known if role) or "?"


def _parent(channel: object) -> int | None:
    return channel.parent_id if isinstance(channel, discord.Thread) else None


def _everywhere(person: discord.abc.User) -> bool:
    return isinstance(person, discord.Member) and person.guild_permissions.manage_messages


def reaches_channel(interaction: discord.Interaction) -> bool:
    """Tell whether the bot itself may use the channel's routes there: not so where only a person brought it."""
    if interaction.guild_id is not None:
        return interaction.is_guild_integration()
    return interaction.context.dm_channel


def check_channel(interaction: discord.Interaction) -> None:
    """Raise ``DeniedError`` naming what the bot may not do in this channel but needs for a picture."""
    if reaches_channel(interaction) and interaction.guild_id is not None:
        _check(interaction.app_permissions, _NEEDED)


def check_posts(client: discord.Client, guild_id: int, channel_id: int) -> None:
    """Raise ``DeniedError`` naming what the bot may not do in a channel but needs for a message of its own."""
    guild = client.get_guild(guild_id)
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    needed = {name: words for name, words in _NEEDED.items() if name != "attach_files"}
    rights = channel.permissions_for(guild.me) if guild and channel else discord.Permissions.none()
    _check(
        rights,
        needed | _NEEDED_TO_SEND[isinstance(channel, discord.Thread)],
        N_("I may not write in that channel: {permissions} is missing."),
        N_("Give me that permission there, or choose another channel."),
    )


def check_channel_of_reaction(client: discord.Client, payload: discord.RawReactionActionEvent) -> None:
    """Raise the same for a reaction, whose answer is an ordinary message that replies to another."""
    guild = client.get_guild(payload.guild_id) if payload.guild_id else None
    channel = guild.get_channel_or_thread(payload.channel_id) if guild else None
    if guild is not None and channel is not None:
        in_thread = isinstance(channel, discord.Thread)
        needed = _NEEDED | _NEEDED_TO_SEND[in_thread] | _NEEDED_TO_REPLY
        _check(channel.permissions_for(guild.me), needed)


def is_open_to_all(interaction: discord.Interaction, channel_id: int) -> bool:
    """Return whether every member of the server may see a channel of it."""
    channel = interaction.guild.get_channel(channel_id) if interaction.guild else None
    return channel is not None and channel.permissions_for(channel.guild.default_role).view_channel


def check_review_channel(interaction: discord.Interaction, channel_id: int) -> None:
    """Raise the same for another channel of the server, in which ordinary messages are to be posted."""
    channel = interaction.guild.get_channel(channel_id) if interaction.guild else None
    if interaction.guild is not None and channel is not None:
        _check(channel.permissions_for(interaction.guild.me), _NEEDED | _NEEDED_TO_SEND[False])


def _check(
    permissions: discord.Permissions,
    needed: Mapping[str, str],
    message: str = N_("I may not post pictures in this channel: {permissions} is missing."),
    hint: str = N_("Ask an admin to give me that permission here, or use another channel."),
) -> None:
    missing = [words for name, words in needed.items() if not getattr(permissions, name)]
    if missing:
        raise DeniedError(message, hint, permissions=", ".join(missing))
