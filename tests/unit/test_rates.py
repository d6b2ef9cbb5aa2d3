"""Sharing what Discord allows one bot among its processes."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rates import FLOOR, HEARTBEAT_S, LEASE_S, TOTAL, Lease, fair, renewed

LEASED = TOTAL - FLOOR
wishes = st.integers(0, 2 * TOTAL)


@dataclass
class Table:
    """The leases of all processes, changed by nothing but the function under test."""

    now: float = 1000.0
    leases: dict[int, Lease] = field(default_factory=dict)

    def renew(self, node_id: int, wanted: int) -> int:
        lease = renewed(node_id, wanted, self.leases.values(), now=self.now)
        self.leases[node_id] = lease
        return lease.rate

    @property
    def held(self) -> int:
        return sum(lease.rate for lease in self.leases.values() if lease.until > self.now)


@given(st.lists(st.tuples(st.integers(1, 8), wishes, st.floats(0, 1.2 * LEASE_S)), max_size=60))
def test_whoever_renews_when_never_more_is_held_than_there_is(life: list[tuple[int, int, float]]) -> None:
    table = Table()
    for node_id, wanted, passed_s in life:
        table.now += passed_s
        table.renew(node_id, wanted)
        assert table.held <= LEASED


@given(st.dictionaries(st.integers(1, 40), wishes, min_size=1, max_size=12), st.integers(0, 2 * TOTAL))
def test_nobody_gets_more_than_they_want_and_those_who_want_more_get_alike(
    wanted: dict[int, int], total: int
) -> None:
    shares = fair(wanted, total)
    assert sum(shares.values()) == min(total, sum(wanted.values()))
    assert all(shares[node_id] <= wanted[node_id] for node_id in wanted)
    unmet = [shares[node_id] for node_id in wanted if shares[node_id] < wanted[node_id]]
    assert not unmet or max(shares.values()) - min(unmet) <= 1


@given(st.dictionaries(st.integers(1, 40), wishes, min_size=1, max_size=12), st.randoms())
def test_once_all_know_of_each_other_two_heartbeats_bring_everybody_their_fair_share(
    wanted: dict[int, int], chance: Random
) -> None:
    table, nodes = Table(), list(wanted)
    for _ in range(3):
        chance.shuffle(nodes)
        for node_id in nodes:
            table.renew(node_id, wanted[node_id])
    due = fair({node_id: max(FLOOR, wish) for node_id, wish in wanted.items()}, LEASED)
    assert {node_id: lease.rate for node_id, lease in table.leases.items()} == due


@given(st.dictionaries(st.integers(1, 40), wishes, min_size=1, max_size=8), wishes)
def test_a_newcomer_holds_its_fair_share_within_a_heartbeat(wanted: dict[int, int], wish: int) -> None:
    table, newcomer = Table(), 99
    for _ in range(2):
        for each in wanted.items():
            table.renew(*each)
    table.renew(newcomer, wish)
    table.now += HEARTBEAT_S
    for each in wanted.items():
        table.renew(*each)
    due = fair({node_id: lease.wanted for node_id, lease in table.leases.items()}, LEASED)
    assert table.renew(newcomer, wish) == due[newcomer]


def test_who_is_idle_holds_little_and_who_is_busy_gets_what_is_free() -> None:
    table = Table()
    for _ in range(2):
        idle, busy = table.renew(1, 0), table.renew(2, TOTAL)
    assert (idle, busy) == (FLOOR, LEASED - FLOOR)


def test_what_a_dead_process_held_is_free_once_its_lease_is_over() -> None:
    table = Table()
    table.renew(1, TOTAL)
    assert table.renew(2, TOTAL) == 0
    table.now += LEASE_S
    assert table.renew(2, TOTAL) == LEASED
