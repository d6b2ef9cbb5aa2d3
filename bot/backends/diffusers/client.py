"""diffusers as a backend: the bot's end of its painting process."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.backends import errors, lacking
from bot.backends.address import BackendAddress
from bot.backends.children import is_offline
from bot.backends.diffusers import ordering, sampling, shelf, words
from bot.backends.diffusers.order import Order
from bot.backends.diffusers.ordering import UPSCALERS, Prepared
from bot.backends.diffusers.process import PaintingProcess
from bot.backends.diffusers.shelf import Shelf
from bot.backends.frames import Frame
from bot.backends.wire import Pace
from bot.domain import infotext
from bot.domain.capability import Capabilities, Feature, Listing, ModelFacts
from bot.domain.errors import RejectedError
from bot.domain.ports import Answer, Clock, Painted, Painting, Progress
from bot.domain.request import PaintRequest
from bot.imaging import pixels
from bot.imaging.imaging import Imaging
from bot.imaging.pixels import Pixels
from bot.prompting.loras import can_be_tagged

FEATURES = frozenset(
    {
        Feature.IMG2IMG,
        Feature.INPAINT,
        Feature.HIRES,
        Feature.HIRES_IMG2IMG,
        Feature.TILING,
        Feature.CLIP_SKIP,
    }
)


class Diffusers(lacking.PaintsOnly):
    """Paints in a process of its own with the models of ``address.source``.

    With several slots, jobs that wait together in the same shape are painted in one call. ``imaging`` is shared
    with other backends and closed by its owner.
    """

    def __init__(self, address: BackendAddress, *, clock: Clock, imaging: Imaging, pace: Pace) -> None:
        self.name = address.name
        self.slots = address.slots
        self._clock = clock
        self._imaging = imaging
        self._pace = pace
        self._source = address.source
        self._process = PaintingProcess(
            address.name,
            {
                "source": address.source,
                "device": address.device,
                "cache_gb": address.cache_gb,
                "slots": address.slots,
            },
        )
        # A network folder that hangs keeps one thread, however often it is looked at.
        self._eyes = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._known: Capabilities | None = None
        self._model: str | None = None

    async def health(self) -> None:
        """Return if its process runs and finds a model, started now unless it runs already."""
        await self.capabilities()

    async def capabilities(self) -> Capabilities:
        """Look at what there is to paint with now."""
        found = await self._shelf()
        said = await self._process.ready()
        listings = {
            Listing.MODELS: tuple(found.models),
            Listing.SAMPLERS: sampling.samplers(),
            Listing.SCHEDULERS: sampling.schedulers(),
            Listing.LORAS: tuple(name for name in found.loras if can_be_tagged(name)),
            Listing.HIRES_UPSCALERS: UPSCALERS,
        }
        features = FEATURES
        if found.controls:
            listings[Listing.CONTROL_MODELS] = tuple(found.controls)
            features |= {Feature.CONTROL}
        facts = {"device": said["device"], "precision": said["precision"]}
        if found.absent:
            facts["download"] = f"{self._source} comes from the hub with the first picture"
        told = {name: ModelFacts(family=family) for name, family in found.families.items()}
        self._known = Capabilities(listings, features, self._model, said["kin"], facts, models=told)
        return self._known

    async def generate(
        self,
        request: PaintRequest,
        *,
        task: str,
        images: Mapping[str, bytes],
        on_progress: Callable[[Progress], None],
    ) -> Answer:
        """Paint ``request``; the pictures are encoded when the answer is asked for them."""
        order = await self._agreed(request)
        prepared = await self._imaging.run(ordering.prepare, order, request, images)
        started = self._clock()
        frame = await self._painted(prepared, task, on_progress)
        self._model = order.model
        return _Answer(request, prepared, frame, self._clock() - started, self._imaging)

    async def refresh(self) -> None:
        """Look at the folders, as every question for capabilities does."""
        await self.capabilities()

    async def resume(
        self,
        request: PaintRequest,  # noqa: ARG002 - the protocol has it
        *,
        task: str,  # noqa: ARG002 - the protocol has it
        on_progress: Callable[[Progress], None],  # noqa: ARG002 - the protocol has it
    ) -> Answer | None:
        """Return ``None``: a painting ends with the process that asked for it."""
        return None

    async def abandon(self, request: PaintRequest, *, task: str) -> None:
        """Return: a painting ends with the call that asked for it."""

    async def close(self) -> None:
        """End the painting process."""
        self._eyes.shutdown(wait=False, cancel_futures=True)
        await self._process.close()

    async def _agreed(self, request: PaintRequest) -> Order:
        """Check the request against what is known, and once more afresh before refusing."""
        if self._known is not None:
            try:
                return ordering.order(self.name, request, replace(self._known, loaded_model=self._model))
            except RejectedError:
                pass
        return ordering.order(self.name, request, await self.capabilities())

    async def _shelf(self) -> Shelf:
        try:
            async with asyncio.timeout(self._pace.get_s):
                found = await asyncio.get_running_loop().run_in_executor(self._eyes, shelf.look, self._source)
        except (TimeoutError, OSError) as error:
            raise words.no_models(self.name) from error
        if not found.models:
            raise words.no_models(self.name)
        if found.absent and is_offline():
            raise words.not_here(self.name, self._source)
        return found

    async def _painted(self, prepared: Prepared, task: str, on_progress: Callable[[Progress], None]) -> Frame:
        message = {"do": "paint", "id": task, "order": prepared.order.write()}
        async with self._process.talk(message, prepared.blobs) as said:
            try:
                async with asyncio.timeout(self._pace.total_s):
                    while (frame := await self._next(said)).header["is"] == "step":
                        on_progress(_progress(frame))
            except TimeoutError as error:
                raise errors.too_long(self.name, self._pace.total_s) from error
        if frame.header["is"] == "trouble":
            raise words.trouble(self.name, frame.header["kind"], frame.header["about"])
        return frame

    async def _next(self, said: "asyncio.Queue[Frame | None]") -> Frame:
        """Return what is said next; a process that says nothing to anybody for too long is ended."""
        while True:
            try:
                async with asyncio.timeout(self._pace.stall_s):
                    frame = await said.get()
            except TimeoutError as error:
                if self._process.silent_s() < self._pace.stall_s:
                    continue
                self._process.kill()
                raise errors.stalled(self.name, self._pace.stall_s) from error
            if frame is None:
                raise self._process.lost()
            return frame


def _progress(frame: Frame) -> Progress:
    header = frame.header
    preview = frame.blobs[0] if frame.blobs else None
    return Progress(header["fraction"], header["step"], header["steps"], header["eta_s"], preview)


class _Answer:
    """Pictures as raw pixels; the painting process is free."""

    def __init__(
        self, request: PaintRequest, prepared: Prepared, frame: Frame, seconds: float, imaging: Imaging
    ) -> None:
        self._request = request
        self._prepared = prepared
        self._frame: Frame | None = frame
        self._seconds = seconds
        self._imaging = imaging

    async def painting(self) -> Painting:
        """Encode the pictures with their infotext and let go of the pixels."""
        assert self._frame is not None  # noqa: S101 - it is called once
        frame, self._frame = self._frame, None
        order = self._prepared.order
        pictures = [
            await self._imaging.run(self._encoded, seed, data)
            for seed, data in zip(order.seeds, frame.blobs, strict=True)
        ]
        return Painting(tuple(pictures), self._seconds, order.model, order.sampler, order.scheduler)

    def _encoded(self, seed: int, data: bytes) -> Painted:
        order = self._prepared.order
        size = order.size
        text = infotext.describe(
            self._request,
            seed=seed,
            size=size,
            model=order.model,
            sampler=order.sampler,
            scheduler=order.scheduler,
        ).write()
        encoded = pixels.png(Pixels(*size, data), text, self._prepared.patch)
        return Painted(encoded, "image/png", *size, seed, text)
