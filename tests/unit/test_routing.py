"""Which backends are given which job, over fleets of all sorts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.capability import Capabilities, Feature, Listing, features, names
from bot.domain.errors import RequestError
from bot.domain.job import COMMON_LANE, Address, Job, JobSpec, State
from bot.domain.ports import Backend
from bot.domain.request import Control, Hires, Lora, PaintRequest, Workflow
from bot.services.catalogue import Catalogue
from bot.services.routing import Routing

MODELS, LORAS = ("fox", "owl"), ("ink", "oil")


@dataclass
class Able:
    """As much of a backend as its catalogue asks for."""

    name: str
    has: Capabilities | None

    async def capabilities(self) -> Capabilities:
        assert self.has is not None
        return self.has


def able(
    *models: str, loras: tuple[str, ...] | None = (), can: frozenset[Feature] = frozenset(Feature)
) -> Capabilities:
    listings = {Listing.MODELS: models}
    return Capabilities(listings if loras is None else {**listings, Listing.LORAS: loras}, can)


def fleet(members: Mapping[str, Capabilities | None]) -> tuple[Routing, Catalogue]:
    """Return the routing over backends; ``None``: that one has not said anything yet."""
    backends = [cast("Backend", Able(name, has)) for name, has in members.items()]
    catalogue = Catalogue(backends)

    async def learn() -> None:
        for backend in backends:
            if members[backend.name] is not None:
                await catalogue.refresh(backend)

    asyncio.run(learn())
    return Routing(catalogue), catalogue


def order(**fields: object) -> PaintRequest:
    return replace(PaintRequest("a fox", 7), **fields)  # type: ignore[arg-type]


def queued(request: PaintRequest, lane: str = COMMON_LANE) -> Job:
    spec = JobSpec(request)
    return Job(1, "i:1:0", lane, 1, 11, State.QUEUED, spec, Address(1, 2, 3), None, 1, 0, 0, 0, 0.0)


capabilities = st.builds(
    lambda models, loras, can: able(*models, loras=loras, can=frozenset(can)),
    st.sets(st.sampled_from(MODELS)),
    st.none() | st.sets(st.sampled_from(LORAS)).map(tuple),
    st.sets(st.sampled_from([Feature.IMG2IMG, Feature.HIRES, Feature.CONTROL])),
)
fleets = st.dictionaries(st.sampled_from(["gpu1", "gpu2", "gpu3"]), st.none() | capabilities, min_size=1)
requests = st.builds(
    order,
    model=st.none() | st.sampled_from([*MODELS, "nowhere"]),
    loras=st.sets(st.sampled_from([*LORAS, "nowhere"])).map(lambda given: tuple(Lora(name) for name in given)),
    init_image=st.none() | st.just("ab"),
    hires=st.none() | st.just(Hires()),
    controls=st.just(()) | st.just((Control("cd", "canny"),)),
)


def has_all(has: Capabilities | None, request: PaintRequest) -> bool:
    """Say it again in other words: it lists every name and can do all; one that said nothing may."""
    if has is None:
        return True
    listed = all(named.name in has.listings.get(named.listing, ()) for named in names(request))
    return listed and features(request) <= has.features


@given(fleets, requests, st.sets(st.sampled_from(["gpu1", "gpu2", "gpu3"])))
def test_a_job_waits_only_for_backends_that_have_all_it_needs_unless_none_has(
    members: dict[str, Capabilities | None], request: PaintRequest, failed: set[str]
) -> None:
    routing, _ = fleet(members)
    everybody = [name for name in members if has_all(members[name], request)]
    lane = routing.lane(request)
    assert routing.members(lane)
    if everybody:
        assert set(everybody) <= set(routing.members(lane))
        for name in set(routing.members(lane)) - set(everybody):
            # It may still be given what nobody lists, but nothing that another one is known to have.
            assert features(request) <= members[name].features  # type: ignore[union-attr]
    others = routing.members(routing.lane(request, without=failed))
    assert set(others) <= set(routing.members(lane))
    assert set(others).isdisjoint(failed) or set(routing.members(lane)) <= failed or lane == COMMON_LANE


@given(fleets, requests)
def test_a_name_that_one_lists_is_never_asked_of_another(
    members: dict[str, Capabilities | None], request: PaintRequest
) -> None:
    routing, catalogue = fleet(members)
    capable = [name for name, has in members.items() if has_all(has, request)]
    listed = all(named.name in catalogue.names(named.listing) for named in names(request))
    if capable and listed:
        assert routing.members(routing.lane(request)) == tuple(sorted(capable))


@given(fleets, requests)
def test_a_job_goes_round_every_backend_that_can_do_it_once(
    members: dict[str, Capabilities | None], request: PaintRequest
) -> None:
    routing, _ = fleet(members)
    job, tried = queued(request), list[str]()
    lane: str | None = routing.lane(request)
    able_at_first = routing.members(lane or "")
    while lane is not None:
        tried.append(routing.members(lane)[0])
        assert len(tried) <= len(members)
        lane = routing.elsewhere(job, tried[-1])
    assert sorted(tried) == sorted(set(tried))
    assert set(tried) == set(able_at_first) or len(tried) == 1


def test_what_all_can_do_shares_one_lane_and_the_rest_waits_in_lanes_named_by_their_backends() -> None:
    routing, _ = fleet({"a": able("fox", "owl"), "b": able("fox", loras=("ink",)), "c": able("fox", "owl")})
    assert routing.lane(order(model="fox")) == COMMON_LANE
    assert routing.lane(order(model="owl")) == "a+c"
    assert routing.lane(order(loras=(Lora("ink"),))) == "b"
    assert routing.lane(order(model="nowhere")) == COMMON_LANE
    assert [name for name in "abc" if routing.serves(name, "a+c")] == ["a", "c"]


def test_while_one_has_not_spoken_what_the_others_lack_is_kept_for_it() -> None:
    routing, _ = fleet({"up": able("fox"), "away": None})
    assert routing.lane(order(model="owl")) == "away"
    assert routing.lane(order(model="fox")) == COMMON_LANE
    # A server without such a list at all may still know the name.
    assert routing.lane(order(scheduler="Karras")) == COMMON_LANE


def test_a_job_that_failed_everywhere_still_keeps_off_backends_that_cannot_do_it() -> None:
    routing, _ = fleet({"a": able("fox"), "b": able("owl"), "c": able("owl")})
    assert routing.lane(order(model="fox"), without={"a"}) == "a"


def test_a_job_moves_only_to_backends_that_work_if_that_is_asked() -> None:
    routing, _ = fleet({"a": able("fox"), "b": able("fox"), "c": able("fox")})
    job = queued(order(model="fox"))
    assert routing.elsewhere(job, "a", frozenset({"a"})) is None
    assert routing.lane_of(job) == COMMON_LANE
    assert routing.elsewhere(job, "a", frozenset({"a", "c"})) == "b+c"
    assert routing.lane_of(job) == "b+c"
    routing.forget(job.id)
    assert routing.lane_of(job) == COMMON_LANE


def test_lanes_of_an_earlier_life_are_believed_as_long_as_one_of_their_backends_is_there() -> None:
    routing, _ = fleet({"a": None, "b": None})
    assert routing.lane_after_restart(queued(order(), "b+gone")) == "b+gone"
    assert routing.lane_after_restart(queued(order(), "gone")) == COMMON_LANE


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (order(init_image="ab"), "No backend here has img2img."),
        (order(model="fox", loras=(Lora("ink"),)), "one lacks lora “ink”, another model “fox”"),
        (order(model="fox", hires=Hires()), "one lacks the hires fix, another model “fox”"),
        (order(workflow=Workflow("portrait")), None),
        (order(model="fox"), None),
    ],
)
def test_what_no_single_backend_can_do_is_refused_in_words(request_: PaintRequest, words: str | None) -> None:
    routing, _ = fleet(
        {
            "a": able("fox", can=frozenset()),
            "b": able("owl", loras=("ink",), can=frozenset({Feature.HIRES})),
        }
    )
    if words is None:
        routing.check(request_)
        return
    with pytest.raises(RequestError) as refused:
        routing.check(request_)
    assert words in str(refused.value)


async def test_new_lists_are_told_once_and_only_when_they_are_new() -> None:
    server = Able("a", able("fox"))
    catalogue, told = Catalogue([cast("Backend", server)]), list[int]()
    catalogue.on_change(lambda: told.append(1))
    for has in (able("fox"), replace(able("fox"), loaded_model="fox"), able("fox", "owl"), able("fox", "owl")):
        server.has = has
        await catalogue.refresh(cast("Backend", server))
    assert len(told) == 2
    assert catalogue.loaded("a") == "fox"


def test_a_paused_guilds_jobs_belong_to_a_lane_that_nobody_serves() -> None:
    routing, _ = fleet({"gpu1": able("fox"), "gpu2": able("owl")})
    job = queued(order(model="fox"), "gpu1")
    routing.paused = {job.guild}
    assert routing.lane_of(job) == routing.lane_after_restart(job) == routing.held(job.guild)
    assert routing.lane_for(job.guild + 1, order(model="fox")) == "gpu1"
    assert routing.elsewhere(job, "gpu1") is None, "nobody else has it, paused or not"
    held = replace(job, lane=routing.lane_of(job))
    assert routing.is_held(held)
    assert routing.members(held.lane) == ()
    assert not any(routing.serves(name, held.lane) for name in ("gpu1", "gpu2"))
    routing.paused = set()
    assert routing.lane_of(held) == routing.lane_after_restart(held) == "gpu1"
