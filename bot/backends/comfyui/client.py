"""A ComfyUI as a backend."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

from bot.backends import errors, lacking
from bot.backends.address import BackendAddress
from bot.backends.comfyui import building, trouble
from bot.backends.comfyui.answers import Finished, fetched, relabelled
from bot.backends.comfyui.desk import Desk
from bot.backends.comfyui.history import File, Memo, Outcome, files
from bot.backends.comfyui.listening import Ear
from bot.backends.comfyui.ordering import Clerk, Order, identity
from bot.backends.comfyui.progress import Course
from bot.backends.comfyui.run import Run, bounded
from bot.backends.comfyui.surroundings import Scout, Surroundings
from bot.backends.decoding import Decoder
from bot.backends.wire import Pace, Wire, alongside
from bot.domain.capability import Capabilities, Feature
from bot.domain.errors import BackendTimeoutError, BotError, ProtocolError, RejectedError
from bot.domain.ports import Answer, Clock, Painted, Progress, Ready, unheard
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.imaging.imaging import Imaging


class ComfyUI(lacking.PaintsOnly):
    """One ComfyUI server; it runs one prompt after the other, whoever they come from.

    Of what ``address`` holds, only its name is ever told. ``workflows`` is the folder of admins' own graphs.
    ``decoder`` and ``imaging`` are shared with other backends and closed by their owner.
    """

    def __init__(
        self,
        address: BackendAddress,
        *,
        clock: Clock,
        imaging: Imaging,
        decoder: Decoder,
        pace: Pace,
        workflows: Path | None,
    ) -> None:
        self.name = address.name
        self.slots = address.slots
        self._clock = clock
        self._imaging = imaging
        self._decoder = decoder
        self._pace = pace
        self._wire = Wire(address, pace, trouble.refusal)
        self._scout = Scout(self.name, self._wire, workflows)
        self._clerk = Clerk(self.name, self._wire, imaging)
        self._desk = Desk(self.name, self._wire, decoder, pace, clock)
        self._ear = Ear(self._wire, uuid4().hex, pace)
        self._known: Surroundings | None = None
        self._model: str | None = None

    async def health(self) -> None:
        """Return if it answers as a ComfyUI does; raises the ``BackendError`` that says why not."""
        await self._scout.stats()

    async def capabilities(self) -> Capabilities:
        """Ask for its nodes and their choices, and read the admins' graphs anew."""
        self._known = await self._scout.look()
        return self._known.capabilities(self._model)

    async def generate(
        self,
        request: PaintRequest,
        *,
        task: str,
        images: Mapping[str, bytes],
        on_progress: Callable[[Progress], None],
    ) -> Answer:
        """Paint ``request``; the pictures are fetched when the answer is asked for them."""
        order = await self._order(request, images, identity(task, request))
        started = self._clock()
        outcome = await self._carried_out(order, on_progress)
        self._model = order.memo.model or self._model
        return self._finished(request, order.memo, outcome, self._clock() - started)

    async def resume(
        self, request: PaintRequest, *, task: str, on_progress: Callable[[Progress], None]
    ) -> Answer | None:
        """Return the answer to a prompt of an earlier life: from its history, or once it has run.

        ``None``: the server has lost it, or it did not end well.
        """
        task = identity(task, request)
        started = self._clock()
        outcome = await self._desk.found(task)
        if outcome is None:
            outcome = await self._joined(task, on_progress)
        if outcome is None or outcome.memo is None or outcome.error is not None or outcome.interrupted:
            return None
        try:
            answer = self._finished(request, outcome.memo, outcome, self._clock() - started)
            return Ready(await answer.painting())
        except ProtocolError:
            return None

    async def abandon(self, request: PaintRequest, *, task: str) -> None:
        """Take the prompt out of the line, or interrupt it."""
        await self._desk.withdraw(identity(task, request))

    async def upscale(
        self,
        request: UpscaleRequest,
        picture: bytes,
        *,
        task: str,
        on_progress: Callable[[Progress], None] = unheard,
    ) -> Painted:
        """Enlarge by a model or a plain method, to exactly ``scale`` times the size."""
        if request.gfpgan or request.codeformer:
            raise lacking.refusal(self.name, Feature.RESTORE_FACES)
        known = self._known or await self._looked()
        if Feature.UPSCALE not in known.capabilities(None).features:
            raise lacking.refusal(self.name, Feature.UPSCALE)
        graph = await self._clerk.upscaling(request, picture, known)
        memo = Memo(f"{task}-{uuid4().hex}", dict.fromkeys(building.ends(graph), 0))

        def told(progress: Progress) -> None:
            # What is counted here are nodes, not steps.
            on_progress(replace(progress, step=0, steps=0))

        outcome = await self._carried_out(Order(graph, memo), told)
        (file, _), *_ = self._files(outcome, memo)
        data = await fetched(self.name, self._wire, file)
        return await self._decoder.run(relabelled, self.name, data, picture)

    async def refresh(self) -> None:
        """Do nothing: ComfyUI looks at its folders whenever it is asked for its nodes."""

    async def close(self) -> None:
        """Free its connections."""
        await self._ear.close()
        await self._wire.close()

    async def _looked(self) -> Surroundings:
        self._known = await self._scout.look()
        return self._known

    async def _order(self, request: PaintRequest, images: Mapping[str, bytes], task: str) -> Order:
        """Check against what is known of the server, and once more against fresh lists before refusing."""
        known = self._known or await self._looked()
        try:
            return await self._clerk.order(request, images, known, task=task, model=self._model)
        except RejectedError:
            known = await self._looked()
            return await self._clerk.order(request, images, known, task=task, model=self._model)

    async def _carried_out(self, order: Order, on_progress: Callable[[Progress], None]) -> Outcome:
        """Send an order and return how it ended; one that we give up is taken back."""
        task = order.memo.task
        try:
            async with bounded(self.name, self._pace) as moved, AsyncExitStack() as following:
                run = Run(task, Course(order.graph, self._clock), moved)
                await self._listen(following, self._ear, run, on_progress)
                await self._desk.submit(order.graph, order.memo, self._ear.client_id, run)
                if run.prompt_id != task:
                    await following.enter_async_context(self._ear.following(run.prompt_id, run))
                outcome = await self._desk.end(run, task)
                if not run.heard:
                    await self._ear.reopen()
                return outcome
        except (asyncio.CancelledError, BackendTimeoutError):
            await self._desk.withdraw(task)
            raise

    async def _joined(self, task: str, on_progress: Callable[[Progress], None]) -> Outcome | None:
        """Wait for a prompt that is in the queue already, listening as the life of ours that sent it."""
        queued = await self._desk.place(task)
        if queued is None:
            return await self._desk.found(task)
        ear = Ear(self._wire, queued.client_id, self._pace) if queued.client_id else self._ear
        try:
            async with bounded(self.name, self._pace) as moved, AsyncExitStack() as following:
                if ear is not self._ear:
                    following.push_async_callback(ear.close)
                run = Run(queued.prompt_id, Course(queued.graph, self._clock), moved)
                await self._listen(following, ear, run, on_progress)
                return await self._desk.end(run, task)
        except (asyncio.CancelledError, BackendTimeoutError):
            await self._desk.withdraw(task)
            raise

    async def _listen(
        self, following: AsyncExitStack, ear: Ear, run: Run, on_progress: Callable[[Progress], None]
    ) -> None:
        report = partial(run.report, on_progress, self._small, self._pace.poll_s)
        await following.enter_async_context(ear.following(run.prompt_id, run))
        await following.enter_async_context(alongside(report))

    async def _small(self, picture: bytes | None) -> bytes | None:
        try:
            return await self._imaging.preview(picture) if picture else None
        except BotError:
            return None

    def _finished(self, request: PaintRequest, memo: Memo, outcome: Outcome, seconds: float) -> Finished:
        return Finished(
            self.name,
            request,
            memo,
            self._files(outcome, memo),
            outcome.seconds or seconds,
            self._wire,
            self._decoder,
        )

    def _files(self, outcome: Outcome, memo: Memo) -> tuple[tuple[File, int], ...]:
        """Return what is to be fetched; raises ``ProtocolError`` if it ran and gave no picture."""
        found = files(outcome.outputs, memo.seeds)
        if not found:
            raise errors.no_images(self.name)
        return found
