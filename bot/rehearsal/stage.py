"""What every route works with, in one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.rehearsal import errors, permissions
from bot.rehearsal.commands import Commands
from bot.rehearsal.errors import Json
from bot.rehearsal.events import Bus
from bot.rehearsal.faults import Faults
from bot.rehearsal.forms import Upload
from bot.rehearsal.gateway import Gateway
from bot.rehearsal.interactions import Interactions
from bot.rehearsal.permissions import Permission
from bot.rehearsal.places import World
from bot.rehearsal.post import Post
from bot.rehearsal.ratelimits import RateLimits
from bot.rehearsal.snowflakes import Clock
from bot.rehearsal.world import Channel, Message


@dataclass(slots=True)
class Exchange:
    """One request to the REST API and its answer, as the log keeps it.

    ``route`` is the template (``/channels/{channel_id}/messages``), ``body`` the parsed JSON (a multipart's
    ``payload_json``), ``files`` names and sizes in bytes, ``at`` when it came, in unix seconds;
    ``status`` is 0 for a cut connection.
    """

    method: str
    route: str
    path: str
    query: dict[str, str]
    body: object
    files: list[tuple[str, int]]
    at: float
    status: int = 0
    answer: object = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a route sees it."""

    params: dict[str, str]
    query: dict[str, str]
    body: Json
    files: Sequence[Upload]


@dataclass(slots=True)
class Stage:
    """The whole of the stand-in, without its sockets."""

    token: str
    clock: Clock
    bus: Bus
    world: World
    post: Post
    commands: Commands
    interactions: Interactions
    gateway: Gateway
    rate_limits: RateLimits
    faults: Faults
    base_url: Callable[[], str]
    requests: list[Exchange] = field(default_factory=list)
    unplayed: list[Exchange] = field(default_factory=list)
    on_request: list[Callable[[Exchange], None]] = field(default_factory=list)

    def channel(self, call: Call) -> Channel:
        """Return the channel a route names as the bot sees it; raises 10003, 50001."""
        channel = self.world.channels.get(int(call.params["channel_id"]))
        if channel is None:
            raise errors.unknown_channel()
        if not permissions.of(self.world.bot, channel) & Permission.VIEW_CHANNEL:
            raise errors.missing_access()
        return channel

    def message(self, call: Call) -> Message:
        """Return the message a channel route names; ephemeral ones are not there for it; raises 10008."""
        message = self.channel(call).log.get(int(call.params["message_id"]))
        if message is None or message.private_to is not None:
            raise errors.unknown_message()
        return message

    def require(self, channel: Channel, permission: Permission) -> None:
        """Raise 50013 unless the bot has ``permission`` in ``channel``."""
        if permissions.of(self.world.bot, channel) & permission != permission:
            raise errors.missing_permissions()
