"""How fast a backend is and how dear a model: learnt from every painting, for costs and waiting times.

A pace is in standard ticks per second of one slot: ticks with every model counted at 1000 permille.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bot.domain.cost import PERMILLE, UNIT, cost, ewma, learn
from bot.domain.job import Place
from bot.domain.request import Order, PaintRequest
from bot.jobs import statements
from bot.storage.tables import models, speeds

ASSUMED_S = 10.0
"""What a standard image is taken to take as long as no backend has been measured."""
_SHORTEST_S = 0.001
_EVERY_MODEL = ""
"""Stands for all models of a backend taken together."""

_OF_BACKEND = speeds.c.backend == bindparam("of_backend")
_PACES = select(speeds.c.backend, speeds.c.pace).where(speeds.c.model == _EVERY_MODEL)
_KNOWN = select(speeds.c.model, speeds.c.pace).where(
    _OF_BACKEND, speeds.c.model.in_([_EVERY_MODEL, bindparam("of_model")])
)
_SAVE = update(speeds).where(_OF_BACKEND, speeds.c.model == bindparam("of_model")).values(pace=bindparam("new"))
_ALL = select(speeds.c.backend, speeds.c.model, speeds.c.pace)
_PERMILLE = select(models.c.permille).where(models.c.model == bindparam("of_model"))
_SAVE_PERMILLE = (
    update(models).where(models.c.model == bindparam("of_model")).values(permille=bindparam("new_permille"))
)
_USUAL = select(func.avg(speeds.c.pace)).where(speeds.c.model == _EVERY_MODEL)
"""What a slot does on average of all backends; ``None``: none is measured yet."""
LEARNT = (_PERMILLE.scalar_subquery().label("permille"), _USUAL.scalar_subquery().label("usual"))
"""What ``estimate`` wants to know, as columns of a statement that is given what ``whose`` returns."""


class Estimate(NamedTuple):
    """What an order is thought to take: its ``cost`` in ticks, and about so many ``ms``, at least 1."""

    cost: int
    ms: int


def whose(order: Order) -> dict[str, str | None]:
    """Return the parameters of ``LEARNT`` for an order."""
    return {"of_model": (order.model or "") if isinstance(order, PaintRequest) else None}


def estimate(order: Order, *, permille: int | None, usual: float | None) -> Estimate:
    """Return what ``order`` is thought to take, by what was ``LEARNT`` of its model and of all backends."""
    ticks = cost(order, permille or PERMILLE)
    return Estimate(ticks, max(1, round(1000 * ticks / (usual or UNIT / ASSUMED_S))))


def measure(tx: Connection, request: PaintRequest, backend: str, seconds: float) -> None:
    """Learn from a request that took ``seconds`` of one slot of ``backend``."""
    sample = cost(request) / max(seconds, _SHORTEST_S)
    of = {"of_backend": backend, "of_model": request.model or _EVERY_MODEL}
    known = {row.model: row.pace for row in tx.execute(_KNOWN, of)}
    for model in {_EVERY_MODEL, request.model or _EVERY_MODEL}:
        row = {"of_backend": backend, "of_model": model, "new": ewma(known.get(model), sample)}
        if model in known:
            tx.execute(_SAVE, row)
        else:
            tx.execute(insert(speeds), {"backend": backend, "model": model, "pace": row["new"]})
    standard = ewma(known.get(_EVERY_MODEL), sample)
    _weigh(tx, request, seconds, standard)


def _weigh(tx: Connection, request: PaintRequest, seconds: float, standard: float) -> None:
    """Learn how dear a model is beside the backend's ``standard`` pace."""
    known = tx.scalar(_PERMILLE, {"of_model": request.model or ""})
    permille = learn(known or PERMILLE, max(seconds, _SHORTEST_S), request, standard)
    if known is None:
        tx.execute(insert(models), {"model": request.model or "", "permille": permille})
    elif known != permille:
        tx.execute(_SAVE_PERMILLE, {"of_model": request.model or "", "new_permille": permille})


def learnt(tx: Connection) -> dict[str, dict[str, float]]:
    """Return all paces by backend and model; the model ``""`` stands for all models of the backend."""
    paces: dict[str, dict[str, float]] = {}
    for backend, model, pace in tx.execute(_ALL):
        paces.setdefault(backend, {})[model] = pace
    return paces


class Forecast:
    """Waiting times in one lane at one moment; ``slots`` serve it, by the backend's name."""

    def __init__(self, tx: Connection, lane: str, slots: Mapping[str, int], now: float) -> None:
        paces = {backend: float(pace) for backend, pace in tx.execute(_PACES)}
        usual = sum(paces.values()) / len(paces) if paces else 0.0
        self._rate = sum(count * paces.get(backend, usual) for backend, count in slots.items())
        # What its slots have in hand may come from other lanes that they serve as well.
        running = [row for row in tx.execute(statements.RUNNING_COSTS) if row.lane == lane or row.backend in slots]
        self._running = sum(
            max(0.0, row.cost - (now - row.started_at) * paces.get(row.backend, usual)) for row in running
        )

    def wait_s(self, ticks: int) -> float | None:
        """Return about how long ``ticks`` ahead take, and what runs; ``None`` if unknown or nobody serves."""
        return (ticks + self._running) / self._rate if self._rate else None

    def place(self, ahead: int, cost_ahead: int) -> Place:
        """Return a place in line with its waiting time."""
        return Place(ahead, cost_ahead, self.wait_s(cost_ahead))
