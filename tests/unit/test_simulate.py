"""The simulation behind docs/fairness.md, over a day of a small world."""

from collections import Counter
from dataclasses import replace
from random import Random
from statistics import fmean

import pytest

from bench.simulation.chart import chart
from bench.simulation.measures import Newcomers, Shares, Spread, jain
from bench.simulation.policies import POLICIES, Easel, Job
from bench.simulation.run import LIMITS, Run
from bench.simulation.telling import told
from bench.simulation.world import ORDERS, YEAR, Ask, World
from bot.domain import fairness
from bot.domain.cost import UNIT, W0
from bot.domain.fairness import Flow, Waiting

SMALL = replace(
    YEAR,
    days=1,
    busy=replace(YEAR.busy, guilds=3, visits=240),
    ordinary=replace(YEAR.ordinary, guilds=20),
    quiet=replace(YEAR.quiet, guilds=100, visits=1),
    load=1.1,
)
SLOW = replace(SMALL, busy=replace(SMALL.busy, visits=40))
"""Fewer orders for slots that are slower: there is a line all the same."""


class Watched:
    """A policy that notes what goes in and what comes out."""

    def __init__(self, name: str) -> None:
        self._policy = POLICIES[name]()
        self.added: Counter[int] = Counter()
        self.taken: Counter[int] = Counter()
        self.cancelled: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()

    def add(self, job: Job) -> None:
        self.added[job.id] += 1
        self._policy.add(job)

    def take(self) -> int:
        job_id = self._policy.take()
        self.taken[job_id] += 1
        return job_id

    def cancel(self, job: Job) -> None:
        self.cancelled[job.id] += 1
        self._policy.cancel(job)

    def end(self, job: Job, unserved: float) -> None:
        self.ended[job.id] += 1
        self._policy.end(job, unserved)


@pytest.mark.parametrize("name", POLICIES)
def test_every_job_that_is_accepted_starts_once_or_is_cancelled_in_line(name: str) -> None:
    policy = Watched(name)
    outcome = Run(SLOW, policy).play(SLOW.asks(1))
    assert max(policy.added.values()) == 1
    assert policy.taken + policy.cancelled == policy.added
    assert policy.ended == policy.taken
    assert (outcome.accepted, outcome.started, outcome.cancelled) == (
        policy.added.total(),
        policy.taken.total(),
        policy.cancelled.total(),
    )
    assert outcome.failed > 0
    assert outcome.cancelled > 0


def test_the_backlogged_share_alike_and_the_quiet_are_next() -> None:
    outcome = Run(SMALL, Easel()).play(SMALL.asks(1))
    assert fmean(outcome.shares.hours) >= 0.99
    assert len(outcome.first.overtaken) > 50
    assert outcome.first.overtaken.quantile(0.99) <= 2


def test_in_an_hour_nobody_gets_more_ahead_than_the_two_largest_jobs_where_nothing_fails() -> None:
    outcome = Run(SMALL, Easel()).play(ask._replace(served=1.0) for ask in SMALL.asks(2))
    assert len(outcome.shares.hours) > 2
    assert 0 < outcome.shares.lead <= 2 * max(ORDERS)


def test_the_same_seed_gives_the_same_table_and_plot_and_another_other_asks() -> None:
    once, again = (
        {name: Run(SLOW, policy()).play(SLOW.asks(1)) for name, policy in POLICIES.items()} for _ in range(2)
    )
    assert told(SLOW, once, 1) == told(SLOW, again, 1)
    assert chart(once) == chart(again)
    assert list(SLOW.asks(1)) != list(SLOW.asks(2))


def test_asks_come_in_the_order_of_time() -> None:
    times = [ask.at for ask in SMALL.asks(3)]
    assert times == sorted(times)


def test_more_than_the_caps_allow_is_refused() -> None:
    crowd = [Ask(0.0, 0, user, UNIT) for user in range(20) for _ in range(LIMITS.max_queued_user)]
    outcome = Run(World(), Easel()).play(crowd)
    # What slots took at once stands in line no more.
    assert outcome.accepted == LIMITS.max_queued_guild + len(World().paces)
    assert outcome.started == outcome.accepted


def test_a_lane_in_a_heap_serves_as_one_that_is_planned_whole() -> None:
    random = Random(1)  # noqa: S311 - the same acts in every run
    heap, flows, clock = Easel(), dict[int, Flow](), 0
    queued: dict[int, tuple[Job, Waiting]] = {}

    def of(guild: int) -> list[Waiting]:
        return [waiting for job, waiting in queued.values() if job.guild == guild]

    def keep(guild: int, flow: Flow) -> None:
        flows[guild] = flow
        for job_id, tag in fairness.plan(flow, of(guild)).items():
            queued[job_id] = queued[job_id][0], queued[job_id][1]._replace(tag=tag)

    heap.add(Job(1, 9, 9, UNIT, W0))
    heap.take()  # runs on and on, so that the lane is never begun anew
    flows[9] = fairness.start(0, Flow(), [Waiting(1, 9, UNIT)], Waiting(1, 9, UNIT), 0)[1]
    for job_id in range(2, 600):
        if not queued or random.random() < 0.55:
            guild = random.randrange(6)
            job = Job(job_id, guild, random.randrange(3), random.choice(ORDERS), 300 if guild == 1 else W0)
            flow = replace(flows.get(guild, Flow()), weight=job.weight)
            flow, rank = fairness.enqueue(clock, flow, of(guild), job.user)
            queued[job_id] = job, Waiting(job_id, job.user, job.cost, rank=rank)
            keep(guild, flow)
            heap.add(job)
        elif random.random() < 0.1:
            job, _ = queued.pop(random.choice(list(queued)))
            keep(job.guild, fairness.forget(flows[job.guild], of(job.guild)))
            heap.cancel(job)
        else:
            job, waiting = min(queued.values(), key=lambda each: (each[1].tag, each[1].rank, each[1].id))
            assert heap.take() == job.id
            clock, flow = fairness.start(clock, flows[job.guild], of(job.guild), waiting, waiting.tag)
            del queued[job.id]
            unserved = random.choice((0.0, 0.0, 0.7))
            keep(job.guild, flow)
            if unserved:
                flow = fairness.refund(clock, flow, job.user, job.cost, unserved)
                keep(job.guild, fairness.forget(flow, of(job.guild)))
            heap.end(job, unserved)


def test_newcomers_that_stood_there_already_are_not_counted_among_those_before_one() -> None:
    newcomers = Newcomers()
    newcomers.add(1, 10)
    newcomers.add(2, 10)
    newcomers.add(3, 10)
    newcomers.add(4, 10)
    newcomers.cancel(2)
    assert newcomers.start(1, 10) == 0
    assert newcomers.start(4, 13) == 2, "three started, one of them a newcomer; another waits still"
    assert newcomers.start(3, 14) == 3
    assert newcomers.start(7, 20) == 0, "none of them"


def test_an_hour_counts_the_guilds_alone_that_had_work_for_the_whole_of_it() -> None:
    shares = Shares()
    weights = [100, 300, 100]
    for guild in range(2):
        shares.backlogged(guild, 0.0)
    shares.backlogged(2, 1.0)
    shares.serve(0, 100)
    shares.serve(1, 300)
    shares.serve(2, 900)
    shares.until(3600.0, weights)
    assert shares.hours == [1.0]
    shares.serve(0, 100)
    shares.cleared(1)
    shares.until(7200.0, weights)
    assert shares.hours == [1.0, 0.5]
    assert shares.lead == 100


def test_a_spread_knows_its_quantiles() -> None:
    spread = Spread()
    assert spread.quantile(0.5) == 0
    for value in range(1, 101):
        spread.add(value + 0.5)
    assert [spread.quantile(share) for share in (0.5, 0.99, 1)] == [50, 99, 100]


def test_the_index_is_one_where_all_have_the_same_and_a_part_where_one_has_all() -> None:
    assert jain([3.0, 3.0, 3.0]) == 1.0
    assert jain([3.0, 0.0, 0.0]) == pytest.approx(1 / 3)
    assert jain([0.0, 0.0]) == 1.0
