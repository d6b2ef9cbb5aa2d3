"""What is written down for Prometheus."""

import pytest

pytest.importorskip("prometheus_client", reason="the extra “metrics” is not installed")

from prometheus_client.parser import text_string_to_metric_families

from bot.domain.breaker import Condition
from bot.domain.job import State
from bot.domain.metering import (
    Answered,
    Event,
    Foretold,
    Lagged,
    Painted,
    Refused,
    Retried,
    Started,
    Told,
    Undelivered,
)
from bot.ops.metrics import Metrics
from bot.ops.snapshot import Snapshot
from bot.storage.gauges import Line, Queue

NOTHING = Snapshot(100.0, Queue({}, {}, 0), {}, {})


def samples(metrics: Metrics, snapshot: Snapshot = NOTHING) -> dict[tuple[str, ...], float]:
    """Return all samples by their name and the values of their labels."""
    text = metrics.render(snapshot).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("event", "sample"),
    [
        (Started("default", 0.2), ("easel_job_wait_seconds_count", "default")),
        (Painted("gpu", 8.0), ("easel_job_paint_seconds_count", "gpu")),
        (Foretold(30.0, 20.0), ("easel_eta_error_seconds_count",)),
        (Told(State.CANCELLED), ("easel_jobs_total", "cancelled")),
        (Retried(), ("easel_deliveries_retried_total",)),
        (Undelivered(), ("easel_deliveries_failed_total",)),
        (Refused("LimitError"), ("easel_refusals_total", "LimitError")),
        (Answered("bot", 429), ("easel_discord_requests_total", "bot", "429")),
        (Answered("interaction", None), ("easel_discord_requests_total", "interaction", "none")),
        (Lagged(0.3), ("easel_event_loop_lag_seconds_count",)),
    ],
)
def test_every_event_is_counted(event: Event, sample: tuple[str, ...]) -> None:
    metrics = Metrics()
    before = samples(metrics).get(sample, 0.0)
    metrics.count(event)
    assert (before, samples(metrics)[sample]) == (0.0, 1.0)


def test_a_forecast_counts_by_how_much_it_was_wrong_and_in_which_direction() -> None:
    metrics = Metrics()
    metrics.count(Foretold(30.0, 20.0))
    metrics.count(Foretold(10.0, 40.0))
    found = samples(metrics)
    assert found["easel_eta_error_seconds_sum",] == 40.0
    assert (found["easel_eta_said_seconds_total",], found["easel_eta_took_seconds_total",]) == (40.0, 60.0)


def test_gauges_are_those_of_the_moment_and_old_ones_go() -> None:
    metrics = Metrics()
    checks = {"database": None, "discord": "not ready"}
    queue = Queue({"default": Line(), "gpu": Line(3, 40.0)}, {"gpu": 2}, 1)
    found = samples(metrics, Snapshot(100.0, queue, {"gpu": Condition.RESTING}, checks))
    assert found["easel_queue_depth", "gpu"] == 3
    assert (found["easel_queue_oldest_seconds", "gpu"], found["easel_queue_oldest_seconds", "default"]) == (60, 0)
    assert (found["easel_jobs_running", "gpu"], found["easel_jobs_untold",]) == (2, 1)
    assert (found["easel_ready", "database"], found["easel_ready", "discord"]) == (1, 0)
    states = {state: found["easel_backend_state", "gpu", state] for state in Condition}
    assert [state for state, value in states.items() if value] == [Condition.RESTING]
    later = samples(metrics, Snapshot(100.0, None, {}, {}))
    assert not any(name[0] in {"easel_queue_depth", "easel_jobs_running", "easel_backend_state"} for name in later)


def test_the_same_registry_is_not_shared_by_two() -> None:
    Metrics().count(Retried())
    assert samples(Metrics())["easel_deliveries_retried_total",] == 0
