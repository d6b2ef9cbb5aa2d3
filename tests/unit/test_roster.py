"""What several processes on one database know of each other's backends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.breaker import Condition
from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.errors import AuthError, RequestError, TakenError
from bot.domain.job import COMMON_LANE, Address, Job, JobSpec, NewJob
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.ports import Backend
from bot.domain.request import PaintRequest
from bot.jobs.distributed import Distributed
from bot.jobs.notices import PostgresNotices
from bot.jobs.service import Jobs
from bot.services import roster
from bot.services.catalogue import Catalogue
from bot.services.fleet import Fleet
from bot.services.rerouting import Rerouting
from bot.services.roster import DRAIN, REFRESH, RESUME, Roster
from bot.services.routing import Routing
from bot.services.upkeep import Upkeep
from bot.storage.postgres import PostgresDatabase
from bot.storage.roster import StoredRoster
from tests.engines import url_of

BEAT_S, DEAD_S, TICK_S = 0.1, 0.7, 0.03


@dataclass
class Able:
    """As much of a backend as others are told of."""

    name: str
    has: Capabilities
    slots: int = 1
    refreshed: int = 0

    async def capabilities(self) -> Capabilities:
        return self.has

    async def refresh(self) -> None:
        self.refreshed += 1


def able(name: str, *models: str, slots: int = 1) -> Able:
    return Able(name, Capabilities({Listing.MODELS: models}, frozenset(Feature)), slots)


@dataclass
class Time:
    now: float = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Process:
    """One process with its backends; all of them know each other by the database alone."""

    name: str
    database: PostgresDatabase
    backends: list[Any]
    clock: Time
    moved: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notices = PostgresNotices(self.database)
        self.engine = Distributed(
            self.database, self.notices, kind="test", name=self.name, beat_s=BEAT_S, dead_s=DEAD_S
        )
        self.jobs = Jobs(self.database, self.engine, clock=self.clock)
        self.fleet, self.catalogue = Fleet(self.backends, clock=self.clock), Catalogue(self.backends)
        self.routing = Routing(self.catalogue)
        self.roster = Roster(
            StoredRoster(self.database, dead_s=DEAD_S, silent_s=DEAD_S),
            self.fleet,
            self.catalogue,
            self.routing,
            self.notices,
            node=lambda: self.engine.node,
            clock=self.clock,
            tick_s=TICK_S,
            settle_s=3 * TICK_S,
            keep_s=60.0,
        )
        self.engine.count_elsewhere(self.roster.slots)
        self.upkeep = Upkeep(self.jobs, self.fleet, self.catalogue, self.roster)
        self.rerouting = Rerouting(
            self.jobs, self.fleet, self.routing, announcer=cast("Any", self), leads=self.roster.leads
        )
        self.roster.on_unsettled(self.rerouting.wake)
        self.catalogue.on_change(self.rerouting.wake)

    def changed(self, job: Job) -> None:
        self.moved.append(job.lane)

    @asynccontextmanager
    async def alive(self, *, asked: bool = True) -> AsyncIterator["Process"]:
        """Take part until left, and die then without a word; not ``asked``, its backends have said nothing yet."""
        await self.jobs.open()
        try:
            await self.roster.open()
            for backend in self.backends if asked else ():
                await self.catalogue.refresh(cast("Backend", backend))
                self.fleet.report_up(backend.name)
            parts = (self.jobs.run, self.notices.run, self.roster.run, self.rerouting.run)
            tasks = [asyncio.create_task(run()) for run in parts]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        finally:
            await self.database.close()

    async def order(self, model: str) -> Job:
        spec = JobSpec(PaintRequest("a fox", 7, model=model))
        new = NewJob(f"i:{model}:0", 1, 11, spec, Address(5), lane=self.routing.lane(spec.request))
        return await self.jobs.enqueue(new, limits=Limits())

    async def lane_of(self, job: Job) -> str:
        found = await self.jobs.get(job.id)
        assert found is not None
        return found.lane

    async def until_in(self, lane: str, job: Job) -> None:
        async with asyncio.timeout(10):
            while await self.lane_of(job) != lane:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    def has_heard(self, *names: str) -> bool:
        return self.conditions() == up(*names) and self.catalogue.all_told

    def conditions(self) -> dict[str, Condition]:
        return {name: standing.condition for name, standing in self.fleet.standings().items()}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that a test can wait for."""
    monkeypatch.setattr(roster, "LOOK_S", 0.1)


Begin = Callable[..., Process]


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def begin(request: pytest.FixtureRequest, tmp_path: Path, clock: Time) -> Begin:
    url = url_of("postgresql", tmp_path, request)
    return lambda name, *backends: Process(name, PostgresDatabase(url), list(backends), clock)


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


def up(*names: str) -> Mapping[str, Condition]:
    return dict.fromkeys(names, Condition.UP)


async def test_a_process_without_backends_offers_what_the_others_have_and_routes_by_it(begin: Begin) -> None:
    bot, one, two = begin("bot"), begin("w1", able("b", "fox", slots=2)), begin("w2", able("a", "fox", "owl"))
    async with bot.alive():
        bot.catalogue.check(Options(model="anything"))
        outage = bot.fleet.outage(bot.routing.members(COMMON_LANE))
        assert outage is not None
        assert "No painter is connected" in str(outage.error)
        async with one.alive(), two.alive():
            for each in (bot, one, two):
                await until(partial(each.has_heard, "a", "b"))
                assert each.catalogue.names(Listing.BACKENDS) == ("a", "b")
                assert each.routing.lane(PaintRequest("x", 7, model="owl")) == "a"
                assert each.routing.lane(PaintRequest("x", 7, model="fox")) == COMMON_LANE
            assert bot.catalogue.suggest(Listing.MODELS, "ow") == ["owl"]
            with pytest.raises(RequestError):
                bot.catalogue.check(Options(model="anything"))
            assert bot.fleet.outage(bot.routing.members(COMMON_LANE)) is None
            assert bot.engine.slots(COMMON_LANE) == {"a": 1, "b": 2}
            assert bot.engine.slots("a") == {"a": 1}
            reports = {report.name: report.node for report in await one.upkeep.reports()}
            assert reports == {"b": "", "a": "w2"}


async def test_an_outage_is_told_with_its_words_and_cure_and_so_is_its_end(begin: Begin) -> None:
    bot, worker = begin("bot"), begin("w", able("gpu", "fox"))
    async with bot.alive(), worker.alive():
        worker.fleet.report_down("gpu", AuthError("It wants {what}.", "Do.", what="a password", number=2))
        await until(lambda: bot.conditions() == {"gpu": Condition.AWAY})
        outage = bot.fleet.outage(["gpu"])
        assert outage is not None
        assert isinstance(outage.error, AuthError)
        assert str(outage.error) == "It wants a password. Do."
        assert outage.error.values["number"] == 2
        worker.fleet.report_up("gpu")
        await until(lambda: bot.fleet.outage(["gpu"]) is None)


async def test_drain_resume_and_refresh_reach_the_process_that_has_the_backend(begin: Begin) -> None:
    gpu = able("gpu", "fox")
    bot, worker = begin("bot"), begin("w", gpu)
    async with bot.alive(), worker.alive():
        await until(lambda: bot.conditions() == up("gpu"))
        await bot.upkeep.drain("gpu", drained=True)
        await until(lambda: bot.conditions() == {"gpu": Condition.DRAINED})
        assert not worker.fleet.takes("gpu")
        await bot.upkeep.drain("gpu", drained=False)
        await until(lambda: bot.conditions() == up("gpu"))
        gpu.has = replace(gpu.has, listings={Listing.MODELS: ("fox", "owl")})
        assert not await bot.upkeep.refresh("gpu")
        await until(lambda: bot.catalogue.names(Listing.MODELS) == ("fox", "owl"))
        assert gpu.refreshed == 1
        with pytest.raises(RequestError, match="no backend"):
            await bot.upkeep.drain("cpu", drained=True)
    assert (DRAIN, RESUME, REFRESH) == ("drain", "resume", "refresh")


async def test_what_only_a_dead_worker_can_do_waits_for_it_a_while(begin: Begin, clock: Time) -> None:
    bot, stays, dies = begin("bot"), begin("w1", able("a", "fox")), begin("w2", able("b", "fox", "owl"))
    async with bot.alive(), stays.alive():
        async with dies.alive():
            await until(lambda: bot.conditions() == up("a", "b") and bot.catalogue.all_told)
            owl, fox = await bot.order("owl"), await bot.order("fox")
            assert [owl.lane, fox.lane] == ["b", COMMON_LANE]
        await until(lambda: bot.conditions() == {"a": Condition.UP, "b": Condition.AWAY})
        outage = bot.fleet.outage(["b"])
        assert outage is not None
        assert "is gone" in str(outage.error)
        assert bot.catalogue.suggest(Listing.MODELS, "owl") == ["owl"]
        assert await bot.lane_of(owl) == "b"
        clock.now += 61
        await until(lambda: not bot.fleet.others.keys() - {"a"})
        assert bot.catalogue.names(Listing.MODELS) == ("fox",)
        await bot.until_in(COMMON_LANE, owl)
        assert stays.moved == [], "one moves for all"


async def test_who_comes_back_under_its_name_is_taken_for_what_it_was_until_it_tells_anew(begin: Begin) -> None:
    bot = begin("bot", able("own", "fox"))
    async with bot.alive():
        async with begin("w", able("gpu", "fox", "owl")).alive():
            await until(lambda: bot.catalogue.names(Listing.MODELS) == ("fox", "owl"))
        async with begin("w", able("gpu")).alive(asked=False) as again:
            assert again.catalogue.known("gpu") is not None
            await until(lambda: bot.conditions() == {"own": Condition.UP, "gpu": Condition.UNKNOWN})
            for each in (bot, again):
                assert each.routing.lane(PaintRequest("x", 7, model="owl")) == "gpu"


async def test_a_name_that_a_living_process_has_is_refused_with_the_cure(begin: Begin) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(begin("w1", able("gpu", "fox")).alive())
        with pytest.raises(TakenError) as taken:
            await stack.enter_async_context(begin("w2", able("gpu", "owl"), able("cpu")).alive())
        assert "w1 has a backend gpu already" in str(taken.value)
        assert "name=" in str(taken.value)
        bot = await stack.enter_async_context(begin("bot").alive())
        assert set(bot.conditions()) == {"gpu"}


async def test_the_oldest_process_leads_and_the_next_follows_it(begin: Begin) -> None:
    first, second = begin("first", able("a", "fox")), begin("second", able("b", "owl"))
    async with AsyncExitStack() as stack:
        async with first.alive():
            await stack.enter_async_context(second.alive())
            await until(lambda: set(first.conditions()) == {"a", "b"} == set(second.conditions()))
            assert (first.roster.leads(), second.roster.leads()) == (True, False)
        await until(second.roster.leads)


async def test_jobs_move_once_when_a_backend_joins_and_then_stay(begin: Begin) -> None:
    bot, one, two = begin("bot"), begin("w1", able("a", "fox")), begin("w2", able("b", "owl"))
    async with bot.alive(), one.alive():
        await until(lambda: bot.conditions() == up("a") and bot.catalogue.all_told)
        fox = await bot.order("fox")
        assert fox.lane == COMMON_LANE
        async with two.alive():
            await until(lambda: bot.moved)
            await asyncio.sleep(10 * TICK_S)
            assert await bot.lane_of(fox) == "a"
            assert (bot.moved, one.moved, two.moved) == (["a"], [], [])


async def test_a_process_that_was_taken_for_dead_tells_of_its_backends_anew(begin: Begin) -> None:
    bot, worker = begin("bot"), begin("w", able("gpu", "fox"))
    async with bot.alive(), worker.alive():
        await until(lambda: bot.conditions() == up("gpu"))
        before = worker.engine.node
        await worker.engine._rejoin()
        assert worker.engine.node != before
        await until(lambda: bot.fleet.others["gpu"].node == "w" and bot.conditions() == up("gpu"))


async def test_the_roll_is_kept_again_once_the_database_answers(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, worker = begin("bot"), begin("w", able("gpu", "fox"))
    async with bot.alive(), worker.alive():
        await until(lambda: bot.conditions() == up("gpu"))

        async def away(*_: object) -> None:
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr(worker.roster._store, "publish", away)
            worker.fleet.drain("gpu", drained=True)
            await asyncio.sleep(0.2)
            assert bot.conditions() == up("gpu")
        await until(lambda: bot.conditions() == {"gpu": Condition.DRAINED})
