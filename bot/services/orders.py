"""Taking orders: from what a person typed or pressed to a queued job, and back out of the queue."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.domain.errors import DeniedError, GoneError, RequestError
from bot.domain.job import Address, InteractionToken, Job, JobSpec, NewJob, Origin, State
from bot.domain.options import Options
from bot.domain.ports import Announcer
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.catalogue import Catalogue
from bot.services.preferences import Preferences
from bot.services.routing import Routing

STANDARD_WEIGHT = 100
PREMIUM_WEIGHT = 300
PENDING_IMAGE = "pending"
"""Stands for a source picture that is fetched only after the answer."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where: ``guild_id`` is ``None`` in direct messages and where only a person brought the bot.

    ``moderates`` and ``moderates_server`` say whether they have Manage Messages in that channel and in all of the
    server, ``manages`` whether they have Manage Server;
    ``max_file_bytes`` is what the place takes in one file.
    """

    user_id: int
    guild_id: int | None = None
    channel_id: int | None = None
    moderates: bool = False
    moderates_server: bool = False
    manages: bool = False
    locale: str = "en"
    guild_locale: str | None = None
    max_file_bytes: int = 10 * 1024 * 1024

    @property
    def payer(self) -> int:
        """The guild of the fair queue: in direct messages the person is the guild."""
        return self.guild_id or self.user_id


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that passed every check that needs no network.

    ``free_side``: the longest side in px that a source picture may give it; 0 where the size was asked for.
    """

    asker: Asker
    spec: JobSpec
    free_side: int = 0

    def with_image(self, blob: str, width: int, height: int) -> "Draft":
        """Return the draft with its source picture (``width``×``height`` px) in place.

        With a free size the picture keeps its ratio at the pixel count of the default size.
        """
        request = replace(self.spec.request, init_image=blob)
        if self.free_side:
            scale = (request.width * request.height / (width * height)) ** 0.5
            longest = self.free_side // 64 * 64
            sides = (min(longest, max(64, round(side * scale / 64) * 64)) for side in (width, height))
            request = replace(request, **dict(zip(("width", "height"), sides, strict=True)))
        return replace(self, spec=replace(self.spec, request=request))


class Orders:
    """Checks orders, queues them, and cancels them for those who may."""

    def __init__(
        self,
        jobs: Jobs,
        catalogue: Catalogue,
        routing: Routing,
        preferences: Preferences,
        *,
        announcer: Announcer,
        draw_seed: Callable[[], int],
        premium_guilds: frozenset[int] = frozenset(),
    ) -> None:
        self._jobs = jobs
        self._catalogue = catalogue
        self._routing = routing
        self._preferences = preferences
        self._announcer = announcer
        self._draw_seed = draw_seed
        self._premium_guilds = premium_guilds

    async def draft(
        self,
        asker: Asker,
        prompt: str,
        typed: Options,
        *,
        origin: Origin = Origin.DRAW,
        parent: Job | None = None,
        init_image: str | None = None,
    ) -> Draft:
        """Return the order that ``typed`` makes over the defaults of the person, the server and the host.

        ``init_image`` is a blob, or ``PENDING_IMAGE``. Raises ``RequestError`` in words for what is out of
        bounds or unknown. A spoiler, once set, stays on everything made from that picture.
        """
        effective = await self._preferences.effective(asker.guild_id, asker.user_id)
        options = typed.over(effective.options)
        self._catalogue.check(typed)
        request = options.request(prompt.strip(), seed=self._draw_seed(), init_image=init_image)
        effective.limits.check(request)
        self._routing.check(request)
        await self._jobs.check_room(asker.payer, asker.user_id, effective.limits)
        spec = JobSpec(
            request=request,
            origin=origin,
            parent=parent.id if parent else None,
            spoiler=bool(options.spoiler) or (parent is not None and parent.spec.spoiler),
            locale=effective.language or asker.locale,
            ping=effective.ping,
            max_file_bytes=asker.max_file_bytes,
        )
        free_size = typed.shape is None and typed.width is None and typed.height is None
        return Draft(asker, spec, free_side=effective.limits.max_side if free_size else 0)

    async def again(self, asker: Asker, parent: Job, *, same_seed: bool = False, scale: float = 1.0) -> Draft:
        """Return an order for the same as ``parent`` with a new seed, at ``scale`` times its size."""
        effective = await self._preferences.effective(asker.guild_id, asker.user_id)
        request = parent.spec.request
        sides = (max(64, int(side * scale) // 64 * 64) for side in (request.width, request.height))
        width, height = (request.width, request.height) if scale == 1.0 else sides
        seed = request.seed if same_seed else self._draw_seed()
        request = replace(request, seed=seed, width=width, height=height)
        effective.limits.check(request)
        self._routing.check(request)
        await self._jobs.check_room(asker.payer, asker.user_id, effective.limits)
        spec = replace(
            parent.spec,
            request=request,
            origin=Origin.REROLL,
            parent=parent.id,
            locale=effective.language or asker.locale,
            ping=effective.ping,
            max_file_bytes=asker.max_file_bytes,
        )
        return Draft(asker, spec)

    async def queue(
        self,
        draft: Draft,
        *,
        key: str,
        address: Address,
        token: InteractionToken | None = None,
        intake: int | None = None,
    ) -> Job:
        """Put the order in the queue, durably, and return its job; the same ``key`` gives the same job.

        Raises ``BusyError`` where too many wait already.
        """
        asker = draft.asker
        effective = await self._preferences.effective(asker.guild_id, asker.user_id)
        lane = self._routing.lane(draft.spec.order)
        new = NewJob(key, asker.payer, asker.user_id, draft.spec, address, token, lane)
        weight = PREMIUM_WEIGHT if asker.guild_id in self._premium_guilds else STANDARD_WEIGHT
        job = await self._jobs.enqueue(new, limits=effective.limits, weight=weight, intake=intake)
        self._announcer.changed(job)
        return job

    async def cancel(self, job_id: int, asker: Asker) -> Job:
        """Cancel a job for its owner or a moderator; raises a ``BotError`` that says why not."""
        job = await self.owned(job_id, asker)
        cancelled = await self._jobs.cancel(job.id, by=asker.user_id)
        if cancelled is None:
            raise RequestError(N_("It is finished already."), N_("Delete takes the picture away."))
        self._announcer.changed(cancelled)
        return cancelled

    async def withdraw(self, message_id: int) -> None:
        """Cancel the job whose message somebody deleted: nobody waits for it any more."""
        job = await self._jobs.by_message(message_id)
        if job is not None and not job.state.ended:
            cancelled = await self._jobs.cancel(job.id, by=None)
            if cancelled is not None:
                self._announcer.changed(cancelled)

    async def clear(self, asker: Asker) -> int:
        """Cancel every waiting job of a server for a moderator and return how many there were."""
        if not asker.moderates_server or asker.guild_id is None:
            raise DeniedError(
                N_("Only members with Manage Messages may clear the queue."),
                N_("Ask a moderator, or cancel your own jobs."),
            )
        waiting = await self._jobs.waiting(guild=asker.guild_id)
        cleared = [job for job in waiting if job.state is State.QUEUED]
        count = 0
        for job in cleared:
            cancelled = await self._jobs.cancel(job.id, by=asker.user_id)
            if cancelled is not None:
                self._announcer.changed(cancelled)
                count += 1
        return count

    async def owned(self, job_id: int, asker: Asker) -> Job:
        """Return a job that ``asker`` may cancel or delete; raises ``DeniedError`` or ``GoneError``."""
        job = await self.seen(job_id, asker)
        here = asker.moderates and job.address.channel_id == asker.channel_id
        if asker.user_id != job.user and not here and not asker.moderates_server:
            raise DeniedError(
                N_("This picture is not yours."),
                N_("Only the asker and members with Manage Messages may cancel or delete it."),
            )
        return job

    async def seen(self, job_id: int, asker: Asker) -> Job:
        """Return a job of this server or channel, or this person's own; raises ``GoneError`` otherwise."""
        job = await self._jobs.get(job_id)
        here = {asker.user_id, asker.payer, asker.channel_id}
        if job is None or here.isdisjoint({job.user, job.guild, job.address.channel_id}):
            raise GoneError(
                N_("What this belongs to is no longer kept."),
                N_("Use the command again: /draw"),
            )
        return job
