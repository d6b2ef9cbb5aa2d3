"""Everything that the commands call, put together: rules, painters, delivery, and the studio on top."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.delivery.auditlog import AuditLog
from bot.delivery.board import Board
from bot.delivery.budget import Budget
from bot.delivery.company import Company
from bot.delivery.courier import Courier
from bot.delivery.floor import Floor
from bot.delivery.messenger import Messenger
from bot.delivery.places import Places
from bot.delivery.reviews import ReviewDesk
from bot.delivery.sheets import Sheets
from bot.domain.job import Job
from bot.domain.metering import Metered
from bot.domain.ports import Announcer
from bot.domain.request import MAX_SEED
from bot.domain.shards import NONE, Shards
from bot.foundations import Foundations
from bot.jobs.nodes import DEAD_S
from bot.services.access import Access
from bot.services.adult import AdultRule, AdultSettings
from bot.services.allowing import Allowing
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.blocking import Blocking
from bot.services.cancelling import Cancelling
from bot.services.catalogue import Catalogue
from bot.services.claiming import OwnShards
from bot.services.examining import Examining
from bot.services.explorations import Explorations
from bot.services.fleet import Fleet
from bot.services.freshness import Freshness
from bot.services.gallery import Gallery
from bot.services.generation import Generation
from bot.services.models import Models
from bot.services.orders import Orders
from bot.services.pausing import Pausing
from bot.services.preferences import Preferences
from bot.services.privacy import Privacy, Shelves
from bot.services.quotas import Quotas
from bot.services.reviewing import Reviewing
from bot.services.roster import Roster
from bot.services.routing import Routing
from bot.services.server_settings import ServerSettings
from bot.services.snippets import Snippets
from bot.services.stats import Stats
from bot.services.studio import Studio
from bot.services.upkeep import Upkeep
from bot.services.wording import Wording
from bot.settings import Settings
from bot.storage.roster import StoredRoster
from bot.storage.shards import StoredShards
from bot.storage.wildcards import read_lists

DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Painters:
    """Who paints, and what they have."""

    fleet: Fleet
    catalogue: Catalogue
    routing: Routing
    roster: Roster | None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What hosts, servers and people have set, and who may set it."""

    authority: Authority
    preferences: Preferences
    auditing: Auditing
    snippets: Snippets
    wording: Wording
    quotas: Quotas
    allowing: Allowing
    blocking: Blocking
    reviewing: Reviewing


@dataclass(frozen=True, slots=True)
class Delivery:
    """How everything reaches its message."""

    places: Places
    courier: Courier
    board: Board
    floor: Floor | None
    review_desk: ReviewDesk

    @property
    def voice(self) -> Board | Floor:
        """Who is to be told what becomes of jobs."""
        return self.floor or self.board


def painters(base: Foundations) -> Painters:
    """Return who paints; ``roster`` knows those of other processes, where there may be any."""
    catalogue = Catalogue(base.backends)
    fleet, routing = Fleet(base.backends, clock=base.clock), Routing(catalogue)
    roster = None
    if base.shared:
        store = StoredRoster(base.database, dead_s=DEAD_S)
        roster = Roster(
            store, fleet, catalogue, routing, base.notices, node=lambda: base.engine.node, clock=base.clock
        )
        base.engine.count_elsewhere(roster.slots)
    return Painters(fleet, catalogue, routing, roster)


def generation(base: Foundations, paint: Painters, announcer: Announcer) -> Generation:
    """Return what paints jobs with the backends of this process."""
    fleet, catalogue, routing, roster = paint.fleet, paint.catalogue, paint.routing, paint.roster
    metered = Metered(announcer, base.meter)
    if roster is None:
        return Generation(base.jobs, fleet, catalogue, routing, base.blobs, announcer=metered)
    painting = Generation(base.jobs, fleet, catalogue, routing, base.blobs, announcer=metered, leads=roster.leads)
    roster.on_unsettled(painting.rerouting.wake)
    return painting


def rulebook(settings: Settings, base: Foundations, audit_log: AuditLog) -> Rulebook:
    """Return the rules; what is changed is told to ``audit_log``."""
    clock, authority = base.clock, Authority(base.store)
    preferences = Preferences(
        base.store, authority, defaults=settings.defaults, limits=settings.limits, house=settings.house
    )
    auditing = Auditing(base.store, preferences, audit_log, clock=clock)
    quotas = Quotas(base.jobs, base.quotas, settings.quotas)
    blocking = Blocking(base.reviews, auditing, clock=clock)
    read_host_lists = partial(read_lists, settings.wildcards_dir)
    return Rulebook(
        authority,
        preferences,
        auditing,
        Snippets(base.snippets, authority, auditing, clock=clock, read_host_lists=read_host_lists),
        Wording(preferences),
        quotas,
        Allowing(preferences, quotas),
        blocking,
        Reviewing(
            base.reviews,
            base.store,
            base.jobs,
            preferences,
            authority,
            auditing,
            blocking,
            _examining(settings, base),
            keep_s=settings.keep_images_days * DAY_S,
            clock=clock,
        ),
    )


def _examining(settings: Settings, base: Foundations) -> Examining:
    labels, threshold = settings.classifier_labels, settings.classifier_threshold
    return Examining(base.classifier, base.blobs, base.imaging, labels=labels, threshold=threshold)


def delivery(
    base: Foundations, messenger: Messenger, rules: Rulebook, paint: Painters, shards: Shards | None
) -> Delivery:
    """Return what brings jobs to their messages; what changes by itself is drawn anew.

    ``shards`` are those that this process connects; ``None``: it is a worker, to which no servers belong.
    """
    jobs, preferences, reviewing = base.jobs, rules.preferences, rules.reviewing
    blobs, imaging = base.blobs, base.imaging
    places = Places(messenger, preferences)
    courier = Courier(
        jobs,
        messenger,
        blobs,
        imaging,
        preferences,
        reviewing,
        places,
        offers=paint.catalogue.offers,
        clock=base.clock,
        meter=base.meter,
    )
    sheets = Sheets(jobs, messenger, courier, preferences, reviewing, blobs, imaging)
    board = Board(
        jobs, paint.fleet, paint.routing, messenger, courier, sheets, preferences, reviewing, clock=base.clock
    )
    floor = _floor(base, board, reviewing, shards) if base.shared else None
    voice = floor or board
    review_desk = ReviewDesk(
        reviewing, jobs, messenger, sheets, preferences, blobs, imaging, shards or NONE, announcer=voice
    )
    jobs.on_change(voice.changed)
    reviewing.on_change(voice.changed, review_desk.wake)
    return Delivery(places, courier, board, floor, review_desk)


def _floor(base: Foundations, board: Board, reviewing: Reviewing, shards: Shards | None) -> Floor:
    floor = Floor(
        base.jobs,
        base.floors,
        base.notices,
        board,
        owns=(shards or NONE).owns,
        examined=reviewing.looks_first,
        adopts=shards is not None,
    )
    base.engine.on_reborn(floor.lose)
    return floor


def company(
    settings: Settings,
    base: Foundations,
    rules: Rulebook,
    paint: Painters,
    pausing: Pausing,
    floor: Floor | None,
    budget: Budget,
) -> Company | None:
    """Return what a process does because it is one of several; ``None``: it is alone."""
    if floor is None or paint.roster is None:
        return None
    freshness = Freshness(
        base.notices,
        rules.preferences,
        rules.authority,
        rules.auditing,
        rules.quotas,
        rules.snippets,
        rules.reviewing,
        rules.blocking,
        pausing,
    )
    shards = OwnShards(StoredShards(base.database, lambda: base.engine.node))
    return Company(base, floor, freshness, paint.roster, shards, budget, rate=settings.discord_rate)


def studio(
    settings: Settings,
    base: Foundations,
    rules: Rulebook,
    paint: Painters,
    announcer: Board | Floor,
    *,
    forget: Callable[[int], None],
) -> Studio:
    """Return all services; ``forget`` is called with the id of whoever has their data deleted."""
    jobs, clock, preferences, catalogue = base.jobs, base.clock, rules.preferences, paint.catalogue
    authority, auditing, reviewing = rules.authority, rules.auditing, rules.reviewing
    access = Access(jobs, preferences, reviewing)
    orders = _orders(settings, base, rules, paint, access, announcer)
    upkeep, stats = Upkeep(jobs, paint.fleet, catalogue, paint.roster), Stats(base.tally, clock=clock)
    pausing = Pausing(base.store, jobs, paint.routing, auditing, announcer=announcer, clock=clock)
    return Studio(
        jobs,
        access,
        orders,
        Cancelling(jobs, access, reviewing, auditing, announcer=announcer),
        Explorations(jobs, orders, preferences, draw_seed=_draw_seed),
        catalogue,
        preferences,
        ServerSettings(preferences, authority, auditing, catalogue),
        upkeep,
        Gallery(base.gallery, base.blobs, base.imaging),
        stats,
        base.blobs,
        base.links,
        clock=clock,
        limits=settings.limits,
        snippets=rules.snippets,
        pausing=pausing,
        models=Models(
            catalogue, preferences, authority, auditing, rules.snippets, jobs, upkeep, base.blobs, clock=clock
        ),
        wording=rules.wording,
        quotas=rules.quotas,
        reviewing=reviewing,
        blocking=rules.blocking,
        authority=authority,
        auditing=auditing,
        adult=AdultSettings(preferences, authority, auditing),
        privacy=_privacy(settings, base, rules, stats, pausing, announcer, forget),
    )


def _draw_seed() -> int:
    return secrets.randbelow(MAX_SEED + 1)


def _orders(
    settings: Settings,
    base: Foundations,
    rules: Rulebook,
    paint: Painters,
    access: Access,
    announcer: Board | Floor,
) -> Orders:
    return Orders(
        base.jobs,
        access,
        paint.catalogue,
        paint.routing,
        rules.preferences,
        rules.snippets,
        rules.wording,
        AdultRule(rules.wording, paint.catalogue, classifies=rules.reviewing.classifies),
        rules.allowing,
        rules.reviewing,
        announcer=announcer,
        draw_seed=_draw_seed,
        premium_guilds=settings.premium_guild_ids,
    )


def _privacy(
    settings: Settings,
    base: Foundations,
    rules: Rulebook,
    stats: Stats,
    pausing: Pausing,
    announcer: Board | Floor,
    forget: Callable[[int], None],
) -> Privacy:
    def forsake(job: Job) -> None:
        announcer.forsake(job)
        rules.reviewing.forsake(job)

    shelves = Shelves(
        rules.preferences,
        rules.snippets,
        stats,
        pausing,
        rules.quotas,
        rules.reviewing,
        rules.authority,
        rules.auditing,
    )
    return Privacy(
        base.forgetting, base.own, base.blobs, shelves, terms=settings.terms, forsake=forsake, forget=forget
    )
