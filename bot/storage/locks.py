"""Locks by number, for what no single row stands for."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select


def hold(tx: Connection, ids: Iterable[int]) -> None:
    """Let no other transaction of the same servers and persons pass here until ``tx`` ends.

    They are taken in one order, so that two never wait for each other. SQLite has one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        for each in sorted(set(ids)):
            tx.execute(select(func.pg_advisory_xact_lock(each)))
