"""The logging of the process that runs the tests: whoever configures it gives it back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logs_given_back() -> Iterator[None]:
    """Leave the process's logging as it was, whatever is configured meanwhile."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name in ("bot", "cogs", "sqlalchemy", "alembic"):
            logging.getLogger(name).setLevel(logging.NOTSET)
        structlog.reset_defaults()
