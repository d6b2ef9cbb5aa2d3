"""What is measured of a run: who waited how long, behind how many, and who got which share of the pool."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from bot.domain.cost import W0

WINDOW_S = 3600.0
_MANY = 24
"""Windows after which the size of single jobs hardly matters any more to what a guild got in all of them."""


class Spread:
    """Whole numbers, counted: how they are spread."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Count one more, rounded down."""
        self.counts[int(value)] += 1

    def __len__(self) -> int:
        return self.counts.total()

    def quantile(self, share: float) -> int:
        """Return the least value that this share (0–1) of the numbers does not pass; 0 of none."""
        left = share * len(self)
        for value in sorted(self.counts):
            left -= self.counts[value]
            if left <= 0:
                return value
        return max(self.counts, default=0)


def jain(shares: Iterable[float]) -> float:
    """Return the index of Jain, Chiu and Hawe (1984): 1 where all have the same, 1/n where one of n has all."""
    found = list(shares)
    squares = sum(share**2 for share in found)
    return sum(found) ** 2 / (len(found) * squares) if squares else 1.0


class Shares:
    """The cost served of the guilds that had queued work for the whole of a window, window by window."""

    def __init__(self) -> None:
        self.hours: list[float] = []
        """Jain's index of each window, the guilds' cost served divided by their weights."""
        self.alike: list[float] = []
        """The same among the guilds of weight 1.0 alone."""
        self.lead = 0.0
        """The most that one had more than another in a window, in ticks at weight 1.0."""
        self._begun = 0.0
        self._since: dict[int, float] = {}
        self._served: Counter[int] = Counter()
        self._got: Counter[int] = Counter()
        self._due: dict[int, float] = {}
        self._windows: Counter[int] = Counter()

    def backlogged(self, guild: int, now: float) -> None:
        """Note that a guild has queued work from now on."""
        self._since[guild] = now

    def cleared(self, guild: int) -> None:
        """Note that it has none any more."""
        del self._since[guild]

    def serve(self, guild: int, ticks: int) -> None:
        """Note what a guild was served, or less than nothing for what it was promised and not given."""
        self._served[guild] += ticks

    def until(self, now: float, weights: Sequence[int]) -> None:
        """Close the windows that are over."""
        while now >= self._begun + WINDOW_S:
            whole = [guild for guild, since in self._since.items() if since <= self._begun]
            self._close({guild: self._served[guild] * W0 / weights[guild] for guild in whole}, weights)
            self._served.clear()
            self._begun += WINDOW_S

    def _close(self, shares: dict[int, float], weights: Sequence[int]) -> None:
        alike = [share for guild, share in shares.items() if weights[guild] == W0]
        if len(alike) > 1:
            self.alike.append(jain(alike))
        if len(shares) > 1:
            self.hours.append(jain(shares.values()))
            self.lead = max(self.lead, max(shares.values()) - min(shares.values()))
            due = fmean(shares.values())
            self._windows.update(shares.keys())
            for guild, share in shares.items():
                self._got[guild] += round(share)
                self._due[guild] = self._due.get(guild, 0.0) + due

    @property
    def pooled(self) -> float:
        """Jain's index over what guilds with many windows got in all of them, as a share of what was due."""
        regulars = [guild for guild, windows in self._windows.items() if windows >= _MANY and self._due[guild]]
        return jain(self._got[guild] / self._due[guild] for guild in regulars)


@dataclass(slots=True)
class Newcomer:
    """A job of a guild that was idle: what had started before it came, and the newcomers that stood there."""

    started: int
    ahead: int


class Newcomers:
    """The first jobs of idle guilds: behind how many that were none of them each had to wait."""

    def __init__(self) -> None:
        self._waiting: dict[int, Newcomer] = {}

    def add(self, job_id: int, started: int) -> None:
        """Note one that comes after ``started`` jobs have started."""
        self._waiting[job_id] = Newcomer(started, len(self._waiting))

    def start(self, job_id: int, started: int) -> int:
        """Return how many jobs, beyond newcomers that stood before it, preceded one; 0 for what is none."""
        newcomer = self._waiting.pop(job_id, None)
        if newcomer is None:
            return 0
        return started - newcomer.started - (newcomer.ahead - self._before(job_id))

    def cancel(self, job_id: int) -> None:
        """Strike off one that will not start."""
        if self._waiting.pop(job_id, None) is not None:
            for other, newcomer in self._waiting.items():
                newcomer.ahead -= other > job_id

    def _before(self, job_id: int) -> int:
        before = 0
        for other in self._waiting:
            if other > job_id:
                break
            before += 1
        return before


@dataclass(slots=True)
class Firsts:
    """Jobs that found their guild idle: their waits, and how many jobs beyond other newcomers preceded them."""

    waits: Spread = field(default_factory=Spread)
    overtaken: Spread = field(default_factory=Spread)


@dataclass(slots=True)
class Outcome:
    """All that is told of one run; waits are in whole seconds."""

    accepted: int = 0
    refused: int = 0
    cancelled: int = 0
    started: int = 0
    failed: int = 0
    shares: Shares = field(default_factory=Shares)
    waits: dict[str, Spread] = field(default_factory=dict)
    """Of every job that started, by the kind of its guild."""
    first: Firsts = field(default_factory=Firsts)
    """The first jobs of quiet guilds' visits, where others were in line."""
    again: Firsts = field(default_factory=Firsts)
    """Later jobs of their visits that found the guild idle again, and others in line."""
