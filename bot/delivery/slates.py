"""One job's message, as it should be and as it was last drawn."""

import asyncio
from dataclasses import dataclass, field

from bot.domain.job import Job, Place, State
from bot.domain.ports import Progress
from bot.i18n import SOURCE
from bot.ui.words import about


@dataclass(slots=True)
class Slate:
    """One job's message as it should be (``job``, ``progress``, ``place``) and when it was last drawn."""

    job: Job
    resumed: bool = False
    place: Place | None = None
    progress: Progress | None = None
    wanted: int = 0
    drawn: int = -1
    drawn_state: State | None = None
    drawn_at: float = float("-inf")
    failures: int = 0
    forsaken: bool = False
    busy: bool = False
    patience: asyncio.Timeout | None = field(default=None, repr=False)
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    def overtake(self) -> None:
        """End the waiting for leave to draw: what is to be drawn now goes by another gate."""
        if self.patience is not None:
            self.patience.reschedule(asyncio.get_running_loop().time())

    def unschedule(self) -> None:
        """Forget the drawing that was planned."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def visible(place: Place | None) -> tuple[int, str | None] | None:
    """Return what people are told of a place."""
    if place is None:
        return None
    return place.ahead, None if place.eta_s is None else about(place.eta_s, SOURCE)
