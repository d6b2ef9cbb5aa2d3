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


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An attempt at a job whose process has died."""

    job: int
    attempt: int


class JobEngine(Protocol):
    """Delivery only: the ``jobs`` rows are the truth and the queue; an engine says whose turn it is.

    A *node* is one process that takes part; its number is drawn anew whenever it joins.
    """

    @property
    def node(self) -> int:
        """Return the number that stands for this process."""

    @property
    def sure(self) -> bool:
        """Whether no other node can have taken this one for dead by now."""

    def on_reborn(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when others took this process for dead: nothing that it had is its own any more."""

    def count_elsewhere(self, slots: Callable[[str], Mapping[str, int]]) -> None:
        """Have ``slots`` asked, in any thread, for the slots of other processes that serve a lane, by worker."""

    async def open(self) -> None:
        """Open the database and take hold of the queue.

        Raises ``BotError`` if another process has it and they cannot share.
        """

    async def close(self) -> None:
        """Let go of the queue and close the database; every ``serve`` has ended before."""

    async def beat(self) -> None:
        """Return when it is time again to look after what other processes left."""

    def interrupted(self, tx: Connection) -> Sequence[Interrupted]:
        """Return the attempts that are running by nodes that have died."""

    def runs(self, job: int) -> bool:
        """Return whether this process runs ``job``."""

    def wake(self, job: int, *, again: bool = False) -> None:
        """Tell, after the commit, that ``job`` was queued; ``again``: by its run, which is on its way out."""

    def leave(self, job: int) -> None:
        """Hand ``job`` out no more, until somebody tells of jobs again: another process is starting it."""

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
