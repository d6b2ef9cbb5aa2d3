"""A job: an accepted order on its way to one message."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from bot.domain.errors import Failure
from bot.domain.quotas import Spender
from bot.domain.request import Order, PaintRequest, Work

COMMON_LANE = "default"
"""The lane of jobs that every backend can do."""


class State(StrEnum):
    """The life of a job; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    PAINTED = "painted"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will be painted or changed."""
        return self in {State.DELIVERED, State.FAILED, State.CANCELLED}


class Origin(StrEnum):
    """What a person did to get the job."""

    DRAW = "draw"
    REMIX = "remix"
    REROLL = "reroll"
    EDIT = "edit"
    VARY = "vary"
    UPSCALE = "upscale"
    CUTOUT = "cutout"
    DESCRIBE = "describe"
    EXPLORE = "explore"


class Ping(StrEnum):
    """How a person is told after a long wait."""

    OFF = "off"
    MENTION = "mention"
    DM = "dm"


class Batch(StrEnum):
    """How several pictures of one job are shown."""

    GRID = "grid"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a job's message lives.

    ``message_id`` is ``None`` until the message exists; ``reply_to`` is the message a new one answers.
    ``reachable``: the bot is in that place and may use the channel's own routes (not so in a user-install).
    """

    channel_id: int
    message_id: int | None = None
    guild_id: int | None = None
    reply_to: int | None = None
    ephemeral: bool = False
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class InteractionToken:
    """An interaction's token: good for 15 minutes, never logged (Discord docs, Receiving and Responding)."""

    value: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A place in a grid that several jobs paint together: one message for all of them, one picture at the end.

    ``key`` begins the keys of all its jobs; ``index`` counts the cells from 0, row by row. ``across`` and ``down``
    name the two parameters, ``columns`` and ``rows`` are their values as people read them.
    """

    key: str
    index: int
    across: str
    columns: tuple[str, ...]
    down: str = ""
    rows: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """All that is needed to paint a job, show it and do it again.

    ``request`` is what paints the picture. Where ``work`` on a finished picture is ordered, it is what painted
    that one, with no prompt if nobody knows. ``parent`` is the job it was made from, ``parent_picture`` which of
    its pictures, from 1. ``template`` is the prompt as it was typed, where wildcards were filled in.
    ``reworded``: the server's rules changed its words. ``trusted``: its asker had the role whose results this
    server's moderators need not see first. ``locale`` is that of the public text, chosen when the job
    was accepted; ``max_file_bytes`` is what the place takes in one file. ``adult``: it may be an adult picture,
    so only places that may have those show it; ``thread_of`` is the channel that the
    thread of its message belongs to.
    """

    request: PaintRequest
    origin: Origin = Origin.DRAW
    parent: int | None = None
    work: Work | None = None
    parent_picture: int | None = None
    template: str | None = None
    reworded: bool = False
    sheet: Sheet | None = None
    spoiler: bool = False
    locale: str = "en"
    ping: Ping = Ping.MENTION
    max_file_bytes: int = 10 * 1024 * 1024
    adult: bool = False
    thread_of: int | None = None
    trusted: bool = False

    @property
    def order(self) -> Order:
        """What a backend is asked for."""
        return self.work or self.request


@dataclass(frozen=True, slots=True)
class Picture:
    """One painted original in the blob store: sizes in px, ``blob`` its hash."""

    blob: str
    media_type: str
    width: int
    height: int
    seed: int
    infotext: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a backend made of a job: ``seconds`` is its own painting time.

    ``notes`` are marked texts on what came out other than asked; ``caption`` is what a description came to.
    """

    pictures: tuple[Picture, ...]
    backend: str
    seconds: float
    model: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    notes: tuple[str, ...] = ()
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job about to be queued. ``key`` says where it came from and is unique: a second one is the first.

    ``channel`` is the one whose quota it takes, ``None`` that of its message.
    """

    key: str
    guild: int
    user: int
    spec: JobSpec
    address: Address
    token: InteractionToken | None = None
    lane: str = COMMON_LANE
    channel: int | None = None

    @property
    def spender(self) -> Spender:
        """On whose account it goes."""
        return Spender(self.guild, self.user, self.address.channel_id if self.channel is None else self.channel)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now: the row, read.

    ``guild`` is the one that pays in the fair queue (a person's own id in direct messages); times are unix
    seconds; ``cost`` and ``tag`` are ticks, the tag that it was queued with or, once it ran, taken with;
    ``attempt`` counts starts and fences out stale workers; ``crashes`` counts process deaths while it ran;
    ``told_at`` is when its message got the last word; ``speaker`` is the process that may speak in its message.
    """

    id: int
    key: str
    lane: str
    guild: int
    user: int
    state: State
    spec: JobSpec
    address: Address
    token: InteractionToken | None
    cost: int
    tag: int
    attempt: int
    crashes: int
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    told_at: float | None = None
    pinged_at: float | None = None
    result: Result | None = None
    failure: Failure | None = None
    cancelled_by: int | None = None
    backend: str | None = None
    task: str | None = None
    speaker: int = 0

    @classmethod
    def queued(cls, new: NewJob, job_id: int, *, cost: int, tag: int, now: float, speaker: int) -> Self:
        """Return the job that ``new`` is once it is queued ``now``."""
        return cls(
            id=job_id,
            key=new.key,
            lane=new.lane,
            guild=new.guild,
            user=new.user,
            state=State.QUEUED,
            spec=new.spec,
            address=new.address,
            token=new.token,
            cost=cost,
            tag=tag,
            attempt=0,
            crashes=0,
            created_at=now,
            speaker=speaker,
        )


def task_of(job: int, attempt: int) -> str:
    """Return our own id for one attempt at a job."""
    return f"{job}-{attempt}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to finish one attempt of a job."""

    job: Job
    attempt: int

    @property
    def task(self) -> str:
        """Our own id for this attempt, as the backend is told it."""
        return task_of(self.job.id, self.attempt)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in line: jobs and ticks ahead, and about how many seconds (``None``: not measured yet)."""

    ahead: int
    cost_ahead: int
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """An interaction that was seen but whose job is not queued yet; a restart finds the orphans.

    ``reply_locale`` is that of the words an orphan gets.
    """

    interaction_id: int
    application_id: int
    token: InteractionToken
    reply_locale: str = "en"
