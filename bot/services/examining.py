"""Asking a classifier what is on finished pictures."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog

from bot.domain.errors import BackendError, RequestError
from bot.domain.job import Job
from bot.domain.ports import Blobs, Classifier
from bot.domain.reviewing import Finding
from bot.imaging import preview
from bot.imaging.imaging import Imaging

log = structlog.get_logger(__name__)

MAX_SIDE = 448
"""Largest side in px of what the classifier sees: such models look at 224 to 448."""
CLEAN = Finding(flagged=False)


class Examining:
    """Finds the worst picture of a result; without a ``classifier`` every result is clean.

    A picture is flagged by one of ``labels``, or several together, with at least ``threshold``
    (0–1).
    """

    def __init__(
        self,
        classifier: Classifier | None,
        blobs: Blobs,
        imaging: Imaging,
        *,
        labels: Collection[str],
        threshold: float,
    ) -> None:
        self._classifier = classifier
        self._blobs = blobs
        self._imaging = imaging
        self._labels = frozenset(labels)
        self._threshold = threshold

    @property
    def is_on(self) -> bool:
        """Whether there is a classifier."""
        return self._classifier is not None

    async def finding(self, jobs: Sequence[Job]) -> Finding | None:
        """Return what is thought of all pictures of ``jobs``; ``None`` if nothing can be said of them now.

        Raises ``GoneError`` where one cannot be read.
        """
        blobs = [picture.blob for job in jobs if job.result for picture in job.result.pictures]
        if self._classifier is None or not blobs:
            return CLEAN
        try:
            small = [await self._small(await self._blobs.get(blob)) for blob in blobs]
            scores = await self._classifier.scores(small)
        except (BackendError, RequestError) as error:
            log.warning("pictures not classified", job=jobs[0].id, reason=type(error).__name__)
            return None
        found = [self._read(each) for each in scores]
        if not all(found):
            log.warning("classifier says nothing of the labels that count", job=jobs[0].id)
            return None
        return max(filter(None, found), key=lambda each: each.score, default=CLEAN)

    async def _small(self, data: bytes) -> bytes:
        return await self._imaging.run(preview.preview, data, MAX_SIDE)

    def _read(self, scores: Mapping[str, float]) -> Finding | None:
        counted = {label: scores[label] for label in counting(scores, self._labels)}
        if not counted:
            return None
        # Of several labels for much the same each may have only its share.
        score = min(1.0, sum(counted.values()))
        label = max(counted, key=counted.__getitem__)
        return Finding(score >= self._threshold, label[:100], score)


def counting(labels: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Return which of a model's ``labels`` count, as ``wanted`` names them, in letters of whatever case."""
    known = {label.casefold() for label in wanted}
    return [label for label in labels if label.casefold() in known]
