"""``easel db``: the database of a host, brought up to date or moved to PostgreSQL."""

# ruff: noqa: PLC0415

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ending import EX_CONFIG, EX_INTERRUPTED, EX_UNAVAILABLE, live, settings_or_give_up

if TYPE_CHECKING:
    from bot.jobs.importing import Imported, Tell
    from bot.settings import Settings
    from bot.storage.database import Database
    from bot.storage.source import Source

db = typer.Typer(no_args_is_help=True, help="Bring the database up to date, or move it to PostgreSQL.")


_LINE = 40
"""Characters of the line that is written over again and again."""


class InUseError(Exception):
    """Another Easel has the SQLite file."""


class StoppedError(Exception):
    """A signal asked for an end."""


class TargetError(Exception):
    """Nothing can be copied to where the settings say."""


@db.command("upgrade")
def upgrade() -> None:
    """Bring the database to this version's tables, as the bot does by itself when it starts."""
    settings = settings_or_give_up(needs_token=False)
    _do(settings, lambda _stop: upgraded(settings.database_url.get_secret_value(), settings.data_dir))


@db.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="The SQLite file, or the data folder that it is in.")],
    pictures: Annotated[
        Path | None, typer.Option(help="Folder of the pictures; default: blobs, beside the file.")
    ] = None,
) -> None:
    """Copy everything of an SQLite database into the empty PostgreSQL database that DATABASE_URL names.

    All of it or nothing: it is compared before it counts. The SQLite file and the pictures stay as they are.
    """
    settings = settings_or_give_up(needs_token=False)
    _do(settings, lambda stop: imported(settings, source, pictures, stop))


async def upgraded(url: str, folder: Path) -> str:
    """Upgrade the database at ``url``, or that of the data ``folder``, and return what was done."""
    from bot.storage.opening import database_at
    from bot.storage.opening import upgrade as bring_up_to_date
    from bot.storage.sqlite import SqliteDatabase
    from bot.storage.versions import CURRENT

    database = database_at(url, folder)
    lock = _alone(database.file) if isinstance(database, SqliteDatabase) else nullcontext()
    try:
        with lock, database.in_words():
            before = await bring_up_to_date(database)
    finally:
        await database.close()
    if before == CURRENT:
        return f"{database.name} is up to date (tables {CURRENT}): nothing was changed."
    return f"{database.name} is up to date now (tables {before or 'none'} -> {CURRENT})."


async def imported(settings: "Settings", path: Path, pictures: Path | None, stop: asyncio.Event) -> str:
    """Copy what is at ``path`` to where ``settings`` say and return what was copied; ``stop`` undoes it."""
    from bot.storage.opening import database_at, is_shared
    from bot.storage.source import Source

    url = settings.database_url.get_secret_value()
    if not is_shared(url):
        raise TargetError(
            "DATABASE_URL has to name the PostgreSQL database that everything is to be copied to: "
            "postgresql://user:password@host/easel"
        )
    source = Source.at(path, pictures)
    target = database_at(url, settings.data_dir)
    try:
        with _alone(source.file), target.in_words():
            done = await _copied(settings, source, target, _teller(stop))
    finally:
        await target.close()
    return "\n".join(_told(done, source.file, target.name, str(settings.blobs or "")))


async def _copied(settings: "Settings", source: "Source", target: "Database", tell: "Tell") -> "Imported":
    """Copy rows, and pictures with them; into a bucket they go before, where a second time does no harm."""
    from dataclasses import replace

    from bot.jobs.importing import check_free, copy_all, put_all
    from bot.storage.opening import blobs_at
    from bot.storage.opening import upgrade as bring_up_to_date

    await bring_up_to_date(target)
    files = source.picture_files()
    if settings.blobs is None:
        return await target.write(lambda tx: copy_all(tx, source, files, tell))
    await target.write(check_free)
    store = await blobs_at(settings.blobs, settings.blobs_keys, target, settings.data_dir, time.time)
    pictures = await put_all(store, files, tell)
    return replace(await target.write(lambda tx: copy_all(tx, source, (), tell)), pictures=pictures)


def _do(settings: "Settings", work: Callable[[asyncio.Event], Awaitable[str]]) -> None:
    """Do ``work`` and write what it returns; what hinders it becomes words and an exit code."""
    from bot.domain.errors import BotError
    from bot.jobs.importing import ImportRefusedError
    from bot.ops.logging import configure
    from bot.storage.bucket import BucketError
    from bot.storage.database import DatabaseSetupError
    from bot.storage.source import SourceError

    configure("ERROR", settings.log_format, known=settings.secrets)
    refused = (BotError, BucketError, ImportRefusedError, InUseError, SourceError)
    wrong = dict.fromkeys((DatabaseSetupError, TargetError), EX_CONFIG)
    typer.echo(live(work, {**wrong, **dict.fromkeys(refused, EX_UNAVAILABLE), StoppedError: EX_INTERRUPTED}))


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep every other Easel out of an SQLite database; raises ``InUseError`` where one has it."""
    from bot.domain.errors import BotError
    from bot.jobs.lock import lock_of

    lock = lock_of(file)
    try:
        lock.take()
    except BotError:
        raise InUseError(f"A running Easel has {file}. Stop it first, so that nothing of it is missed.") from None
    except OSError as error:
        raise InUseError(
            f"{file.parent} cannot be written ({error.strerror}), which is how a running Easel is kept out. Give "
            "its files to this user, or use a copy of the folder."
        ) from error
    try:
        yield
    finally:
        lock.drop()


def _teller(stop: asyncio.Event) -> "Tell":
    """Return what writes how far a copy is to stderr, and ends it once ``stop`` is set."""
    lasting = not sys.stderr.isatty()

    def tell(what: str, done: int, total: int) -> None:
        if stop.is_set():
            raise StoppedError("Stopped: nothing was copied.")
        if not lasting:
            typer.echo(f"\r{what} {done}/{total}".ljust(_LINE), err=True, nl=done == total)
        elif done == total:
            typer.echo(f"{what} {done}/{total}", err=True)

    return tell


def _told(done: "Imported", file: Path, name: str, bucket: str) -> Iterator[str]:
    pictures = done.pictures
    yield f"Everything of {file} is in {name} now, counted and compared:"
    yield from (f"  {table} {count}" for table, count in done.rows.items() if count)
    yield f"  pictures {pictures.count} ({pictures.size_bytes / 1e6:.1f} MB){bucket and f', in {bucket}'}"
    if done.mended:
        yield f"In {done.mended} rows a NUL character, which PostgreSQL cannot hold, became U+FFFD."
    if pictures.damaged:
        yield f"{pictures.damaged} files of pictures were damaged and are not there."
    yield f"{file} is as it was: keep it until you have seen Easel run."
