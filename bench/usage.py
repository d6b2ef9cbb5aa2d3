"""What processes and a PostgreSQL server used: seconds of CPU, transactions, bytes, and what they waited for."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

LOOK_S = 0.1
_TICKS_S = os.sysconf("SC_CLK_TCK")
_PPID, _OWN, _REAPED = 1, slice(11, 13), slice(13, 15)
"""Where /proc/PID/stat, from its third field on, has the parent, and the clock ticks of CPU (proc(5))."""
_DONE = "SELECT xact_commit, xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_WRITTEN = "SELECT wal_bytes, wal_sync FROM pg_stat_wal"
_WAITS = """
    SELECT coalesce(wait_event_type || ' ' || wait_event, 'CPU') FROM pg_stat_activity
    WHERE application_name = 'easel' AND state <> 'idle' AND wait_event_type IS DISTINCT FROM 'Client'
"""


def cpu_s(roots: Iterable[int]) -> float:
    """Return the seconds of CPU that processes and all they started have used; Linux only."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    used, family = 0, set(roots)
    for process in sorted(stats):
        if process in family or int(stats[process][_PPID]) in family:
            family.add(process)
            used += sum(map(int, [*stats[process][_OWN], *stats[process][_REAPED]]))
    return used / _TICKS_S


def machine_s() -> tuple[float, float]:
    """Return the seconds that this machine has worked and that it has been there for, all cores together."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / _TICKS_S, sum(ticks) / _TICKS_S


@dataclass(slots=True)
class Server:
    """What a database's server has done so far; ``waits`` is what its busy connections were seen to wait for."""

    line: "psycopg.AsyncConnection[Any]"
    waits: Counter[str] = field(default_factory=Counter)

    async def counts(self) -> tuple[int, int, int, int]:
        """Return commits, transactions that only read, bytes logged, and how often the disk was waited for."""
        done = await (await self.line.execute(_DONE)).fetchone()
        written = await (await self.line.execute(_WRITTEN)).fetchone()
        assert done is not None
        assert written is not None
        return int(done[0]), int(done[1]), int(written[0]), int(written[1])

    async def watch(self) -> None:
        """Look what it waits for until cancelled."""
        while True:
            for (wait,) in await (await self.line.execute(_WAITS)).fetchall():
                self.waits[wait] += 1
            await asyncio.sleep(LOOK_S)
