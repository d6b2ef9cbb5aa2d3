"""What a classifier says of pictures, made into one finding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import GoneError, UnreachableError
from bot.domain.job import Address, Job, JobSpec, Picture, Result, State
from bot.domain.request import PaintRequest
from bot.domain.reviewing import Finding
from bot.imaging import sniffing
from bot.imaging.imaging import Imaging
from bot.services.examining import CLEAN, MAX_SIDE, Examining
from bot.storage.blobs import FolderBlobs
from tests.whole.pictures import png

JOB = Job(
    1, "k", "default", 1, 2, State.PAINTED, JobSpec(PaintRequest("a fox", 1)), Address(5), None, 1, 0, 1, 0, 0.0
)


class Says:
    """Says of one picture after the other what it was given to say, and keeps what it saw."""

    def __init__(self, *scores: Mapping[str, float]) -> None:
        self.left = list(scores)
        self.seen: list[bytes] = []

    async def scores(self, pictures: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        self.seen += pictures
        if not self.left:
            raise UnreachableError("away")
        said, self.left = self.left[: len(pictures)], self.left[len(pictures) :]
        return said

    async def close(self) -> None:
        """Nothing to free."""


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path, lambda: 0.0)


async def painted(blobs: FolderBlobs, *sizes: tuple[int, int]) -> Job:
    pictures = [Picture(await blobs.put(png(*size)), "image/png", *size, 1) for size in sizes]
    return replace(JOB, result=Result(tuple(pictures), "gpu", 1.0))


async def found(classifier: Says | None, blobs: FolderBlobs, *jobs: Job) -> Finding | None:
    imaging = Imaging()
    examining = Examining(classifier, blobs, imaging, labels=("NSFW", "porn"), threshold=0.8)
    try:
        return await examining.finding(jobs)
    finally:
        await imaging.close()


async def test_the_worst_picture_of_all_counts_and_each_is_seen_small(blobs: FolderBlobs) -> None:
    says = Says({"nsfw": 0.1, "normal": 0.9}, {"nsfw": 0.95, "normal": 0.05}, {"neutral": 1.0, "porn": 0.0})
    jobs = [await painted(blobs, (1200, 600), (64, 64)), await painted(blobs, (64, 48))]
    assert await found(says, blobs, *jobs) == Finding(flagged=True, label="nsfw", score=0.95)
    facts = [sniffing.sniff(data) for data in says.seen]
    assert [(each.width, each.height) for each in facts if each] == [
        (MAX_SIDE, MAX_SIDE // 2),
        (64, 64),
        (64, 48),
    ]


async def test_labels_of_the_same_kind_count_together_and_others_do_not(blobs: FolderBlobs) -> None:
    job = await painted(blobs, (64, 64))
    both = await found(Says({"porn": 0.5, "nsfw": 0.4, "normal": 0.1}), blobs, job)
    assert both is not None
    assert (both.flagged, both.label) == (True, "porn")
    below = await found(Says({"porn": 0.7}), blobs, job)
    assert below is not None
    assert not below.flagged


async def test_one_that_is_away_says_nothing_and_without_one_all_is_clean(blobs: FolderBlobs) -> None:
    job = await painted(blobs, (64, 64))
    assert await found(Says(), blobs, job) is None
    assert await found(Says({"dog": 1.0}), blobs, job) is None, "of no label that counts it says nothing"
    assert await found(None, blobs, job) == CLEAN
    broken = replace(JOB, result=Result((Picture(await blobs.put(b"no"), "image/png", 1, 1, 1),), "gpu", 1.0))
    assert await found(Says({}), blobs, broken) is None
    gone = replace(JOB, result=Result((Picture("ab" * 32, "image/png", 1, 1, 1),), "gpu", 1.0))
    with pytest.raises(GoneError):
        await found(Says({}), blobs, gone)
