from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.domain import fairness
from bot.domain.cost import UNIT, W0, step
from bot.domain.fairness import COMMON, FRESH, Flow, Waiting


@dataclass
class Lane:
    """A lane in memory, changed by nothing but the functions under test."""

    clock: int = 0
    flows: dict[int, Flow] = field(default_factory=dict)
    queued: dict[int, tuple[int, Waiting]] = field(default_factory=dict)
    served: list[tuple[int, Waiting]] = field(default_factory=list)
    last: int = 0

    def of(self, guild: int) -> list[Waiting]:
        return [job for owner, job in self.queued.values() if owner == guild]

    def add(self, guild: int, user: int, cost: int = UNIT, weight: int = W0) -> int:
        flow = self.flows.get(guild, Flow(weight=weight))
        flow, rank = fairness.enqueue(self.clock, flow, self.of(guild), user)
        self.last += 1
        self.queued[self.last] = guild, Waiting(self.last, user, cost, rank=rank)
        self.replan(guild, flow)
        return self.last

    def replan(self, guild: int, flow: Flow) -> None:
        self.flows[guild] = flow
        for job, tag in fairness.plan(flow, self.of(guild)).items():
            self.queued[job] = guild, self.queued[job][1]._replace(tag=tag)

    def order(self) -> list[int]:
        return sorted(self.queued, key=lambda job: (self.queued[job][1].tag, self.queued[job][1].rank, job))

    def serve(self, job: int | None = None) -> int:
        head = self.queued[self.order()[0]][1].tag
        job = self.order()[0] if job is None else job
        guild, waiting = self.queued[job]
        self.clock, flow = fairness.start(self.clock, self.flows[guild], self.of(guild), waiting, head)
        del self.queued[job]
        self.replan(guild, flow)
        self.served.append((guild, waiting))
        return job

    def cancel(self, job: int) -> None:
        guild, _ = self.queued.pop(job)
        self.replan(guild, fairness.forget(self.flows[guild], self.of(guild)))

    def share(self, guild: int) -> int:
        return sum(job.cost for owner, job in self.served if owner == guild)

    def check(self) -> None:
        """Hold what must hold at every moment."""
        for guild, flow in self.flows.items():
            mine = sorted(self.of(guild), key=lambda job: job.tag)
            assert not mine or mine[0].tag == flow.next
            assert all(later.tag == job.tag + step(job.cost, flow.weight) for job, later in pairwise(mine))
            assert fairness.plan(flow, mine) == {job.id: job.tag for job in mine}
            waiting = {job.user for job in mine}
            assert all(user in waiting or turn > flow.uv for user, turn in flow.users.items())
            for user in waiting:
                theirs = [job.id for job in mine if job.user == user]
                assert theirs == sorted(theirs)
        assert all(job.tag >= self.clock for _, job in self.queued.values())


costs = st.integers(1, 8 * UNIT)
acts = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 4), st.integers(1, 4), costs),
    st.tuples(st.just("serve"), st.just(0), st.just(0), st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0), st.just(0)),
    st.tuples(st.just("refund"), st.integers(0, 30), st.integers(0, 100), st.just(0)),
    st.tuples(st.just("early"), st.integers(0, 30), st.just(0), st.just(0)),
)
WEIGHTS = {1: 100, 2: 300, 3: 100, 4: 33}


def play(lane: Lane, act: tuple[str, int, int, int]) -> None:
    verb, first, second, cost = act
    if verb == "add":
        lane.add(first, first * 100 + second, cost, WEIGHTS[first])
    elif verb == "serve" and lane.queued:
        lane.serve()
    elif verb == "cancel" and lane.queued:
        lane.cancel(lane.order()[first % len(lane.queued)])
    elif verb == "refund" and lane.served:
        guild, job = lane.served[first % len(lane.served)]
        lane.replan(guild, fairness.refund(lane.clock, lane.flows[guild], job.user, job.cost, second / 100))
        lane.flows[guild] = fairness.forget(lane.flows[guild], lane.of(guild))
    elif verb == "early" and lane.queued:
        firsts: dict[int, int] = {}
        for queued in lane.order():
            firsts.setdefault(lane.queued[queued][1].user, queued)
        early = list(firsts.values())
        lane.serve(early[first % len(early)])


@settings(max_examples=150, deadline=None)
@given(st.lists(acts, max_size=60))
def test_whatever_happens_the_plan_stays_whole_and_the_clock_passes_nobody(
    history: list[tuple[str, int, int, int]],
) -> None:
    lane = Lane()
    clock = 0
    for act in history:
        play(lane, act)
        lane.check()
        assert lane.clock >= clock
        clock = lane.clock


@settings(max_examples=100, deadline=None)
@given(st.lists(acts, max_size=60), costs)
def test_an_idle_guilds_first_job_is_next_after_other_idle_guilds(
    history: list[tuple[str, int, int, int]], cost: int
) -> None:
    lane = Lane()
    for act in history:
        play(lane, act)
    job = lane.add(99, 1, cost)
    ahead = lane.order()[: lane.order().index(job)]
    assert all(lane.queued[other][1].rank == FRESH for other in ahead)
    assert len({lane.queued[other][0] for other in ahead}) == len(ahead)


def test_a_guild_with_one_job_runs_before_the_fifty_of_another() -> None:
    lane = Lane()
    for _ in range(50):
        lane.add(1, 11)
    lane.serve()
    newcomer = lane.add(2, 21)
    assert lane.serve() == newcomer


def test_a_newcomer_does_not_wait_behind_one_equal_tag_of_every_backlogged_guild() -> None:
    lane = Lane()
    for guild in range(1, 11):
        for _ in range(5):
            lane.add(guild, guild)
    lane.serve()
    newcomer = lane.add(99, 99)
    assert lane.queued[newcomer][1].rank == FRESH
    fresh = [job for job in lane.order() if lane.queued[job][1].rank == FRESH]
    assert lane.order().index(newcomer) == len(fresh) - 1


def test_asking_again_and_again_with_nothing_queued_gives_no_precedence() -> None:
    lane = Lane()
    for guild in (1, 2):
        lane.add(guild, guild)
        lane.add(guild, guild)
    for _ in range(20):
        lane.serve()
        guild = lane.served[-1][0]
        job = lane.add(guild, guild)
        assert lane.queued[job][1].rank == COMMON
    assert abs(lane.share(1) - lane.share(2)) <= UNIT


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([33, 100, 100, 300]), min_size=2, max_size=6),
    st.lists(costs, min_size=20, max_size=60),
)
def test_backlogged_guilds_share_the_cost_served_by_weight(weights: list[int], sizes: list[int]) -> None:
    lane = Lane()
    for guild, weight in enumerate(weights):
        for cost in sizes:
            lane.add(guild, guild, cost, weight)
    counts = Counter({guild: len(sizes) for guild in range(len(weights))})
    while all(counts.values()):
        lane.serve()
        counts[lane.served[-1][0]] -= 1
        normal = [step(max(1, lane.share(guild)), weight) for guild, weight in enumerate(weights)]
        # The bound of start-time fair queueing: a largest job's step of either guild, and what rounding loses.
        bound = 2 * max(step(max(sizes), weight) for weight in weights) + len(sizes)
        assert max(normal) - min(normal) <= bound


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.lists(costs, min_size=5, max_size=15))
def test_many_users_do_not_widen_their_guilds_share(users: int, sizes: list[int]) -> None:
    lane = Lane()
    for cost in sizes * 3:
        lane.add(1, 1, cost)
    for user in range(users):
        for cost in sizes:
            lane.add(2, 1000 + user, cost)
    while lane.of(1) and lane.of(2):
        lane.serve()
    assert abs(lane.share(1) - lane.share(2)) <= 2 * max(sizes)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), costs), min_size=6, max_size=40))
def test_users_of_a_guild_share_its_part_by_cost(asked: list[tuple[int, int]]) -> None:
    lane = Lane()
    for user, cost in asked:
        lane.add(1, user, cost)
    largest = max(cost for _, cost in asked)
    users = {user for user, _ in asked}
    while {job.user for job in lane.of(1)} == users:
        lane.serve()
        had = [sum(job.cost for _, job in lane.served if job.user == user) for user in users]
        assert max(had) - min(had) <= 2 * largest


def test_two_people_in_one_guild_take_turns() -> None:
    lane = Lane()
    first = [lane.add(1, 11) for _ in range(4)]
    second = [lane.add(1, 12) for _ in range(4)]
    turns = [lane.serve() for _ in range(8)]
    assert turns == [job for pair in zip(first, second, strict=True) for job in pair]


@settings(max_examples=40, deadline=None)
@given(costs, st.lists(costs, min_size=1, max_size=5), st.sampled_from([33, 100, 300]))
def test_nothing_starves_while_others_keep_asking(cost: int, others: list[int], weight: int) -> None:
    lane = Lane()
    for guild in range(2, 6):
        lane.add(guild, guild, others[0], 300)
        lane.add(guild, guild, others[0], 300)
    lane.add(1, 1, cost, weight)
    mine = lane.add(1, 1, cost, weight)
    bound = 20 + 4 * 3 * 2 * (step(cost, weight) // step(min(others), 300) + max(others) // min(others))
    assume(bound < 3000)
    for turn in range(bound):
        if lane.serve() == mine:
            return
        guild = lane.served[-1][0]
        if guild != 1:
            lane.add(guild, guild, others[turn % len(others)], 300)
    raise AssertionError(bound)


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=40), st.integers(1, 4), costs)
def test_a_cancelled_job_leaves_no_trace(history: list[tuple[str, int, int, int]], guild: int, cost: int) -> None:
    lane = Lane()
    for act in history:
        play(lane, act)
    before = {job: waiting.tag for job, (_, waiting) in lane.queued.items()}
    lane.cancel(lane.add(guild, guild * 100 + 1, cost, WEIGHTS[guild]))
    assert {job: waiting.tag for job, (_, waiting) in lane.queued.items()} == before


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), costs, st.floats(-1, 2), st.booleans())
def test_a_refund_never_passes_the_clocks_and_never_charges(
    clock: int, at: int, turn: int, cost: int, unserved: float, known: bool
) -> None:
    flow = Flow(next=at, uv=turn // 2, users={7: turn} if known else {})
    after = fairness.refund(clock, flow, 7, cost, unserved)
    assert min(at, clock) <= after.next <= at
    assert after.uv == flow.uv
    assert set(after.users) == set(flow.users)
    assert all(flow.uv <= after.users[user] <= flow.users[user] for user in after.users)


def test_a_job_refunded_in_full_cost_its_guild_nothing() -> None:
    lane = Lane()
    lane.add(1, 11)
    lane.add(1, 11)
    lane.add(2, 21)
    lane.serve()
    charged = lane.flows[1]
    assert fairness.refund(lane.clock, charged, 11, UNIT, 1.0).next == charged.next - UNIT
    assert fairness.refund(lane.clock, charged, 11, UNIT, 0.25).next == charged.next - UNIT // 4


def test_a_weightier_guild_gets_three_times_the_pictures() -> None:
    lane = Lane()
    for _ in range(40):
        lane.add(1, 11, UNIT, 300)
        lane.add(2, 21, UNIT, 100)
    for _ in range(40):
        lane.serve()
    assert lane.share(1) == 3 * lane.share(2)


def test_whoever_comes_late_to_a_busy_guild_takes_turns_and_makes_up_for_nothing() -> None:
    lane = Lane()
    for _ in range(20):
        lane.add(1, 11)
    for _ in range(10):
        lane.serve()
    late = {lane.add(1, 12) for _ in range(5)}
    turns = [lane.serve() in late for _ in range(10)]
    assert sum(turns) == 5
    assert all(one != other for one, other in pairwise(turns))


def test_whoever_was_just_served_comes_after_those_who_wait() -> None:
    lane = Lane()
    lane.add(1, 11)
    others = [lane.add(1, 12) for _ in range(2)]
    lane.serve()
    again = lane.add(1, 11)
    assert [lane.serve() for _ in range(3)] == [*others, again]
