import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError
from bot.domain.job import Origin
from bot.domain.limits import Limits
from bot.domain.permits import LIMITED, OPEN, Command, Permits, needed
from bot.domain.request import PaintRequest
from bot.services.authority import read, written

ADA = Asker(1, guild_id=10, roles=frozenset({10, 5}))
ROLES = st.integers(1, 6)
VALUES = st.fixed_dictionaries(
    {},
    optional={name: st.integers(1, 5000) if name != "max_cost" else st.floats(0.2, 900) for name in LIMITED},
)
LIMITS = st.dictionaries(ROLES, VALUES, max_size=5)
PLACE = st.builds(Limits, **{each.name: st.integers(1, 4000) for each in fields(Limits)})
PERMITS = st.builds(
    Permits,
    st.lists(ROLES, unique=True).map(tuple),
    st.dictionaries(st.sampled_from([*Command, "of another version"]), st.lists(ROLES).map(tuple)),
    st.dictionaries(st.text(max_size=8), st.lists(ROLES).map(tuple), max_size=3),
    LIMITS,
)


@given(LIMITS, st.frozensets(ROLES), PLACE, PLACE)
def test_the_most_generous_limit_holds_and_never_more_than_the_hosts(
    of_roles: dict[int, dict[str, float]], roles: frozenset[int], place: Limits, host: Limits
) -> None:
    place = place.within(host)
    asker = Asker(1, guild_id=10, roles=roles)
    held = Permits(limits=of_roles).granted(asker).raised(place, host)
    for each in fields(Limits):
        name, upper = each.name, getattr(host, each.name)
        theirs = [limits[name] for role, limits in of_roles.items() if role in roles and name in limits]
        assert getattr(held, name) == min(upper, max([getattr(place, name), *theirs]))
        assert getattr(place, name) <= getattr(held, name) <= upper


@given(PERMITS)
def test_what_is_kept_is_read_again_and_names_of_another_version_say_nothing(permits: Permits) -> None:
    assert read(written(permits)) == permits
    strange = replace(permits.granted(ADA), commands=(("of another version", ()),))
    strange.check(*Command)


@given(
    st.one_of(st.text(), st.none(), st.integers(), st.recursive(st.none() | st.integers() | st.text(), st.lists))
)
def test_garbage_says_nothing(kept: object) -> None:
    assert read(kept) == Permits()
    for part in ("admins", "commands", "models", "limits"):
        for written_so in (kept, {"draw": kept}, {"5": {"max_side": kept}}):
            said = read(json.dumps({part: written_so}))
            assert read(written(said)) == said
            said.granted(ADA).raised(Limits(), Limits())


@pytest.mark.parametrize(
    "kept",
    [
        '{"limits": {"5": {"max_cost": NaN}}}',
        '{"limits": {"5": {"max_side": Infinity}}}',
        '{"admins": [-1]}',
        "[]",
    ],
)
def test_numbers_that_are_none_say_nothing(kept: str) -> None:
    assert read(kept) == Permits()


def test_nothing_is_kept_from_whoever_manages_the_server_by_permission_or_by_role() -> None:
    permits = Permits().commanding("draw", 7).modelling("xl*", 7).managed_by(5)
    assert permits.granted(ADA) == OPEN
    assert permits.without(5).granted(Asker(1, guild_id=10, manages=True)) == OPEN
    assert permits.without(5).granted(Asker.nobody(10)) == OPEN
    assert permits.without(5).granted(ADA).commands == (("draw", (7,)),)
    assert not permits.manages(Asker(1, guild_id=None, roles=frozenset({5})))


def test_what_was_for_a_role_that_is_gone_stays_closed_until_it_is_opened() -> None:
    permits = Permits().commanding("draw", 7).modelling("XL*", 7).limiting(7, {"max_side": 9}).managed_by(7)
    gone = permits.without(7)
    assert gone == Permits(commands={"draw": ()}, models={"XL*": ()})
    with pytest.raises(DeniedError, match="Only those who manage this server may use /draw"):
        gone.granted(ADA).check(Command.DRAW)
    assert not gone.opened(command=["draw"], model=["xl*"])
    partly = permits.without(7, model=["xl*"])
    assert partly.models == {"XL*": ()}
    assert (partly.commands, partly.limits, partly.admins) == (permits.commands, permits.limits, permits.admins)


@pytest.mark.parametrize("origin", sorted(set(Origin) - {Origin.UPSCALE, Origin.CUTOUT, Origin.DESCRIBE}))
def test_whatever_paints_counts_as_what_does_the_same(origin: Origin) -> None:
    plain, over = (set(needed(origin, PaintRequest("a", 1, init_image=image))) for image in (None, "blob"))
    assert (Command.DRAW in plain, Command.REMIX in plain) == (True, False)
    assert Command.REMIX in over
    assert (Command.DRAW in over) is (origin is Origin.DRAW)
    assert (Command.EXPLORE in plain & over) is (origin is Origin.EXPLORE)
