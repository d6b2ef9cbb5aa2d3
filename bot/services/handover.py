"""The moment between two jobs of a backend, when everything else may wait.

Taking a job's pictures home and starting the next job want the same processor. A picture can wait for some
milliseconds; a backend that stands idle has lost them.
"""

import asyncio
from collections import Counter
from contextlib import suppress

SENDING_S = 0.01
"""How long a request takes to be on its way once a backend was told to paint it."""
LONGEST_S = 0.25
"""How long pictures wait at most: with very many backends one of them is always between two jobs."""


class HandOver:
    """Knows whether any backend is between two jobs."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._over = asyncio.Event()
        self._over.set()

    def begin(self, backend: str) -> None:
        """Note that a slot of ``backend`` is free for its next job."""
        self._open[backend] += 1
        self._over.clear()

    def sent(self, backend: str) -> None:
        """Note that the next job was handed to ``backend``, and is on its way in a moment."""
        if self._open[backend]:
            asyncio.get_running_loop().call_later(SENDING_S, self.end, backend)

    def end(self, backend: str) -> None:
        """Note that a slot of ``backend`` is at work, or has nothing to do."""
        if self._open[backend] > 1:
            self._open[backend] -= 1
        else:
            self.leave(backend)

    def leave(self, backend: str) -> None:
        """Note that none of the slots of ``backend`` waits for a job any more."""
        del self._open[backend]
        if not self._open:
            self._over.set()

    async def over(self) -> None:
        """Return once no backend is between two jobs, or after a bounded wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._over.wait()
