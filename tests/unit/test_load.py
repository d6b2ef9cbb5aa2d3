"""The nearest order that costs no more than it may."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.limits import MAX_COST, MIN_COST, Limits
from bot.domain.load import MIN_STEPS, fits, grid, lighter
from bot.domain.request import CutoutRequest, Hires, PaintRequest, UpscaleRequest

CAPS = st.floats(MIN_COST, MAX_COST / 10)
SIDES = st.integers(8, 1024).map(lambda n: n * 8)
HIRES = st.none() | st.builds(
    Hires, scale=st.floats(1, 4), steps=st.integers(0, 150), strength=st.floats(0, 1, width=32)
)
REQUESTS = st.builds(
    PaintRequest,
    prompt=st.just("a fox"),
    seed=st.just(7),
    width=SIDES,
    height=SIDES,
    steps=st.integers(1, 150),
    count=st.integers(1, 4),
    hires=HIRES,
)
WIDE = PaintRequest("a fox", 7, width=1536, height=1024, steps=30, count=4, hires=Hires(2.0, strength=0.5))


@given(REQUESTS, CAPS)
def test_a_painting_always_fits_at_last_and_nothing_but_its_load_is_changed(
    request: PaintRequest, most: float
) -> None:
    found = lighter(request, most)
    assert isinstance(found, PaintRequest)
    assert fits([found], most)
    load: dict[str, Any] = {"width": 1, "height": 1, "steps": 1, "count": 1, "hires": None}
    assert replace(found, **load) == replace(request, **load)
    assert found.width <= request.width
    assert found.height <= request.height


@given(REQUESTS, CAPS)
def test_what_fits_stays_as_it_is(request: PaintRequest, most: float) -> None:
    assert (lighter(request, most) == request) == fits([request], most)


@given(REQUESTS, CAPS)
def test_one_thing_after_the_other_gives_way_and_each_as_little_as_possible(
    request: PaintRequest, most: float
) -> None:
    found = lighter(request, most)
    assert isinstance(found, PaintRequest)
    if found == request:
        return
    if found.count > 1:
        assert found == replace(request, count=found.count)
        assert not fits([replace(found, count=found.count + 1)], most)
    elif found.hires is not None and request.hires is not None:
        assert found == replace(request, count=1, hires=found.hires)
    elif found.steps >= MIN_STEPS and found.steps < request.steps and found.width == request.width:
        assert found == replace(request, count=1, hires=None, steps=found.steps)
        assert not fits([replace(found, steps=found.steps + 1)], most)
    elif (found.width, found.height) != (request.width, request.height):
        assert found.steps <= min(request.steps, MIN_STEPS)


@given(REQUESTS, CAPS)
def test_a_smaller_picture_keeps_its_ratio(request: PaintRequest, most: float) -> None:
    found = lighter(request, most)
    assert isinstance(found, PaintRequest)
    share = max(found.width, found.height) / max(request.width, request.height)
    assert abs(found.width - request.width * share) <= 4
    assert abs(found.height - request.height * share) <= 4
    Limits(max_side=8192, max_steps=150).check_range("side", min(found.width, found.height), 64, 8192)


def test_the_order_of_what_gives_way_is_pictures_hires_steps_size() -> None:
    def facts(most: float) -> tuple[int, float | None, int, tuple[int, int]]:
        found = lighter(WIDE, most)
        assert isinstance(found, PaintRequest)
        scale = found.hires.scale if found.hires else None
        return found.count, scale, found.steps, (found.width, found.height)

    assert facts(1000) == (4, 2.0, 30, (1536, 1024))
    assert facts(10) == (2, 2.0, 30, (1536, 1024))
    assert facts(4) == (1, 1.8, 30, (1536, 1024))
    assert facts(1.5) == (1, None, 30, (1536, 1024))
    assert facts(1) == (1, None, 20, (1536, 1024))
    assert facts(0.25) == (1, None, 10, (1080, 720))


@given(st.integers(1, 4096), st.integers(1, 4096), st.floats(1.01, 4), CAPS)
def test_a_picture_is_made_less_large_but_larger_it_is_made_or_it_does_not_fit(
    width: int, height: int, scale: float, most: float
) -> None:
    order = UpscaleRequest("x4", scale, image="ab", width=width, height=height)
    found = lighter(order, most)
    if found is None:
        assert not fits([replace(order, scale=1.05)], most)
    else:
        assert isinstance(found, UpscaleRequest)
        assert fits([found], most)
        assert 1 < found.scale <= scale
        assert replace(found, scale=scale) == order


def test_looking_at_a_picture_always_fits() -> None:
    order = CutoutRequest("ab")
    assert lighter(order, MIN_COST) == order


@given(st.integers(1, 6), st.integers(1, 4), st.lists(st.integers(1, 60), min_size=24, max_size=24), CAPS)
def test_a_grid_keeps_as_many_of_its_first_columns_and_rows_as_fit(
    columns: int, rows: int, steps: list[int], most: float
) -> None:
    orders = [PaintRequest("a fox", 7, steps=each) for each in steps[: columns * rows]]

    def part(across: int, down: int) -> bool:
        kept = (order for at, order in enumerate(orders) if at % columns < across and at // columns < down)
        return fits(kept, most)

    found = grid(columns, rows, orders, most)
    if found is None:
        assert columns == 1 or not part(2, 1)
        assert rows == 1 or not part(1, 2)
        return
    across, down = found
    assert across * down > 1
    assert part(across, down)
    if across < columns:
        assert not part(across + 1, down)
    if down < rows:
        assert not part(across, down + 1)
