"""A PostgreSQL server of the bench's own: the tests', but as durable as a host's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest import skip  # noqa: PT013 - the tests' server is told of by a skip where there is none

from tests.postgres import Postgres, needed


def missing() -> str | None:
    """Return why no server can be started here."""
    try:
        needed()
    except skip.Exception as why:
        return str(why)
    return None


@contextmanager
def server() -> Iterator[Postgres]:
    """Run one while this lasts; ends the bench in peace, with a word, where none is installed."""
    if why := missing():
        print(f"left out: {why}")
        raise SystemExit(0)
    with TemporaryDirectory(prefix="easel-bench-") as folder:
        postgres = Postgres(Path(folder), durable=True)
        postgres.create()
        try:
            yield postgres
        finally:
            postgres.stop()
