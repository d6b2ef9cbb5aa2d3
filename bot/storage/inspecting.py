"""Whether a database can do what Easel needs, found out without changing anything."""

import sqlite3
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, text

from bot.storage.postgres import PostgresDatabase
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tables import metadata
from bot.storage.versions import CURRENT, revision

_OLDEST = 150000
"""PostgreSQL 15, as its ``server_version_num`` has it."""
_SERVER = text(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, "
    "current_setting('server_encoding') AS encoding, "
    "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_make"
)
# Several rights in one call would mean any of them (PostgreSQL docs, Access Privilege Inquiry Functions).
_TABLES = text(
    "SELECT relname AS name, pg_has_role(relowner, 'USAGE') AS owned, CASE relkind "
    "WHEN 'S' THEN has_sequence_privilege(oid, 'USAGE') "
    "ELSE has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') "
    "AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE') END AS usable "
    "FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'S') ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a database is: its ``server`` with its version, and the number of its ``tables``, ``None`` if none.

    ``problem`` is why Easel cannot work with it, with the cure; empty if it can.
    """

    server: str
    tables: str | None
    problem: str = ""


async def inspected(database: PostgresDatabase | SqliteDatabase) -> Found:
    """Look at a database that is there; raises ``NewerError``, and what reading raises."""
    look = _sqlite if isinstance(database, SqliteDatabase) else _postgres
    return await database.read(partial(look, name=database.name))


def _sqlite(tx: Connection, name: str) -> Found:
    return Found(f"SQLite {sqlite3.sqlite_version}", revision(tx, name))


def _postgres(tx: Connection, name: str) -> Found:
    server = tx.execute(_SERVER).one()
    told = f"PostgreSQL {server.version.partition(' ')[0]}"
    if server.number < _OLDEST:
        return Found(told, None, f"{told} is too old: take PostgreSQL 15 or later.")
    if server.encoding != "UTF8":
        cure = "make it with ENCODING 'UTF8' TEMPLATE template0."
        return Found(told, None, f"its encoding is {server.encoding}, which cannot hold every prompt: {cure}")
    rows = [row for row in tx.execute(_TABLES) if _is_ours(row.name)]
    if denied := [row.name for row in rows if not row.usable]:
        cure = "docs/hosting.md says what to grant, “Another role for the tables”."
        return Found(
            told, None, f"its user may not work with {len(denied)} of its tables, such as {denied[0]}: {cure}"
        )
    tables = revision(tx, name)
    if tables != CURRENT and not (server.may_make and all(row.owned for row in rows)):
        had = f"its tables are {tables}" if tables else "it has no tables yet"
        cure = f"run easel db upgrade as one that may, or make its user the owner of {'them' if tables else 'it'}."
        return Found(told, tables, f"{had}, and its user may not bring them to {CURRENT}: {cure}")
    return Found(told, tables)


def _is_ours(name: str) -> bool:
    return name in metadata.tables or name == "alembic_version" or name.endswith("_id_seq")
