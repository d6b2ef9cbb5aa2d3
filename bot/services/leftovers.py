"""Jobs that broke off at one backend and were taken over by another: the first may still be at work on them."""

import asyncio
from collections import defaultdict, deque

import structlog

from bot.domain.errors import BackendError
from bot.domain.ports import Backend
from bot.domain.request import PaintRequest

log = structlog.get_logger(__name__)

MOST = 64
"""Tasks remembered of one backend; the oldest are forgotten."""


class Leftovers:
    """Remembers, in this life of ours only, what each backend is to let go of once it answers again."""

    def __init__(self) -> None:
        self._tasks: defaultdict[str, deque[tuple[PaintRequest, str]]] = defaultdict(lambda: deque(maxlen=MOST))
        self._any: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def note(self, backend: str, request: PaintRequest, task: str) -> None:
        """Note that another backend than ``backend`` does ``task`` now."""
        self._tasks[backend].append((request, task))
        self._any[backend].set()

    def any(self, backend: str) -> asyncio.Event:
        """Return what is set while there is something for ``backend`` to let go of."""
        return self._any[backend]

    async def clear(self, backend: Backend) -> None:
        """Have a backend that answers let go of all of them; one that it cannot is not tried again."""
        tasks = tuple(self._tasks.pop(backend.name, ()))
        self._any[backend.name].clear()
        await asyncio.gather(*(self._abandon(backend, request, task) for request, task in tasks))

    async def _abandon(self, backend: Backend, request: PaintRequest, task: str) -> None:
        try:
            await backend.abandon(request, task=task)
        except BackendError as error:
            log.info("not let go of", backend=backend.name, task=task, reason=type(error).__name__)
