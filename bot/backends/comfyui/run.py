"""One prompt on its way, as its messages tell; what they say of its end is only a reason to look."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.backends import errors
from bot.backends.comfyui.progress import Course
from bot.backends.wire import Pace
from bot.domain.ports import Progress

_ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class Run:
    """Gathers what is told of a prompt; ``moved`` is called with everything that is.

    ``heard``: the socket tells of it; ``ended``: its end was told; ``succeeded`` and ``outputs`` are all there is
    of one whose history somebody cleared; ``doubtful``: the server may have lost it in the meantime.
    """

    def __init__(self, task: str, course: Course, moved: Callable[[], None]) -> None:
        self.prompt_id = task
        self.outputs: dict[str, Any] = {}
        self.succeeded = False
        self.ended = False
        self.heard = False
        self.doubtful = False
        self._course = course
        self._moved = moved
        self._preview: bytes | None = None
        self._news = asyncio.Event()
        self._look = asyncio.Event()

    def told(self, kind: str, data: dict[str, Any]) -> None:
        """Take a message in; it may come twice, late or not at all."""
        self._moved()
        self.heard = True
        self._course.heard(kind, data)
        if kind == "executed" and isinstance(data.get("node"), str):
            self.outputs[data["node"]] = data.get("output")
        self.succeeded |= kind == "execution_success"
        if kind in _ENDS or (kind == "executing" and data.get("node") is None):
            self.ended = True
            self._look.set()
        self._news.set()

    def shown(self, picture: bytes) -> None:
        """Keep the latest preview."""
        self._moved()
        self._preview = picture
        self._news.set()

    def missed(self) -> None:
        """Look at once: the end may have been among what was lost."""
        self.doubtful, self.heard = True, False
        self._look.set()

    def waits(self) -> None:
        """Know that it waits in the server's line, where nothing of it moves."""
        self._moved()

    async def reason_to_look(self, timeout_s: float) -> None:
        """Return when its end was told, and after ``timeout_s`` at the latest."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._look.wait()
        except TimeoutError:
            return
        self._look.clear()

    async def report(
        self,
        on_progress: Callable[[Progress], None],
        shrink: Callable[[bytes | None], Awaitable[bytes | None]],
        every_s: float,
    ) -> None:
        """Report the latest news at most every ``every_s`` seconds, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            preview, self._preview = self._preview, None
            on_progress(self._course.now(await shrink(preview)))
            await asyncio.sleep(every_s)


@asynccontextmanager
async def bounded(backend: str, pace: Pace) -> AsyncIterator[Callable[[], None]]:
    """Bound a job as ``pace`` says; the block calls what it is given whenever something moves.

    Raises ``BackendTimeoutError``.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(pace.total_s) as total, asyncio.timeout(pace.stall_s) as stall:

            def moved() -> None:
                if not stall.expired():
                    stall.reschedule(loop.time() + pace.stall_s)

            yield moved
    except TimeoutError as error:
        if total.expired():
            raise errors.too_long(backend, pace.total_s) from error
        raise errors.stalled(backend, pace.stall_s) from error
