"""Messages come, change and go: one place for what channel routes, interaction tokens and people do to them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.rehearsal import components, errors, forms, payloads, permissions
from bot.rehearsal.errors import Json
from bot.rehearsal.events import Bus, Event
from bot.rehearsal.forms import Upload
from bot.rehearsal.places import World
from bot.rehearsal.snowflakes import Clock, Snowflakes
from bot.rehearsal.world import (
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    Attachment,
    Channel,
    Message,
    User,
    walk,
)

_DAY_S = 86400
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_MEDIA_KEYS = ("media", "file")


@dataclass(frozen=True, slots=True)
class Context:
    """What a message that answers an interaction knows beside its body."""

    type: int = 0
    application_id: int | None = None
    metadata: Json | None = None
    private_to: int | None = None
    reference: Message | None = None
    flags: int = 0


class Post:
    """Sends, edits and deletes messages and tells everyone; bodies are checked by then."""

    def __init__(self, world: World, bus: Bus, ids: Snowflakes, clock: Clock, base_url: Callable[[], str]) -> None:
        self._world = world
        self._bus = bus
        self._ids = ids
        self._clock = clock
        self._base_url = base_url
        self.files: dict[int, Attachment] = {}

    def send(
        self,
        channel: Channel,
        author: User,
        body: Json,
        files: Sequence[Upload] = (),
        context: Context | None = None,
    ) -> Message:
        """Put a message into ``channel`` and return it."""
        context = context or Context()
        message = Message(
            id=self._ids.next(),
            channel=channel,
            author=author,
            flags=context.flags,
            type=context.type,
            reference=context.reference,
            reference_id=context.reference.id if context.reference else None,
            interaction_metadata=context.metadata,
            application_id=context.application_id,
            private_to=context.private_to,
            nonce=None if body.get("nonce") is None else str(body["nonce"]),
        )
        self._fill(message, body, files)
        if not message.loading and _is_empty(message):
            raise errors.empty_message()
        self._mention(message, body.get("allowed_mentions"))
        channel.log[message.id] = message
        self._tell("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, body: Json, files: Sequence[Upload] = ()) -> Message:
        """Change what ``body`` names and keep the rest; how it stood goes into its history."""
        before = message.snapshot(self._clock())
        message.flags &= ~LOADING
        try:
            self._fill(message, body, files)
            if _is_empty(message):
                raise errors.empty_message()
        except errors.ApiError:
            message.content, message.embeds, message.components = before.content, before.embeds, before.components
            message.attachments, message.flags = list(before.attachments), before.flags
            raise
        if body.get("content") is not None:
            self._mention(message, body.get("allowed_mentions"))
        message.history.append(before)
        message.edited_at = self._clock()
        self._tell("MESSAGE_UPDATE", message)
        return message

    def delete(self, message: Message) -> None:
        """Take a message away."""
        message.deleted = True
        message.channel.log.pop(message.id, None)
        data = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self._publish("MESSAGE_DELETE", message, data)

    def react(self, message: Message, user: User, face: str) -> None:
        """Add ``user``'s reaction; a second one changes nothing."""
        who = message.reactions.setdefault(face, [])
        if user.id not in who:
            who.append(user.id)
            self._publish("MESSAGE_REACTION_ADD", message, self._reaction(message, user, face, added=True))

    def unreact(self, message: Message, user: User, face: str) -> None:
        """Take ``user``'s reaction away."""
        who = message.reactions.get(face, [])
        if user.id in who:
            who.remove(user.id)
            if not who:
                del message.reactions[face]
            self._publish("MESSAGE_REACTION_REMOVE", message, self._reaction(message, user, face, added=False))

    def clear_reactions(self, message: Message, face: str | None = None) -> None:
        """Take all reactions away, or all with one emoji."""
        data = {"channel_id": str(message.channel.id), "message_id": str(message.id)}
        if face is None:
            message.reactions.clear()
            self._publish("MESSAGE_REACTION_REMOVE_ALL", message, data)
        else:
            message.reactions.pop(face, None)
            self._publish("MESSAGE_REACTION_REMOVE_EMOJI", message, data | {"emoji": payloads.emoji(face)})

    def keep(self, attachment: Attachment, channel: Channel, *, ephemeral: bool = False) -> Attachment:
        """Store a file under an address that lives a day (Discord docs, Reference, Signed Attachment CDN URLs)."""
        if attachment.id not in self.files:
            attachment.id = self._ids.next()
            attachment.ephemeral = ephemeral
            folder = "ephemeral-attachments" if ephemeral else "attachments"
            path = f"{self._base_url()}/{folder}/{channel.id}/{attachment.id}/{attachment.filename}"
            attachment.url = self._signed(path, attachment)
            self.files[attachment.id] = attachment
        return attachment

    def renew(self, message: Message) -> None:
        """Sign the addresses of a message's files anew, as Discord does whenever it hands the message out."""
        for attachment in message.attachments:
            old, attachment.url = attachment.url, self._signed(attachment.url.partition("?")[0], attachment)
            for embed in message.embeds:
                for part in (embed.get("image"), embed.get("thumbnail")):
                    if part is not None and part.get("url") == old:
                        part["url"] = part["proxy_url"] = attachment.url

    def _signed(self, path: str, attachment: Attachment) -> str:
        now = int(self._clock())
        return f"{path}?ex={now + _DAY_S:x}&is={now:x}&hm={attachment.id:064x}"

    def _fill(self, message: Message, body: Json, files: Sequence[Upload]) -> None:
        if "flags" in body and body["flags"] is not None:
            # A message of components alone stays one for good (Discord docs, Component Reference).
            kept = message.flags & (EPHEMERAL | LOADING | COMPONENTS_V2)
            message.flags = kept | (body["flags"] & ~(EPHEMERAL | LOADING))
        if "content" in body:
            message.content = body["content"] or ""
        if "attachments" in body or files:
            message.attachments = self._attach(message, body, files)
        if "embeds" in body:
            message.embeds = [self._embed(embed, message) for embed in body["embeds"] or []]
        if "components" in body:
            message.components = components.numbered(body["components"] or [])
            self._resolve_media(message)
        forms.check_layout(message)

    def _attach(self, message: Message, body: Json, files: Sequence[Upload]) -> list[Attachment]:
        listed = body.get("attachments")
        metas = {int(meta["id"]): meta for meta in listed or [] if "id" in meta}
        kept = [a for a in message.attachments if listed is None or a.id in metas]
        for old in kept:
            old.description = metas.get(old.id, {}).get("description", old.description)
        forms.check_sizes(files, message.channel.max_file_bytes)
        new = [forms.taken(file, metas.get(file.index, {})) for file in files]
        return kept + [self.keep(file, message.channel, ephemeral=message.ephemeral) for file in new]

    def _embed(self, embed: Json, message: Message) -> Json:
        shape: Json = {key: value for key, value in embed.items() if value is not None}
        shape["type"] = "rich"
        for part, key in (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url")):
            if not isinstance(shape.get(part), dict) or not shape[part].get(key):
                continue
            media = self._media(shape[part][key], message)
            if media is None:
                del shape[part][key]
            elif key == "url":
                shape[part] = media
            else:
                shape[part] = {**shape[part], key: media["url"], f"proxy_{key}": media["url"]}
        return shape

    def _media(self, address: str, message: Message) -> Json | None:
        if not address.startswith("attachment://"):
            return {"url": address, "proxy_url": address}
        name = address.removeprefix("attachment://")
        file = next((a for a in message.attachments if a.filename == name), None)
        if file is None:
            return None
        shape: dict[str, Any] = {"url": file.url, "proxy_url": file.url, "content_type": file.content_type}
        shape |= {"width": file.width, "height": file.height, "description": file.description}
        return {key: value for key, value in shape.items() if value is not None}

    def _resolve_media(self, message: Message) -> None:
        for component in walk(message.components):
            for holder in (component, *component.get("items", ())):
                for key in _MEDIA_KEYS:
                    if key not in holder:
                        continue
                    media = self._media(holder[key]["url"], message)
                    if media is None:
                        found = errors.FormErrors()
                        code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
                        found.add(
                            ("components",), code, f"The referenced attachment {holder[key]['url']} was not found."
                        )
                        found.raise_if_any()
                    holder[key] = media

    def _mention(self, message: Message, allowed: Json | None) -> None:
        text = message.text if message.components and not message.content else message.content
        everyone = "@everyone" in text or "@here" in text
        users = [self._world.users[int(i)] for i in _USER.findall(text) if int(i) in self._world.users]
        roles = [int(i) for i in _ROLE.findall(text)]
        if message.reference is not None and (allowed or {}).get("replied_user", allowed is None):
            users.append(message.reference.author)
        if allowed is not None:
            parse = allowed.get("parse") or []
            named = {int(i) for i in allowed.get("users") or []}
            replied = message.reference.author if message.reference and allowed.get("replied_user") else None
            users = [u for u in users if "users" in parse or u.id in named or u is replied]
            roles = [r for r in roles if "roles" in parse or r in {int(i) for i in allowed.get("roles") or []}]
            everyone = everyone and "everyone" in parse
        may = permissions.of(message.author, message.channel) & permissions.Permission.MENTION_EVERYONE
        message.mention_everyone = bool(everyone and may)
        message.mentions = list(dict.fromkeys(users))
        message.mention_roles = roles

    def _reaction(self, message: Message, user: User, face: str, *, added: bool) -> Json:
        data: Json = {
            "user_id": str(user.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "emoji": payloads.emoji(face),
            "burst": False,
            "type": 0,
        }
        guild = message.channel.guild
        if added:
            data["message_author_id"] = str(message.author.id)
            if guild is not None and user.id in guild.members:
                data["member"] = payloads.member(guild.members[user.id])
        return data

    def _tell(self, name: str, message: Message) -> None:
        self._publish(name, message, payloads.dispatched(message, self._world.bot))

    def _publish(self, name: str, message: Message, data: Json) -> None:
        guild = message.channel.guild
        if guild is not None:
            data = data | {"guild_id": str(guild.id)}
        self._bus.publish(Event(name, data, guild, message.channel, message, message.private_to))


def _is_empty(message: Message) -> bool:
    if message.flags & COMPONENTS_V2:
        return not message.components
    return not (message.content or message.embeds or message.attachments or message.components)
