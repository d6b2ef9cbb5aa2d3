"""An SQLite database that is to be copied, with the pictures beside it: read, and never changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, select
from sqlalchemy.exc import DBAPIError

from bot.storage.blobs import is_hash
from bot.storage.tables import jobs
from bot.storage.versions import CURRENT, revision

_PAINTED = select(jobs.c.id).where(jobs.c.pictures > 0).limit(1)


class SourceError(Exception):
    """It cannot be copied; the words are for the host."""


@dataclass(frozen=True, slots=True)
class Source:
    """``file`` is the database, ``pictures`` the folder of the pictures' bytes."""

    file: Path
    pictures: Path

    @staticmethod
    def at(path: Path, pictures: Path | None = None) -> "Source":
        """Return what is at ``path``, a data folder or the file in it; raises ``SourceError``."""
        file = path / "easel.sqlite3" if path.is_dir() else path
        if not file.is_file():
            raise SourceError(f"There is no file {file}. Name the SQLite file, or the data folder that it is in.")
        if pictures is not None and not pictures.is_dir():
            raise SourceError(f"{pictures} is no folder.")
        return Source(file, pictures or file.parent / "blobs")

    @contextmanager
    def rows(self) -> Iterator[Connection]:
        """Open it at one unchanging view; raises ``SourceError`` where its tables are not this version's."""
        # With mode=ro SQLite reads what a killed process has left in the log beside the file, and writes nothing.
        address = f"{self.file.resolve().as_uri()}?mode=ro"
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(address, uri=True),
            poolclass=NullPool,
            hide_parameters=True,
        )
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                self._check(connection)
                yield connection
        except DBAPIError as error:
            if not isinstance(error.orig, sqlite3.Error):
                raise
            raise SourceError(f"{self.file} cannot be read: {error.orig}.") from error

    def picture_files(self) -> list[Path]:
        """Return the files of all pictures; raises ``SourceError`` where they must be and are not."""
        if self.pictures.is_dir():
            return [file for file in self.pictures.glob("??/*") if is_hash(file.name)]
        with self.rows() as rows:
            if rows.scalar(_PAINTED):
                raise SourceError(f"There is no folder {self.pictures}. Name that of the pictures: --pictures")
        return []

    def _check(self, connection: Connection) -> None:
        found = revision(connection, str(self.file))
        if found is None:
            raise SourceError(f"{self.file} is no database of Easel.")
        if found != CURRENT:
            cure = f"DATABASE_URL=sqlite:///{self.file.resolve()} easel db upgrade"
            raise SourceError(
                f"{self.file} has the tables of an earlier Easel ({found}; this one's are {CURRENT}). "
                f"Keep a copy of it, then run: {cure}"
            )


def read_picture(file: Path) -> bytes | None:
    """Return a picture's bytes, ``None`` where they are not what its name says; raises ``SourceError``."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {error.strerror}.") from error
    return data if sha256(data).hexdigest() == file.name else None
