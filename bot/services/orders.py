"""Taking orders: from what a person typed or pressed to a queued job."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bot.domain.asker import Asker
from bot.domain.capability import Feature, Listing
from bot.domain.errors import GoneError
from bot.domain.job import Address, InteractionToken, Job, JobSpec, NewJob, Origin
from bot.domain.options import Options
from bot.domain.pending import Pending
from bot.domain.permits import Command, needed
from bot.domain.ports import Announcer
from bot.domain.request import DescribeRequest, PaintRequest, Work
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services import variations, work_orders
from bot.services.access import Access, is_private
from bot.services.adult import AdultRule
from bot.services.allowing import Allowing
from bot.services.catalogue import Catalogue
from bot.services.drafts import Draft
from bot.services.layers import Layers, Shelf, check_pictures
from bot.services.preferences import Effective, Preferences, Scope
from bot.services.presets import brought, without_admins_own
from bot.services.reviewing import Reviewing
from bot.services.routing import Routing
from bot.services.wording import Wording, differ

STANDARD_WEIGHT = 100
PREMIUM_WEIGHT = 300


class Orders:
    """Checks orders and queues them."""

    def __init__(
        self,
        jobs: Jobs,
        access: Access,
        catalogue: Catalogue,
        routing: Routing,
        preferences: Preferences,
        shelf: Shelf,
        wording: Wording,
        adult: AdultRule,
        allowing: Allowing,
        reviewing: Reviewing,
        *,
        announcer: Announcer,
        draw_seed: Callable[[], int],
        premium_guilds: frozenset[int] = frozenset(),
    ) -> None:
        self._jobs = jobs
        self._access = access
        self._catalogue = catalogue
        self._routing = routing
        self._preferences = preferences
        self._wording = wording
        self._adult = adult
        self._allowing = allowing
        self._reviewing = reviewing
        self._layers = Layers(catalogue, shelf)
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
        preset: str | None = None,
        like: Job | None = None,
        private: bool = False,
    ) -> Draft:
        """Return the order that ``typed`` makes over the job ``like`` it, a preset and the defaults here.

        ``init_image`` is a blob, or ``Pending``. Raises ``RequestError`` in words for what is out of
        bounds or unknown. A spoiler, once set, stays on everything made from that picture.
        """
        basis = [job for job in (parent, like) if job is not None]
        for job in basis:
            await self._access.check_follows(asker, job)
        like = like and brought(like, asker.payer)
        if parent is not None and parent.guild != asker.payer:
            typed = without_admins_own(typed)
        effective = await self._preferences.effective(asker)
        laid = await self._layers.lay(asker, effective, prompt, typed, preset=preset, like=like)
        seed = self._draw_seed() if laid.options.seed is None else laid.options.seed
        drawn = await self._layers.worded(asker, laid.template, seed)
        source = init_image or (like.spec.request.init_image if like is not None else None)
        request = laid.options.request(drawn.words, seed=seed, init_image=source)
        check_pictures(typed, request)
        said = request
        request, adult = await self._held(asker, effective, origin, request, laid.template, basis)
        private = private or any(map(is_private, basis))
        spec = JobSpec(
            request=request,
            origin=origin,
            parent=parent.id if parent else None,
            template=None if drawn.words == laid.template else laid.template,
            reworded=differ(said, request),
            spoiler=bool(laid.options.spoiler) or any(job.spec.spoiler for job in basis),
            adult=adult or any(job.spec.adult for job in basis),
            locale=_locale(effective, asker, private=private),
            ping=effective.ping,
            max_file_bytes=asker.max_file_bytes,
            thread_of=asker.parent_id,
        )
        warnings = self._layers.warnings(request, laid.template, drawn, meant_in=basis)
        return Draft(asker, spec, effective.limits, laid.free_size, private=private, warnings=warnings)

    async def usual_size(self, asker: Asker, model: str | None) -> tuple[int, int]:
        """Return the width and height in px of a picture by ``model`` (``None``: the usual one) if nobody says."""
        effective = await self._preferences.effective(asker)
        options = self._layers.sized(effective, model)
        return options.width or 512, options.height or 512

    async def again(self, asker: Asker, parent: Job, *, same_seed: bool = False, scale: float = 1.0) -> Draft:
        """Return an order for the same as ``parent`` with a new seed, at ``scale`` times its size.

        Of work on a picture that is done, the picture is painted anew; what ended without a result is done again.
        """
        if parent.spec.work is not None and parent.result is None:
            return await self._work_again(asker, parent, scale)
        request = brought(parent, asker.payer).spec.request
        sides = (max(64, int(side * scale) // 64 * 64) for side in (request.width, request.height))
        width, height = (request.width, request.height) if scale == 1.0 else sides
        seed = request.seed if same_seed else self._draw_seed()
        request = replace(request, seed=seed, width=width, height=height)
        if parent.spec.template is not None and not same_seed:
            drawn = await self._layers.worded(asker, parent.spec.template, seed)
            request = replace(request, prompt=drawn.words)
        return await self._derived(asker, parent, request, Origin.REROLL)

    async def vary(self, asker: Asker, parent: Job, number: int, *, blob: str | None) -> Draft:
        """Return an order for a picture like ``parent``'s picture ``number`` (from 1), its ``blob`` if at hand.

        Raises what ``variations.recipes`` does, and ``RequestError`` if no backend can do it.
        """
        effective = await self._preferences.effective(asker)
        ways = variations.recipes(
            brought(parent, asker.payer), number, self._draw_seed(), effective.limits, blob=blob
        )
        request = self._routing.first_able(list(ways))
        if request is None:
            raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
        return await self._derived(asker, parent, request, Origin.VARY, number)

    async def _derived(
        self, asker: Asker, parent: Job, request: PaintRequest, origin: Origin, number: int | None = None
    ) -> Draft:
        await self._access.check_follows(asker, parent)
        effective = await self._preferences.effective(asker)
        said = request
        template = parent.spec.template
        request, adult = await self._held(asker, effective, origin, request, template, [parent])
        before = parent.spec.reworded and said.prompt == parent.spec.request.prompt
        spec = replace(
            parent.spec,
            request=request,
            reworded=before or differ(said, request),
            adult=adult or parent.spec.adult,
            origin=origin,
            parent=parent.id,
            parent_picture=number,
            work=None,
            sheet=None,
            locale=_locale(effective, asker, private=is_private(parent)),
            ping=effective.ping,
            max_file_bytes=asker.max_file_bytes,
            thread_of=asker.parent_id,
        )
        return Draft(asker, spec, effective.limits, private=is_private(parent))

    async def _held(
        self,
        asker: Asker,
        effective: Effective,
        origin: Origin,
        request: PaintRequest,
        template: str | None,
        basis: Iterable[Job],
    ) -> tuple[PaintRequest, bool]:
        """Return what every order to paint must be: in allowed words, on an allowed model, within limits.

        And whether what comes of it, made from ``basis``, has to stay where adult pictures may be.
        """
        self._reviewing.check(asker)
        effective.grant.check(*needed(origin, request))
        own = effective.sources.get("negative_prompt") is Scope.PERSON
        usual = None if own else effective.options.negative_prompt
        request = await self._wording.settled(asker, request, template=template, trusted=usual)
        models = self._catalogue.names(Listing.MODELS)
        request = effective.rules.settled(request, models, told=self._catalogue.all_told)
        adult = await self._adult.asks(asker, effective, request, template, [job.spec for job in basis])
        effective.limits.check(request)
        self._routing.check(request)
        await self._jobs.check_room(asker.payer, asker.user_id, effective.limits)
        return request, adult

    async def work(
        self,
        asker: Asker,
        work: Work,
        *,
        parent: Job | None = None,
        number: int | None = None,
        recipe: PaintRequest | None = None,
        spoiler: bool = False,
        private: bool = False,
    ) -> Draft:
        """Return the order for ``work`` on ``parent``'s picture ``number`` (from 1), or on one still ``Pending``.

        ``recipe`` is what painted the picture where it has no ``parent``. A scale of 0 becomes the usual one, or
        as much of it as fits. Raises ``RequestError``, or ``GoneError`` if there is no such picture.
        """
        if parent is not None:
            await self._access.check_follows(asker, parent)
            parent = brought(parent, asker.payer)
        effective = await self._preferences.effective(asker)
        if parent is not None and number is not None:
            work = work_orders.of_picture(work, parent, number)
        work = await self._work_held(asker, effective, work)
        private = private or is_private(parent)
        spec = JobSpec(
            request=recipe or (work_orders.recipe_of(parent, number) if parent else PaintRequest("", 0)),
            origin=work_orders.ORIGINS[type(work)],
            work=work,
            parent=parent.id if parent else None,
            parent_picture=number,
            spoiler=spoiler or (parent is not None and parent.spec.spoiler),
            adult=self._adult.marks(asker, effective) or (parent is not None and parent.spec.adult),
            locale=_locale(effective, asker, private=private),
            ping=effective.ping,
            max_file_bytes=asker.max_file_bytes,
            thread_of=asker.parent_id,
        )
        return Draft(asker, spec, effective.limits, private=private)

    async def _work_held(self, asker: Asker, effective: Effective, work: Work) -> Work:
        """Return what every order for work must be: allowed to whoever asks, and within limits."""
        self._reviewing.check(asker)
        effective.grant.check(Command(work_orders.ORIGINS[type(work)].value))
        if not isinstance(work, DescribeRequest) or work.image != Pending.INIT:
            # A picture may say by itself what painted it; else ``queue`` finds out that nobody describes it.
            self._routing.check(work)
        work = work_orders.settled(work, effective.limits)
        await self._jobs.check_room(asker.payer, asker.user_id, effective.limits)
        return work

    async def afresh(self, asker: Asker, draft: Draft) -> Draft:
        """Return an order that was thought over, held to what holds by now.

        Raises ``GoneError`` in another place than the one it was meant for, and else what drafting it does.
        """
        spec, former = draft.spec, draft.asker
        if (asker.guild_id, asker.channel_id) != (former.guild_id, former.channel_id):
            raise GoneError(N_("This was meant for another place."), N_("Use the command again: /draw"))
        basis = [] if spec.parent is None else [await self._access.seen(spec.parent, asker)]
        for job in basis:
            await self._access.check_follows(asker, job)
        effective = await self._preferences.effective(asker)
        if spec.work is not None:
            spec = replace(spec, work=await self._work_held(asker, effective, spec.work))
        else:
            request, adult = await self._held(asker, effective, spec.origin, spec.request, spec.template, basis)
            reworded = spec.reworded or differ(spec.request, request)
            spec = replace(spec, request=request, adult=adult or spec.adult, reworded=reworded)
        return replace(draft, asker=asker, spec=spec, limits=effective.limits)

    def offers(self, feature: Feature) -> bool:
        """Return whether any backend can do it."""
        return self._catalogue.offers(feature)

    async def _work_again(self, asker: Asker, parent: Job, scale: float) -> Draft:
        await self._access.check_follows(asker, parent)
        work = parent.spec.work
        if work is None:
            raise LookupError(parent.id)
        draft = await self.work(
            asker,
            work_orders.smaller(work, scale),
            recipe=parent.spec.request,
            spoiler=parent.spec.spoiler,
            private=is_private(parent),
        )
        came_from = replace(
            draft.spec,
            adult=draft.spec.adult or parent.spec.adult,
            parent=parent.spec.parent or parent.id,
            parent_picture=parent.spec.parent_picture,
        )
        return replace(draft, spec=came_from)

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
        if draft.spec.work is not None:
            self._routing.check(draft.spec.work)
        return (await self.queue_all({key: draft}, address, token, intake))[0]

    async def queue_all(
        self, drafts: Mapping[str, Draft], address: Address, token: InteractionToken | None, intake: int | None
    ) -> list[Job]:
        """Put one person's orders, by their keys, in the queue as ``queue`` does: all of them or none."""
        asker = next(iter(drafts.values())).asker
        held_to = await self._allowing.held_to(list(drafts.values()))
        limits = (await self._preferences.effective(asker)).limits
        trusted = await self._reviewing.trusts(asker)
        news = []
        for key, draft in drafts.items():
            lane = self._routing.lane_for(asker.payer, draft.spec.order)
            spec = replace(draft.spec, trusted=trusted)
            news.append(NewJob(key, asker.payer, asker.user_id, spec, address, token, lane, asker.main_channel_id))
        weight = PREMIUM_WEIGHT if asker.guild_id in self._premium_guilds else STANDARD_WEIGHT
        jobs = await self._jobs.enqueue_all(news, limits=limits, weight=weight, intake=intake, held_to=held_to)
        for job in jobs:
            self._announcer.changed(job)
        return jobs


def _locale(effective: Effective, asker: Asker, *, private: bool) -> str:
    """Return what a job's messages are written in: the server's choice is for what everybody sees."""
    return asker.locale if private else effective.language or asker.locale
