"""Every picture's bytes in a folder, by the hash of the bytes."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from bot.domain.errors import GoneError
from bot.domain.ports import Clock
from bot.domain.text import N_

_HASH = re.compile(r"[0-9a-f]{64}")
FRESH_BYTES = 32 * 1024 * 1024
"""What is stored is mostly asked for once, right away: to be delivered. So much of it stays in memory for that."""


class FolderBlobs:
    """``ports.Blobs`` as files ``<folder>/ab/abcd…``; a blob's age is that of its last ``put``."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._fresh: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        """Store ``data`` so that it survives a power cut, and return its SHA-256; the same bytes are kept once."""
        blob = await asyncio.to_thread(self._put, data)
        self._fresh[blob] = data
        while sum(map(len, self._fresh.values())) > FRESH_BYTES:
            del self._fresh[next(iter(self._fresh))]
        return blob

    async def get(self, blob: str) -> bytes:
        """Return the bytes; raises ``GoneError`` if they are no longer kept."""
        fresh = self._fresh.pop(blob, None)
        return await asyncio.to_thread(self._get, blob) if fresh is None else fresh

    async def remove(self, blobs: Collection[str]) -> None:
        """Delete these, whatever their age."""
        for blob in blobs:
            self._fresh.pop(blob, None)
        await asyncio.to_thread(self._remove, tuple(blobs))

    async def sweep(self, older_than_s: float, keep: Collection[str] = ()) -> int:
        """Delete what was put more than ``older_than_s`` ago, but for ``keep``; return how many went.

        ``keep`` is what unfinished jobs still need: ``Jobs.blobs_in_use``.
        """
        self._fresh.clear()
        return await asyncio.to_thread(self._sweep, self._clock() - older_than_s, frozenset(keep))

    def _path(self, blob: str) -> Path:
        return self._folder / blob[:2] / blob

    def _put(self, data: bytes) -> str:
        blob = hashlib.sha256(data).hexdigest()
        path = self._path(blob)
        now = self._clock()
        try:
            os.utime(path, (now, now))
        except FileNotFoundError:
            if not path.parent.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                sync_folder(self._folder)
            _write(path, data, now)
        return blob

    def _get(self, blob: str) -> bytes:
        if _HASH.fullmatch(blob):
            try:
                return self._path(blob).read_bytes()
            except FileNotFoundError:
                pass
        raise GoneError(N_("This picture is no longer kept."), N_("Paint it again from its prompt and seed."))

    def _remove(self, blobs: Collection[str]) -> None:
        for blob in filter(_HASH.fullmatch, blobs):
            self._path(blob).unlink(missing_ok=True)

    def _sweep(self, before: float, keep: frozenset[str]) -> int:
        gone = 0
        for path in self._folder.glob("??/*"):
            if path.name in keep:
                continue
            # A file that is being written is renamed when it is whole: it may be gone by now.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    gone += 1
        return gone


def _write(path: Path, data: bytes, now: float) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="new-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.utime(temporary, (now, now))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in ``folder`` durable; Windows does that by itself and opens no folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
