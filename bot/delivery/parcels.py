"""A job's pictures as files that a place takes, in as few messages as Discord allows."""

from collections.abc import Iterator, Sequence

from bot.domain.errors import GoneError
from bot.domain.job import Batch, Job
from bot.domain.ports import Blobs
from bot.domain.text import N_
from bot.imaging.imaging import Imaging
from bot.ui import cards
from bot.ui.card import Attachment

MAX_FILES = 10
MAX_REQUEST_BYTES = 24 * 1024 * 1024
"""Files in one message, and what they may come to together (Discord docs, Uploading Files: 25 MiB in all)."""


async def packed(
    job: Job, batch: Batch, max_bytes: int, *, blobs: Blobs, imaging: Imaging
) -> tuple[list[list[Attachment]], tuple[str, ...]]:
    """Return the files of each message that ``job``'s result takes, none over ``max_bytes``, and notes on them.

    Several pictures are one numbered grid or, as ``batch`` says, files of their own: those that fit are sent as
    they were painted, in further messages where one does not hold them all. Raises ``GoneError``.
    """
    result = job.result
    if result is None:
        raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
    sources = [(await blobs.get(picture.blob), picture.media_type) for picture in result.pictures]
    numbers: Sequence[int] = range(1, len(sources) + 1)
    if len(sources) == 1 or batch is Batch.GRID:
        if len(sources) > 1:
            grid = await imaging.grid([data for data, _ in sources])
            sources = [(grid.data, grid.media_type)]
        numbers = (0,)
    most = min(max_bytes, MAX_REQUEST_BYTES)
    encoded = [await imaging.fit(data, media_type, most) for data, media_type in sources]
    files = [
        cards.attachment(job, number, each.data, each.media_type)
        for number, each in zip(numbers, encoded, strict=True)
    ]
    messages = list(parts(files))
    notes = (*result.notes, *([cards.REWORDED] if job.spec.reworded else []))
    if any(each.reduced for each in encoded):
        notes = (*notes, cards.REDUCED)
    if len(messages) > 1:
        notes = (*notes, cards.IN_PARTS)
    return messages, notes


def parts(files: Sequence[Attachment]) -> Iterator[list[Attachment]]:
    """Yield the files in as few messages as Discord takes."""
    part: list[Attachment] = []
    for file in files:
        too_much = sum(len(each.data) for each in (*part, file)) > MAX_REQUEST_BYTES
        if part and (too_much or len(part) == MAX_FILES):
            yield part
            part = []
        part.append(file)
    yield part
