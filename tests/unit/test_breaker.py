"""When a backend is left alone, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.breaker import FAULTS, FIRST_LOSS_S, FIRST_REST_S, LONGEST_LOSS_S, LONGEST_REST_S, Breaker, Circuit


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAULTS):
        breaker = breaker.fault(now)
    return breaker


def test_three_faults_in_a_row_open_the_circuit_and_a_success_between_them_starts_anew() -> None:
    breaker = Breaker().fault(0.0).fault(0.0)
    assert breaker.circuit(0.0) is Circuit.CLOSED
    assert breaker.success().fault(0.0).fault(0.0).circuit(0.0) is Circuit.CLOSED
    assert breaker.fault(0.0).circuit(0.0) is Circuit.OPEN


def test_after_its_rest_it_gets_one_job_as_a_trial_which_closes_it_or_opens_it_for_longer() -> None:
    breaker = opened()
    assert breaker.circuit(FIRST_REST_S - 0.1) is Circuit.OPEN
    assert breaker.circuit(FIRST_REST_S) is Circuit.TRIAL
    assert breaker.success().circuit(FIRST_REST_S) is Circuit.CLOSED
    again = breaker.fault(FIRST_REST_S)
    assert again.until - FIRST_REST_S == 2 * FIRST_REST_S
    assert again.circuit(again.until) is Circuit.TRIAL


def test_a_lost_connection_is_left_at_once_but_only_for_a_moment() -> None:
    breaker = Breaker().loss(100.0)
    assert breaker.circuit(100.0) is Circuit.OPEN
    assert breaker.until == 100.0 + FIRST_LOSS_S
    assert breaker.circuit(breaker.until) is Circuit.TRIAL


@given(st.lists(st.sampled_from(["fault", "loss"]), max_size=40))
def test_rests_get_longer_up_to_a_bound_and_one_success_forgives_all(events: list[str]) -> None:
    breaker, now, last = opened(), 0.0, {"fault": 0.0, "loss": 0.0}
    longest = {"fault": LONGEST_REST_S, "loss": LONGEST_LOSS_S}
    for event in events:
        now = max(now, breaker.until)
        breaker = getattr(breaker, event)(now)
        rest_s = breaker.until - now
        assert last[event] <= rest_s <= longest[event] + 1e-6
        last[event] = rest_s - 1e-6
    assert breaker.success() == Breaker()


@pytest.mark.parametrize("seen", ["fault", "loss"])
def test_what_many_jobs_see_of_one_incident_makes_the_rest_no_longer(seen: str) -> None:
    breaker = first = opened(10.0) if seen == "fault" else Breaker().loss(10.0)
    for _ in range(16):
        breaker = getattr(breaker, seen)(10.1)
    assert breaker.until == first.until
    assert breaker.openings == first.openings
