"""What is counted, as Prometheus reads it; nothing else needs the extra "metrics".

Labels are names of backends, lanes, states and kinds of errors: their number is bounded, and none is a person's
or a server's. ``docs/metrics.md`` has the table of all that is declared here.
"""

from typing import assert_never

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from bot import __version__
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
from bot.ops.snapshot import Snapshot
from bot.storage.gauges import Queue

_LAG_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_PAINT_S = (0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600)
_WAIT_S = (0.03, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400)
_ERROR_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_TOO_MANY_REQUESTS = 429
_SHARED = "Read from the database: the same in every process of an installation."


class Metrics:
    """The counters and gauges of this process; ``registry`` has them all."""

    media_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._declare_gauges()
        self._declare_jobs()
        self._declare_rest()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def _declare_gauges(self) -> None:
        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(f"easel_{name}", words, labels, registry=self.registry)

        Info("easel_build", "The version that runs.", registry=self.registry).info({"version": __version__})
        self._check = gauge("ready", "1 if a check of /readyz passes, else 0.", "check")
        self._depth = gauge("queue_depth", f"Jobs that wait. {_SHARED}", "lane")
        self._oldest = gauge("queue_oldest_seconds", f"How long the oldest of them has waited. {_SHARED}", "lane")
        self._running = gauge("jobs_running", f"Jobs that are being painted. {_SHARED}", "backend")
        self._owed = gauge("jobs_untold", f"Jobs that ended and whose message does not say so yet. {_SHARED}")
        self._state = gauge(
            "backend_state", "1 for the state a backend is in as this process sees it, else 0.", "backend", "state"
        )

    def _declare_jobs(self) -> None:
        def histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"easel_{name}", words, labels, registry=self.registry, buckets=buckets)

        self._wait = histogram("job_wait_seconds", "From order to first start.", _WAIT_S, "lane")
        self._paint = histogram("job_paint_seconds", "A backend's own time for one job.", _PAINT_S, "backend")
        self._error = histogram(
            "eta_error_seconds",
            "By how much jobs started earlier or later than their place in line said; sampled.",
            _ERROR_S,
        )
        self._said = self._counter("eta_said_seconds", "Sum of the waits that places in line said, of the same.")
        self._took = self._counter("eta_took_seconds", "Sum of what those waits came to.")
        self._outcomes = self._counter("jobs", "Jobs whose message has its last word, by what it is.", "outcome")
        for state in State:
            if state.ended:
                self._outcomes.labels(state.value)

    def _declare_rest(self) -> None:
        self._retried = self._counter("deliveries_retried", "Last words that Discord did not take at once.")
        self._undelivered = self._counter(
            "deliveries_failed", "Last words for nobody: the place is gone, or no way to the asker is open."
        )
        self._refusals = self._counter("refusals", "Answers that said no, by the kind of error.", "kind")
        self._requests = self._counter(
            "discord_requests",
            "Requests to Discord, by whose token they use (bot or interaction) and status (none: cut off).",
            "route",
            "status",
        )
        for route in ("bot", "interaction"):
            self._requests.labels(route, str(_TOO_MANY_REQUESTS))
        self._lag = Histogram(
            "easel_event_loop_lag_seconds",
            "How late the event loop comes to its tasks, ten times a second.",
            registry=self.registry,
            buckets=_LAG_S,
        )

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"easel_{name}", words, labels, registry=self.registry)

    def count(self, event: Event) -> None:
        """Count an event."""
        match event:
            case Started(lane, wait_s):
                self._wait.labels(lane).observe(wait_s)
            case Painted(backend, seconds):
                self._paint.labels(backend).observe(seconds)
            case Foretold(said_s, took_s):
                self._error.observe(abs(took_s - said_s))
                self._said.inc(said_s)
                self._took.inc(took_s)
            case Lagged(seconds):
                self._lag.observe(seconds)
            case _:
                self._increase(event)

    def _increase(self, event: Told | Retried | Undelivered | Refused | Answered) -> None:
        match event:
            case Told(outcome):
                self._outcomes.labels(outcome.value).inc()
            case Retried():
                self._retried.inc()
            case Undelivered():
                self._undelivered.inc()
            case Refused(kind):
                self._refusals.labels(kind).inc()
            case Answered(route, status):
                self._requests.labels(route, "none" if status is None else str(status)).inc()
            case _:
                assert_never(event)

    def render(self, snapshot: Snapshot) -> bytes:
        """Return everything in Prometheus' text format; what is not known at this moment is left out."""
        for gauge in (self._depth, self._oldest, self._running, self._state, self._check):
            gauge.clear()
        for check, reason in snapshot.checks.items():
            self._check.labels(check).set(reason is None)
        for backend, condition in snapshot.backends.items():
            for state in Condition:
                self._state.labels(backend, state.value).set(state is condition)
        self._fill(snapshot.queue, snapshot.now)
        return generate_latest(self.registry)

    def _fill(self, queue: Queue | None, now: float) -> None:
        self._owed.set(float("nan") if queue is None else queue.owed)
        if queue is None:
            return
        for lane, line in queue.lines.items():
            self._depth.labels(lane).set(line.depth)
            self._oldest.labels(lane).set(0.0 if line.since is None else max(0.0, now - line.since))
        for backend, count in queue.running.items():
            self._running.labels(backend).set(count)
