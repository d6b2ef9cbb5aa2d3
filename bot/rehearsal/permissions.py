"""Who may do what where: roles, then a channel's overwrites (Discord docs, Permissions)."""

from enum import IntFlag

from bot.rehearsal.world import Channel, Guild, User


class Permission(IntFlag):
    """The bits that matter to a bot that paints."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


ALL = (1 << 53) - 1
"""Every bit: what the owner and administrators have."""
DIRECT = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
)
"""What both sides may do in direct messages."""


def of(user: User, channel: Channel) -> int:
    """Return the permission bits of ``user`` in ``channel``; 0 for who is no member there."""
    guild = channel.guild
    if guild is None:
        return int(DIRECT) if user.id in {person.id for person in channel.recipients} else 0
    place = channel.parent if channel.is_thread and channel.parent is not None else channel
    bits = base(user, guild)
    if bits in {0, ALL}:
        return bits
    member = guild.members[user.id]
    everyone = [o for o in place.overwrites if o.target == guild.id]
    roles = [o for o in place.overwrites if o.target in member.roles and o.target != guild.id]
    own = [o for o in place.overwrites if o.target == user.id]
    for layer in (everyone, roles, own):
        for overwrite in layer:
            bits &= ~overwrite.deny
        for overwrite in layer:
            bits |= overwrite.allow
    if not bits & Permission.VIEW_CHANNEL:
        return 0
    return bits


def base(user: User, guild: Guild) -> int:
    """Return the permission bits of ``user`` in ``guild`` before any channel's overwrites."""
    if guild.owner_id == user.id:
        return ALL
    member = guild.members.get(user.id)
    if member is None:
        return 0
    bits = 0
    for role in (guild.id, *member.roles):
        bits |= guild.roles[role].permissions
    return ALL if bits & Permission.ADMINISTRATOR else bits
