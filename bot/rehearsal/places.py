"""The guilds, channels and people of the stand-in, and what can befall them."""

from collections.abc import Iterable

from bot.rehearsal import payloads
from bot.rehearsal.events import Bus, Event
from bot.rehearsal.permissions import Permission
from bot.rehearsal.snowflakes import Clock, Snowflakes
from bot.rehearsal.world import (
    DIRECT_CHANNEL,
    GROUP_CHANNEL,
    PUBLIC_THREAD,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    User,
)

INVITED_WITH = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
)
"""What the bot's own role gives it unless a test says otherwise."""
EVERYONE = (
    INVITED_WITH
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.USE_EXTERNAL_APPS
)


class World:
    """All places and people; a fresh one has guild Atelier (``guild``) and guild Workshop (``other_guild``).

    In Atelier: ``owner``, ``admin`` (Manage Server), ``moderator`` (Manage Messages), members ``ada`` and
    ``bruno``, channel ``channel`` and the age-restricted ``night_channel``. In Workshop: ``owner`` again, member
    ``carla``, channel ``other_channel``.
    """

    def __init__(self, clock: Clock, snowflakes: Snowflakes, bus: Bus) -> None:
        self._clock = clock
        self._ids = snowflakes
        self._bus = bus
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.bot = self.add_user("Easel", bot=True)
        self.owner = self.add_user("Olga")
        self.guild = self.add_guild("Atelier", self.owner)
        self.channel = self.add_channel(self.guild, "studio")
        self.night_channel = self.add_channel(self.guild, "night-studio", nsfw=True)
        admin_role = self.add_role(self.guild, "admin", Permission.MANAGE_GUILD)
        moderator_role = self.add_role(self.guild, "moderator", Permission.MANAGE_MESSAGES)
        self.admin = self.add_member(self.guild, self.add_user("Anton"), [admin_role])
        self.moderator = self.add_member(self.guild, self.add_user("Mira"), [moderator_role])
        self.ada = self.add_member(self.guild, self.add_user("Ada"))
        self.bruno = self.add_member(self.guild, self.add_user("Bruno"))
        self.other_guild = self.add_guild("Workshop", self.owner)
        self.other_channel = self.add_channel(self.other_guild, "bench")
        self.carla = self.add_member(self.other_guild, self.add_user("Carla"))

    def add_user(self, name: str, *, bot: bool = False, locale: str = "en-US") -> User:
        """Let a person exist, in no guild yet."""
        user = User(self._ids.next(), name, bot=bot, locale=locale)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User, *, with_bot: bool = True, locale: str = "en-US") -> Guild:
        """Found a guild; with the bot in it, which is told, unless ``with_bot`` is false."""
        guild = Guild(self._ids.next(), name, owner.id, locale=locale)
        guild.roles[guild.id] = Role(guild.id, "@everyone", int(EVERYONE), position=0)
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        if with_bot:
            self.invite(guild)
        return guild

    def invite(self, guild: Guild, permissions: int = int(INVITED_WITH)) -> None:
        """Let the bot join ``guild`` with a role of its own."""
        role = self.add_role(guild, self.bot.name, permissions)
        self.add_member(guild, self.bot, [role])
        self._bus.publish(Event("GUILD_CREATE", payloads.guild_create(guild, self.bot), guild))

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Make a role; ``permissions`` are Discord's bits."""
        role = Role(self._ids.next(), name, int(permissions), position=len(guild.roles))
        guild.roles[role.id] = role
        self._bus.publish(
            Event("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": payloads.role(role)}, guild),
        )
        return role

    def set_permissions(self, guild: Guild, role: Role, permissions: int) -> None:
        """Give ``role`` other permissions; ``guild.roles[guild.id]`` is everyone's."""
        role.permissions = int(permissions)
        self._bus.publish(
            Event("GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": payloads.role(role)}, guild),
        )

    def delete_role(self, guild: Guild, role: Role) -> None:
        """Delete a role; nobody has it any more."""
        del guild.roles[role.id]
        for member in guild.members.values():
            member.roles = [each for each in member.roles if each != role.id]
        self._bus.publish(
            Event("GUILD_ROLE_DELETE", {"guild_id": str(guild.id), "role_id": str(role.id)}, guild),
        )

    def role_of_bot(self, guild: Guild) -> Role:
        """Return the bot's own role in ``guild``."""
        return guild.roles[guild.members[self.bot.id].roles[0]]

    def add_member(self, guild: Guild, user: User, roles: Iterable[Role] = ()) -> User:
        """Let ``user`` join ``guild`` and return them."""
        guild.members[user.id] = Member(user, [role.id for role in roles], self._clock())
        return user

    def add_channel(
        self,
        guild: Guild,
        name: str,
        *,
        nsfw: bool = False,
        overwrites: Iterable[Overwrite] = (),
    ) -> Channel:
        """Make a text channel."""
        channel = Channel(self._ids.next(), name, guild=guild, nsfw=nsfw, overwrites=list(overwrites))
        return self._enter(channel, "CHANNEL_CREATE")

    def add_thread(self, parent: Channel, name: str) -> Channel:
        """Start a public thread in ``parent``."""
        thread = Channel(self._ids.next(), name, type=PUBLIC_THREAD, guild=parent.guild, parent=parent)
        return self._enter(thread, "THREAD_CREATE")

    def direct_channel(self, user: User) -> Channel:
        """Return the channel of direct messages between the bot and ``user``, opened if need be."""
        if user.direct is None:
            user.direct = Channel(self._ids.next(), "", type=DIRECT_CHANNEL, recipients=(user, self.bot))
            self.channels[user.direct.id] = user.direct
        return user.direct

    def add_group(self, *people: User) -> Channel:
        """Open a group of people, the first of them its owner; the bot comes there only as somebody's guest."""
        group = Channel(self._ids.next(), "", type=GROUP_CHANNEL, recipients=people)
        self.channels[group.id] = group
        return group

    def may_write_to(self, user: User) -> bool:
        """Return whether the bot can know ``user``: by a guild of both, or because they installed it."""
        return user.installed or any(
            {self.bot.id, user.id} <= guild.members.keys() for guild in self.guilds.values()
        )

    def set_restricted(self, channel: Channel, *, restricted: bool) -> None:
        """Let a channel be age-restricted from now on, or no longer."""
        channel.nsfw = restricted
        self.update(channel)

    def set_overwrite(self, channel: Channel, overwrite: Overwrite) -> None:
        """Set a channel's rule for a role or a user, in place of its earlier one."""
        channel.overwrites = [o for o in channel.overwrites if o.target != overwrite.target]
        channel.overwrites.append(overwrite)
        self.update(channel)

    def update(self, channel: Channel) -> None:
        """Tell that a channel or thread was changed: archived, locked, renamed."""
        name = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self._bus.publish(Event(name, payloads.channel(channel), channel.guild, channel))

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Archive a thread; a locked one only moderators may open again."""
        thread.archived, thread.locked = True, locked
        self.update(thread)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel or thread and all that stands in it."""
        channel.deleted = True
        del self.channels[channel.id]
        for message in channel.log.values():
            message.deleted = True
        if channel.guild is not None:
            del channel.guild.channels[channel.id]
            name = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
            self._bus.publish(Event(name, payloads.channel(channel), channel.guild, channel))

    def kick(self, guild: Guild) -> None:
        """Remove the bot from ``guild``."""
        self._bus.publish(Event("GUILD_DELETE", {"id": str(guild.id)}, guild))
        del guild.members[self.bot.id]

    def find_message(self, message_id: int) -> Message | None:
        """Return the message with this id wherever it stands."""
        return next((c.log[message_id] for c in self.channels.values() if message_id in c.log), None)

    def _enter(self, channel: Channel, event: str) -> Channel:
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel
        self._bus.publish(Event(event, payloads.channel(channel), channel.guild, channel))
        return channel
