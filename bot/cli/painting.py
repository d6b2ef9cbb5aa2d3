"""``easel draw`` and ``easel batch``: the queue and the backends of the bot, without Discord."""

# ruff: noqa: PLC0415

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.choices import Choices, with_choices
from bot.cli.ending import (
    EX_BUG,
    EX_CONFIG,
    EX_INTERRUPTED,
    EX_OK,
    EX_UNAVAILABLE,
    give_up,
    live,
    settings_or_give_up,
    unwritable,
)

if TYPE_CHECKING:
    from bot.cli.prompts import Line
    from bot.cli.runs import Outcome
    from bot.settings import Settings

_STATE = ".easel"
"""The folder beside the pictures that a batch has its queue in until it is done."""
_BACKENDS = typer.Option(help="What paints, as in EASEL_BACKENDS and instead of it.")
_TIMEOUT = typer.Option(help="Seconds to wait for a backend that can be reached; default: for ever.", min=0)
_QUIET = typer.Option("--quiet", "-q", help="Show no progress.")


@with_choices
def draw(
    prompt: Annotated[str, typer.Argument(help="What to paint.")],
    choices: Choices,
    out: Annotated[Path, typer.Option("--out", "-o", help="File, or a folder that is there.")] = Path(),
    backends: Annotated[str | None, _BACKENDS] = None,
    timeout: Annotated[float | None, _TIMEOUT] = None,
    quiet: Annotated[bool, _QUIET] = False,
) -> None:
    """Paint one prompt with the backends, without Discord."""
    from bot.cli.prompts import Line
    from bot.cli.sessions import Session

    settings = _settings(backends)
    line = Line(0, prompt.strip(), choices)
    _check([line], settings)
    if problem := unwritable(out if out.is_dir() else out.parent, "--out"):
        give_up(EX_CONFIG, [problem])
    with TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True) as folder:
        session = Session(settings, [line], Path(folder), timeout, quiet)
        outcome = _live(lambda stop: session.draw(stop, out))
    _end(outcome, "Stopped.")


@with_choices
def batch(
    prompts: Annotated[str, typer.Argument(help="File with one prompt a line, UTF-8; - reads stdin.")],
    choices: Choices,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")] = Path("out"),
    repeat: Annotated[int, typer.Option(help="Rounds through the file.", min=1)] = 1,
    forever: Annotated[
        bool, typer.Option("--forever", help="Round after round until Ctrl-C, whatever --repeat says.")
    ] = False,
    backends: Annotated[str | None, _BACKENDS] = None,
    timeout: Annotated[float | None, _TIMEOUT] = None,
    quiet: Annotated[bool, _QUIET] = False,
) -> None:
    """Paint a file of prompts; the same command again goes on where it was stopped.

    A line may have options of its own after its prompt: a cat --steps 30 --seed 5 --negative "blurry". Empty lines
    and lines that begin with # are left out.
    """
    from bot.cli.prompts import WrongError, name, read
    from bot.cli.sessions import Session

    settings = _settings(backends)
    text = _text(prompts)
    try:
        lines = read(text, choices)
    except WrongError as error:
        give_up(EX_CONFIG, [str(error)])
    if not lines:
        give_up(EX_CONFIG, [f"{prompts}: there are no prompts in it."])
    _check(lines, settings)
    if problem := unwritable(out, "--out"):
        give_up(EX_CONFIG, [problem])
    run = name(text, choices, settings.defaults, (file.read_bytes() for file in choices.files()))
    session = Session(settings, lines, out / _STATE / run, timeout, quiet)
    try:
        outcome = _live(lambda stop: session.batch(stop, out, run, None if forever else repeat))
    except typer.Exit as ended:
        if ended.exit_code == EX_CONFIG:
            _clear(session.state)
        raise
    if outcome.complete:
        _clear(session.state)
    _end(outcome, "Stopped. Run the same command again to go on.")


def _settings(backends: str | None) -> "Settings":
    from bot.ops.logging import configure

    environ = dict(os.environ)
    if backends is not None:
        # The passwords belong to the addresses of EASEL_BACKENDS and go to no others.
        environ |= {f"EASEL_BACKEND_{n}_AUTH": "" for n in range(1, 100)} | {"EASEL_BACKENDS": backends}
    settings = settings_or_give_up(needs_token=False, environ=environ)
    # What people have to know is shown as it happens; the log is for what nobody expects.
    configure("ERROR", "console", known=settings.secrets)
    if not settings.backend_addresses:
        give_up(EX_CONFIG, ["EASEL_BACKENDS is none: say with --backends what is to paint here."])
    return settings


def _text(prompts: str) -> str:
    try:
        data = sys.stdin.buffer.read() if prompts == "-" else Path(prompts).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        give_up(EX_CONFIG, [f"{prompts} cannot be read ({error.strerror})."])
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        give_up(EX_CONFIG, [f"{prompts}, line {number}: this is no UTF-8; save the file in that encoding."])


def _check(lines: "list[Line]", settings: "Settings") -> None:
    """Give up over what needs no backend to be told."""
    from bot.cli.prompts import WrongError, check

    try:
        check(lines, settings.defaults, lambda _: None)
    except WrongError as error:
        give_up(EX_CONFIG, [str(error)])


def _live(work: "Callable[[asyncio.Event], Awaitable[Outcome]]") -> "Outcome":
    from bot.cli.prompts import WrongError
    from bot.domain.errors import BotError

    return live(work, {WrongError: EX_CONFIG, BotError: EX_UNAVAILABLE})


def _clear(state: Path) -> None:
    """Take away the queue of a batch: what is done stands in the index."""
    shutil.rmtree(state, ignore_errors=True)
    with suppress(OSError):  # another batch has its queue there
        state.parent.rmdir()


def _end(outcome: "Outcome", stopped: str) -> NoReturn:
    lines = outcome.told()
    if outcome.interrupted:
        give_up(EX_INTERRUPTED, [*lines, stopped])
    if outcome.unreachable:
        give_up(EX_UNAVAILABLE, [*lines, f"No backend could be reached in time. {stopped}"])
    give_up(EX_BUG if outcome.failed else EX_OK, lines)
