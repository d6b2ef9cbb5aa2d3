"""When a backend is left alone: a circuit breaker, as values.

A server whose connection fails is left at once. One that answers, but three times in a row with failures of its
own, would burn through the whole queue: it rests, longer each time, and then gets a single job as a trial.
"""

from dataclasses import dataclass
from enum import StrEnum

FAULTS = 3
"""Failures of the server in a row that open the circuit."""
FIRST_REST_S, LONGEST_REST_S = 5.0, 300.0
FIRST_LOSS_S, LONGEST_LOSS_S = 0.5, 15.0


class Condition(StrEnum):
    """How a backend is, in one word."""

    UNKNOWN = "unknown"
    UP = "up"
    AWAY = "away"
    RESTING = "resting"
    DRAINED = "drained"


class Circuit(StrEnum):
    """Whether work may go to a backend; ``TRIAL`` is one job to find out."""

    CLOSED = "closed"
    OPEN = "open"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Breaker:
    """One backend's circuit: ``faults`` and ``openings`` count in a row, ``until`` is unix seconds."""

    faults: int = 0
    openings: int = 0
    until: float = 0.0

    def circuit(self, now: float) -> Circuit:
        """Return its state at ``now``."""
        if now < self.until:
            return Circuit.OPEN
        return Circuit.TRIAL if self.openings else Circuit.CLOSED

    def fault(self, now: float) -> "Breaker":
        """Count a failure of the server itself; the trial's failure opens the circuit again.

        While it is open nothing makes it longer: several jobs that ran at once saw the same thing.
        """
        faults = self.faults + 1
        if faults < FAULTS and not self.openings:
            return Breaker(faults)
        return self._opened(now, faults, FIRST_REST_S, LONGEST_REST_S)

    def loss(self, now: float) -> "Breaker":
        """Count a connection that failed: it may be back in a moment."""
        return self._opened(now, self.faults, FIRST_LOSS_S, LONGEST_LOSS_S)

    def success(self) -> "Breaker":
        """Close the circuit."""
        return Breaker()

    def _opened(self, now: float, faults: int, first_s: float, longest_s: float) -> "Breaker":
        if now < self.until:
            return self
        rest_s = min(first_s * 2**self.openings, longest_s)
        return Breaker(faults, min(self.openings + 1, 16), now + rest_s)
