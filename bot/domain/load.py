"""How much one order may cost, in standard images, and the nearest order that costs no more.

A standard image is one of 30 steps at 1024×1024 px; see ``bot.domain.cost``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from bot.domain.cost import UNIT, cost
from bot.domain.limits import MIN_SIDE
from bot.domain.request import Order, PaintRequest, UpscaleRequest

MIN_STEPS = 10
"""Fewer steps than these are the last thing that is tried: they paint little but noise."""
_PX = 8
"""Sides go down by as much: every backend paints in multiples of it."""
_SCALE = 0.05
"""Scales go down by as much."""


def images(orders: Iterable[Order]) -> float:
    """Return what orders cost together, in standard images, all models counted alike."""
    return sum(map(cost, orders)) / UNIT


def fits(orders: Iterable[Order], most: float) -> bool:
    """Return whether orders cost at most ``most`` standard images together, but for less than a tick."""
    return sum(map(cost, orders)) - 1 < most * UNIT


def lighter(order: Order, most: float) -> Order | None:
    """Return the nearest to ``order`` that costs at most ``most`` standard images; ``order`` if it does itself.

    It has fewer pictures; if that is not enough, a smaller hires pass too; then fewer steps, then a smaller size
    of the same ratio; of each, as little less as possible. Every painting fits from ``limits.MIN_COST`` on;
    ``None``: no work of this kind does.
    """
    if fits([order], most):
        return order
    if isinstance(order, UpscaleRequest):
        smaller = (replace(order, scale=scale) for scale in _scales(order.scale))
        return next((each for each in smaller if fits([each], most)), None)
    if not isinstance(order, PaintRequest):
        return None
    for narrower in _WAYS:
        for each in narrower(order):
            order = each
            if fits([order], most):
                return order
    return None


def grid(columns: int, rows: int, orders: Sequence[Order], most: float) -> tuple[int, int] | None:
    """Return how many columns and rows of a grid, from its first ones, cost at most ``most`` standard images.

    ``orders`` are its cells, row by row. It is the part with the most cells; ``None`` if no two cells fit.
    """
    parts = [(across, down) for down in range(1, rows + 1) for across in range(1, columns + 1)]
    fitting = [
        (across, down)
        for across, down in parts
        if across * down > 1 and fits(_cells(columns, across, down, orders), most)
    ]
    return max(fitting, key=lambda part: part[0] * part[1], default=None)


def _cells(columns: int, across: int, down: int, orders: Sequence[Order]) -> list[Order]:
    """Return the cells of the first ``across`` columns and ``down`` rows of a grid of ``columns`` columns."""
    return [order for at, order in enumerate(orders) if at % columns < across and at // columns < down]


def _scales(scale: float) -> Iterator[float]:
    """Return smaller scales above 1, largest first."""
    least = round(1 / _SCALE)
    return (round(n * _SCALE, 2) for n in range(int(scale / _SCALE), least, -1) if n * _SCALE < scale)


def _fewer_pictures(request: PaintRequest) -> Iterator[PaintRequest]:
    return (replace(request, count=count) for count in range(request.count - 1, 0, -1))


def _smaller_hires(request: PaintRequest) -> Iterator[PaintRequest]:
    if request.hires is not None:
        for scale in _scales(request.hires.scale):
            yield replace(request, hires=replace(request.hires, scale=scale))
        yield replace(request, hires=None)


def _fewer_steps(request: PaintRequest) -> Iterator[PaintRequest]:
    return (replace(request, steps=steps) for steps in range(request.steps - 1, MIN_STEPS - 1, -1))


def _smaller(request: PaintRequest) -> Iterator[PaintRequest]:
    longest, shortest = max(request.width, request.height), min(request.width, request.height)
    for side in range((longest - 1) // _PX * _PX, MIN_SIDE - 1, -_PX):
        other = round(shortest * side / longest / _PX) * _PX
        if other < MIN_SIDE:
            return
        width, height = (side, other) if request.width == longest else (other, side)
        yield replace(request, width=width, height=height)


def _very_few_steps(request: PaintRequest) -> Iterator[PaintRequest]:
    return (replace(request, steps=steps) for steps in range(request.steps - 1, 0, -1))


_WAYS: tuple[Callable[[PaintRequest], Iterator[PaintRequest]], ...] = (
    _fewer_pictures,
    _smaller_hires,
    _fewer_steps,
    _smaller,
    _very_few_steps,
)
