"""Every picture's bytes in the database, where no folder is shared by all processes."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection, Delete, LargeBinary, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from bot.domain.ports import Clock
from bot.storage.blobs import BlobsAwayError, KeptBlobs
from bot.storage.database import Database
from bot.storage.tables import blobs

AT_ONCE = 1
"""Most reads, and most writes, that are under way: there are few connections, and the queue needs them too."""
PART_BYTES = 1024 * 1024
"""How much is read at once: psycopg turns what the server writes as text into bytes without letting the event loop
run, 10 MB in 100 to 250 ms (measured)."""
BATCH = 20
"""Most blobs that one transaction deletes."""

_ONE = blobs.c.blob == bindparam("of")
_RENEW = update(blobs).where(_ONE).values(put_at=bindparam("now"))
# SQLite has the same words for it as PostgreSQL.
_ADD = insert(blobs)
_ADD = _ADD.on_conflict_do_update(index_elements=["blob"], set_={"put_at": _ADD.excluded.put_at})
_SIZE = select(func.length(blobs.c.data)).where(_ONE)
_PART = select(
    func.substr(blobs.c.data, bindparam("start"), PART_BYTES, type_=LargeBinary),
).where(_ONE)
_OLD = select(blobs.c.blob).where(blobs.c.put_at < bindparam("before")).order_by(blobs.c.blob)
_DELETE = delete(blobs).where(blobs.c.blob.in_(bindparam("these", expanding=True)))
_DELETE_OLD = _DELETE.where(blobs.c.put_at < bindparam("before"))


class DatabaseBlobs(KeptBlobs):
    """Rows of ``blobs``; raises what the database does, and ``AwayError`` whenever the same may be done again."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(clock)
        self._database = database
        self._reading, self._writing = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)

    async def _store(self, blob: str, data: bytes) -> None:
        now = self._clock()

        def work(tx: Connection) -> None:
            # The bytes go over only where they are new.
            if not tx.execute(_RENEW, {"of": blob, "now": now}).rowcount:
                tx.execute(_ADD, {"blob": blob, "data": data, "put_at": now})

        async with self._writing:
            try:
                await self._database.write(work)
            except DBAPIError as error:
                # Whether it was stored before the connection broke is all one: it is put again.
                if error.connection_invalidated:
                    raise BlobsAwayError from error
                raise

    async def _load(self, blob: str) -> bytes | None:
        async with self._reading:
            return await self._database.read(lambda tx: _read(tx, blob))

    async def _delete(self, blobs: Collection[str]) -> None:
        for part in _batches(sorted(blobs)):
            await self._database.write(partial(_deleted, _DELETE, {"these": part}), synced=False)

    async def _delete_older(self, before: float, keep: frozenset[str]) -> int:
        old = await self._database.read(lambda tx: tx.scalars(_OLD, {"before": before}).all())
        gone = 0
        for part in _batches([blob for blob in old if blob not in keep]):
            # What was put again since is young, and what another process deletes is not counted twice.
            work = partial(_deleted, _DELETE_OLD, {"these": part, "before": before})
            gone += await self._database.write(work, synced=False)
        return gone


def _read(tx: Connection, blob: str) -> bytes | None:
    size = tx.scalar(_SIZE, {"of": blob})
    if size is None:
        return None
    # SQL counts from 1.
    starts = range(1, size + 1, PART_BYTES)
    return b"".join(tx.execute(_PART, {"of": blob, "start": start}).scalar_one() for start in starts)


def _deleted(statement: Delete, of: Mapping[str, object], tx: Connection) -> int:
    return tx.execute(statement, of).rowcount


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]
