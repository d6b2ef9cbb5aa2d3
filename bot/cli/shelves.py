"""Where finished pictures go: files that are whole or not there, and an index of what was made from which line."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from bot.cli.prompts import Mark
from bot.domain.errors import BotError
from bot.domain.job import Job, Picture
from bot.domain.ports import Clock
from bot.imaging import pngtext
from bot.imaging.sniffing import EXTENSIONS
from bot.storage.blobs import sync_folder

INDEX = "index.jsonl"
P = ParamSpec("P")
T = TypeVar("T")
_SUFFIXES = frozenset({".jpeg", *(f".{extension}" for extension in EXTENSIONS.values())})


class Shelf(Protocol):
    """Keeps what a run makes."""

    async def keep(self, job: Job, originals: Sequence[bytes]) -> list[Path]:
        """Write a painted job's pictures durably and return their files; a second time changes nothing."""

    async def note_failure(self, job: Job, words: str) -> None:
        """Note that a job ended without a picture."""


class Single:
    """The pictures of one order: in ``out``, or in files named by their seeds where that is a folder."""

    def __init__(self, out: Path) -> None:
        self._out = out

    async def keep(self, job: Job, originals: Sequence[bytes]) -> list[Path]:
        """Write them; a name that was given goes over whatever had it before."""
        pictures = _pictures(job)
        return [
            await _disk(self._place, self._file(picture, n, len(pictures)), picture, data)
            for n, (picture, data) in enumerate(zip(pictures, originals, strict=True), start=1)
        ]

    async def note_failure(self, job: Job, words: str) -> None:
        """Note nothing: the person is told."""

    def _file(self, picture: Picture, n: int, of: int) -> Path:
        suffix = _suffix(picture)
        if self._out.is_dir():
            return self._out / f"easel-{picture.seed}{suffix}"
        stem = self._out.stem if self._out.suffix.lower() in _SUFFIXES else self._out.name
        return self._out.with_name((stem if of == 1 else f"{stem}-{n}") + suffix)

    def _place(self, file: Path, picture: Picture, data: bytes) -> Path:
        data = _with_text(data, picture)
        if self._out.is_dir():
            names = (file.with_stem(f"{file.stem}-{n}") for n in count(2))
            file = next(name for name in chain([file], names) if not _is_other(name, data))
        _write(file, data)
        return file


class Gallery:
    """The pictures of a batch in ``folder``, as ``<line>-<repetition>-<n>-<seed>.png``, and their index.

    ``open`` reads the index: it alone says what is done. ``seed`` is the run's own, from its first life on.
    """

    def __init__(self, folder: Path, run: str, clock: Clock) -> None:
        self.seed = 0
        self._folder = folder
        self._run = run
        self._clock = clock
        self._rounds: dict[int, int] = {}
        self._ahead: set[Mark] = set()

    async def open(self, seed: int, *, repaint: bool) -> int:
        """Read the index and return how many orders are done; ``seed`` is for a run that is not in it yet.

        ``repaint``: those whose files are gone are not.
        """
        known = await _disk(self._read, repaint=repaint)
        if known is None:
            await self._append({"seed": seed})
        self.seed = seed if known is None else known
        return sum(self._rounds.values()) + len(self._ahead)

    def has(self, mark: Mark) -> bool:
        """Return whether an order is done."""
        return mark.repetition <= self._rounds.get(mark.line, 0) or mark in self._ahead

    async def keep(self, job: Job, originals: Sequence[bytes]) -> list[Path]:
        """Write the pictures, then the line of the index that makes them done."""
        mark = Mark.of(job.key)
        pictures = _pictures(job)
        files = [
            await _disk(self._place, f"{mark.line}-{mark.repetition}-{n}-{picture.seed}", picture, data)
            for n, (picture, data) in enumerate(zip(pictures, originals, strict=True), start=1)
        ]
        if not self.has(mark):
            result = job.result
            await self._append(
                {
                    **_told(mark, job),
                    "files": [file.name for file in files],
                    "seeds": [picture.seed for picture in pictures],
                    "model": result.model if result else None,
                    "backend": result.backend if result else None,
                    "seconds": round(result.seconds, 3) if result else None,
                }
            )
            self._done(mark)
        return files

    async def note_failure(self, job: Job, words: str) -> None:
        """Write a line of the index; the next life of the run tries it again."""
        await self._append({**_told(Mark.of(job.key), job), "error": words})

    def _done(self, mark: Mark) -> None:
        if self.has(mark):
            return
        self._ahead.add(mark)
        rounds = self._rounds.get(mark.line, 0)
        while (following := Mark(mark.line, rounds + 1)) in self._ahead:
            self._ahead.remove(following)
            rounds += 1
        self._rounds[mark.line] = rounds

    def _read(self, *, repaint: bool) -> int | None:
        seed = None
        try:
            with (self._folder / INDEX).open(encoding="utf-8", errors="replace") as index:
                for line in index:
                    entry = _entry(line)
                    if entry.get("run") != self._run:
                        continue
                    if "files" not in entry:
                        seed = entry.get("seed", seed)
                    elif not repaint or all((self._folder / name).is_file() for name in entry["files"]):
                        self._done(Mark(entry["line"], entry["repetition"]))
        except FileNotFoundError:
            return None
        return seed

    async def _append(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps({"run": self._run, **entry, "at": round(self._clock(), 3)}, ensure_ascii=False)
        await _disk(_append, self._folder / INDEX, line)

    def _place(self, stem: str, picture: Picture, data: bytes) -> Path:
        """Write a picture; where another run has the name, this one's goes into it."""
        data = _with_text(data, picture)
        file = self._folder / (stem + _suffix(picture))
        if _is_other(file, data):
            file = file.with_stem(f"{stem}-{self._run}")
        if not file.exists() or _is_other(file, data):
            _write(file, data)
        return file


async def _disk(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``work`` off the event loop; what the disk refuses becomes words."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except OSError as error:
        raise BotError(
            "The pictures cannot be kept: {reason}. Mend that, then run the same command again.",
            reason=error.strerror or str(error),
        ) from error


def _pictures(job: Job) -> tuple[Picture, ...]:
    return job.result.pictures if job.result else ()


def _suffix(picture: Picture) -> str:
    return f".{EXTENSIONS.get(picture.media_type, 'bin')}"


def _told(mark: Mark, job: Job) -> dict[str, Any]:
    return {"line": mark.line, "repetition": mark.repetition, "prompt": job.spec.request.prompt}


def _with_text(data: bytes, picture: Picture) -> bytes:
    return data if not picture.infotext or pngtext.read(data) else pngtext.write(data, picture.infotext)


def _is_other(file: Path, data: bytes) -> bool:
    return file.exists() and (file.stat().st_size != len(data) or file.read_bytes() != data)


def _entry(line: str) -> dict[str, Any]:
    """Return one line of the index; one that a power cut tore says nothing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _append(file: Path, line: str) -> None:
    with file.open("a+b") as index:
        index.seek(max(0, index.seek(0, os.SEEK_END) - 1))
        torn = index.read(1) not in {b"", b"\n"}
        index.write(b"\n" * torn + line.encode() + b"\n")
        index.flush()
        os.fsync(index.fileno())


def _write(file: Path, data: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as writing:
            writing.write(data)
            writing.flush()
            os.fsync(writing.fileno())
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)
