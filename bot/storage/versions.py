"""Which version's tables a database has, and bringing them to this version's."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.domain.errors import BotError
from bot.domain.text import N_

_FOLDER = str(Path(__file__).parent / "migrations")
_SCRIPTS = ScriptDirectory(_FOLDER)
CURRENT = _SCRIPTS.as_revision_number("head")
"""The number of this version's tables."""
_KNOWN = frozenset(each.revision for each in _SCRIPTS.walk_revisions())


class NewerError(BotError):
    """The tables are those of a later version."""


def revision(tx: Connection, name: str) -> str | None:
    """Return the number of the tables, ``None`` where there are none; raises ``NewerError`` with ``name``."""
    found = MigrationContext.configure(tx).get_current_revision()
    if found is not None and found not in _KNOWN:
        raise NewerError(
            N_("{file} has the tables of a newer Easel ({found}; this one's are {current})."),
            N_("Update this Easel, or put a backup of this version in its place."),
            file=name,
            found=found,
            current=str(CURRENT),
        )
    return found


def migrate(tx: Connection, name: str) -> None:
    """Bring the tables of the database ``name`` up to date; raises ``NewerError`` for those of a later version."""
    revision(tx, name)
    config = Config()
    config.set_main_option("script_location", _FOLDER.replace("%", "%%"))
    config.attributes["connection"] = tx
    command.upgrade(config, "head")
