"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port, as a user that is not root."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

NEEDED = "TESTS_NEED_POSTGRES"
"""Where this is set, a missing server is a failure and no reason to skip."""
_TEMPLATE = "template_easel"
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
"""
_FORGETFUL = """
# A crash of the machine is not among the tests.
fsync = off
full_page_writes = off
"""


def program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda each: float(each.parts[4]))
    return str(found[-1]) if found else shutil.which(name)


def needed() -> str:
    """Return the path of ``pg_ctl``; skips the test, or fails it where a server has to be there."""
    found = program("pg_ctl")
    driver = find_spec("psycopg")
    if found is None or program("initdb") is None or driver is None:
        why = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        why = why if driver else "the extra postgres is not installed (pip install '.[postgres]')"
        if NEEDED in os.environ:
            pytest.fail(why)
        pytest.skip(why)
    return found


def sync_url(url: str) -> str:
    """Return ``url`` as SQLAlchemy has it."""
    return url.replace("postgresql://", "postgresql+psycopg://")


class Postgres:
    """One server; ``url`` of a new database comes from ``database``. ``durable``: it waits for the disk."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._pg_ctl = needed()
        self._configuration = _CONFIGURATION if durable else _CONFIGURATION + _FORGETFUL
        self._data = folder / "data"
        self._log = folder / "log"
        self._numbers = count(1)
        self._has_template = False
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(folder, account.pw_uid, account.pw_gid)

    def create(self) -> None:
        """Make the server's files and start it."""
        self._run(
            program("initdb") or "", "-D", str(self._data), "-U", "easel", "-A", "trust", "--no-sync", "-E", "UTF8"
        )
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"{self._configuration}port = {self.port}\n")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run(self._pg_ctl, "-D", str(self._data), "-l", str(self._log), "-w", "-t", "30", "start")

    @property
    def pid(self) -> int:
        """Return the number of the process that all others of the server come from."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``immediate`` is as abrupt as a crash of the server."""
        self._run(self._pg_ctl, "-D", str(self._data), "-m", mode, "-w", "-t", "30", "stop")

    def url(self, database: str) -> str:
        """Return the address of a database as ``DATABASE_URL`` has it."""
        return f"postgresql://easel@127.0.0.1:{self.port}/{database}"

    def database(self, fill: Callable[[str], None]) -> str:
        """Return the address of a new database; the first one is made by ``fill`` and copied from then on."""
        if not self._has_template:
            self._execute(f"CREATE DATABASE {_TEMPLATE}")
            fill(self.url(_TEMPLATE))
            self._has_template = True
        number = next(self._numbers)
        self._execute(f"CREATE DATABASE easel_{number} TEMPLATE {_TEMPLATE}")
        return self.url(f"easel_{number}")

    def empty(self) -> str:
        """Return the address of a new database without tables."""
        name = f"empty_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def _execute(self, statement: str) -> None:
        engine = create_engine(sync_url(self.url("postgres")), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _run(self, *command: str) -> None:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            command,
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if "start" not in command else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (done.stdout or b"").decode() or self._log.read_text()
