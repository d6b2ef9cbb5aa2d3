"""What is counted while the bot runs: events without persons, servers or prompts, and whoever counts them."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.job import Job, State
from bot.domain.ports import Announcer, Progress


@dataclass(frozen=True, slots=True)
class Started:
    """A job was started for the first time, after ``wait_s`` seconds in ``lane``."""

    lane: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Painted:
    """``backend`` painted a job in ``seconds`` of its own time."""

    backend: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """A job's message has its last word; ``outcome`` is the state it ended in."""

    outcome: State


@dataclass(frozen=True, slots=True)
class Retried:
    """Discord did not take a job's last word, which is sent again."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Nobody could be given a job's last word: its place is gone, or every way to its asker is closed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody was told no; ``kind`` is the name of the error's class."""

    kind: str


@dataclass(frozen=True, slots=True)
class Foretold:
    """A job that was said to start in ``said_s`` seconds took ``took_s``."""

    said_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Lagged:
    """The event loop came ``seconds`` late to a task."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Discord answered a request with ``status``, or not at all: ``None``.

    ``route`` is ``interaction`` where an interaction's token opens it, else ``bot``.
    """

    route: str
    status: int | None


Event = Started | Painted | Told | Retried | Undelivered | Refused | Foretold | Lagged | Answered
Meter = Callable[[Event], None]
"""Counts an event: returns at once and never raises."""


def unmetered(_: Event) -> None:
    """Count nothing."""


class Metered:
    """The painters' announcer, which counts what they start and paint before it passes it on."""

    def __init__(self, announcer: Announcer, meter: Meter) -> None:
        self._announcer = announcer
        self._meter = meter

    def changed(self, job: Job) -> None:
        """Tell that the job has entered the state it now has."""
        if job.state is State.RUNNING and job.attempt == 1 and job.started_at is not None:
            # A later attempt's wait has the one before it in it.
            self._meter(Started(job.lane, max(0.0, job.started_at - job.created_at)))
        elif job.state is State.PAINTED and job.result is not None:
            self._meter(Painted(job.result.backend, job.result.seconds))
        self._announcer.changed(job)

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Tell that the running job got this far."""
        self._announcer.progressed(job_id, progress)
