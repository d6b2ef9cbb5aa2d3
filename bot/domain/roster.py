"""What the processes of one installation tell each other of their backends, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.breaker import Condition
from bot.domain.capability import Capabilities
from bot.domain.errors import BackendError


@dataclass(frozen=True, slots=True)
class Outage:
    """Backends that cannot work: since when (unix seconds) and why."""

    since: float
    error: BackendError


@dataclass(frozen=True, slots=True)
class Standing:
    """How a backend is: what it ``painted`` and ``failed`` counts in its process's life.

    ``lists`` is a mark that is another one whenever what it has changed; empty until it has told that.
    """

    condition: Condition
    outage: Outage | None
    slots: int
    running: int
    painted: int
    failed: int
    loaded: str | None = None
    lists: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A backend on the roll: ``node`` is whose it is; ``lists`` only where the reader has older ones or none."""

    name: str
    node: int
    standing: Standing
    lists: Capabilities | None = None


@dataclass(frozen=True, slots=True)
class Roll:
    """All processes that live, by number with their names, and the backends of these and of former ones."""

    nodes: Mapping[int, str]
    entries: tuple[Entry, ...]
