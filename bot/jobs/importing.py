"""Copying everything of an SQLite database into an empty PostgreSQL one in one transaction: all, or nothing."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, text

from bot.domain.ports import BlobStore
from bot.jobs.nodes import DEAD_S, bury
from bot.storage.source import Source, read_picture
from bot.storage.tables import backends, blobs, metadata, nodes, rate_leases, settings

Tell = Callable[[str, int, int], None]
"""Called with what is copied, how much of it is done and how much there is; what it raises ends the copy."""

OF_PROCESSES = (nodes, backends, rate_leases)
"""What running processes tell of themselves: it ends with them."""
COPIED = tuple(each for each in metadata.sorted_tables if each not in {*OF_PROCESSES, blobs})
"""Every other table, as it is. An SQLite database's pictures are files, and become rows of ``blobs``."""
_ROWS = 200
"""Rows that are in memory at once; one may be a list of some hundred kB."""
_NUL, _INSTEAD = "\0", "\N{REPLACEMENT CHARACTER}"
_INSTANCE = settings.c.scope == "instance"
"""What an installation draws for itself at its first start."""


class ImportRefusedError(Exception):
    """Nothing was copied; the words are for the host."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What was copied of them; ``damaged`` are files with other bytes than their names say, left out."""

    count: int
    size_bytes: int
    damaged: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What was copied: rows by their table, and pictures; in ``mended`` rows a NUL became U+FFFD."""

    rows: Mapping[str, int]
    mended: int
    pictures: Pictures


@dataclass(slots=True)
class _Sum:
    """Rows that went by, in whatever order: equal if they were the same."""

    rows: int = 0
    digest: int = 0

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            self.rows += 1
            self.digest ^= int.from_bytes(blake2b(repr(row).encode(), digest_size=16).digest())


def copy_all(tx: Connection, source: Source, files: Sequence[Path], tell: Tell) -> Imported:
    """Copy ``source`` into the database of ``tx``, and ``files`` of pictures; to be undone if this raises.

    Rows keep their numbers, pictures their age. Raises ``ImportRefusedError`` as ``check_free`` does and where
    something has not arrived as it was sent, and ``SourceError``.
    """
    for bound in ("statement_timeout", "idle_in_transaction_session_timeout"):
        tx.exec_driver_sql(f"SET LOCAL {bound} TO 0")  # a copy takes as long as it takes
    every = ", ".join(_quoted(tx, each) for each in metadata.sorted_tables)
    tx.exec_driver_sql(f"LOCK TABLE {every} IN EXCLUSIVE MODE")
    check_free(tx)
    with source.rows() as rows:
        copied = {table.name: _copy(table, rows, tx, tell) for table in COPIED}
        _continue_numbers(rows, tx)
    pictures = _copy_pictures(files, tx, tell)
    for table in (*COPIED, blobs):
        tx.exec_driver_sql(f"ANALYZE {_quoted(tx, table)}")
    counts = {name: count for name, (count, _) in copied.items()}
    return Imported(counts, sum(mended for _, mended in copied.values()), pictures)


async def put_all(store: BlobStore, files: Sequence[Path], tell: Tell) -> Pictures:
    """Copy pictures to a store outside the database, where they are as young as new ones."""
    sent = sent_bytes = 0
    for number, file in enumerate(files, 1):
        data = await asyncio.to_thread(read_picture, file)
        if data is not None:
            await store.put(data)
            sent, sent_bytes = sent + 1, sent_bytes + len(data)
        tell("pictures", number, len(files))
    return Pictures(sent, sent_bytes, len(files) - sent)


def check_free(tx: Connection) -> None:
    """Look whether nobody works with the database and nothing is in it; raises ``ImportRefusedError``."""
    bury(tx, DEAD_S)
    if _count(tx, nodes):
        raise ImportRefusedError(
            "A running Easel works with the database that DATABASE_URL names. Stop it first; one that was killed "
            f"counts as gone after {DEAD_S:.0f} s."
        )
    held = {table.name: _count(tx, table) for table in (*COPIED, blobs)}
    held["settings"] -= tx.scalar(select(func.count()).where(_INSTANCE)) or 0
    if any(held.values()):
        told = ", ".join(f"{name} {count}" for name, count in held.items() if count)
        raise ImportRefusedError(
            f"The database that DATABASE_URL names is not empty; it has rows in: {told}. Name a new one."
        )


def _copy(table: Table, rows: Connection, tx: Connection, tell: Tell) -> tuple[int, int]:
    """Copy a table, read the copy, and return how many rows it has, and in how many a NUL was replaced."""
    total, mended = _count(rows, table), 0
    sent, arrived = _Sum(), _Sum()
    tx.execute(delete(table))  # what a new installation drew for itself, and what triggers made of rows before
    every = select(table).execution_options(yield_per=_ROWS)
    for batch in rows.execute(every).partitions():
        storable = [_storable(row) for row in batch]
        mended += sum(tuple(row) != tuple(each.values()) for row, each in zip(batch, storable, strict=True))
        tx.execute(insert(table), storable)
        sent.add(tuple(each.values()) for each in storable)
        tell(table.name, sent.rows, total)
    for batch in tx.execute(every).partitions():
        arrived.add(tuple(row) for row in batch)
    if sent != arrived:
        raise ImportRefusedError(f"The rows of {table.name} are not the same there. Please report it.")
    return arrived.rows, mended


def _storable(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """Return a row without NUL characters, which PostgreSQL's text cannot hold (docs, Character Types)."""
    return {
        name: value.replace(_NUL, _INSTEAD) if isinstance(value, str) else value
        for name, value in row._asdict().items()
    }


def _continue_numbers(rows: Connection, tx: Connection) -> None:
    """Let the next numbers be above all that were ever given: old messages name jobs that are deleted by now."""
    for table in COPIED:
        column = table.autoincrement_column
        if column is None:
            continue
        last = rows.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        if last:
            tx.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), last)))


def _copy_pictures(files: Sequence[Path], tx: Connection, tell: Tell) -> Pictures:
    sent = sent_bytes = 0
    for number, file in enumerate(files, 1):
        data = read_picture(file)
        if data is not None:
            tx.execute(insert(blobs), {"blob": file.name, "data": data, "put_at": file.stat().st_mtime})
            sent, sent_bytes = sent + 1, sent_bytes + len(data)
        tell("pictures", number, len(files))
    arrived = tx.execute(select(func.count(), func.coalesce(func.sum(func.octet_length(blobs.c.data)), 0))).one()
    if tuple(arrived) != (sent, sent_bytes):
        raise ImportRefusedError("The pictures are not the same there. Please report it.")
    return Pictures(sent, sent_bytes, len(files) - sent)


def _count(tx: Connection, table: Table) -> int:
    return int(tx.scalar(select(func.count()).select_from(table)) or 0)


def _quoted(tx: Connection, table: Table) -> str:
    return tx.dialect.identifier_preparer.format_table(table)
