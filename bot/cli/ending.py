"""How a command of the terminal ends: in words for the host, and with an exit code."""

# ruff: noqa: PLC0415

import asyncio
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

EX_OK = 0
EX_BUG = 1
EX_UNAVAILABLE = 69
EX_CONFIG = 78
"""Exit codes as sysexits.h has them; 1 is our own fault."""
EX_INTERRUPTED = 128 + signal.SIGINT
_ENV_FILE = Path(".env")
T = TypeVar("T")


def settings_or_give_up(*, needs_token: bool, environ: Mapping[str, str] | None = None) -> "Settings":
    """Return the settings of ``environ`` (the process's own) over those of ``.env``, or say what is wrong."""
    from bot.settings_loading import SettingsError, load

    try:
        return load(os.environ if environ is None else environ, _ENV_FILE, needs_token=needs_token)
    except SettingsError as error:
        give_up(EX_CONFIG, error.problems)


def give_up(code: int, lines: Iterable[str]) -> NoReturn:
    """Write ``lines`` to stderr and end the command with ``code``."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def unwritable(folder: Path, name: str = "EASEL_DATA_DIR") -> str | None:
    """Return what is wrong with a folder that is to be written to, made if need be; ``None``: nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".check-"):
            return None
    except OSError as error:
        return f"{name}: {folder} cannot be written ({error.strerror}); give a folder of your own."


def live(work: Callable[[asyncio.Event], Awaitable[T]], codes: Mapping[type[Exception], int]) -> T:
    """Return what ``work`` returns; a signal asks it to end, whatever stops it becomes words and an exit code.

    ``codes`` has the exit code of each error whose words are for the host, the narrower kinds first.
    """
    from bot.ops.logging import log_failure

    try:
        with asyncio.Runner() as runner:
            return runner.run(_until_signalled(work))
    except KeyboardInterrupt:
        raise typer.Exit(EX_INTERRUPTED) from None
    except Exception as raised:  # noqa: BLE001 - the outermost door: into words, or into the log, redacted
        error = _innermost(raised)
        known = next((code for kind, code in codes.items() if isinstance(error, kind)), None)
        if known is not None:
            give_up(known, [str(error)])
        if isinstance(error.__cause__, sqlite3.OperationalError):  # as SQLAlchemy raises it: a full disk, mostly
            give_up(EX_UNAVAILABLE, [f"The queue cannot be kept: {error.__cause__}. Mend that, then start again."])
        code = log_failure("stopped by a failure", error)
        give_up(EX_BUG, [f"Easel stopped by a failure of its own, {code} in the log. Please report it."])


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup) and len({str(each) for each in error.exceptions}) == 1:
        error = error.exceptions[0]
    return error


async def _until_signalled(work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
    """Do ``work`` with an event that the first SIGTERM or SIGINT sets; a second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)

    for each in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(each, ask)
        except NotImplementedError:  # Windows has no such handlers
            signal.signal(each, lambda *_: loop.call_soon_threadsafe(stop.set))
    return await work(stop)
