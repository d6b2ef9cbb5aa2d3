"""How the suite runs, wherever it does."""

import gc
import os

import structlog

from tests.engines import postgres

__all__ = ["postgres"]


def pytest_configure() -> None:
    # Else structlog draws every traceback with rich, which takes longer than the test around it.
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


def pytest_collection_finish() -> None:
    # What is imported stays for good; looking through it again and again would be a tenth of the suite's time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_xdist_auto_num_workers() -> int:
    # Many tests wait for a clock: twice as many workers as cores, and one, keep all of them busy.
    return min(2 * (os.cpu_count() or 1), 8) + 1
