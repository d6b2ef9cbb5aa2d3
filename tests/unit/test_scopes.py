"""Host, server, channel, person: whose word holds, and that nobody goes beyond who stands above."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.asker import Asker
from bot.domain.errors import BotError, DeniedError, LimitError, RequestError
from bot.domain.job import Address, Job, JobSpec, State
from bot.domain.limits import Limits
from bot.domain.options import Options
from bot.domain.request import PaintRequest
from bot.domain.rules import Rules
from bot.services.authority import Authority
from bot.services.preferences import LIMIT_NAMES, Effective, Preferences, Scope

GUILD, CHANNEL, THREAD, ADA = 1, 2, 3, 4
HERE, IN_THREAD = Asker(ADA, GUILD, CHANNEL), Asker(ADA, GUILD, THREAD, parent_id=CHANNEL)
ELSEWHERE = Asker(ADA, GUILD, 9)
HOST = Limits(max_steps=60, max_side=1024, max_count=4, max_queued_user=20, max_cost=50.0)
USUAL = Options(width=512, height=512, count=1, steps=25, cfg_scale=7.0)


class Shelf:
    """A store in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], tuple[int | None, Mapping[str, object]]] = {}

    async def load(self, scope: str, owner: int) -> Mapping[str, object]:
        return self.rows.get((scope, owner), (None, {}))[1]

    async def save(
        self, scope: str, owner: int, values: Mapping[str, object], guild_id: int | None = None
    ) -> None:
        self.rows[scope, owner] = (guild_id, values)

    async def alter(self, scope: str, owner: int, changes: Mapping[str, object]) -> Mapping[str, object]:
        await self.save(scope, owner, {**await self.load(scope, owner), **changes})
        return await self.load(scope, owner)

    async def save_all(self, guild_id: int, changed: Mapping[tuple[str, int], Mapping[str, object]]) -> None:
        for (scope, owner), values in changed.items():
            await self.save(scope, owner, values, guild_id)

    async def channels(self, guild_id: int) -> Mapping[int, Mapping[str, object]]:
        found = ((owner, row) for (scope, owner), row in self.rows.items() if scope == "channel")
        return {owner: values for owner, (guild, values) in found if guild == guild_id}


def preferences(shelf: Shelf | None = None, limits: Limits = HOST) -> Preferences:
    shelf = shelf or Shelf()
    return Preferences(shelf, Authority(shelf), defaults=USUAL, limits=limits)


async def holding(
    of: Preferences, server: Mapping[str, Any], channel: Mapping[str, Any], person: Mapping[str, Any] | None = None
) -> Effective:
    await of.set(Scope.SERVER, GUILD, **server)
    await of.set_in_channel(GUILD, CHANNEL, **channel)
    await of.set(Scope.PERSON, ADA, **(person or {}))
    return await of.effective(HERE)


def laid(
    server: Mapping[str, Any], channel: Mapping[str, Any], person: Mapping[str, Any] | None = None
) -> Effective:
    return asyncio.run(holding(preferences(), server, channel, person))


def test_each_layer_lies_over_the_one_below_and_each_value_knows_whose_it_is() -> None:
    found = laid(
        {"steps": 20, "count": 2, "language": "de", "accent": "#111111", "reactions": False},
        {"steps": 10, "model": "ink", "accent": "#222222", "reactions": True, "batch": "single"},
        {"steps": 5, "ping": "off"},
    )
    options = found.options
    assert (options.steps, options.count, options.model, options.cfg_scale) == (5, 2, "ink", 7.0)
    assert (found.language, found.accent, found.reactions, found.batch, found.ping) == (
        "de",
        "#222222",
        True,
        "single",
        "off",
    )
    wanted = {"steps": "person", "count": "server", "model": "channel", "cfg_scale": "host", "accent": "channel"}
    assert {name: found.sources[name] for name in wanted} == wanted


async def test_a_thread_has_what_its_channel_has_and_no_other_channel_has_it() -> None:
    of = preferences()
    await of.set_in_channel(GUILD, CHANNEL, steps=9, max_steps=10)
    for asker, steps in ((HERE, 9), (IN_THREAD, 9), (ELSEWHERE, 25), (Asker(ADA), 25), (Asker.nobody(GUILD), 25)):
        assert (await of.effective(asker)).options.steps == steps, asker
    assert (await of.effective(IN_THREAD)).limits.max_steps == 10
    assert (await of.effective(ELSEWHERE)).limits.max_steps == 60


def test_a_limit_is_the_lowest_of_all_and_its_source_is_whose_that_is() -> None:
    found = laid({"max_steps": 30, "max_count": 3}, {"max_steps": 10, "max_side": 512})
    assert (found.limits.max_steps, found.limits.max_count, found.limits.max_side) == (10, 3, 512)
    wanted = {"max_steps": "channel", "max_count": "server", "max_side": "channel", "max_cost": "host"}
    assert {name: found.sources[name] for name in wanted} == wanted
    assert found.options.steps == 10, "a default that a limit has overtaken is cut to it"


async def test_a_channels_limit_is_refused_above_the_servers_and_gives_way_once_that_is_lower() -> None:
    of = preferences()
    await of.set(Scope.SERVER, GUILD, max_steps=30)
    with pytest.raises(LimitError, match="between 1 and 30"):
        await of.set_in_channel(GUILD, CHANNEL, max_steps=31)
    await of.set_in_channel(GUILD, CHANNEL, max_steps=30)
    await of.set(Scope.SERVER, GUILD, max_steps=20)
    found = await of.effective(HERE)
    assert (found.limits.max_steps, found.sources["max_steps"]) == (20, Scope.SERVER)
    await of.set_in_channel(GUILD, CHANNEL, count=2)
    await of.set(Scope.SERVER, GUILD, max_steps=None)
    assert (await of.effective(HERE)).limits.max_steps == 30


VALUES = {
    **dict.fromkeys(LIMIT_NAMES, st.integers(1, 70)),
    "max_side": st.integers(64, 2000),
    "steps": st.integers(1, 60),
    "count": st.integers(1, 4),
    "width": st.integers(64, 1024),
}
SET = st.fixed_dictionaries({}, optional=VALUES)


@given(SET, SET, st.fixed_dictionaries({}, optional={name: VALUES[name] for name in ("steps", "count", "width")}))
def test_nothing_that_is_set_anywhere_goes_beyond_host_or_server(
    server: dict[str, Any], channel: dict[str, Any], person: dict[str, Any]
) -> None:
    async def set_whatever_may_be(of: Preferences) -> tuple[Effective, Effective]:
        for name, value in channel.items():
            await _tried(of.set_in_channel(GUILD, CHANNEL, **{name: value}))
        for name, value in server.items():
            await _tried(of.set(Scope.SERVER, GUILD, **{name: value}))
        for name, value in person.items():
            await _tried(of.set(Scope.PERSON, ADA, **{name: value}))
        return await of.effective(HERE), await of.effective(Asker.nobody(GUILD))

    here, everywhere = asyncio.run(set_whatever_may_be(preferences()))
    for field in fields(Limits):
        values = [getattr(limits, field.name) for limits in (here.limits, everywhere.limits, HOST)]
        assert values == sorted(values), field.name
    here.limits.check(here.options.request("a plain command is never refused", seed=0))


async def _tried(setting: Any) -> None:
    try:
        await setting
    except BotError:
        return


def test_server_and_channel_both_have_to_allow_a_model() -> None:
    found = laid(
        {"models_allowed": "ink*\npen", "models_denied": "ink-old"},
        {"models_denied": "ink-new", "model": "ink-new"},
    )
    allowed = [name for name in ("ink", "ink-old", "ink-new", "pen", "oil") if found.rules.allows(name)]
    assert allowed == ["ink", "pen"]
    assert found.rules.among(("ink-new", "pen")) == ("pen",)
    assert found.options.model is None, "a default that is not allowed is none"
    only = laid({}, {"models_allowed": "pen"}).rules
    assert not only.allows("ink")
    assert only.settled(PaintRequest("a fox", 1), ("ink", "pen")).model == "pen"
    with pytest.raises(DeniedError, match="This channel does not allow"):
        found.rules.check("ink-new")
    with pytest.raises(DeniedError, match="This server does not allow"):
        found.rules.check("oil")


async def test_what_belongs_to_servers_alone_cannot_be_set_for_a_channel() -> None:
    of = preferences()
    for name, value in (("emoji_reroll", "🎲"), ("show_backend", True), ("words", "{}")):
        with pytest.raises(RequestError, match="cannot be set here"):
            await of.set_in_channel(GUILD, CHANNEL, **{name: value})
    with pytest.raises(RequestError, match="nothing for ping"):
        await of.set(Scope.PERSON, ADA, ping="often")


async def test_all_is_replaced_at_once_and_a_deleted_channel_or_server_is_forgotten() -> None:
    shelf = Shelf()
    of = preferences(shelf)
    await of.set_in_channel(GUILD, CHANNEL, steps=9)
    await of.set_in_channel(GUILD, 8, steps=8)
    await of.replace(GUILD, {"steps": 7}, {9: {"steps": 6}})
    for asker, steps in ((HERE, 7), (ELSEWHERE, 6), (Asker(ADA, GUILD, 8), 7)):
        assert (await of.effective(asker)).options.steps == steps
        assert (await preferences(shelf).effective(asker)).options.steps == steps, "as it is read after a restart"
    await of.drop_channel(9)
    assert (await of.effective(ELSEWHERE)).options.steps == 7
    await of.set_in_channel(GUILD, CHANNEL, steps=9)
    assert (await of.effective(HERE)).options.steps == 9
    shelf.rows.clear()
    of.forget(Scope.SERVER, GUILD)
    assert (await of.effective(HERE)).options.steps == 25


async def test_once_the_host_allows_less_only_what_is_set_anew_is_held_to_it() -> None:
    shelf = Shelf()
    of = preferences(shelf)
    await of.set(Scope.SERVER, GUILD, steps=50, max_steps=50, width=1024, height=1024, count=4)
    await of.set_in_channel(GUILD, CHANNEL, steps=50, max_steps=50)
    host = replace(HOST, max_steps=20, max_side=512, max_pixels=512 * 256, max_count=2)
    of = preferences(shelf, host)
    await of.set(Scope.SERVER, GUILD, ping="off", sampler="euler", max_count=1)
    await of.set_in_channel(GUILD, CHANNEL, reactions=False, count=1)
    found = await of.effective(HERE)
    assert found.limits.max_steps == 20
    found.limits.check(found.options.request("a plain command is never refused", seed=0))
    with pytest.raises(LimitError, match="steps 21"):
        await of.set(Scope.SERVER, GUILD, steps=21)
    await of.set(Scope.SERVER, GUILD, steps=None, width=None)
    assert (await of.values(Scope.SERVER, GUILD))["height"] == 1024
    with pytest.raises(LimitError, match="max_steps 50"):
        of.checked(await of.values(Scope.SERVER, GUILD))


async def test_no_change_made_of_what_was_there_undoes_another_made_meanwhile() -> None:
    of = preferences()

    async def lengthened(kept: Mapping[str, object]) -> Mapping[str, object]:
        await asyncio.sleep(0)
        return {"models_denied": f"{kept.get('models_denied', '')}x"}

    told = await asyncio.gather(*(of.change(Scope.SERVER, GUILD, lengthened) for _ in range(5)))
    assert (await of.values(Scope.SERVER, GUILD))["models_denied"] == "xxxxx"
    assert told[1] == ({"models_denied": "x"}, {"models_denied": "xx"})


async def test_channels_that_are_no_more_lose_what_they_set() -> None:
    shelf = Shelf()
    of = preferences(shelf)
    for channel in (CHANNEL, 8):
        await of.set_in_channel(GUILD, channel, steps=9)
    await of.set_in_channel(GUILD + 1, 10, steps=9)
    await of.keep_channels(GUILD, {CHANNEL, 9})
    assert await preferences(shelf).channels(GUILD) == {CHANNEL: {"steps": 9}}
    assert await preferences(shelf).channels(GUILD + 1) == {10: {"steps": 9}}


def test_a_job_remembers_whose_thread_it_was_asked_for_in() -> None:
    spec = JobSpec(PaintRequest("a fox", 1), thread_of=CHANNEL)
    job = Job(1, "k", "l", GUILD, ADA, State.DELIVERED, spec, Address(THREAD, 5, GUILD), None, 1, 1, 1, 0, 0.0)
    assert Asker.of(job).main_channel_id == CHANNEL
    assert Asker.of(replace(job, spec=replace(spec, thread_of=None))).main_channel_id == THREAD
    assert Asker.of(replace(job, address=replace(job.address, reachable=False))).guild_id is None


def test_rules_of_a_channel_say_nothing_where_neither_does() -> None:
    assert Rules(upper=Rules()).are_none
    assert not Rules(upper=Rules(denied=("ink",))).are_none
