import hashlib
import os
from pathlib import Path

import pytest

from bot.domain.errors import GoneError
from bot.storage.blobs import FolderBlobs

DAY_S = 86_400.0


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def blobs(tmp_path: Path, clock: Clock) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs", clock)


async def test_bytes_come_back_by_their_hash(blobs: FolderBlobs, tmp_path: Path) -> None:
    data = b"a picture" * 1000
    blob = await blobs.put(data)
    assert blob == hashlib.sha256(data).hexdigest()
    assert await blobs.get(blob) == data
    assert (tmp_path / "blobs" / blob[:2] / blob).read_bytes() == data


async def test_the_same_bytes_are_kept_once(blobs: FolderBlobs, tmp_path: Path) -> None:
    assert await blobs.put(b"same") == await blobs.put(b"same")
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("blob", ["0" * 64, "", "../../etc/passwd", "AB" * 32])
async def test_what_is_not_kept_is_gone_in_words(blobs: FolderBlobs, blob: str) -> None:
    with pytest.raises(GoneError, match="no longer kept"):
        await blobs.get(blob)


async def test_a_sweep_takes_the_old_and_spares_the_new_and_the_needed(blobs: FolderBlobs, clock: Clock) -> None:
    old, needed, renewed = [await blobs.put(data) for data in (b"old", b"needed", b"renewed")]
    clock.now += 6 * DAY_S
    new = await blobs.put(b"new")
    await blobs.put(b"renewed")
    clock.now += 2 * DAY_S
    assert await blobs.sweep(7 * DAY_S, keep={needed}) == 1
    with pytest.raises(GoneError):
        await blobs.get(old)
    assert [await blobs.get(blob) for blob in (needed, renewed, new)] == [b"needed", b"renewed", b"new"]


async def test_a_sweep_of_a_folder_that_does_not_exist_yet_finds_nothing(blobs: FolderBlobs) -> None:
    assert await blobs.sweep(0.0) == 0


async def test_a_write_that_fails_leaves_neither_a_blob_nor_a_scrap(
    blobs: FolderBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        await blobs.put(b"too much")
    assert files(tmp_path) == []
