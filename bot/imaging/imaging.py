"""Everything done to pixels, off the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from bot.imaging import fitting, grid, inputs, preview
from bot.imaging.encoding import Encoded
from bot.imaging.inputs import PreparedImage

P = ParamSpec("P")
T = TypeVar("T")


_NICE = 10


def _stand_back() -> None:
    """Leave the processor to the event loop where both want it: Linux has priorities by thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class Imaging:
    """Runs the functions of this package in threads of its own; two are enough to keep two cores busy.

    Owned by whoever makes it: ``close`` waits for what runs and drops what waits.
    """

    def __init__(self, *, threads: int = 2) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="imaging", initializer=_stand_back)

    async def prepare(self, data: bytes, *, max_side: int = inputs.MAX_SIDE) -> PreparedImage:
        """Make a plain PNG of what was sent in; see ``inputs.prepare``."""
        return await self.run(inputs.prepare, data, max_side=max_side)

    async def grid(self, pictures: Sequence[bytes], *, max_side: int = grid.MAX_SIDE) -> Encoded:
        """Lay pictures out in one; see ``grid.grid``."""
        return await self.run(grid.grid, pictures, max_side=max_side)

    async def fit(self, data: bytes, media_type: str, max_bytes: int) -> Encoded:
        """Fit a picture into ``max_bytes``; see ``fitting.fit``."""
        if len(data) <= max_bytes:
            return fitting.fit(data, media_type, max_bytes)
        return await self.run(fitting.fit, data, media_type, max_bytes)

    async def preview(self, data: bytes) -> bytes:
        """Make a small WebP; see ``preview.preview``."""
        return await self.run(preview.preview, data)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``function`` in one of the threads."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def close(self) -> None:
        """Free the threads."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
