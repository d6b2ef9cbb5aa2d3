"""What stands before anybody can paint: the queue, the store, the painters' clients; opened and closed."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from socket import gethostname

import structlog
from yarl import URL

from bot.backends.classifier.client import Model
from bot.backends.decoding import Decoder
from bot.backends.factory import Workshop, build
from bot.backends.wire import Pace
from bot.domain.metering import Meter, unmetered
from bot.domain.ports import Backend, BlobStore, Classifier, Clock, SettingsStore
from bot.fetching.attachments import Attachments
from bot.fetching.links import Links
from bot.fetching.network import Network
from bot.imaging.imaging import Imaging
from bot.jobs.distributed import Distributed
from bot.jobs.embedded import Embedded
from bot.jobs.engine import JobEngine
from bot.jobs.floors import Floors
from bot.jobs.forgetting import Forgetting
from bot.jobs.notices import Notices, PostgresNotices, Silence
from bot.jobs.reviews import Reviews
from bot.jobs.service import Jobs
from bot.ops.exporting import exporter
from bot.ops.snapshot import Exporter
from bot.settings import DISCORD_API, Settings
from bot.storage.database import Database
from bot.storage.gallery import StoredGallery
from bot.storage.gauges import StoredGauges
from bot.storage.opening import blobs_at, database_at
from bot.storage.own import StoredOwn
from bot.storage.postgres import PostgresDatabase
from bot.storage.quotas import StoredQuotas
from bot.storage.settings import StoredSettings
from bot.storage.snippets import StoredSnippets
from bot.storage.sqlite import SqliteDatabase
from bot.storage.tally import StoredTally

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Foundations:
    """What stands before Discord is there: the queue, the store, the painters, and the time."""

    jobs: Jobs
    store: SettingsStore
    snippets: StoredSnippets
    gallery: StoredGallery
    tally: StoredTally
    own: StoredOwn
    quotas: StoredQuotas
    reviews: Reviews
    classifier: Classifier | None
    forgetting: Forgetting
    blobs: BlobStore
    backends: tuple[Backend, ...]
    imaging: Imaging
    attachments: Attachments
    links: Links
    clock: Clock
    gauges: StoredGauges
    exporter: Exporter | None
    database: Database
    engine: JobEngine
    notices: Notices
    floors: Floors

    @property
    def shared(self) -> bool:
        """Whether other processes work with the same queue."""
        return isinstance(self.engine, Distributed)

    @property
    def meter(self) -> Meter:
        """Who counts what happens."""
        return unmetered if self.exporter is None else self.exporter.count


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    kind: str = "bot",
    name: str = "",
    clock: Clock = time.time,
    network: Network | None = None,
    classifier: Classifier | None = None,
) -> AsyncIterator[Foundations]:
    """Open the queue, the store and the backends' clients, and close them in the opposite order.

    ``kind`` and ``name``, by default that of the machine, tell people which of many processes this one is.
    ``network`` is the way to what people link to: the internet if ``None``. ``classifier`` is else the one that
    the settings name, if they do.
    Raises ``BotError`` where another process has the queue or the data folder cannot be used, and
    ``BucketError`` where the pictures' bucket cannot.
    """
    folder = settings.data_dir
    database = database_at(settings.database_url.get_secret_value(), folder)
    engine, notices = _engine(database, kind, name or gethostname())
    jobs = Jobs(
        database,
        engine,
        clock=clock,
        max_wait_s=settings.max_wait_h * 3600,
        affinity_window=settings.affinity_window,
        drain_s=settings.drain_s,
    )
    blobs = await blobs_at(settings.blobs, settings.blobs_keys, database, folder, clock)
    async with AsyncExitStack() as stack:
        recovery = await jobs.open()
        stack.push_async_callback(jobs.close)
        if recovery.requeued or recovery.failed:
            log.info("jobs of an earlier life", requeued=len(recovery.requeued), failed=len(recovery.failed))
        store = StoredSettings(database)
        imaging = Imaging()
        stack.push_async_callback(imaging.close)
        decoder = Decoder()
        stack.push_async_callback(decoder.close)
        attachments = Attachments(hosts=_attachment_hosts(settings))
        stack.push_async_callback(attachments.close)
        links = Links(attachments, enabled=settings.links, network=network)
        stack.push_async_callback(links.close)
        backends = build(
            settings.backends_of(name if kind == "worker" else ""),
            Workshop(
                clock,
                imaging,
                decoder,
                Pace(stall_s=settings.stall_timeout_s),
                settings.workflows_dir,
                await _instance(store),
            ),
        )
        for backend in backends:
            stack.push_async_callback(backend.close)
        classifier = classifier or (Model(settings.classifier) if settings.classifier else None)
        if classifier is not None:
            stack.push_async_callback(classifier.close)
        yield Foundations(
            jobs=jobs,
            store=store,
            snippets=StoredSnippets(database),
            gallery=StoredGallery(database, clock),
            tally=StoredTally(database),
            own=StoredOwn(database),
            quotas=StoredQuotas(database),
            reviews=Reviews(database, engine, clock),
            classifier=classifier,
            forgetting=Forgetting(database, engine, clock),
            blobs=blobs,
            backends=tuple(backends),
            imaging=imaging,
            attachments=attachments,
            links=links,
            clock=clock,
            gauges=StoredGauges(database),
            database=database,
            engine=engine,
            notices=notices,
            floors=Floors(database, engine, clock),
            exporter=exporter(wanted=settings.metrics is not None),
        )


def _engine(
    database: PostgresDatabase | SqliteDatabase, kind: str, name: str
) -> tuple[Distributed, PostgresNotices] | tuple[Embedded, Silence]:
    """Return what delivers jobs: in one process, or with others."""
    if isinstance(database, PostgresDatabase):
        notices = PostgresNotices(database)
        return Distributed(database, notices, kind=kind, name=name), notices
    return Embedded(database), Silence()


async def _instance(store: SettingsStore) -> str:
    """Return this installation's own word, drawn at its first start."""
    known = (await store.load("instance", 0)).get("word")
    if isinstance(known, str):
        return known
    word = secrets.token_hex(4)
    await store.save("instance", 0, {"word": word})
    return word


def _attachment_hosts(settings: Settings) -> set[str]:
    # Whoever stands in for Discord's API serves its attachments too.
    return set() if settings.discord_api == DISCORD_API else {URL(settings.discord_api).host or ""}
