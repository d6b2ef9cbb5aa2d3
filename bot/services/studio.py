"""All services in one place, for whoever draws the answers."""

from dataclasses import dataclass

from bot.domain.limits import Limits
from bot.domain.ports import Blobs, Clock
from bot.jobs.service import Jobs
from bot.services.catalogue import Catalogue
from bot.services.orders import Orders
from bot.services.preferences import Preferences
from bot.services.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Studio:
    """What a command may call; ``limits`` are the host's."""

    jobs: Jobs
    orders: Orders
    catalogue: Catalogue
    preferences: Preferences
    upkeep: Upkeep
    blobs: Blobs
    clock: Clock
    limits: Limits
