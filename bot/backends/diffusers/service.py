"""The painting process's own queue: what waits together in one shape is painted in one call."""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TextIO

from bot.backends.diffusers import order as orders
from bot.backends.diffusers.glimpse import glimpse
from bot.backends.diffusers.library import Library, Model
from bot.backends.diffusers.order import Order
from bot.backends.diffusers.painter import Painter, Picture
from bot.backends.diffusers.trouble import Kind, Trouble, is_of_device, is_out_of_memory, understood
from bot.domain.ports import Clock
from bot.imaging.pixels import Pixels, small

AT_ONCE = 8
"""Most pictures in one call."""
GATHER_S = 0.03
"""How long one job waits for others if there can be others: until the next is there from the queue."""
PREVIEW_S = 0.5
_MAX_NOTE = 400
Tell = Callable[[Mapping[str, Any], Sequence[bytes]], None]


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Nobody wants any more what is being painted."""


@dataclass(eq=False, slots=True)
class Job:
    """One order with its pictures as raw bytes; ``painted`` are those that are done, by their place."""

    id: str
    order: Order
    blobs: Sequence[bytes] = field(repr=False)
    cancelled: bool = False
    painted: dict[int, Pixels] = field(default_factory=dict, repr=False)
    started: float = 0.0
    shown: float = 0.0

    @property
    def lacks_some(self) -> bool:
        """Whether somebody still waits for pictures of it."""
        return not self.cancelled and len(self.painted) < len(self.order.seeds)

    def picture(self, n: int, text: Any) -> Picture:
        """Return its ``n``-th picture to be painted."""
        rest = deque(self.blobs)
        source = rest.popleft() if self.order.has_source else None
        mask = rest.popleft() if self.order.has_mask else None
        return Picture(self.order.seeds[n], text, source, mask, tuple(rest))


Place = tuple[Job, int]
"""The ``n``-th picture of a job."""


class Service:
    """Paints in the thread that calls ``run``; the other methods are for any thread.

    ``tell`` gets every message to the bot. Up to ``slots`` jobs are painted together.
    """

    def __init__(
        self, library: Library, tell: Tell, *, slots: int, log: TextIO, clock: Clock = time.monotonic
    ) -> None:
        self._library = library
        self._painter = Painter(library)
        self._tell = tell
        self._slots = slots
        self._log = log
        self._clock = clock
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._changed = threading.Condition()
        self._open = True
        self._most_pixels: int | None = None

    def submit(self, task: str, fields: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
        """Take an order."""
        with self._changed:
            self._waiting.append(Job(task, orders.read(fields), blobs))
            self._changed.notify_all()

    def cancel(self, task: str) -> None:
        """Drop a job; one that is being painted alone ends with the step it is at."""
        with self._changed:
            for job in (*self._waiting, *self._running):
                job.cancelled = job.cancelled or job.id == task

    def close(self) -> None:
        """End ``run`` after what is being painted."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def run(self) -> None:
        """Paint until ``close`` is called, or the device takes no more work from this process."""
        while jobs := self._next():
            # Nothing of an error may live on in this frame: it would hold the memory that ran out.
            trouble = self._painted(jobs)
            if trouble is None:
                continue
            if trouble.kind is Kind.MEMORY:
                self._library.forget()
            for job in jobs:
                if job.lacks_some:
                    self._tell({"is": "trouble", "id": job.id, "kind": trouble.kind, "about": trouble.about}, ())

    def _next(self) -> list[Job]:
        """Wait for jobs and return those that are painted together; empty once it is closed."""
        with self._changed:
            while self._open:
                self._waiting = deque(job for job in self._waiting if not job.cancelled)
                if not self._waiting:
                    self._changed.wait()
                    continue
                if self._slots > 1:
                    self._changed.wait_for(lambda: len(self._waiting) >= self._slots, GATHER_S)
                shape = self._waiting[0].order.shape
                alike = (job for job in self._waiting if job.order.shape == shape)
                self._running = list(islice(alike, self._slots))
                self._waiting = deque(job for job in self._waiting if job not in self._running)
                return self._running
        return []

    def _painted(self, jobs: list[Job]) -> Trouble | None:
        now = self._clock()
        for job in jobs:
            job.started = job.shown = now
        try:
            self._paint(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next job may go well
            trouble = understood(error)
            if is_of_device(error):
                self.close()
            if trouble.kind is Kind.BUG or error.__cause__ is not None:
                self._note(error, jobs)
            # What is inside its frames would live as long as it does.
            traceback.clear_frames(error.__traceback__)
            return trouble
        return None

    def _paint(self, jobs: list[Job]) -> None:
        order = jobs[0].order
        model = self._painter.made_ready(order)
        places: dict[int, list[tuple[Place, Picture]]] = {}
        for job in jobs:
            text = self._painter.read(model, job.order)
            # Texts of another length would have to be filled up, which changes their pictures.
            row = places.setdefault(text.tokens, [])
            row += [((job, n), job.picture(n, text)) for n in range(len(job.order.seeds))]
        for row in places.values():
            self._paint_row(model, order, row)
        if any(job.lacks_some for job in jobs):
            raise Trouble(Kind.NOTHING)

    def _paint_row(self, model: Model, order: Order, row: Sequence[tuple[Place, Picture]]) -> None:
        at = 0
        while at < len(row):
            part = row[at : at + self._at_once(order)]
            if all(job.cancelled for (job, _), _ in part):
                at += len(part)
                continue
            if self._fits(model, order, part):
                at += len(part)

    def _fits(self, model: Model, order: Order, part: Sequence[tuple[Place, Picture]]) -> bool:
        """Paint in one call; ``False`` if several do not fit the memory: half as many will be tried."""
        places = [place for place, _ in part]
        try:
            step = self._step(places, xl=model.xl)
            found = self._painter.paint(model, order, [picture for _, picture in part], step)
        except Stopped:
            return True
        except Exception as error:
            if len(part) == 1 or not is_out_of_memory(error):
                raise
            traceback.clear_frames(error.__traceback__)
            found = []
        if not found:
            width, height = order.size
            self._most_pixels = len(part) // 2 * width * height
            self._library.sweep()
            return False
        for (job, n), pixels in zip(places, found, strict=True):
            if pixels is not None:
                job.painted[n] = pixels
        self._deliver(dict.fromkeys(job for job, _ in places))
        return True

    def _at_once(self, order: Order) -> int:
        if self._most_pixels is None:
            return AT_ONCE
        width, height = order.size
        return max(1, min(AT_ONCE, self._most_pixels // (width * height)))

    def _deliver(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job.cancelled or len(job.painted) < len(job.order.seeds):
                continue
            width, height = job.order.size
            header = {"is": "painted", "id": job.id, "width": width, "height": height}
            self._tell(header, [job.painted[n].data for n in sorted(job.painted)])

    def _step(self, places: Sequence[Place], *, xl: bool) -> Callable[[int, int, Any], None]:
        firsts = {job: row for row, (job, _) in reversed(list(enumerate(places)))}

        def step(done: int, whole: int, latents: Any) -> None:
            if all(job.cancelled for job in firsts):
                raise Stopped
            for job, row in firsts.items():
                if not job.cancelled:
                    here = sum(each is job for each, _ in places)
                    self._progress(job, done, whole, here, glimpse_of=(latents[row], xl))

        return step

    def _progress(self, job: Job, done: int, whole: int, here: int, *, glimpse_of: tuple[Any, bool]) -> None:
        fraction = (len(job.painted) + here * done / whole) / len(job.order.seeds)
        now = self._clock()
        left_s = (now - job.started) * (1 - fraction) / fraction
        blobs = []
        if now - job.shown >= PREVIEW_S and done < whole:
            job.shown = now
            latents, xl = glimpse_of
            blobs = [small(glimpse(latents, xl=xl))]
        header = {"is": "step", "id": job.id, "fraction": fraction, "step": done, "steps": whole, "eta_s": left_s}
        self._tell(header, blobs)

    def _note(self, error: Exception, jobs: Sequence[Job]) -> None:
        """Write what happened to the log, without what people wrote."""
        text = "".join(traceback.format_exception(error))
        if error.__cause__ is not None:
            text = f"{error}: {type(error.__cause__).__name__}: {error.__cause__}"[:_MAX_NOTE]
        for job in jobs:
            for secret in (job.order.prompt, job.order.negative_prompt):
                text = text.replace(secret, "[removed]") if secret else text
        print(text, file=self._log, flush=True)
