"""Who counts, if anybody does."""

# ruff: noqa: PLC0415 - an extra is imported only where it is wanted

from importlib.util import find_spec

import structlog

from bot.ops.snapshot import Exporter

log = structlog.get_logger(__name__)

METRICS_CURE = "pip install '.[metrics]' in Easel's folder"
SENTRY_CURE = "pip install '.[sentry]' in Easel's folder"


def has_extra(package: str) -> bool:
    """Return whether a package of an extra is installed."""
    return find_spec(package) is not None


def exporter(*, wanted: bool) -> Exporter | None:
    """Return what counts for a collector of metrics; ``None`` if nobody wants that, or the extra is missing."""
    if not wanted:
        return None
    if not has_extra("prometheus_client"):
        log.error("/metrics needs the extra “metrics”; health is told all the same", cure=METRICS_CURE)
        return None
    from bot.ops.metrics import Metrics

    return Metrics()
