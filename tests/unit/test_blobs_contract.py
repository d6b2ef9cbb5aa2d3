"""What every store of pictures does, wherever it keeps them."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.domain.errors import GoneError
from bot.domain.ports import BlobStore
from bot.storage.blobs import FolderBlobs
from bot.storage.bucket import Bucket
from bot.storage.database_blobs import DatabaseBlobs
from bot.storage.opening import blobs_in, database_at
from tests.engines import url_of
from tests.standins.s3 import KEYS, StandInS3

DAY_S = 86_400.0
PICTURE = os.urandom(1000)
LARGE = os.urandom(1_000_000) * 25
ABSENT = "0" * 64


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


Process = Callable[[], BlobStore]
"""Gives the store as one more process has it, which remembers nothing of the others'."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["folder", "sqlite", "postgresql", "bucket"])
async def process(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Process]:
    kind = request.param
    if kind == "folder":
        yield lambda: FolderBlobs(tmp_path / "blobs", clock)
    elif kind == "bucket":
        if find_spec("obstore") is None:
            pytest.skip("the extra “s3” is not installed")
        async with StandInS3(clock) as s3:
            yield lambda: blobs_in(Bucket.parse(s3.address), KEYS, clock)
    else:
        async with in_database(url_of(kind, tmp_path, request), tmp_path, clock) as database:
            yield database


@asynccontextmanager
async def in_database(url: str, folder: Path, clock: Clock) -> AsyncIterator[Process]:
    database = database_at(url, folder)
    await database.open()
    try:
        yield lambda: DatabaseBlobs(database, clock)
    finally:
        await database.close()


@pytest.fixture
def blobs(process: Process) -> BlobStore:
    return process()


async def kept(blobs: BlobStore, blob: str) -> bytes | None:
    try:
        return await blobs.get(blob)
    except GoneError:
        return None


async def test_bytes_come_back_by_their_hash_in_every_process(process: Process) -> None:
    here, elsewhere = process(), process()
    blob = await here.put(PICTURE)
    assert blob == hashlib.sha256(PICTURE).hexdigest()
    assert [await here.get(blob), await here.get(blob), await elsewhere.get(blob)] == [PICTURE] * 3


@pytest.mark.parametrize("data", [b"", b"\0", LARGE], ids=["nothing", "zero", "25 MB"])
async def test_bytes_of_any_size_come_back(process: Process, data: bytes) -> None:
    blob = await process().put(data)
    assert await process().get(blob) == data


async def test_what_is_not_kept_is_gone_in_words(blobs: BlobStore) -> None:
    for blob in (ABSENT, "", "../../etc/passwd", "AB" * 32):
        with pytest.raises(GoneError, match="no longer kept"):
            await blobs.get(blob)


async def test_the_same_bytes_are_kept_once(process: Process) -> None:
    assert len({await process().put(PICTURE), await process().put(PICTURE)}) == 1
    assert await process().sweep(-1.0) == 1


async def test_a_sweep_takes_the_old_and_spares_the_new_and_the_needed(process: Process, clock: Clock) -> None:
    here = process()
    old, needed, renewed = [await here.put(data) for data in (b"old", b"needed", b"renewed")]
    clock.now += 6 * DAY_S
    new = await here.put(b"new")
    await process().put(b"renewed")
    clock.now += 2 * DAY_S
    assert await here.sweep(7 * DAY_S, keep={needed, ABSENT}) == 1
    assert await kept(here, old) is None
    assert [await kept(here, blob) for blob in (needed, renewed, new)] == [b"needed", b"renewed", b"new"]


async def test_a_sweep_of_nothing_finds_nothing(blobs: BlobStore) -> None:
    assert await blobs.sweep(0.0) == 0


async def test_processes_that_sweep_at_once_take_each_old_picture_once(process: Process, clock: Clock) -> None:
    names = await asyncio.gather(*(process().put(b"%d" % number) for number in range(50)))
    clock.now += 8 * DAY_S
    young = await process().put(b"young")
    gone = await asyncio.gather(*(process().sweep(7 * DAY_S) for _ in range(3)))
    assert sum(gone) >= len(names)
    assert [await kept(process(), name) for name in names] == [None] * len(names)
    assert await process().get(young) == b"young"


async def test_what_is_removed_is_gone_and_removing_it_again_does_no_harm(process: Process) -> None:
    here, elsewhere = process(), process()
    first, second, other = [await here.put(data) for data in (b"first", b"second", b"other")]
    await here.remove({first, second, ABSENT, "no name"})
    await elsewhere.remove([first])
    await elsewhere.remove([])
    for blobs in (here, elsewhere):
        assert [await kept(blobs, blob) for blob in (first, second)] == [None, None]
    assert await elsewhere.get(other) == b"other"


async def test_many_at_once_come_and_go_whole(process: Process) -> None:
    pictures = [os.urandom(200_000) for _ in range(24)]
    stores = [process() for _ in range(3)]
    # The same ones at the same moment, from several processes.
    named = await asyncio.gather(*(blobs.put(data) for data in pictures for blobs in stores))
    names = named[:: len(stores)]
    assert await asyncio.gather(*(process().get(name) for name in names)) == pictures


async def test_a_put_that_is_cut_off_leaves_nothing_half(process: Process) -> None:
    blob = hashlib.sha256(LARGE).hexdigest()
    for delay_s in (0.0, 0.02, 0.1):
        putting = asyncio.create_task(process().put(LARGE))
        await asyncio.sleep(delay_s)
        putting.cancel()
        with suppress(asyncio.CancelledError):
            await putting
        assert await kept(process(), blob) in {None, LARGE}
    assert await process().put(LARGE) == blob
    assert await process().get(blob) == LARGE


async def test_what_was_just_put_is_delivered_without_asking_the_store(process: Process) -> None:
    here = process()
    blob = await here.put(PICTURE)
    await process().remove([blob])
    assert await here.get(blob) == PICTURE, "once: it is in memory for its delivery"
    assert await kept(here, blob) is None
