"""What delivers jobs: an engine hands out ids in the order of their tags and knows nothing else of them."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

Run = Callable[[int], Coroutine[Any, Any, None]]
"""Does one job by its id; it is cancelled when somebody aborts the job or the drain takes too long."""


def _every(_lane: str) -> bool:
    return True


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Worker:
    """Who runs jobs: ``slots`` of them at once, of every lane that it ``serves`` at that moment.

    ``loaded`` names the model it has in memory: a job that wants that model may be taken up to ``window``
    ticks early. ``idle`` is called whenever a slot finds nothing to do.
    """

    name: str = ""
    slots: int = 1
    serves: Callable[[str], bool] = _every
    loaded: Callable[[], str | None] = _nothing
    window: int = 0
    idle: Callable[[], None] = _nothing


class JobEngine(Protocol):
    """Delivery only. The ``jobs`` rows are the truth; ``submit`` and ``retag`` join the caller's transaction."""

    async def open(self) -> None:
        """Take hold of the queue; raises ``BotError`` if another process has it and they cannot share."""

    async def close(self) -> None:
        """Let go of the queue; every ``serve`` has ended before."""

    def submit(self, tx: Connection, job: int, lane: str, tag: int) -> None:
        """Hand over a queued job."""

    def retag(self, tx: Connection, tags: Mapping[int, int]) -> None:
        """Take note of new tags of queued jobs, by id."""

    def interrupted(self, tx: Connection) -> Sequence[int]:
        """Return the ids of running jobs whose process has died."""

    def wake(self, job: int, *, again: bool = False) -> None:
        """Tell, after the commit, that ``job`` was submitted; ``again``: by its run, which is on its way out."""

    async def abort(self, job: int) -> None:
        """Cancel the run of ``job`` wherever it runs; nothing if it does not."""

    def ring(self) -> None:
        """Let all workers look again: what they serve has changed."""

    def slots(self, lane: str) -> Mapping[str, int]:
        """Return how many slots serve ``lane`` now, by the worker's name."""

    def serve(self, worker: Worker, run: Run, *, drain_s: float) -> AbstractAsyncContextManager[None]:
        """Run jobs as ``worker``, each as soon as a slot is free.

        Leaving the context fetches nothing more, waits ``drain_s`` for what runs, then cancels it.
        """
