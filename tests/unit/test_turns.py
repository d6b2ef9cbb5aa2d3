"""Whose turn it is among the lanes of one worker."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cost import UNIT, W0, step
from bot.domain.turns import CREDIT, Turns

costs = st.integers(1, 20 * UNIT)
guilds = st.integers(1, 30)


@given(st.lists(st.tuples(guilds, costs, costs), min_size=2, max_size=5))
def test_lanes_that_always_wait_are_served_alike_for_each_of_their_guilds(
    lanes: list[tuple[int, int, int]],
) -> None:
    waiting = {f"lane{n}": count for n, (count, *_) in enumerate(lanes)}
    sizes = {f"lane{n}": one_or_other for n, (_, *one_or_other) in enumerate(lanes)}
    turns, served = Turns(), dict.fromkeys(waiting, 0)
    for n in range(200):
        lane = turns.order(waiting)[0]
        turns.charge(lane, sizes[lane][n % 2], waiting[lane])
        served[lane] += step(sizes[lane][n % 2], waiting[lane] * W0)
    largest = max(step(max(pair), waiting[lane] * W0) for lane, pair in sizes.items())
    assert max(served.values()) - min(served.values()) <= largest


@given(
    st.lists(st.tuples(st.integers(0, 3), costs, guilds), max_size=60),
    st.lists(st.tuples(costs, guilds), min_size=3, max_size=3),
)
def test_a_lane_that_never_waited_before_waits_at_most_one_job_of_each_other_lane(
    past: list[tuple[int, int, int]], others: list[tuple[int, int]]
) -> None:
    turns = Turns()
    for lane, ticks, count in past:
        turns.charge(f"lane{lane}", ticks, count)
    waiting = {f"lane{n}": count for n, (_, count) in enumerate(others)} | {"new": 1}
    before: list[str] = []
    while (first := turns.order(waiting)[0]) != "new":
        before.append(first)
        turns.charge(first, others[int(first[-1])][0], waiting[first])
        assert len(before) <= len(others)
    assert len(before) == len(set(before))


@given(st.integers(0, 500), st.integers(UNIT // 8, 2 * UNIT))
def test_what_an_idle_lane_catches_up_on_is_bounded(alone: int, ticks: int) -> None:
    turns = Turns()
    for _ in range(alone):
        turns.charge("busy", ticks, 1)
    waiting = {"busy": 1, "back": 1}
    in_a_row = 0
    while turns.order(waiting)[0] == "back":
        turns.charge("back", ticks, 1)
        in_a_row += 1
    assert in_a_row * ticks <= CREDIT + 2 * ticks


def test_a_lane_of_many_guilds_is_served_more_often_than_a_lane_of_one() -> None:
    turns, waiting = Turns(), {"many": 3, "one": 1}
    order = []
    for _ in range(12):
        lane = turns.order(waiting)[0]
        turns.charge(lane, UNIT, waiting[lane])
        order.append(lane)
    assert order[:4] == ["many", "one", "many", "many"]
    assert order.count("many") == 9


def test_the_order_names_every_lane_once_and_nothing_else() -> None:
    turns = Turns()
    turns.charge("empty", UNIT, 1)
    assert turns.order({"b": 1, "a": 1, "c": 2}) == ["c", "a", "b"]
    assert turns.order({}) == []
