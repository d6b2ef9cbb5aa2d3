"""The built-in painter: abstract pictures from prompt and seed, without a model, for trying the bot out."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.backends import lacking, names
from bot.backends.address import BackendAddress
from bot.domain import infotext
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.errors import BotError, RejectedError
from bot.domain.ports import Answer, Clock, Painted, Painting, Progress, Ready
from bot.domain.request import PaintRequest
from bot.imaging.imaging import Imaging
from bot.imaging.sketching import Subject, glimpse, paint

MODEL = "sketch (no model)"
SAMPLERS = ("Euler a", "Euler", "DPM++ 2M", "DPM++ SDE", "DDIM", "UniPC")
SCHEDULERS = ("Automatic", "Karras", "Exponential", "SGM Uniform")
CAPABILITIES = Capabilities(
    {
        Listing.MODELS: (MODEL,),
        Listing.SAMPLERS: SAMPLERS,
        Listing.SCHEDULERS: SCHEDULERS,
        Listing.LORAS: (),
    },
    frozenset({Feature.IMG2IMG}),
    MODEL,
    kin="built in, paints without a model",
)
PREVIEWS = 5
"""Previews shown of one job."""


class Sketch(lacking.PaintsOnly):
    """Paints in this process; ``step_s`` of its address is the real time in seconds that a step takes."""

    def __init__(self, address: BackendAddress, *, clock: Clock, imaging: Imaging) -> None:
        self.name = address.name
        self.slots = address.slots
        self._step_s = address.step_s
        self._clock = clock
        self._imaging = imaging

    async def health(self) -> None:
        """Return: it is always there."""

    async def capabilities(self) -> Capabilities:
        """Tell names a real server has too; they change nothing here."""
        return CAPABILITIES

    async def generate(
        self,
        request: PaintRequest,
        *,
        task: str,  # noqa: ARG002 - nothing here outlives the call
        images: Mapping[str, bytes],
        on_progress: Callable[[Progress], None],
    ) -> Answer:
        """Paint ``request``, step by step; cancelling ends it within a step."""
        self._check(request)
        init_image = images[request.init_image] if request.init_image is not None else None
        started = self._clock()
        strength = 1.0 if init_image is None or request.strength is None else request.strength
        subject = Subject(request.prompt, request.seed, request.width, request.height, init_image, strength)
        try:
            await self._take_time(request, subject, on_progress)
            pictures = [await self._picture(request, replace(subject, seed=seed)) for seed in request.seeds()]
        except BotError as error:
            raise RejectedError(error.message, error.hint, **error.values) from error
        seconds = self._clock() - started
        sampler, scheduler = request.sampler or SAMPLERS[0], request.scheduler or SCHEDULERS[0]
        return Ready(Painting(tuple(pictures), seconds, MODEL, sampler, scheduler))

    async def refresh(self) -> None:
        """Return: there are no folders to look into."""

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
        """Return: there are no connections."""

    def _check(self, request: PaintRequest) -> None:
        lacking.check(self.name, request, CAPABILITIES)
        names.check(self.name, "model", request.model, (MODEL,))
        names.check(self.name, "sampler", request.sampler, SAMPLERS)
        names.check(self.name, "scheduler", request.scheduler, SCHEDULERS)
        names.check_loras(self.name, request.loras, ())

    async def _take_time(
        self, request: PaintRequest, subject: Subject, on_progress: Callable[[Progress], None]
    ) -> None:
        steps = request.steps * request.count
        every = max(1, steps // PREVIEWS)
        for step in range(1, steps + 1):
            await asyncio.sleep(self._step_s)
            fraction, preview = step / steps, None
            # A job without duration is over before anybody could look.
            if self._step_s and step % every == 0 and step < steps:
                preview = await self._imaging.run(glimpse, subject, fraction)
            on_progress(Progress(fraction, step, steps, (steps - step) * self._step_s, preview))

    async def _picture(self, request: PaintRequest, subject: Subject) -> Painted:
        text = infotext.describe(
            request,
            seed=subject.seed,
            size=(subject.width, subject.height),
            model=MODEL,
            sampler=request.sampler or SAMPLERS[0],
            scheduler=request.scheduler or SCHEDULERS[0],
        ).write()
        data = await self._imaging.run(paint, subject, text)
        return Painted(data, "image/png", subject.width, subject.height, subject.seed, text)
