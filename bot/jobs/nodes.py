"""The processes that share a database, as rows: whoever is silent for too long counts as dead.

All times are the database's, so that clocks of machines that differ harm nobody.
"""

from sqlalchemy import Connection, Float, bindparam, cast, delete, extract, func, insert, select, update

from bot.storage.tables import nodes

BEAT_S = 5.0
DEAD_S = 20.0
"""How often a process says that it lives, and after how long a silence it counts as dead."""

_NOW = cast(extract("epoch", func.clock_timestamp()), Float)
_JOIN = insert(nodes).values(seen_at=_NOW).returning(nodes.c.id)
_BEAT = update(nodes).where(nodes.c.id == bindparam("of_node")).values(seen_at=_NOW)
_LEAVE = delete(nodes).where(nodes.c.id == bindparam("of_node"))
_BURY = delete(nodes).where(nodes.c.seen_at < _NOW - bindparam("dead_s"))
ALIVE = select(nodes.c.id)


def join(tx: Connection, kind: str, name: str) -> int:
    """Take part and return the number of the new node; ``kind`` and ``name`` are for people."""
    return int(tx.execute(_JOIN, {"kind": kind, "name": name}).scalar_one())


def beat(tx: Connection, node: int) -> bool:
    """Say that a node lives; ``False``: the others have taken it for dead."""
    return tx.execute(_BEAT, {"of_node": node}).rowcount == 1


def leave(tx: Connection, node: int) -> None:
    """Take part no longer."""
    tx.execute(_LEAVE, {"of_node": node})


def bury(tx: Connection, dead_s: float) -> int:
    """Take out those who were silent for so long; return how many."""
    return tx.execute(_BURY, {"dead_s": dead_s}).rowcount
