"""What databases have different words for."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class whole(GenericFunction[int]):  # noqa: N801 - a function of SQL
    """The whole part of a number: CAST cuts off in SQLite and rounds in PostgreSQL."""

    type = BigInteger()
    inherit_cache = True


@compiles(whole)
def _cut(element: whole, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS INTEGER)"


@compiles(whole, "postgresql")
def _cut_there(element: whole, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(trunc({compiler.process(element.clauses, **options)}) AS BIGINT)"
