"""A world's asks in virtual time, its pool of slots, and a policy between them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from math import inf

from bench.simulation.measures import Firsts, Newcomers, Outcome, Spread
from bench.simulation.policies import Job, Policy
from bench.simulation.world import Ask, World
from bot.domain.limits import Limits

LIMITS = Limits()
REST_S = 3600.0
"""A visit begins where a guild has asked for nothing for so long."""
MAX_WAIT_S = 24 * 3600.0
"""After that the bot fails a job that still waits, unless its host sets another time."""


class What(IntEnum):
    """What happens besides an ask."""

    END = 0
    GIVE_UP = 1


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job that waits or runs, the ask it comes from, and where its wait is noted beside its kind's."""

    job: Job
    ask: Ask
    first: Firsts | None


class Run:
    """One policy's year. Slots that are free take the next job, the fastest slot first."""

    def __init__(self, world: World, policy: Policy) -> None:
        self.outcome = Outcome(waits={kind.name: Spread() for kind in world.kinds})
        self._policy = policy
        self._kinds = [world.kind(guild).name for guild in range(world.guilds)]
        self._weights = [world.weight(guild) for guild in range(world.guilds)]
        self._tick_s = world.slots()
        self._idle = list(range(len(self._tick_s)))
        self._events: list[tuple[float, What, int, int]] = []
        self._queued: dict[int, Ticket] = {}
        self._running: dict[int, Ticket] = {}
        self._waiting: Counter[int] = Counter()
        self._by_user: Counter[tuple[int, int]] = Counter()
        self._at_work: Counter[int] = Counter()
        self._newcomers = Newcomers()
        self._asked: dict[int, float] = {}

    def play(self, asks: Iterable[Ask]) -> Outcome:
        """Let everything happen, to the end of the last job."""
        for job_id, ask in enumerate(asks, start=1):
            self._happen(ask.at)
            self.outcome.shares.until(ask.at, self._weights)
            self._ask(job_id, ask)
            self._dispatch(ask.at)
        self._happen(inf)
        return self.outcome

    def _happen(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            now, what, job_id, slot = heappop(self._events)
            self.outcome.shares.until(now, self._weights)
            if what is What.END:
                self._end(job_id, slot)
                self._dispatch(now)
            elif job_id in self._queued:
                self._cancel(job_id)

    def _ask(self, job_id: int, ask: Ask) -> None:
        guild, user = ask.guild, ask.user
        waiting = self._waiting[guild]
        if waiting >= LIMITS.max_queued_guild or self._by_user[guild, user] >= LIMITS.max_queued_user:
            self.outcome.refused += 1
            return
        self.outcome.accepted += 1
        first = None
        if not waiting:
            self.outcome.shares.backlogged(guild, ask.at)
            if not self._at_work[guild]:
                self._newcomers.add(job_id, self.outcome.started)
                first = self._first(ask)
        self._asked[guild] = ask.at
        self._waiting[guild] += 1
        self._by_user[guild, user] += 1
        job = Job(job_id, guild, user, ask.cost, self._weights[guild])
        self._queued[job_id] = Ticket(job, ask, first)
        heappush(self._events, (ask.at + min(ask.patience_s, MAX_WAIT_S), What.GIVE_UP, job_id, 0))
        self._policy.add(job)

    def _first(self, ask: Ask) -> Firsts | None:
        """Return where the wait of an idle guild's job is noted: those that find nobody in line tell nothing."""
        if self._kinds[ask.guild] != "quiet" or not self._queued:
            return None
        rested = ask.at - self._asked.get(ask.guild, -inf) >= REST_S
        return self.outcome.first if rested else self.outcome.again

    def _leave(self, job_id: int) -> Ticket:
        ticket = self._queued.pop(job_id)
        guild, user = ticket.job.guild, ticket.job.user
        self._waiting[guild] -= 1
        if not self._waiting[guild]:
            self.outcome.shares.cleared(guild)
        self._by_user[guild, user] -= 1
        if not self._by_user[guild, user]:
            del self._by_user[guild, user]
        return ticket

    def _cancel(self, job_id: int) -> None:
        self.outcome.cancelled += 1
        self._newcomers.cancel(job_id)
        self._policy.cancel(self._leave(job_id).job)

    def _dispatch(self, now: float) -> None:
        while self._idle and self._queued:
            self._start(self._policy.take(), heappop(self._idle), now)

    def _start(self, job_id: int, slot: int, now: float) -> None:
        outcome, ticket = self.outcome, self._leave(job_id)
        job, ask = ticket.job, ticket.ask
        overtaken = self._newcomers.start(job_id, outcome.started)
        wait_s = now - ask.at
        outcome.waits[self._kinds[job.guild]].add(wait_s)
        if ticket.first is not None:
            ticket.first.waits.add(wait_s)
            ticket.first.overtaken.add(overtaken)
        outcome.started += 1
        outcome.shares.serve(job.guild, job.cost)
        self._at_work[job.guild] += 1
        self._running[job_id] = ticket
        heappush(self._events, (now + self._tick_s[slot] * job.cost * ask.served, What.END, job_id, slot))

    def _end(self, job_id: int, slot: int) -> None:
        ticket = self._running.pop(job_id)
        job, unserved = ticket.job, 1 - ticket.ask.served
        self._at_work[job.guild] -= 1
        heappush(self._idle, slot)
        if unserved:
            self.outcome.failed += 1
            self.outcome.shares.serve(job.guild, -round(job.cost * unserved))
        self._policy.end(job, unserved)
