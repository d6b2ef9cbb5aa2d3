"""Copying an SQLite database into PostgreSQL; ``python -m tests.jobs.copied <path> <url>`` dies half-way."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Table, create_engine, func, insert, select

from bot.cli.databases import imported
from bot.jobs.importing import Imported, copy_all
from bot.settings_loading import load
from bot.storage.opening import database_at
from bot.storage.postgres import PostgresDatabase
from bot.storage.source import Source
from bot.storage.tables import metadata
from tests.postgres import sync_url

Rows = dict[str, list[tuple[object, ...]]]


def nothing(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


async def copy(path: Path, url: str, tell: Callable[[str, int, int], None] = nothing) -> Imported:
    """Copy what is at ``path`` into the database at ``url``."""
    database = PostgresDatabase(url)
    try:
        source = Source.at(path)
        files = source.picture_files()
        return await database.write(lambda tx: copy_all(tx, source, files, tell))
    finally:
        await database.close()


async def import_into(
    url: str,
    path: Path,
    pictures: Path | None = None,
    *,
    stop: asyncio.Event | None = None,
    bucket: Mapping[str, str] | None = None,
) -> str:
    """Do what the command does and return its words; ``bucket`` are further settings."""
    settings = load({"DATABASE_URL": url, **(bucket or {})}, None, needs_token=False)
    return await imported(settings, path, pictures, stop or asyncio.Event())


async def put(url: str, table: Table, *rows: dict[str, object]) -> None:
    """Bring the database at ``url`` up to date and put rows in."""
    database = database_at(url, Path())
    await database.open()
    if rows:
        await database.write(lambda tx: tx.execute(insert(table), list(rows)))
    await database.close()


def dump(url: str, *left_out: str) -> Rows:
    """Return every row of every table, in no order that an engine chose."""

    def rows(tx: Connection, table: Table) -> list[tuple[object, ...]]:
        return sorted((tuple(row) for row in tx.execute(select(table))), key=repr)

    engine = create_engine(sync_url(url))
    with engine.connect() as tx:
        found = {table.name: rows(tx, table) for table in metadata.sorted_tables if table.name not in left_out}
    engine.dispose()
    return found


def held(url: str) -> dict[str, int]:
    """Return the tables that are not empty, with their numbers of rows."""
    engine = create_engine(sync_url(url))
    with engine.connect() as tx:
        every = {each.name: tx.scalar(select(func.count()).select_from(each)) for each in metadata.sorted_tables}
    engine.dispose()
    return {name: count for name, count in every.items() if count}


def _die(what: str, _done: int, _total: int) -> None:
    if what == "pictures":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(copy(Path(sys.argv[1]), sys.argv[2], _die))
