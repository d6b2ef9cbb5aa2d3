"""Which database an address names, and where the pictures are kept beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.ports import BlobStore, Clock
from bot.storage.blobs import FolderBlobs
from bot.storage.bucket import Bucket, BucketError
from bot.storage.database import Database
from bot.storage.database_blobs import DatabaseBlobs
from bot.storage.postgres import PostgresDatabase
from bot.storage.sqlite import SqliteDatabase
from bot.storage.versions import revision

if TYPE_CHECKING:
    from bot.storage.s3_blobs import S3Blobs

TIMEOUT_S = 60.0
"""How long one call to a bucket may take, with all its tries: of the size of a picture and of the slowest line."""
S3_CURE = "pip install '.[s3]' in Easel's folder"
SHARED = ("postgresql://", "postgres://", "postgresql+psycopg://")
"""How addresses of databases begin that several processes may share."""


def is_shared(url: str) -> bool:
    """Return whether several processes may work with the database at ``url``."""
    return url.startswith(SHARED)


def database_at(url: str, folder: Path) -> PostgresDatabase | SqliteDatabase:
    """Return the database at ``url``, or the one that the data ``folder`` holds; raises ``DatabaseSetupError``."""
    if is_shared(url):
        return PostgresDatabase(url.replace("postgres://", "postgresql://", 1))
    return SqliteDatabase(url or SqliteDatabase.in_folder(folder))


async def upgrade(database: Database) -> str | None:
    """Bring the tables to this version's, made where there are none, and return the number that they had.

    Raises what opening the database raises.
    """
    is_new = isinstance(database, SqliteDatabase) and not database.file.exists()
    before = None if is_new else await database.read(lambda tx: revision(tx, database.name))
    await database.open()
    return before


async def blobs_at(
    bucket: Bucket | None, keys: tuple[str, str] | None, database: Database, folder: Path, clock: Clock
) -> BlobStore:
    """Return the store of pictures: the ``bucket``, else a database that is shared, else the data ``folder``.

    Raises ``BucketError`` where the bucket cannot be used.
    """
    if bucket is not None:
        blobs = blobs_in(bucket, keys, clock)
        await blobs.check()
        return blobs
    if isinstance(database, PostgresDatabase):
        return DatabaseBlobs(database, clock)
    return FolderBlobs(folder / "blobs", clock)


def blobs_in(
    bucket: Bucket, keys: tuple[str, str] | None, clock: Clock, *, timeout_s: float = TIMEOUT_S
) -> "S3Blobs":
    """Return the store of pictures in ``bucket``; raises ``BucketError`` where the extra for it is missing."""
    try:
        from bot.storage.s3_blobs import S3Blobs  # noqa: PLC0415 - an extra, imported only where it is wanted
    except ModuleNotFoundError as error:
        raise BucketError(f"EASEL_BLOBS needs the extra “s3”: {S3_CURE}, or leave it out.") from error
    return S3Blobs(bucket, keys, clock, timeout_s=timeout_s)
