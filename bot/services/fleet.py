"""Which backends can take work right now."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bot.domain.errors import BackendError
from bot.domain.ports import Backend, Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """A backend that cannot work: since when (unix seconds) and why."""

    since: float
    error: BackendError


class Fleet:
    """Keeps book of the backends' health; the painters report to it, the status messages read it."""

    def __init__(self, backends: Sequence[Backend], *, clock: Clock) -> None:
        self.backends = tuple(backends)
        self._clock = clock
        self._up: set[str] = set()
        self._outages: dict[str, Outage] = {}

    def report_up(self, backend: Backend) -> None:
        """Note that ``backend`` works."""
        if backend.name not in self._up:
            log.info("backend works", backend=backend.name)
        self._up.add(backend.name)
        self._outages.pop(backend.name, None)

    def report_down(self, backend: Backend, error: BackendError) -> None:
        """Note that ``backend`` does not work, and why."""
        if backend.name not in self._outages:
            log.warning("backend away", backend=backend.name, reason=type(error).__name__, words=str(error))
            self._outages[backend.name] = Outage(self._clock(), error)
        self._up.discard(backend.name)

    @property
    def outage(self) -> Outage | None:
        """The oldest outage if no backend works, else ``None``; also ``None`` before the first answers."""
        if self._up or not self._outages:
            return None
        return min(self._outages.values(), key=lambda outage: outage.since)
