"""The painting process as the bot sees it: started at first need, started again when it has died."""

import asyncio
import importlib.util
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from bot.backends import children, errors, frames
from bot.backends.diffusers import words
from bot.backends.frames import Frame
from bot.domain.errors import BackendError

log = structlog.get_logger(__name__)

NEEDED = ("torch", "diffusers", "transformers", "accelerate", "peft")
"""What the extra brings."""
READY_S = 120.0
"""How long importing all that may take, in seconds; a cold disk takes most of a minute."""
END_S = 5.0
_WORKER = "bot.backends.diffusers.worker"
_MAX_LINE = 500


class PaintingProcess:
    """Starts the process with ``settings`` and talks to it; raises only ``BackendError``."""

    def __init__(self, backend: str, settings: Mapping[str, Any]) -> None:
        self._backend = backend
        self._settings = settings
        self._life: _Life | None = None
        self._starting = asyncio.Lock()

    async def ready(self) -> Mapping[str, Any]:
        """Return what the process says of itself, started now unless it runs."""
        said, _ = await self._made_ready()
        return said

    @asynccontextmanager
    async def talk(
        self, order: Mapping[str, Any], blobs: Iterable[bytes] = ()
    ) -> AsyncIterator["asyncio.Queue[Frame | None]"]:
        """Send ``order``, which has an ``id``, and give the queue of what is said to it; ``None`` is its death."""
        _, life = await self._made_ready()
        async with life.talk(order, blobs) as said:
            yield said

    def lost(self) -> BackendError:
        """Return the words for a process that died while it was at work."""
        return errors.lost(self._backend, ConnectionResetError())

    def silent_s(self) -> float:
        """Return for how many seconds the process has said nothing."""
        return 0.0 if self._life is None else self._life.silent_s()

    def kill(self) -> None:
        """End a process that stands still; the next call starts another."""
        if self._life is not None:
            self._life.kill()

    async def close(self) -> None:
        """End it."""
        async with self._starting:
            if self._life is not None:
                await self._life.close()
                self._life = None

    async def _made_ready(self) -> tuple[Mapping[str, Any], "_Life"]:
        life = await self._started()
        try:
            async with asyncio.timeout(READY_S):
                # Shielded: a caller who leaves does not stop the start.
                said = await asyncio.shield(life.ready)
        except TimeoutError as error:
            life.kill()
            raise errors.lost(self._backend, error) from error
        if said is None:
            raise words.ended_early(self._backend)
        if said["is"] == "unfit":
            raise words.no_device(self._backend, said["device"])
        return said, life

    async def _started(self) -> "_Life":
        async with self._starting:
            if self._life is not None and self._life.ended:
                await self._life.close()
                self._life = None
            if self._life is None:
                missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
                if missing:
                    raise words.not_installed(self._backend)
                self._life = _Life(self._backend, await self._process())
            return self._life

    async def _process(self) -> Process:
        try:
            return await children.spawn(_WORKER, json.dumps(self._settings), stderr=PIPE)
        except OSError as error:
            # Too little memory, too many open files: that may pass.
            log.warning("painting process not started", backend=self._backend, reason=str(error.strerror))
            raise words.ended_early(self._backend) from error


class _Life:
    """One process from its start to its end."""

    def __init__(self, backend: str, process: Process) -> None:
        self.ready: asyncio.Future[Mapping[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._backend = backend
        self._process = process
        self._heard = asyncio.get_running_loop().time()
        self._talks: dict[str, asyncio.Queue[Frame | None]] = {}
        self._task = asyncio.create_task(self._run(), name=f"painting process of {backend}")

    @property
    def ended(self) -> bool:
        return self._task.done()

    @asynccontextmanager
    async def talk(
        self, order: Mapping[str, Any], blobs: Iterable[bytes]
    ) -> AsyncIterator["asyncio.Queue[Frame | None]"]:
        said = self._talks[order["id"]] = asyncio.Queue()
        try:
            await self._send(order, blobs)
            yield said
        except BaseException:
            with suppress(BackendError):
                self._write(frames.pack({"do": "cancel", "id": order["id"]}))
            raise
        finally:
            del self._talks[order["id"]]

    def silent_s(self) -> float:
        return asyncio.get_running_loop().time() - self._heard

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        """Let go of its input, at whose end it ends itself, and wait for that."""
        assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
        self._process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await asyncio.shield(self._task)
        except TimeoutError:
            self.kill()
            await self._task

    async def _send(self, order: Mapping[str, Any], blobs: Iterable[bytes]) -> None:
        self._write(frames.pack(order, blobs))
        assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
        try:
            await self._process.stdin.drain()
        except OSError as error:
            raise errors.lost(self._backend, error) from error

    def _write(self, message: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was opened with a pipe
        if self.ended:
            raise errors.lost(self._backend, ConnectionResetError())
        self._process.stdin.write(message)

    async def _run(self) -> None:
        ends = [asyncio.create_task(self._keep_log()), asyncio.create_task(self._process.wait())]
        try:
            await self._listen()
            # It is dead, or as good as that; but what it started may live on and hold its log open.
            self.kill()
            await asyncio.wait(ends, timeout=END_S)
            log.info("painting process ended", backend=self._backend, code=self._process.returncode)
        finally:
            self.kill()
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)
            # There is no other way to close a pipe that somebody else still holds.
            self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
            if not self.ready.done():
                self.ready.set_result(None)
            for said in self._talks.values():
                said.put_nowait(None)

    async def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was opened with a pipe
        while (frame := await frames.receive(self._process.stdout)) is not None:
            self._heard = asyncio.get_running_loop().time()
            said = self._talks.get(frame.header.get("id", ""))
            if said is not None:
                said.put_nowait(frame)
            elif frame.header["is"] in {"ready", "unfit"}:
                self.ready.set_result(frame.header)

    async def _keep_log(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was opened with a pipe
        rest = b""
        while chunk := await self._process.stderr.read(children.PIPE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            # A line without an end would grow for ever.
            rest = rest[:_MAX_LINE]
            for line in lines:
                self._note(line)
        self._note(rest)

    def _note(self, line: bytes) -> None:
        text = line.decode(errors="replace").strip()[:_MAX_LINE]
        if text:
            log.warning("painting process says", backend=self._backend, line=text)
