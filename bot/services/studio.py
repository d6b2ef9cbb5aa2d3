"""All services in one place, for whoever draws the answers."""

from dataclasses import dataclass

from bot.domain.limits import Limits
from bot.domain.ports import Blobs, Clock
from bot.fetching.links import Links
from bot.jobs.service import Jobs
from bot.services.access import Access
from bot.services.adult import AdultSettings
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.blocking import Blocking
from bot.services.cancelling import Cancelling
from bot.services.catalogue import Catalogue
from bot.services.explorations import Explorations
from bot.services.gallery import Gallery
from bot.services.models import Models
from bot.services.orders import Orders
from bot.services.pausing import Pausing
from bot.services.preferences import Preferences
from bot.services.privacy import Privacy
from bot.services.quotas import Quotas
from bot.services.reviewing import Reviewing
from bot.services.server_settings import ServerSettings
from bot.services.snippets import Snippets
from bot.services.stats import Stats
from bot.services.upkeep import Upkeep
from bot.services.wording import Wording


@dataclass(frozen=True, slots=True)
class Studio:
    """What a command may call; ``limits`` are the host's."""

    jobs: Jobs
    access: Access
    orders: Orders
    cancelling: Cancelling
    explorations: Explorations
    catalogue: Catalogue
    preferences: Preferences
    server_settings: ServerSettings
    upkeep: Upkeep
    gallery: Gallery
    stats: Stats
    blobs: Blobs
    links: Links
    clock: Clock
    limits: Limits
    snippets: Snippets
    pausing: Pausing
    models: Models
    wording: Wording
    privacy: Privacy
    quotas: Quotas
    reviewing: Reviewing
    blocking: Blocking
    authority: Authority
    auditing: Auditing
    adult: AdultSettings
