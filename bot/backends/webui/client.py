"""The WebUI and its kin (AUTOMATIC1111's API, ``--api``) as a backend."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from bot.backends import errors, lacking, names
from bot.backends.address import BackendAddress
from bot.backends.decoding import Decoder
from bot.backends.webui import answers, body, extras, listings, payload, trouble
from bot.backends.webui.listings import Choice
from bot.backends.webui.overrides import CHECKPOINT, Overrides
from bot.backends.webui.progress import Course
from bot.backends.webui.survey import API, NEEDED, Survey, Surveyor
from bot.backends.webui.tasks import Tasks
from bot.backends.wire import Incoming, Pace, Wire, alongside
from bot.domain import infotext
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.errors import BackendTimeoutError, LostError, NotEnabledError, RejectedError, UnreachableError
from bot.domain.ports import Answer, Clock, Painted, Painting, Progress, unheard
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.domain.text import N_
from bot.imaging.imaging import Imaging

log = structlog.get_logger(__name__)

_FOLDERS = ("checkpoints", "loras", "vae", "embeddings")
_SECRET = re.compile(r"token|secret|passw|auth|api_?key|credential", re.IGNORECASE)


class WebUI:
    """One server that speaks the WebUI's API; it paints one job after the other.

    Of what ``address`` holds, only its name is ever told. ``decoder`` and ``imaging`` are shared with other
    backends and closed by their owner.
    """

    def __init__(
        self,
        address: BackendAddress,
        *,
        clock: Clock,
        imaging: Imaging,
        decoder: Decoder,
        pace: Pace,
        instance: str = "",
    ) -> None:
        self.name = address.name
        self.slots = address.slots
        self._wire = Wire(address, pace, trouble.refusal)
        self._clock = clock
        self._decoder = decoder
        self._pace = pace
        self._surveyor = Surveyor(self.name, self._wire, decoder, pace)
        self._tasks = Tasks(self.name, self._wire, imaging, decoder, pace)
        self._overrides = Overrides()
        self._instance = instance
        self._last: Survey | None = None
        self._version = ""

    async def health(self) -> None:
        """Return if it answers as a WebUI does; raises the ``BackendError`` that says why not."""
        await self._surveyor.listing(Listing.SAMPLERS, NEEDED[Listing.SAMPLERS])

    async def capabilities(self) -> Capabilities:
        """Ask which kin it is and what it has; what it does not tell for a moment is as it was."""
        told = (await self._survey()).capabilities()
        return replace(told, kin=f"{told.kin} {self._version}") if self._version else told

    async def generate(
        self,
        request: PaintRequest,
        *,
        task: str,
        images: Mapping[str, bytes],
        on_progress: Callable[[Progress], None],
    ) -> Answer:
        """Paint ``request``; an answer to a job that was interrupted is never taken for its result."""
        survey, choice = await self._agree(request)
        task = self._own(task)
        fields = payload.payload(
            self.name, request, choice, survey.dialect, images, swapper=survey.swapper, task=task
        )
        order = await self._encoded(payload.settled(fields, self._overrides, survey.dialect))
        path = API + ("txt2img" if request.init_image is None else "img2img")
        attempt = await self._tasks.begin(task)
        started = self._clock()
        watch = partial(self._tasks.watch, attempt, Course(request.steps * request.count), on_progress)
        try:
            answer = await self._long(path, order, watch)
        except (asyncio.CancelledError, BackendTimeoutError):
            await self._tasks.stop(task)
            raise
        except UnreachableError as error:
            failure = trouble.perhaps_begun(error)
            if isinstance(failure, LostError):
                await self._tasks.stop(task)
            raise failure from error
        finally:
            self._tasks.end(attempt)
        if await _unless_ended(answer, self._tasks.was_stopped(attempt)):
            await answer.close()
            raise errors.stopped(self.name)
        read = partial(
            answers.painting, self.name, request=request, choice=choice, seconds=self._clock() - started
        )
        return _Told(answer, read, self._decoder, self._met)

    async def resume(
        self,
        request: PaintRequest,  # noqa: ARG002 - there is no answer to be read by it
        *,
        task: str,
        on_progress: Callable[[Progress], None],  # noqa: ARG002 - it is stopped, not watched
    ) -> Answer | None:
        """Return ``None``: the server answers once. It is stopped if it still works on ``task``."""
        await self._tasks.stop(self._own(task))
        return None

    async def abandon(self, request: PaintRequest, *, task: str) -> None:  # noqa: ARG002
        """Interrupt it where the server tells tasks apart; one in its line cannot be taken out."""
        await self._tasks.stop(self._own(task))

    async def skip(self, task: str) -> None:
        """Have it leave the picture it is at as it is and go on with the next one of ``task``."""
        await self._tasks.skip(self._own(task))

    async def upscale(
        self,
        request: UpscaleRequest,
        picture: bytes,
        *,
        task: str,  # noqa: ARG002 - such a request has none there
        on_progress: Callable[[Progress], None] = unheard,  # noqa: ARG002 - it cannot be watched
    ) -> Painted:
        """Return a larger copy; such a request has no task there, so it can be neither watched nor stopped."""
        survey = await self._having(Feature.UPSCALE)
        known = survey.capabilities().listings.get(Listing.UPSCALERS, ())
        for name in (request.upscaler, request.second):
            names.check(self.name, "upscaler", name, known)
        answer = await self._asked(extras.UPSCALE, extras.upscaling(request, picture))
        return await self._decoder.run(extras.picture, self.name, answer, picture)

    async def interrogate(self, picture: bytes, model: str | None = None) -> str:
        """Describe a picture by CLIP, or in tags by DeepDanbooru."""
        survey = await self._having(Feature.INTERROGATE)
        known = survey.capabilities().listings[Listing.INTERROGATORS]
        names.check(self.name, N_("interrogator"), model, known)
        answer = await self._asked(extras.INTERROGATE, {"image": picture, "model": model or known[0]})
        return extras.told(self.name, answer, "caption")

    async def cut_out(self, picture: bytes, model: str | None = None) -> Painted:
        """Return a picture without its background, by the extension rembg."""
        survey = await self._having(Feature.CUTOUT)
        known = survey.capabilities().listings[Listing.CUTTERS]
        names.check(self.name, N_("cutter"), model, known)
        answer = await self._asked(extras.CUTOUT, {"input_image": picture, "model": model or known[0]})
        return await self._decoder.run(extras.picture, self.name, answer, picture)

    async def refresh(self) -> None:
        """Have it look for new files in those of its folders that it can look into, and ask what it has."""
        for folder in _FOLDERS:
            try:
                await self._long(f"{API}refresh-{folder}", b"", _unwatched)
            except NotEnabledError:
                continue
        await self._survey()

    async def read_infotext(self, picture: bytes) -> str:
        """Let the server read a picture's infotext (``png-info``); empty if it has none."""
        return extras.told(self.name, await self._asked(extras.RECIPE, {"image": picture}), "info")

    async def options(self) -> dict[str, Any]:
        """Return the server's own settings, without what looks like a secret."""
        found = await self._surveyor.options()
        return {key: value for key, value in found.items() if not _SECRET.search(key)}

    async def set_options(self, changes: Mapping[str, Any]) -> None:
        """Change the server's own settings for everybody and for good; painting never does.

        Raises ``RejectedError`` for a model or a setting that it does not have.
        """
        survey = await self._survey()
        model = changes.get(CHECKPOINT)
        if model is not None:
            # SD.Next would save an unknown one, and not start with it again.
            found = listings.find(str(model), survey.lists[Listing.MODELS])
            names.check(self.name, "model", found or str(model), survey.capabilities().listings[Listing.MODELS])
        known = await self._surveyor.options()
        for key in changes:
            if key not in known:
                raise errors.refused(self.name, key)
        await self._asked(f"{API}options", dict(changes))
        self._overrides.forget(changes)

    async def close(self) -> None:
        """Free its connections."""
        await self._wire.close()

    def _met(self, painting: Painting) -> None:
        """Note the version that a picture tells: most kin tell it nowhere else."""
        told = infotext.parse(painting.pictures[0].infotext).fields.get("Version", "")
        self._version = told if re.search(r"\d", told) else ""

    def _own(self, task: str) -> str:
        """Return the id under which the server knows ``task``: another Easel there counts its jobs as well."""
        return f"{self._instance}-{task}" if self._instance else task

    async def _survey(self) -> Survey:
        self._last = survey = await self._surveyor.survey(self._last)
        self._tasks.ask_anew()
        self._overrides.learn(survey.found.get("options"))
        return survey

    async def _agree(self, request: PaintRequest) -> tuple[Survey, Choice]:
        """Check the request against what is known of the server, and once more afresh before refusing."""
        if self._last is not None:
            try:
                return self._last, self._choose(request, self._last)
            except RejectedError:
                pass
        survey = await self._survey()
        return survey, self._choose(request, survey)

    def _choose(self, request: PaintRequest, survey: Survey) -> Choice:
        lacking.check(self.name, request, survey.capabilities())
        return listings.choose(self.name, request, survey.lists, survey.dialect)

    async def _having(self, feature: Feature) -> Survey:
        survey = self._last
        if survey is None or feature not in survey.features:
            survey = await self._survey()
        if feature not in survey.features:
            raise lacking.refusal(self.name, feature)
        return survey

    async def _encoded(self, fields: Mapping[str, Any]) -> bytes:
        if body.has_pictures(fields):
            return await self._decoder.run(body.encode, fields)
        return body.encode(fields)

    async def _asked(self, path: str, fields: Mapping[str, Any]) -> bytearray:
        """Return the answer to a request about a picture, which waits behind the job that is being painted."""
        try:
            return await (await self._long(path, await self._encoded(fields), _unwatched)).read()
        except UnreachableError as error:
            raise trouble.perhaps_begun(error) from error

    async def _long(
        self,
        path: str,
        order: bytes,
        watch: Callable[[Callable[[], None], Callable[[], None]], Coroutine[Any, Any, None]],
    ) -> Incoming:
        loop, stall_s = asyncio.get_running_loop(), self._pace.stall_s
        try:
            async with (
                AsyncExitStack() as unclaimed,
                asyncio.timeout(self._pace.total_s) as total,
                asyncio.timeout(stall_s) as stall,
            ):

                def moved() -> None:
                    if not stall.expired():
                        stall.reschedule(loop.time() + stall_s)

                def silent() -> None:
                    if not stall.expired():
                        stall.reschedule(None)

                async with alongside(partial(watch, moved, silent)):
                    answer = await self._wire.paint(path, order)
                    unclaimed.push_async_callback(answer.close)
                unclaimed.pop_all()
                return answer
        except TimeoutError as error:
            if total.expired():
                raise errors.too_long(self.name, self._pace.total_s) from error
            raise errors.stalled(self.name, stall_s) from error


async def _unless_ended(answer: Incoming, question: Awaitable[bool]) -> bool:
    """Return the answer to ``question``; let go of ``answer`` if we are cancelled meanwhile."""
    try:
        return await question
    except BaseException:
        await answer.close()
        raise


async def _unwatched(_: Callable[[], None], silent: Callable[[], None]) -> None:
    """Tell at once that nothing can be seen of the request while it runs."""
    silent()


class _Told:
    """An answer that has begun to come; the server is free."""

    def __init__(
        self,
        answer: Incoming,
        read: Callable[[bytearray], Painting],
        decoder: Decoder,
        met: Callable[[Painting], None],
    ) -> None:
        self._answer = answer
        self._read = read
        self._decoder = decoder
        self._met = met

    async def painting(self) -> Painting:
        """Take the pictures out and let go of the rest."""
        painting = await self._decoder.run(self._read, await self._answer.read())
        self._met(painting)
        return painting
