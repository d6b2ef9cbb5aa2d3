"""The inside of the painting process, in a thread of the test."""

import io
import queue
import threading
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Self

from bot.backends.diffusers import ordering, sampling
from bot.backends.diffusers.client import FEATURES
from bot.backends.diffusers.library import Library
from bot.backends.diffusers.ordering import Prepared
from bot.backends.diffusers.service import Service
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.request import PaintRequest
from bot.imaging import pixels
from bot.imaging.pixels import Pixels

Message = tuple[Mapping[str, Any], Sequence[bytes]]


class Studio:
    """Takes requests as the backend does; its clock moves one second whenever it is looked at."""

    def __init__(self, source: object, *, slots: int = 1, cache_gb: float = 8.0) -> None:
        self.library = Library(str(source), "cpu", cache_gb)
        self.log = io.StringIO()
        self.steps: list[Message] = []
        self._said: queue.Queue[Message] = queue.Queue()
        self._ended: dict[str, Message] = {}
        self._tasks = count()
        seconds = count()
        self.service = Service(
            self.library, self._hear, slots=slots, log=self.log, clock=lambda: float(next(seconds))
        )
        self._thread = threading.Thread(target=self.service.run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.close()
        self._thread.join()

    def known(self) -> Capabilities:
        shelf = self.library.shelf()
        listings = {
            Listing.MODELS: tuple(shelf.models),
            Listing.SAMPLERS: sampling.samplers(),
            Listing.SCHEDULERS: sampling.schedulers(),
            Listing.LORAS: tuple(shelf.loras),
            Listing.HIRES_UPSCALERS: ordering.UPSCALERS,
            Listing.CONTROL_MODELS: tuple(shelf.controls),
        }
        return Capabilities(listings, FEATURES | {Feature.CONTROL}, "tiny")

    def begin(self, request: PaintRequest, images: Mapping[str, bytes] | None = None) -> tuple[str, Prepared]:
        prepared = ordering.prepare(ordering.order("own", request, self.known()), request, images or {})
        task = f"{next(self._tasks)}"
        self.service.submit(task, prepared.order.write(), prepared.blobs)
        return task, prepared

    def end(self, task: str) -> Message:
        while task not in self._ended:
            header, blobs = self._said.get(timeout=30)
            self._ended[header["id"]] = (header, blobs)
        return self._ended.pop(task)

    def paint(self, request: PaintRequest, images: Mapping[str, bytes] | None = None) -> list[bytes]:
        """Return the RGB bytes of the finished pictures, put back where they are patches."""
        task, prepared = self.begin(request, images)
        header, blobs = self.end(task)
        assert header["is"] == "painted", header
        size = (header["width"], header["height"])
        return [pixels.colours(pixels.png(Pixels(*size, data), "", prepared.patch)) for data in blobs]

    def trouble(self, request: PaintRequest, images: Mapping[str, bytes] | None = None) -> tuple[str, str]:
        """Return what goes wrong, and with what."""
        header, _ = self.end(self.begin(request, images)[0])
        assert header["is"] == "trouble", header
        return header["kind"], header["about"]

    def _hear(self, header: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
        if header["is"] == "step":
            self.steps.append((header, blobs))
        else:
            self._said.put((header, blobs))


def apart(one: bytes, other: bytes) -> int:
    """Return the largest difference of two pictures in one colour of one pixel."""
    assert len(one) == len(other)
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
