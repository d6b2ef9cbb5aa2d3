"""The world the stand-in plays: people, guilds, channels, messages, as plain data."""

from dataclasses import dataclass, field

from bot.rehearsal.errors import Json
from bot.rehearsal.snowflakes import time_of

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15
"""Message flags (Discord docs, Message Object, Message Flags)."""

TEXT_CHANNEL = 0
DIRECT_CHANNEL = 1
GROUP_CHANNEL = 3
PUBLIC_THREAD = 11
"""Channel types (Discord docs, Channel Object, Channel Types)."""

MEBIBYTE = 1024 * 1024
_UPLOAD_BY_TIER = {0: 10 * MEBIBYTE, 1: 10 * MEBIBYTE, 2: 50 * MEBIBYTE, 3: 100 * MEBIBYTE}


@dataclass(eq=False, slots=True)
class User:
    """A person or a bot; ``installed`` means they added the app to their account (a user-install)."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    takes_direct_messages: bool = True
    installed: bool = False
    direct: "Channel | None" = field(default=None, repr=False)

    @property
    def dms(self) -> "list[Message]":
        """What the bot and this person wrote each other, oldest first."""
        return self.direct.messages if self.direct else []

    @property
    def mention(self) -> str:
        """How a message names this person."""
        return f"<@{self.id}>"


@dataclass(eq=False, slots=True)
class Role:
    """A role; ``permissions`` are Discord's bits."""

    id: int
    name: str
    permissions: int = 0
    position: int = 1


@dataclass(eq=False, slots=True)
class Member:
    """A user in a guild, with the ids of their roles."""

    user: User
    roles: list[int]
    joined_at: float


@dataclass(frozen=True, slots=True)
class Overwrite:
    """A channel's own rule for a role (its id, or the guild's id for everyone) or a user."""

    target: int
    allow: int = 0
    deny: int = 0
    for_user: bool = False


@dataclass(eq=False, slots=True)
class Guild:
    """A server; ``upload_limit`` in bytes overrides what its boost tier gives, ``emojis`` are names by id."""

    id: int
    name: str
    owner_id: int
    locale: str = "en-US"
    tier: int = 0
    upload_limit: int | None = None
    roles: dict[int, Role] = field(default_factory=dict, repr=False)
    members: dict[int, Member] = field(default_factory=dict, repr=False)
    emojis: dict[int, str] = field(default_factory=dict, repr=False)
    channels: "dict[int, Channel]" = field(default_factory=dict, repr=False)

    @property
    def max_file_bytes(self) -> int:
        """The largest file a message may carry here, in bytes."""
        return self.upload_limit or _UPLOAD_BY_TIER[self.tier]


@dataclass(eq=False, slots=True)
class Channel:
    """A text channel, a thread (``parent`` set), direct messages or a group of people (``recipients`` set)."""

    id: int
    name: str
    type: int = TEXT_CHANNEL
    guild: Guild | None = field(default=None, repr=False)
    parent: "Channel | None" = field(default=None, repr=False)
    nsfw: bool = False
    overwrites: list[Overwrite] = field(default_factory=list)
    recipients: tuple[User, ...] = field(default=(), repr=False)
    archived: bool = False
    locked: bool = False
    deleted: bool = False
    log: "dict[int, Message]" = field(default_factory=dict, repr=False)

    @property
    def is_group(self) -> bool:
        """Whether this is a group of people, which no bot can be in."""
        return self.type == GROUP_CHANNEL

    @property
    def is_thread(self) -> bool:
        """Whether this is a thread of another channel."""
        return self.type == PUBLIC_THREAD

    @property
    def messages(self) -> "list[Message]":
        """The messages that stand here, ephemeral ones too, oldest first."""
        return list(self.log.values())

    @property
    def max_file_bytes(self) -> int:
        """The largest file a message may carry here, in bytes."""
        return self.guild.max_file_bytes if self.guild else _UPLOAD_BY_TIER[0]


@dataclass(eq=False, slots=True)
class Attachment:
    """A file with a message or a command; sizes in px, ``None`` for what is no picture.

    Tests give ``filename`` and ``data``; the stand-in fills in the rest when it takes the file.
    """

    filename: str
    data: bytes = field(repr=False)
    content_type: str | None = None
    description: str | None = None
    id: int = 0
    url: str = ""
    width: int | None = None
    height: int | None = None
    ephemeral: bool = False

    @property
    def spoiler(self) -> bool:
        """Whether it is hidden until clicked, which the name alone decides."""
        return self.filename.startswith("SPOILER_")


@dataclass(frozen=True, slots=True)
class Version:
    """A message as it stood from ``at`` (unix seconds) until its next edit."""

    at: float
    content: str
    embeds: list[Json]
    attachments: tuple[Attachment, ...]
    components: list[Json]
    flags: int


@dataclass(eq=False, slots=True)
class Message:
    """A message: it changes in place with every edit, ``history`` keeps how it stood before.

    ``private_to`` is the one person who sees it (an ephemeral message); ``mentions`` are the users it
    pings; ``reactions`` hold the ids of who reacted, per emoji.
    """

    id: int
    channel: Channel = field(repr=False)
    author: User
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    flags: int = 0
    type: int = 0
    reference: "Message | None" = field(default=None, repr=False)
    reference_id: int | None = None
    interaction_metadata: Json | None = field(default=None, repr=False)
    application_id: int | None = None
    nonce: str | None = None
    private_to: int | None = None
    mentions: list[User] = field(default_factory=list)
    mention_everyone: bool = False
    mention_roles: list[int] = field(default_factory=list)
    reactions: dict[str, list[int]] = field(default_factory=dict)
    edited_at: float | None = None
    deleted: bool = False
    history: list[Version] = field(default_factory=list, repr=False)

    @property
    def created_at(self) -> float:
        """When it was sent, in unix seconds."""
        return time_of(self.id)

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it still says that the bot is thinking."""
        return bool(self.flags & LOADING)

    @property
    def hidden(self) -> set[int]:
        """The ids of attachments that an embed shows; Discord does not list them again below it."""
        shown = str([(e.get("image"), e.get("thumbnail"), e.get("author"), e.get("footer")) for e in self.embeds])
        return {a.id for a in self.attachments if a.url and a.url in shown}

    @property
    def text(self) -> str:
        """All that can be read in it, top to bottom, one piece a line."""
        return "\n".join(
            [line for line in (self.content, *_embed_lines(self.embeds), *_lines(self.components)) if line]
        )

    @property
    def controls(self) -> list[Json]:
        """Its buttons and menus, in order."""
        return [c for c in walk(self.components) if c["type"] in {2, 3, 5, 6, 7, 8}]

    def snapshot(self, at: float) -> Version:
        """Return how it stands, to be kept from the next edit on."""
        return Version(at, self.content, self.embeds, tuple(self.attachments), self.components, self.flags)


def walk(components: list[Json]) -> list[Json]:
    """Return ``components`` and all that is nested in them, top to bottom."""
    found: list[Json] = []
    for component in components:
        found.append(component)
        inner = [*component.get("components", ())]
        inner += [component[key] for key in ("component", "accessory") if component.get(key)]
        found += walk(inner)
    return found


def _embed_lines(embeds: list[Json]) -> list[str]:
    lines: list[str] = []
    for embed in embeds:
        lines += [
            embed.get("author", {}).get("name", ""),
            embed.get("title") or "",
            embed.get("description") or "",
        ]
        for entry in embed.get("fields", ()):
            lines += [entry["name"], entry["value"]]
        lines.append((embed.get("footer") or {}).get("text", ""))
    return lines


def _lines(components: list[Json]) -> list[str]:
    return [c["content"] for c in walk(components) if c["type"] == 10]  # noqa: PLR2004 - Text Display
