"""How true waiting times are: what was said beside what it came to."""

from collections.abc import Mapping, Sequence

from bot.domain.job import Place
from bot.domain.metering import Event, Foretold
from bot.ops.forecasts import ForecastProbe
from bot.storage.gauges import Fate


class Line:
    """A queue of which the test says everything."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waiting: list[int] = []
        self.places: dict[int, Place | None] = {}
        self.jobs: dict[int, Fate] = {}
        self.counted: list[Event] = []
        self.probe = ForecastProbe(self, self.place, self.counted.append, lambda: self.now)

    async def last(self) -> Sequence[int]:
        return self.waiting

    async def fates(self, ids: Sequence[int]) -> Mapping[int, Fate]:
        return {each: self.jobs[each] for each in ids if each in self.jobs}

    async def place(self, job_id: int) -> Place | None:
        return self.places[job_id]

    async def look(self) -> None:
        await self.probe.compare()
        await self.probe.sample()


async def test_what_was_said_first_is_compared_with_the_start() -> None:
    line = Line()
    line.waiting, line.places, line.jobs = [7], {7: Place(3, 300, 30.0)}, {7: Fate(waits=True, started_at=None)}
    await line.look()
    line.now, line.places = 1010.0, {7: Place(1, 100, 99.0)}
    await line.look()
    assert line.counted == []
    line.now, line.waiting, line.jobs = 1060.0, [], {7: Fate(waits=False, started_at=1045.0)}
    await line.look()
    await line.look()
    assert line.counted == [Foretold(said_s=30.0, took_s=45.0)]


async def test_jobs_that_never_start_or_have_no_forecast_say_nothing() -> None:
    line = Line()
    line.waiting = [1, 2, 3, 4]
    line.places = {1: Place(0, 0, 5.0), 2: Place(0, 0, 5.0), 3: Place(0, 0), 4: None}
    await line.look()
    line.waiting, line.jobs = [], {1: Fate(waits=False, started_at=None), 3: Fate(waits=False, started_at=1001.0)}
    await line.look()
    assert line.counted == []
