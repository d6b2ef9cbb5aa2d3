"""What each process holds of the calls that Discord allows, in one row each; times are the database's."""

from sqlalchemy import Connection, delete, func, insert, select

from bot.domain import rates
from bot.domain.rates import Lease
from bot.storage import locks
from bot.storage.tables import rate_leases

_SHARING = 0x52415445
"""The lock of whoever renews a lease: two that read at once would both take what is free."""
_NOW = select(func.extract("epoch", func.clock_timestamp()))


def renew(tx: Connection, *, node_id: int, wanted: int, total: int) -> int:
    """Renew a process's lease and return the requests a second that it holds from now on."""
    locks.hold(tx, [_SHARING])
    now = float(tx.execute(_NOW).scalar_one())
    leases = [
        Lease(row.node_id, int(row.wanted), int(row.rate), row.until) for row in tx.execute(select(rate_leases))
    ]
    lease = rates.renewed(node_id, wanted, leases, now=now, total=total)
    tx.execute(delete(rate_leases).where((rate_leases.c.node_id == node_id) | (rate_leases.c.until <= now)))
    row = {"node_id": node_id, "wanted": lease.wanted, "rate": lease.rate, "until": lease.until}
    tx.execute(insert(rate_leases), row)
    return lease.rate


def release(tx: Connection, *, node_id: int) -> None:
    """Leave what a process held to the others."""
    tx.execute(delete(rate_leases).where(rate_leases.c.node_id == node_id))
