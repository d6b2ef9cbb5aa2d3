"""Quotas: how many seconds of painting people, channels and servers have in a day and in a month, by UTC."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

DAY_S = 86400


class Scope(StrEnum):
    """Whom a quota is for: ``PERSON`` is each person who has no role with one."""

    PERSON = "person"
    ROLE = "role"
    CHANNEL = "channel"
    SERVER = "server"


class Period(StrEnum):
    """How long a quota lasts; both begin at midnight UTC."""

    DAY = "day"
    MONTH = "month"

    def first_day(self, now: float) -> int:
        """Return the first day of the period that unix time ``now`` lies in, in days since 1970."""
        today = int(now // DAY_S)
        return today if self is Period.DAY else today - datetime.fromtimestamp(now, UTC).day + 1

    def renews_at(self, now: float) -> int:
        """Return the unix time at which the next period begins."""
        first = datetime.fromtimestamp(self.first_day(now) * DAY_S, UTC)
        if self is Period.DAY:
            return int((first + timedelta(days=1)).timestamp())
        return int((first + timedelta(days=32)).replace(day=1).timestamp())


@dataclass(frozen=True, slots=True)
class Quota:
    """What a server or the host sets: ``about`` is the id of the role or channel, 0 where it is for all."""

    scope: Scope
    period: Period
    seconds: int
    about: int = 0


@dataclass(frozen=True, slots=True)
class Spender:
    """On whose account an order goes: ``guild`` is that of the fair queue, ``channel`` the one above a thread."""

    guild: int
    user: int
    channel: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one order is held to; ``everywhere``: it counts what the person has painted in all places.

    ``scope`` says whose painting counts, and is never ``ROLE``.
    """

    scope: Scope
    period: Period
    seconds: int
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """How much of an allowance is gone: painted, and set aside for what waits or is painted; in seconds."""

    allowance: Allowance
    painted_s: float
    reserved_s: float
    renews_at: int

    @property
    def left_s(self) -> float:
        """What is left, never below 0."""
        return max(0.0, self.allowance.seconds - self.painted_s - self.reserved_s)


def allowances(quotas: Iterable[Quota], roles: Collection[int], channel: int) -> Iterator[Allowance]:
    """Return what holds for somebody with these ``roles`` in a channel.

    The most generous quota of their roles replaces what each person has; of several for a channel or the server
    in one period there is one each.
    """
    own: dict[Period, Quota] = {}
    for quota in quotas:
        match quota.scope:
            case Scope.PERSON:
                own.setdefault(quota.period, quota)
            case Scope.ROLE if quota.about in roles:
                known = own.get(quota.period)
                if known is None or known.scope is Scope.PERSON or known.seconds < quota.seconds:
                    own[quota.period] = quota
            case Scope.CHANNEL if quota.about == channel:
                yield Allowance(Scope.CHANNEL, quota.period, quota.seconds)
            case Scope.SERVER:
                yield Allowance(Scope.SERVER, quota.period, quota.seconds)
            case _:
                pass
    for period, quota in own.items():
        yield Allowance(Scope.PERSON, period, quota.seconds)
