"""What a person sees of a run: bars in a terminal, plain lines elsewhere; on stderr, stdout is for the files."""

# ruff: noqa: PLC0415

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from bot.domain.job import Job, State
from bot.domain.ports import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Screen(Protocol):
    """Shows a run. Calls return at once."""

    def begin(self, done: int, total: int | None) -> None:
        """Tell how many orders there are (``None``: no end), and how many of them were done before."""

    def changed(self, job: Job) -> None:
        """Tell that a job has entered its state."""

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Tell how far a running job is."""

    def settled(self) -> None:
        """Tell that one more order is done, or has failed."""

    def say(self, words: str) -> None:
        """Show a sentence."""


class Silent:
    """Shows sentences only."""

    def begin(self, done: int, total: int | None) -> None:
        """Show nothing."""

    def changed(self, job: Job) -> None:
        """Show nothing."""

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Show nothing."""

    def settled(self) -> None:
        """Show nothing."""

    def say(self, words: str) -> None:
        """Write it."""
        typer.echo(words, err=True)


class Plain(Silent):
    """A line for each order that is done: for log files and pipes."""

    def __init__(self) -> None:
        self._done = 0
        self._total: int | None = None

    def begin(self, done: int, total: int | None) -> None:
        """Say what was done before."""
        self._done, self._total = done, total
        if done:
            self.say("All was done before." if done == total else f"{done} done before; going on.")

    def settled(self) -> None:
        """Count."""
        self._done += 1
        self.say(f"{self._done}/{self._total}" if self._total else f"{self._done}")


class Barred(Silent):
    """One bar for the whole run, and one for each job that is being painted."""

    def __init__(self, bars: "Bars", title: str) -> None:
        self._bars = bars
        self._title = title
        self._whole: TaskID | None = None
        self._tasks: dict[int, TaskID] = {}

    def begin(self, done: int, total: int | None) -> None:
        """Show the bar of the whole run."""
        self._whole = self._bars.add_task(self._title, total=total, completed=done, note="")

    def changed(self, job: Job) -> None:
        """Give a running job a bar, and take it away when it no longer runs."""
        if job.state is not State.RUNNING:
            task = self._tasks.pop(job.id, None)
            if task is not None:
                self._bars.remove_task(task)
        elif job.id not in self._tasks:
            title = f"  {job.backend or ''}: {job.spec.request.prompt[:40]}"
            self._tasks[job.id] = self._bars.add_task(title, total=job.spec.request.steps, note="")

    def progressed(self, job_id: int, progress: Progress) -> None:
        """Move a job's bar."""
        task = self._tasks.get(job_id)
        if task is not None:
            steps = progress.steps or 100
            note = "" if progress.eta_s is None else f"{progress.eta_s:.0f} s left"
            self._bars.update(task, total=steps, completed=progress.fraction * steps, note=note)

    def settled(self) -> None:
        """Move the bar of the whole run."""
        if self._whole is not None:
            self._bars.advance(self._whole)

    def say(self, words: str) -> None:
        """Write it above the bars."""
        self._bars.console.print(words, markup=False, highlight=False)


@contextmanager
def screen(title: str, *, quiet: bool) -> Iterator[Screen]:
    """Open what fits stderr: bars in a terminal, lines elsewhere, or only sentences."""
    if quiet:
        yield Silent()
        return
    if not sys.stderr.isatty():
        yield Plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    # In a narrow terminal titles are cut, and bars and numbers stay.
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=3)),
        BarColumn(bar_width=None, table_column=Column(ratio=2)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True)),
    )
    # What goes to a pipe or a file must not pass through the terminal's console.
    bars = Bars(
        *columns,
        console=Console(stderr=True),
        refresh_per_second=5,
        redirect_stdout=sys.stdout.isatty(),
        expand=True,
    )
    with bars:
        yield Barred(bars, title)


def put(file: Path) -> None:
    """Write a finished file's path to stdout, at once; a reader that has gone away stops nothing."""
    try:
        print(file, flush=True)  # noqa: T201 - the command's result
    except BrokenPipeError:
        # Otherwise the interpreter fails at it once more when it ends (Python docs, signal, note on SIGPIPE).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
