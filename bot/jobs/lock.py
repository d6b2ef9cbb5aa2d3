"""A lock of the operating system on a file: it dies with the process that holds it, however that dies."""

import os
import sys
from pathlib import Path

from bot.domain.errors import BotError
from bot.domain.text import N_

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProcessLock:
    """At most one process holds ``file``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock; raises ``BotError`` with the cure if another process has it."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle)
        except OSError as error:
            os.close(handle)
            raise BotError(
                N_("Another Easel works with {folder} already."),
                N_("Stop it first, or give this one an EASEL_DATA_DIR of its own."),
                folder=str(self._file.parent),
            ) from error
        self._handle = handle

    def drop(self) -> None:
        """Let go; twice is fine."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def lock_of(database: Path) -> ProcessLock:
    """Return the lock of whoever works with an SQLite database."""
    return ProcessLock(database.with_name(f"{database.name}.lock"))
