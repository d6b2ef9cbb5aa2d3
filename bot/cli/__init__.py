"""The command line; a host's mistake gets a sentence.

What a command needs is imported when it runs, so that ``easel --help`` answers at once.
"""

from typing import Annotated

import typer

from bot import __version__
from bot.cli.checking import PERMISSIONS, check
from bot.cli.databases import db
from bot.cli.hosting import rehearse, run, worker
from bot.cli.painting import batch, draw

__all__ = ["PERMISSIONS", "app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for _command in (run, worker, rehearse, draw, batch, check):
    app.command()(_command)
app.add_typer(db, name="db")


def main() -> None:
    """Run the command line."""
    app(prog_name="easel")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"easel {__version__}")
        raise typer.Exit


@app.callback()
def easel(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Easel, a Discord bot that paints."""
