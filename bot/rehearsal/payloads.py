"""How Discord writes its objects in JSON (Discord docs, Resources)."""

from typing import Any

from bot.rehearsal.errors import Json
from bot.rehearsal.snowflakes import timestamp
from bot.rehearsal.world import Attachment, Channel, Guild, Member, Message, Overwrite, Role, User

_SPOILER_FLAG = 1 << 5
_JOINED = timestamp(0)


def user(person: User) -> Json:
    """Return a user object."""
    shape: Json = {
        "id": str(person.id),
        "username": person.name.lower(),
        "global_name": None if person.bot else person.name,
        "discriminator": "0",
        "avatar": None,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }
    return {**shape, "bot": True} if person.bot else shape


def member(entry: Member, *, permissions: int | None = None, with_user: bool = True) -> Json:
    """Return a guild member object; with ``permissions`` as interactions carry it."""
    shape: Json = {
        "roles": [str(role) for role in entry.roles],
        "joined_at": timestamp(entry.joined_at),
        "premium_since": None,
        "nick": None,
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }
    if with_user:
        shape["user"] = user(entry.user)
    if permissions is not None:
        shape["permissions"] = str(permissions)
    return shape


def role(entry: Role) -> Json:
    """Return a role object."""
    return {
        "id": str(entry.id),
        "name": entry.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "description": None,
        "position": entry.position,
        "permissions": str(entry.permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def overwrite(entry: Overwrite) -> Json:
    """Return a permission overwrite object."""
    return {
        "id": str(entry.target),
        "type": 1 if entry.for_user else 0,
        "allow": str(entry.allow),
        "deny": str(entry.deny),
    }


def channel(place: Channel) -> Json:
    """Return a channel object: text channel, thread or direct messages."""
    last = str(max(place.log)) if place.log else None
    shape: Json = {"id": str(place.id), "type": place.type, "last_message_id": last, "flags": 0}
    if place.guild is None:
        shape["recipients"] = [user(person) for person in place.recipients if not person.bot]
        if place.is_group:
            shape |= {"name": None, "icon": None, "owner_id": str(place.recipients[0].id)}
        return shape
    shape |= {"guild_id": str(place.guild.id), "name": place.name, "rate_limit_per_user": 0}
    if place.is_thread:
        return shape | _thread(place)
    return shape | {
        "topic": None,
        "position": 0,
        "parent_id": None,
        "nsfw": place.nsfw,
        "permission_overwrites": [overwrite(entry) for entry in place.overwrites],
    }


def _thread(place: Channel) -> Json:
    assert place.guild is not None  # noqa: S101 - threads stand in guilds
    return {
        "parent_id": str(place.parent.id) if place.parent else None,
        "owner_id": str(place.guild.owner_id),
        "message_count": len(place.log),
        "total_message_sent": len(place.log),
        "member_count": 1,
        "thread_metadata": {
            "archived": place.archived,
            "locked": place.locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": _JOINED,
            "create_timestamp": _JOINED,
        },
    }


def guild(place: Guild) -> Json:
    """Return a guild object, as far as the bot has use for one."""
    return {
        "id": str(place.id),
        "name": place.name,
        "owner_id": str(place.owner_id),
        "preferred_locale": place.locale,
        "premium_tier": place.tier,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "roles": [role(entry) for entry in place.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "description": None,
        "banner": None,
        "vanity_url_code": None,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "nsfw": False,
        "max_members": 500000,
        "application_id": None,
    }


def guild_create(place: Guild, bot: User) -> Json:
    """Return what GUILD_CREATE carries; of the members only the bot, as without the members intent."""
    channels = list(place.channels.values())
    return {
        **guild(place),
        "joined_at": _JOINED,
        "large": False,
        "unavailable": False,
        "member_count": len(place.members),
        "members": [member(place.members[bot.id])],
        "channels": [channel(entry) for entry in channels if not entry.is_thread],
        "threads": [channel(entry) for entry in channels if entry.is_thread and not entry.archived],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment(file: Attachment) -> Json:
    """Return an attachment object."""
    shape: Json = {
        "id": str(file.id),
        "filename": file.filename,
        "size": len(file.data),
        "url": file.url,
        "proxy_url": file.url,
        "flags": _SPOILER_FLAG if file.spoiler else 0,
    }
    optional: dict[str, Any] = {
        "content_type": file.content_type,
        "description": file.description,
        "width": file.width,
        "height": file.height,
        "ephemeral": file.ephemeral or None,
    }
    return shape | {key: value for key, value in optional.items() if value is not None}


def reactions(note: Message, bot: User) -> list[Json]:
    """Return the reactions of a message as the bot sees them."""
    return [
        {
            "emoji": emoji(face),
            "count": len(who),
            "count_details": {"burst": 0, "normal": len(who)},
            "burst_colors": [],
            "me": bot.id in who,
            "me_burst": False,
        }
        for face, who in note.reactions.items()
        if who
    ]


def emoji(face: str) -> Json:
    """Return a partial emoji: a Unicode one, or ``name:id``."""
    name, _, number = face.partition(":")
    return {"id": number or None, "name": name}


def message(note: Message, bot: User) -> Json:
    """Return a message object."""
    hidden = note.hidden
    shape: Json = {
        "id": str(note.id),
        "type": note.type,
        "channel_id": str(note.channel.id),
        "author": user(note.author),
        "content": note.content,
        "timestamp": timestamp(note.created_at),
        "edited_timestamp": None if note.edited_at is None else timestamp(note.edited_at),
        "tts": False,
        "pinned": False,
        "flags": note.flags,
        "mention_everyone": note.mention_everyone,
        "mentions": [user(person) for person in note.mentions],
        "mention_roles": [str(entry) for entry in note.mention_roles],
        "attachments": [attachment(file) for file in note.attachments if file.id not in hidden],
        "embeds": note.embeds,
        "components": note.components,
    }
    if note.reactions:
        shape["reactions"] = reactions(note, bot)
    if note.application_id is not None:
        shape |= {"application_id": str(note.application_id), "webhook_id": str(note.application_id)}
    if note.interaction_metadata is not None:
        shape["interaction_metadata"] = note.interaction_metadata
    if note.nonce is not None:
        shape["nonce"] = note.nonce
    return shape | _reference(note, bot)


def _reference(note: Message, bot: User) -> Json:
    if note.reference_id is None:
        return {}
    pointer: Json = {"type": 0, "channel_id": str(note.channel.id), "message_id": str(note.reference_id)}
    if note.channel.guild is not None:
        pointer["guild_id"] = str(note.channel.guild.id)
    origin = note.reference
    if origin is None or origin.deleted:
        return {"message_reference": pointer, "referenced_message": None}
    quoted = message(origin, bot)
    quoted.pop("referenced_message", None)
    return {"message_reference": pointer, "referenced_message": quoted}


def dispatched(note: Message, bot: User) -> Json:
    """Return a message as MESSAGE_CREATE and MESSAGE_UPDATE carry it: with its guild and its member."""
    shape = message(note, bot)
    place = note.channel.guild
    if place is None:
        return shape
    shape["guild_id"] = str(place.id)
    if note.author.id in place.members and note.application_id is None:
        shape["member"] = member(place.members[note.author.id], with_user=False)
    return shape
