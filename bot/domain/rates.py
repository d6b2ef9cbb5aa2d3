"""How processes share what Discord lets one bot's token do: leases of requests a second.

Everybody reads all leases and writes only their own, one after another, so nobody has to hand anything out. All
rates are whole requests a second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TOTAL = 50
"""Requests a second by the bot's token; interaction endpoints are not bound to it (Discord docs, Rate Limits)."""
FLOOR = 2
"""What a process without a lease, or with nothing to do, may use; so much of the total is never leased."""
HEARTBEAT_S = 5.0
"""How often a lease is renewed."""
LEASE_S = 15.0
"""How long a lease holds without being renewed."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What one process wants and holds, until when (seconds of one clock for all)."""

    node_id: int
    wanted: int
    rate: int
    until: float


def fair(wanted: Mapping[int, int], total: int) -> dict[int, int]:
    """Return who gets how much of ``total``: nobody more than they want, and else all alike (max-min fair)."""
    shares: dict[int, int] = {}
    for node_id in sorted(wanted, key=lambda each: (wanted[each], each)):
        shares[node_id] = min(wanted[node_id], total // (len(wanted) - len(shares)))
        total -= shares[node_id]
    return shares


def renewed(node_id: int, wanted: int, leases: Iterable[Lease], *, now: float, total: int = TOTAL) -> Lease:
    """Return the lease that a process may have from ``now`` on, beside the ``leases`` of all.

    It gets its fair share as far as the others left it: those that hold more than theirs give it up when they
    renew, which each does within a heartbeat.
    """
    others = [lease for lease in leases if lease.node_id != node_id and now < lease.until]
    leased = max(total - FLOOR, 0)
    wanted = max(wanted, FLOOR)
    due = fair({lease.node_id: lease.wanted for lease in others} | {node_id: wanted}, leased)[node_id]
    free = leased - sum(lease.rate for lease in others)
    return Lease(node_id, wanted, max(0, min(due, free)), now + LEASE_S)
