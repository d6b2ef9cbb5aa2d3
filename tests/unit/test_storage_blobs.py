"""What is special about pictures in a folder; what all stores do is in ``test_blobs_contract``."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from bot.storage.blobs import FolderBlobs


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs", time.time)


async def test_bytes_come_back_by_their_hash(blobs: FolderBlobs, tmp_path: Path) -> None:
    data = b"a picture" * 1000
    blob = await blobs.put(data)
    assert blob == hashlib.sha256(data).hexdigest()
    assert await blobs.get(blob) == data
    assert (tmp_path / "blobs" / blob[:2] / blob).read_bytes() == data


async def test_the_same_bytes_are_kept_once(blobs: FolderBlobs, tmp_path: Path) -> None:
    assert await blobs.put(b"same") == await blobs.put(b"same")
    assert len(files(tmp_path)) == 1


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
