"""Our tasks at a WebUI while it works on them: seen, interrupted and skipped, never anybody else's."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from bot.backends import errors
from bot.backends.decoding import BITE, Decoder
from bot.backends.webui import progress
from bot.backends.webui.progress import Course, Reading
from bot.backends.webui.survey import API
from bot.backends.wire import Pace, Wire
from bot.domain.errors import BackendError, BotError, NotEnabledError, UnreachableError
from bot.domain.ports import Progress
from bot.imaging.imaging import Imaging

T = TypeVar("T")
log = structlog.get_logger(__name__)

_TASK = "/internal/progress"
_LOOKS = 3
_LOOK_S = 0.1


@dataclass(slots=True)
class Attempt:
    """A paint request on its way: ``before`` is what the server worked on when it was sent.

    ``alone``: it worked on nothing and had nothing else of ours, so what it does next is this.
    """

    task: str
    before: str | None = None
    alone: bool = False
    stopped: bool = False


class Tasks:
    """What one server works on, by task where it knows tasks, else by what it did before ours was sent.

    Without tasks nothing tells whose job is next on a server that was busy: its progress is shown as ours, but it
    is never interrupted.
    """

    def __init__(self, name: str, wire: Wire, imaging: Imaging, decoder: Decoder, pace: Pace) -> None:
        self._name = name
        self._wire = wire
        self._decoder = decoder
        self._imaging = imaging
        self._pace = pace
        self._attempts: dict[str, Attempt] = {}
        self._knows_tasks: bool | None = None
        self._tells = True

    def ask_anew(self) -> None:
        """Forget whether the server knows tasks and tells its progress: it may be another one now."""
        self._knows_tasks, self._tells = None, True

    async def begin(self, task: str) -> Attempt:
        """Note that ``task`` is about to be sent."""
        attempt = Attempt(task)
        reading = await self._before(task)
        if reading is not None:
            attempt.before = reading.job if reading.busy else None
            attempt.alone = not (reading.busy or self._attempts)
        self._attempts[task] = attempt
        return attempt

    def end(self, attempt: Attempt) -> None:
        """Note that the request is over."""
        del self._attempts[attempt.task]

    async def watch(
        self,
        attempt: Attempt,
        course: Course,
        on_progress: Callable[[Progress], None],
        moved: Callable[[], None],
        silent: Callable[[], None],
    ) -> None:
        """Report the attempt's progress until cancelled; a look that fails is no news.

        ``moved`` is called with every sign of life, ``silent`` if the server never gives one.
        """
        mark, preview_id = "", -1
        while True:
            await asyncio.sleep(self._pace.poll_s)
            try:
                reading = await self._look(attempt.task, preview_id)
            except BackendError:
                if not self._tells:
                    silent()
                    return
                continue
            if reading.mark != mark:
                mark = reading.mark
                moved()
            if self._is_ours(reading, attempt):
                attempt.stopped |= reading.interrupted and self._is_surely_ours(reading, attempt)
                preview_id = reading.preview_id
                on_progress(course.advance(reading, await self._small(reading.preview)))

    async def was_stopped(self, attempt: Attempt) -> bool:
        """Return whether the answer to ``attempt`` is half done, which nothing in it says.

        Who stopped it may be a person at the server, between two looks; the server remembers until its next job.
        """
        if attempt.stopped or not self._tells:
            return attempt.stopped
        try:
            async with asyncio.timeout(self._pace.interrupt_s):
                reading = await self._look_at_server(preview=False)
        except (BackendError, TimeoutError):
            return False
        return reading.interrupted and not reading.busy

    async def stop(self, task: str) -> None:
        """Interrupt the server within a bounded time, but only while it is on this very task.

        A request that has only just been sent may not be on the server's list yet, so a few looks are taken;
        one that waits in the server's own line cannot be taken out of it.
        """
        await self._reach(task, "interrupt")

    async def skip(self, task: str) -> None:
        """Have the server go on with the next picture of ``task``, as it is."""
        await self._reach(task, "skip")

    async def _reach(self, task: str, command: str) -> None:
        attempt = self._attempts.get(task)
        looks = 0
        try:
            async with asyncio.timeout(self._pace.interrupt_s):
                while looks < _LOOKS:
                    reading = await self._look(task)
                    if self._is_surely_ours(reading, attempt):
                        if attempt is not None:
                            attempt.stopped |= command == "interrupt"
                        await self._wire.fetch("POST", API + command)
                        if command == "interrupt" and not self._knows_tasks:
                            await self._until_off(reading.job)
                        return
                    if reading.completed:
                        return
                    looks += not reading.queued
                    await asyncio.sleep(_LOOK_S)
        except (BackendError, TimeoutError) as error:
            log.info("not reached", backend=self._name, task=task, command=command, reason=type(error).__name__)

    async def _until_off(self, job: str) -> None:
        """Return when the server is off ``job``: or the next one of ours would find it busy."""
        reading = await self._look_at_server(preview=False)
        while reading.busy and reading.job == job:
            await asyncio.sleep(_LOOK_S)
            reading = await self._look_at_server(preview=False)

    async def _small(self, picture: bytes | None) -> bytes | None:
        try:
            return await self._imaging.preview(picture) if picture else None
        except BotError:
            return None

    async def _look(self, task: str, preview_id: int = -1) -> Reading:
        """See how far ``task`` is, or the server if it knows no tasks.

        Only the server tells that somebody interrupted it, and a wait in line moves with it.
        """
        reading = await self._look_at_task(task, preview_id)
        if reading is None:
            return await self._look_at_server()
        if reading.active or reading.queued:
            server = await self._look_at_server(preview=False)
            mark = f"{reading.mark} {server.mark}"
            return replace(reading, mark=mark, interrupted=server.interrupted)
        return reading

    async def _look_at_task(self, task: str, preview_id: int = -1) -> Reading | None:
        if self._knows_tasks is False:
            return None
        question = {"id_task": task, "id_live_preview": preview_id, "live_preview": True}
        try:
            body = await self._wire.fetch("POST", _TASK, json.dumps(question).encode())
            reading = await self._read(progress.of_task, body)
        except UnreachableError:
            raise
        except (BackendError, ValueError):
            reading = None
        self._knows_tasks = reading is not None
        return reading

    async def _look_at_server(self, *, preview: bool = True) -> Reading:
        skip = "false" if preview else "true"
        try:
            body = await self._wire.fetch("GET", f"{API}progress?skip_current_image={skip}")
            return await self._read(progress.of_server, body)
        except NotEnabledError:
            self._tells = False
            raise
        except ValueError as error:
            raise errors.broken(self._name) from error

    async def _read(self, read: Callable[[bytearray], T], body: bytearray) -> T:
        """Read an answer here, or in the decoder's thread if a big preview comes with it."""
        return read(body) if len(body) < BITE else await self._decoder.run(read, body)

    async def _before(self, task: str) -> Reading | None:
        """Return what a server without tasks works on before ours is sent, to tell the two apart later."""
        try:
            if not self._tells or self._knows_tasks or await self._look_at_task(task) is not None:
                return None
            return await self._look_at_server(preview=False)
        except BackendError:
            return None

    def _is_ours(self, reading: Reading, attempt: Attempt | None) -> bool:
        if not reading.active:
            return False
        return bool(self._knows_tasks) or (attempt is not None and reading.job != attempt.before)

    def _is_surely_ours(self, reading: Reading, attempt: Attempt | None) -> bool:
        if self._knows_tasks:
            return reading.active
        return reading.busy and attempt is not None and attempt.alone
