"""How the backends are: the painters report to this book, status messages and ``/backends`` read it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import structlog

from bot.domain.breaker import Breaker, Circuit
from bot.domain.errors import BackendError, UnreachableError
from bot.domain.ports import Backend, Clock
from bot.domain.text import N_

log = structlog.get_logger(__name__)


class Condition(StrEnum):
    """How a backend is, in one word."""

    UNKNOWN = "unknown"
    UP = "up"
    AWAY = "away"
    RESTING = "resting"
    DRAINED = "drained"


@dataclass(frozen=True, slots=True)
class Outage:
    """Backends that cannot work: since when (unix seconds) and why."""

    since: float
    error: BackendError


@dataclass(slots=True)
class Member:
    """One backend as the book has it: ``running`` are jobs by id, the counts are of this life.

    ``storing`` answers are on their way to the disk: whether they are any good is not known yet. They are counted
    anew in each ``session``, which is from one time it answered again to the next: what it owes from before an
    outage says nothing of how it is now, and may not come for minutes.
    """

    backend: Backend
    seen: bool = False
    breaker: Breaker = field(default_factory=Breaker)
    outage: Outage | None = None
    drained: Outage | None = None
    running: set[int] = field(default_factory=set)
    session: int = 0
    storing: int = 0
    painted: int = 0
    failed: int = 0

    @property
    def condition(self) -> Condition:
        """How it is."""
        if self.drained is not None:
            return Condition.DRAINED
        if self.outage is not None:
            return Condition.RESTING if self.breaker.faults else Condition.AWAY
        return Condition.UP if self.seen else Condition.UNKNOWN


class Fleet:
    """Keeps book of the backends' health."""

    def __init__(self, backends: Sequence[Backend], *, clock: Clock) -> None:
        self.backends = tuple(backends)
        self.members = {backend.name: Member(backend) for backend in backends}
        self._clock = clock
        self._changed: Callable[[], None] = lambda: None

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when a backend may take jobs again, or takes none any more."""
        self._changed = tell

    def report_up(self, name: str) -> None:
        """Note that a backend answers: one whose jobs failed stays under trial until one succeeds."""
        member = self.members[name]
        if member.outage is not None or not member.seen:
            log.info("backend works", backend=name)
        member.seen, member.outage = True, None
        member.session, member.storing = member.session + 1, 0

    def report_down(self, name: str, error: BackendError) -> None:
        """Note that a backend cannot be reached, or must rest, and why."""
        member = self.members[name]
        member.breaker = member.breaker.loss(self._clock())
        self._note(member, error)

    def report_fault(self, name: str, error: BackendError) -> bool:
        """Note a failure of the server itself at a job; return whether it is left alone from now on."""
        member = self.members[name]
        member.failed += 1
        member.breaker = member.breaker.fault(self._clock())
        if member.breaker.circuit(self._clock()) is not Circuit.OPEN:
            return False
        self._note(member, error)
        return True

    def report_painted(self, name: str) -> None:
        """Note a job well done."""
        member = self.members[name]
        member.painted += 1
        member.breaker = member.breaker.success()

    def report_answer(self, name: str) -> int:
        """Note that an answer came whose pictures are not stored yet; return the session it came in."""
        self.members[name].storing += 1
        return self.members[name].session

    def report_stored(self, name: str, session: int) -> None:
        """Note what became of an answer of ``session``: a backend in doubt may get its next job."""
        member = self.members[name]
        if session == member.session:
            member.storing -= 1
        if member.breaker != Breaker():
            self._changed()

    def drain(self, name: str, *, drained: bool) -> None:
        """Give a backend no more jobs, or again some; what runs there goes on. Raises ``KeyError``."""
        error = UnreachableError(
            N_("{backend} is drained: its host works on it."),
            N_("The job keeps its place and is painted when it is back."),
            backend=name,
        )
        self.members[name].drained = Outage(self._clock(), error) if drained else None
        log.info("backend drained" if drained else "backend takes jobs again", backend=name)
        self._changed()

    def working(self) -> frozenset[str]:
        """Return the names of the backends that take jobs now."""
        return frozenset(name for name, member in self.members.items() if member.condition is Condition.UP)

    def takes(self, name: str) -> bool:
        """Return whether a backend may be given one more job now.

        Under trial it has one at a time; after a failure none while it is open whether its last answer is good.
        """
        member = self.members[name]
        tried = self.circuit(name) is Circuit.TRIAL and member.running
        doubted = member.breaker != Breaker() and member.storing
        return member.condition is Condition.UP and not (tried or doubted)

    def circuit(self, name: str) -> Circuit:
        """Return whether work may go to a backend."""
        return self.members[name].breaker.circuit(self._clock())

    def rest_s(self, name: str) -> float:
        """Return how long a backend is to be left alone, in seconds."""
        return max(0.0, self.members[name].breaker.until - self._clock())

    def outage(self, names: Iterable[str]) -> Outage | None:
        """Return the oldest outage if none of the backends ``names`` works; ``None`` before the first answers."""
        members = [self.members[name] for name in names]
        outages = [outage for member in members if (outage := member.drained or member.outage) is not None]
        if len(outages) < len(members):
            return None
        return min(outages, key=lambda outage: outage.since, default=None)

    def _note(self, member: Member, error: BackendError) -> None:
        if member.outage is None:
            log.warning("backend away", backend=member.backend.name, reason=type(error).__name__, words=str(error))
            member.outage = Outage(self._clock(), error)
            self._changed()
        else:
            member.outage = replace(member.outage, error=error)
