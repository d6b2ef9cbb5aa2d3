"""How fast a lane is and how dear a model: learnt from every painting, used for costs and for waiting times."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from bot.domain.cost import PERMILLE, cost, ewma, learn
from bot.domain.job import Job, Place
from bot.domain.request import PaintRequest
from bot.jobs import statements
from bot.storage.tables import lanes, models

_SHORTEST_S = 0.001
_OF_LANE = lanes.c.lane == bindparam("of_lane")
_PACE = select(lanes.c.pace, lanes.c.standard_pace).where(_OF_LANE)
_SAVE_PACE = (
    update(lanes).where(_OF_LANE).values(pace=bindparam("new_pace"), standard_pace=bindparam("new_standard_pace"))
)
_PERMILLE = select(models.c.permille).where(models.c.model == bindparam("of_model"))
_SAVE_PERMILLE = (
    update(models).where(models.c.model == bindparam("of_model")).values(permille=bindparam("new_permille"))
)


def price(tx: Connection, request: PaintRequest) -> int:
    """Return the cost of ``request`` in ticks, with what is known of its model."""
    permille = tx.scalar(_PERMILLE, {"of_model": request.model or ""})
    return cost(request, permille or PERMILLE)


def of_lane(tx: Connection, lane: str) -> Row[*tuple[Any, ...]]:
    """Return a lane's paces; its row is locked, which has to come before any job's."""
    return tx.execute(_PACE.with_for_update(), {"of_lane": lane}).one()


def measure(tx: Connection, lane: Row[*tuple[Any, ...]], job: Job, seconds: float) -> None:
    """Learn from a job that took ``seconds`` of one slot of ``lane``."""
    seconds = max(seconds, _SHORTEST_S)
    request = job.spec.request
    standard = ewma(lane.standard_pace, cost(request) / seconds)
    pace = ewma(lane.pace, job.cost / seconds)
    tx.execute(_SAVE_PACE, {"of_lane": job.lane, "new_pace": pace, "new_standard_pace": standard})
    known = tx.scalar(_PERMILLE, {"of_model": request.model or ""})
    permille = learn(known or PERMILLE, seconds, request, standard)
    if known is None:
        tx.execute(insert(models), {"model": request.model or "", "permille": permille})
    elif known != permille:
        tx.execute(_SAVE_PERMILLE, {"of_model": request.model or "", "new_permille": permille})


class Forecast:
    """Waiting times in one lane at one moment; ``slots`` serve it."""

    def __init__(self, tx: Connection, lane: str, slots: int, now: float) -> None:
        row = tx.execute(_PACE, {"of_lane": lane}).one_or_none()
        self._pace = (row.pace or 0.0) if row else 0.0
        self._slots = slots
        running = tx.execute(statements.RUNNING_COSTS, {"of_lane": lane}).all()
        self._running = sum(max(0.0, row.cost - (now - row.started_at) * self._pace) for row in running)

    def wait_s(self, ticks: int) -> float | None:
        """Return about how long ``ticks`` ahead take, and what runs; ``None`` if unknown or nobody serves."""
        rate = self._pace * self._slots
        return (ticks + self._running) / rate if rate else None

    def place(self, ahead: int, cost_ahead: int) -> Place:
        """Return a place in line with its waiting time."""
        return Place(ahead, cost_ahead, self.wait_s(cost_ahead))
