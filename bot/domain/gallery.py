"""Looking back at pictures: what is searched for, what is found, and how much was painted."""

from dataclasses import dataclass

from bot.domain.job import Job


@dataclass(frozen=True, slots=True)
class Search:
    """Which of a person's own delivered pictures are wanted.

    Every one of ``words`` is in the prompt and ``model`` in the model's name, whatever the case. ``after`` and
    ``before`` are unix seconds. Without a ``guild``, and with ``everywhere``, pictures of all places count.
    """

    user: int
    guild: int | None = None
    words: str = ""
    model: str = ""
    after: float | None = None
    before: float | None = None
    favourites: bool = False
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what a search found: ``total`` counts all, ``favourites`` are the marked ones here, by id."""

    total: int
    jobs: tuple[Job, ...] = ()
    favourites: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Tally:
    """What was painted in the last days: ``days`` are pictures per day (UTC), the last one today.

    ``models`` are the most used with their pictures, ``wait_s`` and ``paint_s`` medians in seconds.
    """

    days: tuple[int, ...]
    people: int = 0
    models: tuple[tuple[str, int], ...] = ()
    wait_s: float | None = None
    paint_s: float | None = None

    @property
    def pictures(self) -> int:
        """All of them."""
        return sum(self.days)
