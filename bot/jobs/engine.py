"""What delivers jobs: an engine hands out ids in the order of their tags and knows nothing else of them."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

Run = Callable[[int], Coroutine[Any, Any, None]]
"""Does one job by its id; it is cancelled when somebody aborts the job or the drain takes too long."""


@dataclass(frozen=True, slots=True)
class Affinity:
    """Leave to prefer jobs whose model is loaded.

    ``loaded`` names the model the slot has in memory; a job may be taken up to ``window`` ticks early.
    """

    loaded: Callable[[], str | None]
    window: int


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

    def slots(self, lane: str) -> int:
        """Return how many slots serve ``lane`` now."""

    def serve(
        self,
        slots: int,
        run: Run,
        *,
        lanes: Sequence[str],
        affinity: Affinity | None,
        drain_s: float,
    ) -> AbstractAsyncContextManager[None]:
        """Run jobs of ``lanes`` in ``slots`` at once, each as soon as a slot is free.

        Leaving the context fetches nothing more, waits ``drain_s`` for what runs, then cancels it.
        """
