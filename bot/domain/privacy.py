"""What is kept of a person, in numbers, and for how long anything is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """How many days finished jobs, pictures, and the data of a server that the bot left are kept."""

    jobs: int
    images: int
    left: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept of a person; ``oldest`` is when the first of their kept jobs was ordered, in unix seconds.

    ``snippets`` are what they keep by name for themselves, ``for_servers`` what they made for servers,
    ``settings`` how many defaults they have set. ``strikes`` are pictures of theirs that moderators declined,
    ``blocks`` the servers that take no order of theirs.
    """

    jobs: int = 0
    unfinished: int = 0
    pictures: int = 0
    oldest: float | None = None
    favourites: int = 0
    snippets: int = 0
    for_servers: int = 0
    settings: int = 0
    strikes: int = 0
    blocks: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there is nothing at all."""
        kept = (self.jobs, self.favourites, self.snippets, self.for_servers, self.settings, self.strikes)
        return not any((*kept, self.blocks))
