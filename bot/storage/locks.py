"""Locks by number, for what no single row stands for."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

_STARTING = 0x53544152
"""The first half of the lock of whoever starts a job; the second half is the end of the job's id."""


def hold(tx: Connection, ids: Iterable[int]) -> None:
    """Let no other transaction of the same servers and persons pass here until ``tx`` ends.

    They are taken in one order, so that two never wait for each other. SQLite has one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        for each in sorted(set(ids)):
            tx.execute(select(func.pg_advisory_xact_lock(each)))


def starts(tx: Connection, job_id: int) -> bool:
    """Return whether nobody else is starting a job at this moment, and let nobody until ``tx`` ends."""
    if tx.dialect.name != "postgresql":
        return True
    return bool(tx.scalar(select(func.pg_try_advisory_xact_lock(_STARTING, job_id & 0x7FFFFFFF))))
