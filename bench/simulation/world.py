"""Who asks for what, and when: a made-up year of Discord servers, the same for everybody who is given its seed.

The mix is a guess at what a public bot sees: nine servers in ten are quiet, a few dozen ask all day, and some hold
events. Everybody is awake in the evening, weekends are livelier, and two seasons are half as lively again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush, merge
from math import inf, pi, sin
from operator import mul
from random import Random
from typing import NamedTuple

from bot.domain.cost import UNIT, W0, cost
from bot.domain.request import PaintRequest

DAY_S = 86_400.0
PREMIUM = 300
_PREMIUM_EACH = 5
"""Of so many guilds one has the weight of a premium guild."""
_PEAK = 1.6 * 1.3 * 1.5
_SEASONS = ((160, 174), (350, 364))
"""Days of the year, from the first to before the last."""
_FAULTY, _IMPATIENT = 0.02, 0.05
"""Shares of the jobs: a backend fails one midway, or its asker cancels it if it waits too long."""
_PATIENCE_S = 1800.0


class Ask(NamedTuple):
    """One order: ``cost`` in ticks; ``served`` is the share (0–1) of it that is painted before it ends.

    Its asker cancels it if it has not begun after ``patience_s`` seconds.
    """

    at: float
    guild: int
    user: int
    cost: int
    served: float = 1.0
    patience_s: float = inf


@dataclass(frozen=True, slots=True)
class Kind:
    """So many guilds of one kind: each has ``visits`` a day, each visit's person asks for ``jobs`` pictures or so.

    ``gap_s``: seconds between two orders of a visit. ``skew`` 1 makes the guilds alike; the greater, the more of
    the visits go to the first of them.
    """

    name: str
    guilds: int
    users: int
    visits: float
    jobs: float
    gap_s: float
    skew: float = 1.0


def _order(side: int, steps: int, count: int) -> int:
    return cost(PaintRequest("", 1, width=side, height=side, steps=steps, count=count))


ORDERS = (_order(512, 20, 1), _order(768, 25, 1), _order(1024, 30, 1), _order(1024, 30, 2), _order(1024, 50, 4))
"""What people ask for, in ticks: from a sketch to four large pictures."""
_SHARES = (25, 25, 30, 15, 5)
_MEAN = sum(map(mul, ORDERS, _SHARES)) / sum(_SHARES) / UNIT


@dataclass(frozen=True, slots=True)
class World:
    """Guilds for so many ``days`` and a pool of slots that is busy for the share ``load`` of them, on average.

    ``paces`` says how fast the slots are, one beside the other. ``events`` are those of a day: ``crowd`` people of
    an ordinary guild ask for fifty pictures within ten minutes.
    """

    days: int = 365
    busy: Kind = Kind("busy", 12, 60, visits=100, jobs=5, gap_s=60, skew=2)
    ordinary: Kind = Kind("ordinary", 988, 15, visits=0.4, jobs=2.5, gap_s=90)
    quiet: Kind = Kind("quiet", 9_000, 3, visits=1 / 8, jobs=1.4, gap_s=120)
    events: float = 3
    crowd: int = 30
    paces: tuple[float, ...] = (4, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1)
    load: float = 0.75

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The guilds by kind, in the order of their numbers."""
        return self.busy, self.ordinary, self.quiet

    @property
    def guilds(self) -> int:
        """How many guilds there are."""
        return sum(kind.guilds for kind in self.kinds)

    def kind(self, guild: int) -> Kind:
        """Return what kind of guild that is."""
        for kind in self.kinds:
            if guild < kind.guilds:
                return kind
            guild -= kind.guilds
        raise LookupError(guild)

    def weight(self, guild: int) -> int:
        """Return the weight of a guild: one in five is a premium guild."""
        return PREMIUM if guild % _PREMIUM_EACH == 1 else W0

    def slots(self) -> tuple[float, ...]:
        """Return the seconds that each slot takes for a tick, the fastest slot first."""
        jobs = sum(kind.guilds * kind.visits * kind.jobs for kind in self.kinds) + self.events * 50
        a_second = jobs * _MEAN * UNIT / DAY_S / self.load
        return tuple(sorted(sum(self.paces) / (a_second * pace) for pace in self.paces))

    def asks(self, seed: int) -> Iterator[Ask]:
        """Return every order in the order of time."""
        random = Random(seed)
        pending: list[Ask] = []
        first = 0
        streams = [self._events(random)]
        for kind in self.kinds:
            streams.append(self._visits(random, kind, first))
            first += kind.guilds
        for visit in merge(*streams):
            while pending and pending[0] <= visit[0]:
                yield heappop(pending)
            for ask in visit:
                heappush(pending, ask)
        yield from sorted(pending)

    def _visits(self, random: Random, kind: Kind, first: int) -> Iterator[list[Ask]]:
        for at in self._times(random, kind.visits * kind.guilds):
            guild = first + int(kind.guilds * random.random() ** kind.skew)
            user = int(kind.users * random.random() ** 2)
            visit, last = [_ask(random, at, guild, user)], at
            while random.random() > 1 / kind.jobs:
                last += random.expovariate(1 / kind.gap_s)
                visit.append(_ask(random, last, guild, user))
            yield visit

    def _events(self, random: Random) -> Iterator[list[Ask]]:
        for at in self._times(random, self.events):
            guild = random.randrange(self.busy.guilds, self.busy.guilds + self.ordinary.guilds)
            times = sorted(at + random.random() * 600 for _ in range(50))
            yield [_ask(random, each, guild, random.randrange(self.crowd)) for each in times]

    def _times(self, random: Random, a_day: float) -> Iterator[float]:
        """Return moments that come ``a_day`` times, more often when more people are awake."""
        at = 0.0
        while (at := at + random.expovariate(a_day * _PEAK / DAY_S)) < self.days * DAY_S:
            if random.random() * _PEAK < liveliness(at):
                yield at


def liveliness(at: float) -> float:
    """Return how lively it is at a moment, beside an ordinary day's average."""
    day = int(at / DAY_S)
    hourly = 1 + 0.6 * sin(2 * pi * (at / DAY_S - 0.5))
    weekly = 1.3 if day % 7 >= 5 else 0.88
    yearly = 1.5 if any(first <= day < end for first, end in _SEASONS) else 1.0
    return hourly * weekly * yearly


def _ask(random: Random, at: float, guild: int, user: int) -> Ask:
    ticks = random.choices(ORDERS, _SHARES)[0]
    served = random.random() if random.random() < _FAULTY else 1.0
    patience_s = random.expovariate(1 / _PATIENCE_S) if random.random() < _IMPATIENT else inf
    return Ask(at, guild, user, ticks, served, patience_s)


YEAR = World()
QUICK = replace(
    YEAR,
    days=30,
    busy=replace(YEAR.busy, guilds=4),
    ordinary=replace(YEAR.ordinary, guilds=96),
    quiet=replace(YEAR.quiet, guilds=900),
    events=0.3,
)
"""A month of a thousand guilds, with the same in small."""
