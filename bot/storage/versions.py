"""Which version's tables a database has, and bringing them to this version's."""

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.storage.database import Database
from bot.storage.sqlite import SqliteDatabase

_SCRIPTS = ScriptDirectory(str(Path(__file__).parent / "migrations"))
CURRENT = _SCRIPTS.as_revision_number("head")
"""The number of this version's tables."""
_KNOWN = frozenset(each.revision for each in _SCRIPTS.walk_revisions())


class NewerError(Exception):
    """The tables are those of a later version; the words are for the host."""

    def __init__(self, name: str, revision: str) -> None:
        super().__init__(
            f"{name} has the tables of a newer Easel ({revision}; this one's are {CURRENT}). Update this Easel, "
            "or put a backup of this version in its place."
        )


def revision(tx: Connection, name: str) -> str | None:
    """Return the number of the tables, ``None`` where there are none; raises ``NewerError`` with ``name``."""
    found = MigrationContext.configure(tx).get_current_revision()
    if found is not None and found not in _KNOWN:
        raise NewerError(name, found)
    return found


async def upgrade(database: Database) -> str | None:
    """Bring the tables to this version's, made where there are none, and return the number that they had.

    Raises ``NewerError``, and what opening the database raises.
    """
    is_new = isinstance(database, SqliteDatabase) and not database.file.exists()
    before = None if is_new else await database.read(lambda tx: revision(tx, database.name))
    await database.open()
    return before
