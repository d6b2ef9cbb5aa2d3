"""Start-time fair queueing on two levels: guilds share a lane, users share their guild's part.

Pure integer arithmetic after Goyal, Vin and Cheng, "Start-time Fair Queuing" (1996). A lane has a clock.
Each guild is a flow of the lane, each user a flow of the guild. A queued job has a start tag and the lane is
served in the order of ``(tag, rank, id)``. All quantities but weights, ranks and ids are ticks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bot.domain.cost import W0, step

AGAIN, FRESH, COMMON = -1, 0, 1
"""Ranks among equal tags: a job to be served again, the first of an idle guild, any other."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One guild in one lane.

    ``next`` is where its next job starts on the lane's clock, ``uv`` the clock its users share it by, and
    ``users`` where each of them starts next on that clock.
    """

    next: int = 0
    uv: int = 0
    weight: int = W0
    users: Mapping[int, int] = field(default_factory=dict)

    def user_next(self, user: int) -> int:
        """Return where ``user`` starts next; whoever is not remembered starts at the users' clock."""
        return max(self.users.get(user, self.uv), self.uv)


class Waiting(NamedTuple):
    """A queued job that has not been charged yet, as its guild's plan sees it."""

    id: int
    user: int
    cost: int
    tag: int = 0
    rank: int = COMMON


def enqueue(clock: int, flow: Flow, waiting: Iterable[Waiting], user: int) -> tuple[Flow, int]:
    """Return the flow and the rank for one more job by ``user``, before it stands among ``waiting``."""
    users_waiting = {job.user for job in waiting}
    rank = COMMON
    if not users_waiting:
        rank = FRESH if flow.next <= clock else COMMON
        flow = replace(flow, next=max(flow.next, clock))
    if user not in users_waiting:
        flow = replace(flow, users={**flow.users, user: flow.user_next(user)})
    return flow, rank


def plan(flow: Flow, waiting: Iterable[Waiting]) -> dict[int, int]:
    """Return the tag of every job that waits in the guild, by id, in the guild's own order.

    Users take turns by the cost they were served; each user's jobs stay in the order they came in.
    """
    upcoming = dict(flow.users)
    turns = []
    for job in sorted(waiting, key=lambda job: job.id):
        turn = upcoming.get(job.user, flow.uv)
        turns.append((turn, job.id, job.cost))
        upcoming[job.user] = turn + step(job.cost, W0)
    tags: dict[int, int] = {}
    tag = flow.next
    for _, job_id, ticks in sorted(turns):
        tags[job_id] = tag
        tag += step(ticks, flow.weight)
    return tags


def start(clock: int, flow: Flow, waiting: Sequence[Waiting], job: Waiting, head: int) -> tuple[int, Flow]:
    """Charge ``job``, one of ``waiting``, on its first start; return the lane's clock and the flow.

    ``head`` is the lowest tag that waits in the lane. A job taken in its turn has that tag; one taken early
    because its model is loaded, or by a faster worker, is charged all the same, but the clocks follow the head:
    they never pass what waits, so that an idle guild's first job is next whatever was taken before.
    """
    turn = flow.user_next(job.user)
    users = {**flow.users, job.user: turn + step(job.cost, W0)}
    charged = replace(
        flow,
        next=flow.next + step(job.cost, flow.weight),
        uv=max(flow.uv, min(flow.user_next(other.user) for other in waiting)),
        users=users,
    )
    return max(clock, head), forget(charged, (other for other in waiting if other.id != job.id))


def refund(clock: int, flow: Flow, user: int, cost: int, unserved: float) -> Flow:
    """Give back the share of a charged job that was not served (``unserved`` 0–1), never past the clocks."""
    permille = round(min(max(unserved, 0.0), 1.0) * 1000)
    back = step(cost, flow.weight) * permille // 1000
    flow = replace(flow, next=min(flow.next, max(clock, flow.next - back)))
    if user not in flow.users:
        return flow
    turn = flow.users[user] - step(cost, W0) * permille // 1000
    return replace(flow, users={**flow.users, user: max(flow.uv, turn)})


def forget(flow: Flow, waiting: Iterable[Waiting]) -> Flow:
    """Drop the users who have nothing queued and are not ahead of the others, which changes no tag."""
    users_waiting = {job.user for job in waiting}
    kept = {user: turn for user, turn in flow.users.items() if turn > flow.uv or user in users_waiting}
    return replace(flow, users=kept)
