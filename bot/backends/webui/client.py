"""The WebUI (AUTOMATIC1111's API, ``--api``) as a backend."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from bot.backends import errors, lacking
from bot.backends.address import BackendAddress
from bot.backends.decoding import Decoder
from bot.backends.webui import answers, listings, payload, progress, trouble
from bot.backends.webui.listings import PATHS, Choice, Entry
from bot.backends.webui.progress import Course, Reading
from bot.backends.wire import Pace, Wire, alongside
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    BotError,
    RejectedError,
    UnreachableError,
)
from bot.domain.ports import Answer, Clock, Painted, Progress, Ready
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.imaging.imaging import Imaging

log = structlog.get_logger(__name__)

_API = "/sdapi/v1/"
_TASK = "/internal/progress"
_LOOKS = 3
_LOOK_S = 0.1


@dataclass(slots=True)
class _Attempt:
    """A paint request on its way: ``before`` is what the server worked on when it was sent."""

    task: str
    before: str | None = None
    stopped: bool = False


class WebUI:
    """One server that speaks the WebUI's API; it paints one job after the other.

    Of what ``address`` holds, only its name is ever told. ``decoder`` and ``imaging`` are shared with other
    backends and closed by their owner.
    """

    def __init__(
        self, address: BackendAddress, *, clock: Clock, imaging: Imaging, decoder: Decoder, pace: Pace
    ) -> None:
        self.name = address.name
        self.slots = address.slots
        self._wire = Wire(address, pace, trouble.refusal)
        self._clock = clock
        self._imaging = imaging
        self._decoder = decoder
        self._pace = pace
        self._lists: dict[Listing, tuple[Entry, ...]] = {}
        self._attempts: dict[str, _Attempt] = {}
        self._knows_tasks: bool | None = None

    async def health(self) -> None:
        """Return if it answers as a WebUI does; raises the ``BackendError`` that says why not."""
        await self._listing(Listing.SAMPLERS)

    async def capabilities(self) -> Capabilities:
        """Ask for its lists and its loaded model; lists that its kin lacks are left out."""
        lists = {}
        for listing in PATHS:
            try:
                lists[listing] = await self._listing(listing)
            except (UnreachableError, AuthError):
                raise
            except BackendError:
                if listing in listings.NEEDED:
                    raise
        options = await self._options()
        self._lists = lists
        self._knows_tasks = None
        return listings.capabilities(lists, options)

    async def generate(
        self,
        request: PaintRequest,
        *,
        task: str,
        images: Mapping[str, bytes],
        on_progress: Callable[[Progress], None],
    ) -> Answer:
        """Paint ``request``; an answer to a job that was interrupted is never taken for its result."""
        choice = await self._choose(request)
        fields = payload.payload(request, choice, task=task)
        init_image = images[request.init_image] if request.init_image is not None else None
        if init_image is None:
            body = payload.encode(fields, None)
        else:
            body = await self._decoder.run(payload.encode, fields, init_image)
        path = _API + ("txt2img" if request.init_image is None else "img2img")
        attempt = _Attempt(task, await self._busy_with(task))
        self._attempts[task] = attempt
        started = self._clock()
        watch = partial(self._watch, attempt, Course(request.steps * request.count), on_progress)
        try:
            answer = await self._paint(path, body, watch)
        except (asyncio.CancelledError, BackendTimeoutError):
            await self._stop(task)
            raise
        finally:
            del self._attempts[task]
        if attempt.stopped:
            raise errors.stopped(self.name)
        seconds = self._clock() - started
        return Ready(await self._decoder.run(answers.painting, self.name, answer, request, choice, seconds))

    async def resume(
        self,
        request: PaintRequest,  # noqa: ARG002
        *,
        task: str,
        on_progress: Callable[[Progress], None],  # noqa: ARG002
    ) -> Answer | None:
        """Return ``None``: the server answers once. It is stopped if it still works on ``task``."""
        await self._stop(task)
        return None

    async def upscale(self, request: UpscaleRequest, picture: bytes, *, task: str) -> Painted:
        """Refuse."""
        raise lacking.refusal(self.name, Feature.UPSCALE)

    async def interrogate(self, picture: bytes, model: str | None = None) -> str:
        """Refuse."""
        raise lacking.refusal(self.name, Feature.INTERROGATE)

    async def cut_out(self, picture: bytes, model: str | None = None) -> Painted:
        """Refuse."""
        raise lacking.refusal(self.name, Feature.CUTOUT)

    async def refresh(self) -> None:
        """Do nothing."""

    async def read_infotext(self, picture: bytes) -> str:
        """Let the server read a picture's infotext (``png-info``); empty if it has none."""
        body = json.dumps({"image": b64encode(picture).decode("ascii")}).encode()
        answer = await self._wire.fetch("POST", f"{_API}png-info", body)
        try:
            return str(json.loads(answer)["info"] or "")
        except (ValueError, LookupError, TypeError) as error:
            raise errors.broken(self.name) from error

    async def close(self) -> None:
        """Free its connections."""
        await self._wire.close()

    async def _listing(self, listing: Listing) -> tuple[Entry, ...]:
        body = await self._wire.get(_API + PATHS[listing])
        try:
            return await self._decoder.run(listings.read, listing, body)
        except ValueError as error:
            raise errors.broken(self.name) from error

    async def _options(self) -> object:
        try:
            return await self._decoder.run(json.loads, await self._wire.get(f"{_API}options"))
        except (BackendError, ValueError):
            return None

    async def _choose(self, request: PaintRequest) -> Choice:
        """Check the names against the lists at hand, and once more against fresh ones before refusing."""
        try:
            return listings.choose(self.name, request, self._lists)
        except RejectedError:
            await self.capabilities()
            return listings.choose(self.name, request, self._lists)

    async def _paint(
        self, path: str, body: bytes, watch: Callable[[Callable[[], None]], Coroutine[Any, Any, None]]
    ) -> bytearray:
        loop, stall_s = asyncio.get_running_loop(), self._pace.stall_s
        try:
            async with asyncio.timeout(self._pace.total_s) as total, asyncio.timeout(stall_s) as stall:

                def moved() -> None:
                    stall.reschedule(loop.time() + stall_s)

                async with alongside(partial(watch, moved)):
                    return await self._wire.paint(path, body, moved)
        except TimeoutError as error:
            if total.expired():
                raise errors.too_long(self.name, self._pace.total_s) from error
            raise errors.stalled(self.name, stall_s) from error

    async def _watch(
        self,
        attempt: _Attempt,
        course: Course,
        on_progress: Callable[[Progress], None],
        moved: Callable[[], None],
    ) -> None:
        """Report the attempt's progress until cancelled; a look that fails is no news."""
        mark, preview_id = "", -1
        while True:
            await asyncio.sleep(self._pace.poll_s)
            try:
                reading = await self._look(attempt.task, preview_id)
            except BackendError:
                continue
            if reading.mark != mark:
                mark = reading.mark
                moved()
            if self._is_ours(reading, attempt):
                attempt.stopped |= reading.interrupted
                preview_id = reading.preview_id
                on_progress(course.advance(reading, await self._small(reading.preview)))

    async def _small(self, picture: bytes | None) -> bytes | None:
        try:
            return await self._imaging.preview(picture) if picture else None
        except BotError:
            return None

    async def _look(self, task: str, preview_id: int = -1) -> Reading:
        """See how far ``task`` is, or the server if it knows no tasks; a wait in line moves with the server."""
        reading = await self._look_at_task(task, preview_id)
        if reading is None:
            return await self._look_at_server()
        if reading.queued:
            server = await self._look_at_server(preview=False)
            return Reading(active=False, queued=True, mark=f"{reading.mark} {server.mark}")
        return reading

    async def _look_at_task(self, task: str, preview_id: int = -1) -> Reading | None:
        if self._knows_tasks is False:
            return None
        question = {"id_task": task, "id_live_preview": preview_id, "live_preview": True}
        try:
            reading = progress.of_task(await self._wire.fetch("POST", _TASK, json.dumps(question).encode()))
        except UnreachableError:
            raise
        except (BackendError, ValueError):
            reading = None
        self._knows_tasks = reading is not None
        return reading

    async def _look_at_server(self, *, preview: bool = True) -> Reading:
        skip = "false" if preview else "true"
        body = await self._wire.fetch("GET", f"{_API}progress?skip_current_image={skip}")
        try:
            return progress.of_server(body)
        except ValueError as error:
            raise errors.broken(self.name) from error

    async def _busy_with(self, task: str) -> str | None:
        """Return what a server without tasks works on before ours is sent, to tell the two apart later."""
        try:
            if self._knows_tasks or await self._look_at_task(task) is not None:
                return None
            reading = await self._look_at_server(preview=False)
        except BackendError:
            return None
        return reading.job if reading.active else None

    def _is_ours(self, reading: Reading, attempt: _Attempt | None) -> bool:
        if not reading.active:
            return False
        return bool(self._knows_tasks) or (attempt is not None and reading.job != attempt.before)

    async def _stop(self, task: str) -> None:
        """Interrupt the server within a bounded time, but only while it is on this very task.

        A request that has only just been sent may not be on the server's list yet, so a few looks are taken;
        one that waits in the server's own line cannot be taken out of it.
        """
        attempt = self._attempts.get(task)
        looks = 0
        try:
            async with asyncio.timeout(self._pace.interrupt_s):
                while looks < _LOOKS:
                    reading = await self._look(task)
                    if self._is_ours(reading, attempt):
                        if attempt is not None:
                            attempt.stopped = True
                        await self._wire.fetch("POST", f"{_API}interrupt")
                        return
                    if reading.completed:
                        return
                    looks += not reading.queued
                    await asyncio.sleep(_LOOK_S)
        except (BackendError, TimeoutError) as error:
            log.info("not interrupted", backend=self.name, task=task, reason=type(error).__name__)
