"""Who asks for something, and where."""

from dataclasses import dataclass

from bot.domain.job import Job

NOBODY = 0
"""No person's id."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where: ``guild_id`` is ``None`` in direct messages and where only a person brought the bot.

    ``moderates`` and ``moderates_server`` say whether they have Manage Messages in that channel and in all of the
    server, ``manages`` whether they have Manage Server; ``roles`` are the ids of theirs. ``parent_id`` is the
    channel that a thread belongs to, ``command`` what was typed, by its full name;
    ``max_file_bytes`` is what the place takes in one file. ``restricted``: Discord calls the channel, or that of
    the thread, age-restricted. ``guest``: only a person brought the bot there, so that no server's settings hold.
    """

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    moderates: bool = False
    moderates_server: bool = False
    manages: bool = False
    locale: str = "en"
    guild_locale: str | None = None
    max_file_bytes: int = 10 * 1024 * 1024
    roles: frozenset[int] = frozenset()
    parent_id: int | None = None
    command: str = ""
    restricted: bool = False
    guest: bool = False

    @property
    def main_channel_id(self) -> int:
        """The channel whose settings and quota hold: a thread has those of the one it belongs to; 0 if none."""
        return self.parent_id or self.channel_id or 0

    @property
    def payer(self) -> int:
        """The guild of the fair queue: in direct messages the person is the guild."""
        return self.guild_id or self.user_id

    @classmethod
    def nobody(cls, guild_id: int | None, channel_id: int | None = None) -> "Asker":
        """Return nobody in particular: what holds for them holds for a server, or a channel, itself."""
        return cls(NOBODY, guild_id, channel_id)

    @classmethod
    def of(cls, job: Job) -> "Asker":
        """Return who asked for a job, as far as it is still known."""
        address = job.address
        guild_id = address.guild_id if address.reachable else None
        return cls(
            job.user,
            guild_id,
            address.channel_id,
            parent_id=job.spec.thread_of,
            restricted=job.spec.adult,
            guest=not address.reachable,
        )
