"""Periods by UTC's calendar, and which quotas hold for whom."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.quotas import DAY_S, Allowance, Period, Quota, Scope, allowances

TIMES = st.floats(0, 4e9)
QUOTAS = st.lists(
    st.builds(
        Quota,
        scope=st.sampled_from(Scope),
        period=st.sampled_from(Period),
        seconds=st.integers(1, 1000),
        about=st.integers(1, 3),
    ),
    max_size=12,
)
ROLES = st.frozensets(st.integers(1, 3))


@given(TIMES, st.sampled_from(Period))
def test_now_lies_in_its_period_and_the_next_begins_where_it_ends(now: float, period: Period) -> None:
    begins, renews = period.first_day(now) * DAY_S, period.renews_at(now)
    assert begins <= now < renews
    assert period.first_day(renews) * DAY_S == renews
    assert period.first_day(renews - 1) * DAY_S == begins
    assert renews % DAY_S == 0


def test_a_month_is_that_of_the_calendar_in_utc() -> None:
    now = datetime(2028, 2, 29, 23, 59, tzinfo=UTC).timestamp()
    assert Period.MONTH.first_day(now) * DAY_S == datetime(2028, 2, 1, tzinfo=UTC).timestamp()
    assert Period.MONTH.renews_at(now) == Period.DAY.renews_at(now) == now + 60
    december = datetime(2027, 12, 5, tzinfo=UTC).timestamp()
    assert Period.MONTH.renews_at(december) == datetime(2028, 1, 1, tzinfo=UTC).timestamp()


@given(QUOTAS, ROLES, st.integers(1, 3))
def test_the_most_generous_role_stands_in_for_each_persons_own(
    quotas: list[Quota], roles: frozenset[int], channel: int
) -> None:
    found = [each for each in allowances(quotas, roles, channel) if each.scope is Scope.PERSON]
    assert len({each.period for each in found}) == len(found)
    for period in Period:
        mine = [q.seconds for q in quotas if (q.scope, q.period) == (Scope.ROLE, period) and q.about in roles]
        usual = [q.seconds for q in quotas if (q.scope, q.period) == (Scope.PERSON, period)]
        held = [each.seconds for each in found if each.period is period]
        assert held == ([max(mine)] if mine else usual[:1])


@given(QUOTAS, ROLES, st.integers(1, 3))
def test_a_channels_and_the_servers_hold_beside_a_persons(
    quotas: list[Quota], roles: frozenset[int], channel: int
) -> None:
    found = list(allowances(quotas, roles, channel))
    for quota in quotas:
        if quota.scope is Scope.SERVER or (quota.scope is Scope.CHANNEL and quota.about == channel):
            assert Allowance(quota.scope, quota.period, quota.seconds) in found
    assert not any(each.scope is Scope.ROLE for each in found)
