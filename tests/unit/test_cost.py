from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cost import PERMILLE, UNIT, W0, cost, ewma, learn, step
from bot.domain.request import Hires, PaintRequest


def request(*, steps: int = 30, width: int = 1024, height: int = 1024, count: int = 1) -> PaintRequest:
    return PaintRequest("a", 1, steps=steps, width=width, height=height, count=count)


requests = st.builds(
    request,
    steps=st.integers(1, 150),
    width=st.integers(64, 4096),
    height=st.integers(64, 4096),
    count=st.integers(1, 4),
)


def test_the_standard_image_costs_one_unit() -> None:
    assert cost(request()) == UNIT


def test_four_images_cost_four_units_and_a_dear_model_its_permille() -> None:
    assert cost(request(count=4)) == 4 * UNIT
    assert cost(request(), 2500) == UNIT * 5 // 2


def test_the_smallest_request_still_costs_a_tick() -> None:
    assert cost(request(steps=1, width=64, height=64), 1) == 1


@given(requests, st.integers(1, 20_000))
def test_a_cost_is_the_exact_work_rounded_up(asked: PaintRequest, permille: int) -> None:
    work = asked.steps * asked.width * asked.height * asked.count
    exact = Fraction(UNIT * work * permille, 30 * 1024 * 1024 * 1000)
    assert 0 <= cost(asked, permille) - exact < 1


@given(st.integers(1, 10**9), st.integers(1, 1000))
def test_a_heavier_flow_moves_on_more_slowly_but_always_moves(ticks: int, weight: int) -> None:
    assert step(ticks, weight) >= step(ticks, weight + 1) >= 1
    assert step(ticks, W0) == ticks


def test_the_first_sample_is_the_average_and_later_ones_move_it_by_an_eighth() -> None:
    assert ewma(None, 8.0) == 8.0
    assert ewma(8.0, 16.0) == 9.0


def test_a_model_twice_as_slow_as_the_lane_becomes_twice_as_dear() -> None:
    permille = PERMILLE
    for _ in range(60):
        permille = learn(permille, seconds=20.0, request=request(), standard_pace=UNIT / 10)
    assert abs(permille - 2 * PERMILLE) < 10


@given(st.floats(0, 1e9), requests, st.floats(1e-3, 1e9))
def test_no_measurement_makes_a_model_free_or_endless(seconds: float, asked: PaintRequest, pace: float) -> None:
    permille = PERMILLE
    for _ in range(100):
        permille = learn(permille, seconds, asked, pace)
    assert 100 <= permille <= 20_000


def test_a_hires_pass_costs_its_real_size_and_the_steps_it_does() -> None:
    plain = request()
    hires = replace(plain, hires=Hires(scale=2.0, strength=0.5))
    assert cost(hires) == cost(plain) * 3
    assert cost(replace(plain, hires=Hires(scale=2.0, steps=15, strength=1.0))) == cost(plain) * 3
