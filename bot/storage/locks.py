"""Locks by number, for what no single row stands for."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, Connection, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

_STARTING = 0x53544152
"""The first half of the lock of whoever starts a job; the second half is the end of the job's id."""


def hold(tx: Connection, ids: Iterable[int]) -> None:
    """Let no other transaction of the same servers and persons pass here until ``tx`` ends.

    They are taken in one order, so that two never wait for each other. SQLite has one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        for each in sorted(set(ids)):
            tx.execute(select(func.pg_advisory_xact_lock(each)))


class held(GenericFunction[None]):  # noqa: N801 - SQL writes its functions so
    """What ``hold`` does with one id, for a statement that has more to ask.

    The rest of that statement is as of before the wait.
    """

    inherit_cache = True


@compiles(held)
def _always_held(_element: held, _compiler: SQLCompiler, **_options: Any) -> str:
    return "NULL"


@compiles(held, "postgresql")
def _once_held(element: held, compiler: SQLCompiler, **options: Any) -> str:
    return f"pg_advisory_xact_lock({compiler.process(element.clauses, **options)})"


class start_alone(GenericFunction[bool]):  # noqa: N801 - SQL writes its functions so
    """Whether nobody else is starting the job of this id, and nobody can until the transaction ends.

    It belongs among what is selected: as a condition it might be asked of other rows as well.
    """

    type = Boolean()
    inherit_cache = True


@compiles(start_alone)
def _always(_element: start_alone, _compiler: SQLCompiler, **_options: Any) -> str:
    return "1"


@compiles(start_alone, "postgresql")
def _if_free(element: start_alone, compiler: SQLCompiler, **options: Any) -> str:
    job_id = compiler.process(element.clauses, **options)
    return f"pg_try_advisory_xact_lock({_STARTING}, CAST({job_id} & 2147483647 AS INTEGER))"
