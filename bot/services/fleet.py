"""How the backends are: the painters report to this book, status messages and ``/backends`` read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from bot.domain.breaker import Breaker, Circuit, Condition
from bot.domain.errors import BackendError, UnreachableError
from bot.domain.ports import Backend, Clock
from bot.domain.roster import Outage, Standing
from bot.domain.text import N_

log = structlog.get_logger(__name__)


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

    @property
    def standing(self) -> Standing:
        """How it is at this moment."""
        return Standing(
            self.condition,
            self.drained or self.outage,
            self.backend.slots,
            len(self.running),
            self.painted,
            self.failed,
        )


@dataclass(frozen=True, slots=True)
class Other:
    """A backend of another process, called ``node``, as that one last told of it."""

    node: str
    standing: Standing


class Fleet:
    """Keeps book of the backends' health: ``members`` are this process's own, of ``others`` it hears."""

    def __init__(self, backends: Sequence[Backend], *, clock: Clock) -> None:
        self.backends = tuple(backends)
        self.members = {backend.name: Member(backend) for backend in backends}
        self.others: Mapping[str, Other] = {}
        self._clock = clock
        self._lonely_since = clock()
        self._changed: Callable[[], None] = lambda: None

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when a backend may take jobs again, or takes none any more."""
        self._changed = tell

    def sight(self, others: Mapping[str, Other]) -> None:
        """Take the backends of all other processes to be as these say."""
        before, alone = self.working(), not self.others
        self.others = dict(others)
        if not alone and not others:
            self._lonely_since = self._clock()
        if self.working() != before:
            self._changed()

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
        own = (name for name, member in self.members.items() if member.condition is Condition.UP)
        others = (name for name, other in self.others.items() if other.standing.condition is Condition.UP)
        return frozenset((*own, *others))

    def standings(self) -> dict[str, Standing]:
        """Return how every backend is: those of this process in the order of the settings, then the others."""
        own = {name: member.standing for name, member in self.members.items()}
        return own | {name: other.standing for name, other in self.others.items()}

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
        """Return the oldest outage if none of the backends ``names`` works; ``None`` before the first answers.

        Where there is no backend at all, that is the outage.
        """
        if not (self.members or self.others):
            return Outage(self._lonely_since, nobody())
        asked = [self._outage_of(name) for name in names]
        outages = [outage for outage in asked if outage is not None]
        if len(outages) < len(asked):
            return None
        return min(outages, key=lambda outage: outage.since, default=None)

    def _outage_of(self, name: str) -> Outage | None:
        member = self.members.get(name)
        return self.others[name].standing.outage if member is None else member.drained or member.outage

    def _note(self, member: Member, error: BackendError) -> None:
        if member.outage is None:
            log.warning("backend away", backend=member.backend.name, reason=type(error).__name__, words=str(error))
            member.outage = Outage(self._clock(), error)
            self._changed()
        else:
            member.outage = replace(member.outage, error=error)


def nobody() -> UnreachableError:
    """Return the words for a bot that has no backend and that no worker has joined."""
    return UnreachableError(
        N_("No painter is connected to this bot."), N_("The job keeps its place and is painted once one is.")
    )
