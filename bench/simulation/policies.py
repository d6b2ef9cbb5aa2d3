"""Who is next: Easel's own rule, and the two that it is held against."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from bot.domain import fairness
from bot.domain.fairness import Flow, Waiting


class Job(NamedTuple):
    """A job in the queue; ids rise in the order of arrival, ``cost`` is in ticks."""

    id: int
    guild: int
    user: int
    cost: int
    weight: int


class Policy(Protocol):
    """A queue that says which job is next."""

    def add(self, job: Job) -> None:
        """Queue a job."""

    def take(self) -> int:
        """Return the id of the job that starts now; at least one waits."""

    def cancel(self, job: Job) -> None:
        """Take a job out that waits."""

    def end(self, job: Job, unserved: float) -> None:
        """Note that a running job ends, with this share (0–1) of it not done."""


class Easel:
    """One lane of the bot's queue: rows in memory, every number from ``bot.domain.fairness``.

    What ``bot.jobs.flows`` does in a transaction happens here in the same order. Only a guild's first job stands
    in the lane's heap, and a guild whose tags may have moved is planned anew no sooner than it comes to the top:
    until then it stands there by the lowest key that its first job can have.
    """

    def __init__(self) -> None:
        self._clock = 0
        self._flows: dict[int, Flow] = {}
        self._waiting: dict[int, dict[int, Waiting]] = {}
        self._keys: dict[int, tuple[int, int, int, int]] = {}
        self._heap: list[tuple[int, int, int, int]] = []
        self._running = 0

    def add(self, job: Job) -> None:
        """Queue a job."""
        if not self._waiting and not self._running:
            self._flows.clear()
            self._clock = 0
        waiting = self._waiting.setdefault(job.guild, {})
        flow = replace(self._flows.get(job.guild, Flow()), weight=job.weight)
        flow, rank = fairness.enqueue(self._clock, flow, waiting.values(), job.user)
        waiting[job.id] = Waiting(job.id, job.user, job.cost, rank=rank)
        self._move(job.guild, flow)

    def take(self) -> int:
        """Return the id of the job that starts now, charged."""
        tag, guild, waits = self._head()
        flow, waiting = self._flows[guild], self._waiting[guild]
        self._clock, flow = fairness.start(self._clock, flow, list(waiting.values()), waits, tag)
        self._leave(guild, waits.id)
        self._move(guild, flow)
        self._running += 1
        return waits.id

    def cancel(self, job: Job) -> None:
        """Take a job out that waits."""
        waiting = self._leave(job.guild, job.id)
        self._move(job.guild, fairness.forget(self._flows[job.guild], waiting.values()))

    def end(self, job: Job, unserved: float) -> None:
        """Give back what a running job was charged and not served."""
        self._running -= 1
        if unserved:
            waiting = self._waiting.get(job.guild, {})
            flow = fairness.refund(self._clock, self._flows[job.guild], job.user, job.cost, unserved)
            self._move(job.guild, fairness.forget(flow, waiting.values()))

    def _leave(self, guild: int, job_id: int) -> dict[int, Waiting]:
        waiting = self._waiting[guild]
        del waiting[job_id]
        if not waiting:
            del self._waiting[guild]
        return waiting

    def _move(self, guild: int, flow: Flow) -> None:
        """Keep a guild's flow; what waits there is planned once its turn may have come."""
        self._flows[guild] = flow
        if guild in self._waiting:
            self._stand(guild, flow.next, fairness.AGAIN, 0)
        else:
            self._keys.pop(guild, None)

    def _stand(self, guild: int, tag: int, rank: int, job_id: int) -> None:
        key = tag, rank, job_id, guild
        if self._keys.get(guild) != key:
            self._keys[guild] = key
            heappush(self._heap, key)

    def _head(self) -> tuple[int, int, Waiting]:
        """Return the lane's first job with its tag and its guild."""
        while True:
            key = heappop(self._heap)
            tag, _, job_id, guild = key
            if self._keys.get(guild) != key:
                continue
            waiting = self._waiting[guild]
            if job_id:
                return tag, guild, waiting[job_id]
            tags = fairness.plan(self._flows[guild], waiting.values())
            job_id, tag = next(iter(tags.items()))  # a plan is in the guild's own order
            self._stand(guild, tag, waiting[job_id].rank, job_id)


class Fifo:
    """Whoever came first."""

    def __init__(self) -> None:
        self._queue: OrderedDict[int, Job] = OrderedDict()

    def add(self, job: Job) -> None:
        """Queue a job."""
        self._queue[job.id] = job

    def take(self) -> int:
        """Return the oldest job's id."""
        return self._queue.popitem(last=False)[0]

    def cancel(self, job: Job) -> None:
        """Take a job out that waits."""
        del self._queue[job.id]

    def end(self, job: Job, unserved: float) -> None:
        """Do nothing."""


class RoundRobin:
    """One job of every guild in turn, each guild's oldest; a guild that was idle joins at the end."""

    def __init__(self) -> None:
        self._ring: deque[int] = deque()
        self._queues: dict[int, OrderedDict[int, Job]] = {}

    def add(self, job: Job) -> None:
        """Queue a job."""
        if job.guild not in self._queues:
            self._queues[job.guild] = OrderedDict()
            self._ring.append(job.guild)
        self._queues[job.guild][job.id] = job

    def take(self) -> int:
        """Return the id of the oldest job of the guild whose turn it is."""
        guild = self._ring.popleft()
        queue = self._queues[guild]
        job_id, _ = queue.popitem(last=False)
        if queue:
            self._ring.append(guild)
        else:
            del self._queues[guild]
        return job_id

    def cancel(self, job: Job) -> None:
        """Take a job out that waits."""
        queue = self._queues[job.guild]
        del queue[job.id]
        if not queue:
            del self._queues[job.guild]
            self._ring.remove(job.guild)

    def end(self, job: Job, unserved: float) -> None:
        """Do nothing."""


POLICIES: dict[str, Callable[[], Policy]] = {"Easel": Easel, "FIFO": Fifo, "round-robin": RoundRobin}
