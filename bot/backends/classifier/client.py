"""The classifier as the bot sees it: started at first need, started again when it has died or stood still."""

import asyncio
import importlib.util
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from bot.backends import children, frames
from bot.domain.errors import BackendError, NotEnabledError, ProtocolError, UnreachableError
from bot.domain.text import N_

log = structlog.get_logger(__name__)

NEEDED = ("torch", "transformers")
"""What the extra brings."""
READY_S = 180.0
"""How long importing all that and loading the model may take, in seconds."""
AGAIN_S = 60.0
"""How long a model that could not be loaded is not tried again, in seconds: each try costs some."""
LOOK_S = 60.0
"""How long one look may take, in seconds; a grid's pictures are looked at together."""
_WORKER = "bot.backends.classifier.worker"


class Model:
    """Implements the ``Classifier`` port by a ``model`` of the Hugging Face hub, or a folder.

    Only one look at a time; the process is ours, has none of our secrets and ends with us.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._labels: tuple[str, ...] = ()
        self._refusal: BackendError | None = None
        self._refused_at = 0.0

    async def scores(self, pictures: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        """Return how sure it is of each label, picture by picture; raises ``BackendError``."""
        async with self._turn:
            try:
                process = await self._ready()
                header = await self._told(process, frames.pack({}, pictures), LOOK_S)
            except BaseException:
                # What was asked and not answered would be the answer to the next one.
                await self._end()
                raise
        if header["is"] != "scores" or len(header["scores"]) != len(pictures):
            log.warning("classifier could not look", reason=str(header.get("reason", ""))[:200])
            raise ProtocolError(
                N_("The classifier could not look at a picture."), N_("Its host finds more in the log.")
            )
        return [dict(each) for each in header["scores"]]

    async def check(self) -> tuple[str, ...]:
        """Return the model's labels if it loads; raises the ``BackendError`` that says why not."""
        async with self._turn:
            try:
                await self._ready()
            except BaseException:
                await self._end()
                raise
        return self._labels

    async def close(self) -> None:
        """End its process."""
        async with self._turn:
            await self._end()

    async def _ready(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._end()
        now = asyncio.get_running_loop().time()
        if self._refusal is not None and now < self._refused_at + AGAIN_S:
            raise self._refusal
        try:
            self._process = process = await self._loaded()
        except BackendError as error:
            log.warning("classifier not loaded", reason=str(error))
            self._refusal, self._refused_at = error, now
            raise
        log.info("classifier loaded")
        return process

    async def _loaded(self) -> Process:
        """Start a process and return it once it has the model."""
        if any(importlib.util.find_spec(name) is None for name in NEEDED):
            raise NotEnabledError(
                N_("What the classifier needs is not installed."),
                N_("Its host has to install it: pip install '.[classifier]' in Easel's folder."),
            )
        self._process = process = await self._started()
        header = await self._told(process, b"", READY_S)
        if header["is"] != "ready":
            raise NotEnabledError(
                N_("The classifier cannot be loaded: {reason}"),
                N_("Check EASEL_CLASSIFIER; a model of the hub is downloaded only with HF_HUB_OFFLINE=0."),
                reason=str(header.get("reason", ""))[:200],
            )
        self._labels = tuple(header["labels"])
        return process

    async def _started(self) -> Process:
        try:
            return await children.spawn(_WORKER, self._model, stderr=DEVNULL)
        except OSError as error:
            raise UnreachableError(N_("The classifier could not be started.")) from error

    async def _told(self, process: Process, asked: bytes, timeout_s: float) -> Mapping[str, Any]:
        """Return what the process says to what it is ``asked``; raises ``BackendError``."""
        assert process.stdin is not None  # noqa: S101 - it was opened with pipes
        assert process.stdout is not None  # noqa: S101 - likewise
        frame = None
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(timeout_s):
                process.stdin.write(asked)
                await process.stdin.drain()
                frame = await frames.receive(process.stdout)
        if frame is None:
            log.warning("classifier said nothing", exit_code=process.returncode)
            raise _silent()
        return frame.header

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        # What it started may hold its pipes open; there is no other way to close them.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001


def _silent() -> BackendError:
    return UnreachableError(N_("The classifier ended, or stood still."), N_("Its host finds more in the log."))
