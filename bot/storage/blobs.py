"""Every picture's bytes, by the hash of the bytes: what is the same of all stores, and the one in a folder."""

import asyncio
import hashlib
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from bot.domain.errors import AwayError, GoneError
from bot.domain.ports import Clock
from bot.domain.text import N_

_HASH = re.compile(r"[0-9a-f]{64}")
FRESH_BYTES = 32 * 1024 * 1024
"""What is stored is mostly asked for once, right away: to be delivered. So much of it stays in memory for that."""


class BlobsAwayError(AwayError):
    """The store of pictures takes and gives nothing just now; what it has it keeps."""

    def __init__(self) -> None:
        super().__init__(N_("The bot cannot reach its pictures just now."), N_("Try again in a minute."))


class KeptBlobs(ABC):
    """``ports.BlobStore`` but for where the bytes are; a blob's age is that of its last ``put``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._fresh: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        """Store ``data`` so that it survives a power cut, and return its SHA-256; the same bytes are kept once.

        Raises ``AwayError`` while the store cannot be reached.
        """
        blob = await asyncio.to_thread(_hash, data)
        await self._store(blob, data)
        self._fresh[blob] = data
        while sum(map(len, self._fresh.values())) > FRESH_BYTES:
            del self._fresh[next(iter(self._fresh))]
        return blob

    async def get(self, blob: str) -> bytes:
        """Return the bytes; raises ``GoneError`` if they are no longer kept, ``AwayError`` as ``put`` does."""
        data = self._fresh.pop(blob, None)
        if data is None and is_hash(blob):
            data = await self._load(blob)
        if data is None:
            raise GoneError(N_("This picture is no longer kept."), N_("Paint it again from its prompt and seed."))
        return data

    async def remove(self, blobs: Collection[str]) -> None:
        """Delete these, whatever their age; those that are gone already do no harm."""
        for blob in blobs:
            self._fresh.pop(blob, None)
        await self._delete(tuple(filter(is_hash, blobs)))

    async def sweep(self, older_than_s: float, keep: Collection[str] = ()) -> int:
        """Delete what was put more than ``older_than_s`` ago, but for ``keep``; return how many went.

        ``keep`` is what unfinished jobs still need: ``Jobs.blobs_in_use``.
        """
        self._fresh.clear()
        return await self._delete_older(self._clock() - older_than_s, frozenset(keep))

    @abstractmethod
    async def _store(self, blob: str, data: bytes) -> None:
        """Keep ``data``, all of it or nothing; what is there already becomes as young as if it were new."""

    @abstractmethod
    async def _load(self, blob: str) -> bytes | None:
        """Return the bytes; ``None`` if they are not there."""

    @abstractmethod
    async def _delete(self, blobs: Collection[str]) -> None:
        """Delete these; some may be gone."""

    @abstractmethod
    async def _delete_older(self, before: float, keep: frozenset[str]) -> int:
        """Delete what was put before unix time ``before``; several processes may do so at once."""


class FolderBlobs(KeptBlobs):
    """Files ``<folder>/ab/abcd…``."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(clock)
        self._folder = folder

    async def _store(self, blob: str, data: bytes) -> None:
        await asyncio.to_thread(self._put, blob, data)

    async def _load(self, blob: str) -> bytes | None:
        return await asyncio.to_thread(self._get, blob)

    async def _delete(self, blobs: Collection[str]) -> None:
        await asyncio.to_thread(self._remove, blobs)

    async def _delete_older(self, before: float, keep: frozenset[str]) -> int:
        return await asyncio.to_thread(self._sweep, before, keep)

    def _path(self, blob: str) -> Path:
        return self._folder / blob[:2] / blob

    def _put(self, blob: str, data: bytes) -> None:
        path = self._path(blob)
        now = self._clock()
        try:
            os.utime(path, (now, now))
        except FileNotFoundError:
            if not path.parent.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                sync_folder(self._folder)
            _write(path, data, now)

    def _get(self, blob: str) -> bytes | None:
        try:
            return self._path(blob).read_bytes()
        except FileNotFoundError:
            return None

    def _remove(self, blobs: Collection[str]) -> None:
        for blob in blobs:
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


def is_hash(blob: str) -> bool:
    """Return whether ``blob`` is a name that a store gives."""
    return _HASH.fullmatch(blob) is not None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
