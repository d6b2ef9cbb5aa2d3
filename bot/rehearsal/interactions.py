"""Interactions: what a person did, the one first response, the follow-ups."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from bot.rehearsal import commands, components, errors, forms, payloads, permissions
from bot.rehearsal.errors import FormErrors, Json
from bot.rehearsal.events import Bus, Event
from bot.rehearsal.forms import Upload
from bot.rehearsal.places import World
from bot.rehearsal.post import Context, Post
from bot.rehearsal.snowflakes import Clock, Snowflakes
from bot.rehearsal.world import EPHEMERAL, LOADING, Channel, Message, User

_REPLY, _CHAT_COMMAND, _MENU_COMMAND = 19, 20, 23
"""Message types (Discord docs, Message Object, Message Types)."""
_USER_INSTALL_FOLLOWUPS = 5
"""Follow-ups to a command of an app that is no member there (Discord docs, Receiving and Responding)."""


class Act(IntEnum):
    """What a person did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Kind(StrEnum):
    """How the bot responded first."""

    MESSAGE = "message"
    DEFERRED = "deferred"
    DEFERRED_UPDATE = "deferred update"
    UPDATE = "update"
    CHOICES = "choices"
    MODAL = "modal"


_KINDS = {
    4: Kind.MESSAGE,
    5: Kind.DEFERRED,
    6: Kind.DEFERRED_UPDATE,
    7: Kind.UPDATE,
    8: Kind.CHOICES,
    9: Kind.MODAL,
}


@dataclass(eq=False, slots=True)
class Interaction:
    """One thing a person did and all that the bot answered to it.

    ``kind`` is ``None`` until the first response, which came ``acknowledged_after_s`` after the person acted;
    ``message`` is the response's message, or for updates the one whose button was pressed.
    """

    id: int
    token: str = field(repr=False)
    act: Act
    user: User
    channel: Channel
    data: Json = field(repr=False)
    sent_at: float
    born_at: float
    bus: Bus = field(repr=False)
    source: Message | None = None
    parent: "Interaction | None" = None
    kind: Kind | None = None
    acknowledged_after_s: float | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict, repr=False)

    @property
    def message(self) -> Message:
        """The message this led to; raises ``LookupError`` while there is none."""
        found = self._message()
        if found is None:
            raise LookupError(f"No message came of it; the response was: {self.kind}.")
        return found

    def _message(self) -> Message | None:
        return self.original or (self.source if self.kind in {Kind.UPDATE, Kind.DEFERRED_UPDATE} else None)

    @property
    def replies(self) -> list[Message]:
        """The messages it made that still stand: the response's own and the follow-ups."""
        made = ([self.original] if self.original else []) + self.followups
        return [message for message in made if not message.deleted]

    @property
    def text(self) -> str:
        """All that can be read in its replies."""
        return "\n".join(message.text for message in self.replies)

    async def until(self, predicate: Callable[[Message], object], timeout_s: float = 10.0) -> Message:
        """Wait until its message satisfies ``predicate`` and return it; raises ``TimeoutError``."""

        def satisfied() -> object:
            found = self._message()
            return found is not None and predicate(found)

        try:
            await self.bus.until(satisfied, timeout_s)
        except TimeoutError:
            raise TimeoutError(f"After {timeout_s} s the answer still reads: {self.text!r}") from None
        return self.message

    async def acknowledged(self, timeout_s: float = 3.0) -> "Interaction":
        """Wait for the first response; raises ``TimeoutError``."""
        await self.bus.until(lambda: self.kind is not None, timeout_s)
        return self


class Interactions:
    """Sends what people do to the bot and takes its responses.

    The deadline of the first response runs in true seconds (``deadline_s``), the token's life
    (``token_life_s``) by the clock.
    """

    def __init__(self, world: World, bus: Bus, post: Post, ids: Snowflakes, clock: Clock) -> None:
        self._world = world
        self._bus = bus
        self._post = post
        self._ids = ids
        self._clock = clock
        self.deadline_s = 3.0
        self.token_life_s = 900.0
        self.all: dict[str, Interaction] = {}

    def send(
        self,
        act: Act,
        user: User,
        channel: Channel,
        data: Json,
        *,
        source: Message | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        """Let ``user`` do something in ``channel`` and return what comes of it."""
        interaction = Interaction(
            id=self._ids.next(),
            token=secrets.token_urlsafe(48),
            act=act,
            user=user,
            channel=channel,
            data=data,
            sent_at=asyncio.get_running_loop().time(),
            born_at=self._clock(),
            bus=self._bus,
            source=source,
            parent=parent,
        )
        interaction.metadata = self._metadata(interaction)
        self.all[interaction.token] = interaction
        self._bus.publish(Event("INTERACTION_CREATE", self._payload(interaction), channel.guild, channel))
        return interaction

    def by_token(self, token: str) -> Interaction:
        """Return the responded interaction a webhook route speaks of; raises 10015 or 50027."""
        interaction = self.all.get(token)
        if interaction is None or interaction.kind is None:
            raise errors.unknown_webhook()
        if self._clock() - interaction.born_at >= self.token_life_s:
            raise errors.expired_token()
        return interaction

    def respond(self, interaction_id: int, token: str, body: Json, files: Sequence[Upload]) -> Json:
        """Take the first response and return the callback object; raises 10062, 40060, 50035."""
        interaction = self.all.get(token)
        if interaction is None or interaction.id != interaction_id:
            raise errors.unknown_interaction()
        if interaction.kind is not None:
            raise errors.already_acknowledged()
        waited_s = asyncio.get_running_loop().time() - interaction.sent_at
        if waited_s > self.deadline_s:
            raise errors.unknown_interaction()
        kind = _checked_kind(interaction, body)
        message = self._perform(interaction, kind, body.get("data") or {}, files)
        interaction.kind, interaction.acknowledged_after_s = kind, waited_s
        self._bus.touch()
        return self._callback(interaction, body["type"], message)

    def follow_up(self, interaction: Interaction, body: Json, files: Sequence[Upload]) -> Message:
        """Take a follow-up; while the bot is thinking, it becomes the response itself, visible as that is."""
        original = interaction.original
        forms.check_message(body, files, layout=forms.is_layout(body))
        if self._by_user_install(interaction) and len(interaction.followups) >= _USER_INSTALL_FOLLOWUPS:
            raise errors.too_many_followups()
        if original is not None and original.loading and not original.deleted:
            return self._post.edit(original, body | {"flags": (body.get("flags") or 0)}, files)
        context = Context(
            type=_REPLY if original else 0,
            application_id=self._world.bot.id,
            metadata=self._followup_metadata(interaction),
            private_to=interaction.user.id if (body.get("flags") or 0) & EPHEMERAL else None,
            reference=original,
            flags=(body.get("flags") or 0) & EPHEMERAL,
        )
        message = self._post.send(interaction.channel, self._world.bot, body, files, context)
        interaction.followups.append(message)
        self._bus.touch()
        return message

    def find(self, interaction: Interaction, message_id: str) -> Message:
        """Return the message a webhook route names, ``@original`` too; raises 10008."""
        if message_id == "@original":
            updates = interaction.kind in {Kind.UPDATE, Kind.DEFERRED_UPDATE}
            found = interaction.source if updates else interaction.original
        else:
            made = [interaction.original, interaction.source, *interaction.followups]
            found = next((m for m in made if m is not None and str(m.id) == message_id), None)
        if found is None or found.deleted:
            raise errors.unknown_message()
        return found

    def _perform(
        self, interaction: Interaction, kind: Kind, data: Json, files: Sequence[Upload]
    ) -> Message | None:
        if kind is Kind.CHOICES:
            found = FormErrors()
            if found.count(("data", "choices"), data.get("choices"), 0, 25):
                commands.check_choices(data["choices"], found, ("data", "choices"))
            found.raise_if_any()
            interaction.choices = data["choices"]
        elif kind is Kind.MODAL:
            found = FormErrors()
            components.check_modal(data, found)
            found.raise_if_any()
            interaction.modal = data
        elif kind in {Kind.MESSAGE, Kind.DEFERRED}:
            return self._respond_with_message(interaction, kind, data, files)
        elif kind is Kind.UPDATE and interaction.source is not None:
            layout = forms.is_layout(data, interaction.source.flags)
            forms.check_message(data, files, layout=layout, path=("data",))
            return self._post.edit(interaction.source, data, files)
        return interaction.source if kind is Kind.DEFERRED_UPDATE else None

    def _respond_with_message(
        self, interaction: Interaction, kind: Kind, data: Json, files: Sequence[Upload]
    ) -> Message:
        forms.check_message(data, files, layout=forms.is_layout(data), path=("data",))
        flags = (data.get("flags") or 0) & EPHEMERAL
        rights = permissions.of(interaction.user, interaction.channel)
        in_guild = interaction.channel.guild is not None
        guest = in_guild and self._by_user_install(interaction)
        if guest and not rights & permissions.Permission.USE_EXTERNAL_APPS:
            flags |= EPHEMERAL
        if kind is Kind.DEFERRED:
            flags |= LOADING
        types = {Act.COMMAND: _MENU_COMMAND if "target_id" in interaction.data else _CHAT_COMMAND}
        context = Context(
            type=types.get(interaction.act, _REPLY if interaction.source else 0),
            application_id=self._world.bot.id,
            metadata=interaction.metadata,
            private_to=interaction.user.id if flags & EPHEMERAL else None,
            reference=interaction.source,
            flags=flags,
        )
        interaction.original = self._post.send(interaction.channel, self._world.bot, data, files, context)
        return interaction.original

    def _callback(self, interaction: Interaction, kind: int, message: Message | None) -> Json:
        about: Json = {"id": str(interaction.id), "type": int(interaction.act)}
        if message is None:
            return {"interaction": about}
        about |= {
            "response_message_id": str(message.id),
            "response_message_loading": message.loading,
            "response_message_ephemeral": message.ephemeral,
        }
        if kind not in {4, 7}:  # only these carry the message (Discord docs, Interaction Callback Resource)
            return {"interaction": about}
        return {
            "interaction": about,
            "resource": {"type": kind, "message": payloads.message(message, self._world.bot)},
        }

    def _metadata(self, interaction: Interaction) -> Json:
        shape: Json = {
            "id": str(interaction.id),
            "type": int(interaction.act),
            "user": payloads.user(interaction.user),
            "authorizing_integration_owners": self._owners(interaction),
        }
        if interaction.act is Act.COMMAND:
            shape |= {"name": interaction.data["name"], "command_type": interaction.data["type"]}
            if "target_id" in interaction.data:
                shape["target_message_id"] = interaction.data["target_id"]
        elif interaction.act is Act.COMPONENT and interaction.source is not None:
            shape["interacted_message_id"] = str(interaction.source.id)
        elif interaction.act is Act.MODAL and interaction.parent is not None:
            shape["triggering_interaction_metadata"] = interaction.parent.metadata
        return shape

    def _followup_metadata(self, interaction: Interaction) -> Json:
        if interaction.original is None:
            return interaction.metadata
        return interaction.metadata | {"original_response_message_id": str(interaction.original.id)}

    def _by_user_install(self, interaction: Interaction) -> bool:
        """Return whether the bot itself is no member where this happens."""
        guild = interaction.channel.guild
        return interaction.channel.is_group if guild is None else self._world.bot.id not in guild.members

    def _owners(self, interaction: Interaction) -> Json:
        """Return by whom the bot came; under a message that is by whom it came to send that (Discord docs)."""
        guild, source = interaction.channel.guild, interaction.source
        if source is not None and source.interaction_metadata is not None:
            known: Json = source.interaction_metadata["authorizing_integration_owners"]
            return known
        if interaction.channel.is_group:
            return {"1": str(interaction.user.id)}
        owners: Json = {}
        if guild is None:
            owners["0"] = "0"
        elif not self._by_user_install(interaction):
            owners["0"] = str(guild.id)
        if interaction.user.installed:
            owners["1"] = str(interaction.user.id)
        return owners

    def _payload(self, interaction: Interaction) -> Json:
        user, channel = interaction.user, interaction.channel
        rights = permissions.of(user, channel)
        shape: Json = {
            "id": str(interaction.id),
            "application_id": str(self._world.bot.id),
            "type": int(interaction.act),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": payloads.channel(channel) | {"permissions": str(rights)},
            "locale": user.locale,
            "app_permissions": str(permissions.of(self._world.bot, channel)),
            "authorizing_integration_owners": self._owners(interaction),
            "attachment_size_limit": channel.max_file_bytes,
            "entitlements": [],
            "entitlement_sku_ids": [],
            "context": context_of(channel),
        }
        if interaction.source is not None:
            self._post.renew(interaction.source)
            shape["message"] = payloads.message(interaction.source, self._world.bot)
        if channel.guild is None:
            return shape | {"user": payloads.user(user)}
        guild = channel.guild
        return shape | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
            "guild_locale": guild.locale,
            "member": payloads.member(guild.members[user.id], permissions=rights),
        }


def context_of(channel: Channel) -> int:
    """Return Discord's number for the kind of place: a guild, messages with the bot, or other private channels."""
    return 0 if channel.guild is not None else 2 if channel.is_group else 1


def _checked_kind(interaction: Interaction, body: Json) -> Kind:
    kind = _KINDS.get(body.get("type", 0))
    choosing = interaction.act is Act.AUTOCOMPLETE
    wrong = (
        kind is None
        or (kind is Kind.CHOICES) is not choosing
        or (kind is Kind.MODAL and interaction.act is Act.MODAL)
        or (kind in {Kind.UPDATE, Kind.DEFERRED_UPDATE} and interaction.source is None)
    )
    if kind is None or wrong:
        found = FormErrors()
        found.add(("type",), "BASE_TYPE_CHOICES", "This response does not fit the interaction.")
        found.raise_if_any()
        raise AssertionError
    return kind
