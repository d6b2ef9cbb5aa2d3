"""The pictures that are done: searching them, what people marked, and which messages show them."""

from collections.abc import Collection, Sequence

from bot.domain.codes import code
from bot.domain.errors import GoneError
from bot.domain.gallery import Found, Search
from bot.domain.job import Job
from bot.domain.ports import Blobs
from bot.imaging import thumbnails
from bot.imaging.encoding import Encoded
from bot.imaging.imaging import Imaging
from bot.imaging.thumbnails import Cell
from bot.storage.gallery import StoredGallery

PER_PAGE = 9


class Gallery:
    """Everything about pictures after their delivery."""

    def __init__(self, store: StoredGallery, blobs: Blobs, imaging: Imaging) -> None:
        self._store = store
        self._blobs = blobs
        self._imaging = imaging

    async def page(self, wanted: Search, page: int) -> tuple[int, Found]:
        """Return a page (from 0) of what is ``wanted``, newest first; beyond the last one it is the last."""
        while True:
            found = await self._store.search(wanted, first=page * PER_PAGE, limit=PER_PAGE)
            if found.jobs or page == 0:
                return page, found
            page = max(0, (found.total - 1) // PER_PAGE)

    async def latest(self, user_id: int) -> list[Job]:
        """Return a person's latest pictures, newest first, fast enough for every keystroke."""
        return await self._store.latest(user_id, PER_PAGE)

    async def sheet(self, jobs: Sequence[Job], hidden: Collection[int]) -> tuple[Encoded, frozenset[int]]:
        """Return a picture of their thumbnails, and the ids of those whose originals are past their days.

        What is ``hidden`` (by id) keeps its place, empty.
        """
        cells, gone = [], set()
        for number, job in enumerate(jobs, start=1):
            label = f"{number} · {code(job.id)}"
            pictures = job.result.pictures if job.result else ()
            label += f" x{len(pictures)}" if len(pictures) > 1 else ""
            data = None
            if job.id not in hidden:
                try:
                    data = await self._blobs.get(pictures[0].blob)
                except GoneError:
                    gone.add(job.id)
            cells.append(Cell(label, data))
        return await self._imaging.run(thumbnails.page, cells), frozenset(gone)

    async def favour(self, user_id: int, job_id: int) -> bool:
        """Turn a person's favourite on, or off if it is one; return whether it is one now."""
        return await self._store.favour(user_id, job_id)

    async def unfavour(self, user_id: int, job_id: int) -> bool:
        """Turn a person's favourite off; return whether it was one."""
        return await self._store.unfavour(user_id, job_id)

    async def is_favourite(self, user_id: int, job_id: int) -> bool:
        """Return whether a job is a person's favourite."""
        return await self._store.is_favourite(user_id, job_id)

    async def show(self, message_id: int, job_id: int, number: int) -> None:
        """Note that a further message, beside the job's own, shows its picture ``number`` (from 1; 0: all)."""
        await self._store.show(message_id, job_id, number)

    async def shown_by(self, message_id: int) -> tuple[Job, int] | None:
        """Return the job and the number of a further message; ``None`` if it is none."""
        return await self._store.shown_by(message_id)

    async def hide(self, message_id: int) -> bool:
        """Forget a message that was deleted, a job's own or a further one; return whether it was either."""
        return await self._store.hide(message_id)
