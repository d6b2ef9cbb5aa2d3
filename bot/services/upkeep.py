"""Looking after the backends: how they are, and what the host may do about it."""

from dataclasses import dataclass

from bot.domain.capability import Capabilities, Listing
from bot.domain.cost import UNIT
from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    NotEnabledError,
    RequestError,
    UnreachableError,
    UntrustedError,
)
from bot.domain.ports import Backend
from bot.domain.text import N_, Text
from bot.jobs.service import Jobs
from bot.services.catalogue import Catalogue
from bot.services.fleet import Condition, Fleet, Outage

_CURES: tuple[tuple[type[BackendError], str], ...] = (
    (NotEnabledError, N_("A WebUI is to be started with --api; for anything else, mend EASEL_BACKENDS.")),
    (AuthError, N_("Give it user:password in EASEL_BACKEND_{number}_AUTH.")),
    (UntrustedError, N_("Give it ca= and the file of its certificate in EASEL_BACKENDS.")),
    (UnreachableError, N_("Is it started, and are address and port in EASEL_BACKENDS right?")),
    (BackendTimeoutError, N_("It hangs: start it again. If it only loads slowly, raise EASEL_STALL_TIMEOUT_S.")),
    (BackendError, N_("Look into its log, or start it again.")),
)


def cure(error: BackendError) -> Text:
    """Return what a host can do about ``error``; empty where its own words say it."""
    if type(error) is BackendError:
        return Text("")
    return Text(next(words for kind, words in _CURES if isinstance(error, kind)), error.values)


@dataclass(frozen=True, slots=True)
class Report:
    """One backend at one moment: ``pace`` is standard pictures (30 steps at 1024×1024 px) a minute in a slot."""

    name: str
    condition: Condition
    outage: Outage | None
    slots: int
    running: int
    painted: int
    failed: int
    loaded: str | None
    pace: float | None
    known: Capabilities | None


class Upkeep:
    """Reports on the backends and carries out what the host decides about them."""

    def __init__(self, jobs: Jobs, fleet: Fleet, catalogue: Catalogue) -> None:
        self._jobs = jobs
        self._fleet = fleet
        self._catalogue = catalogue

    async def reports(self) -> list[Report]:
        """Return how every backend is, in the order of the settings."""
        paces = await self._jobs.paces()
        found = []
        for name, member in self._fleet.members.items():
            pace = paces.get(name, {}).get("")
            found.append(
                Report(
                    name=name,
                    condition=member.condition,
                    outage=member.outage,
                    slots=member.backend.slots,
                    running=len(member.running),
                    painted=member.painted,
                    failed=member.failed,
                    loaded=self._catalogue.loaded(name),
                    pace=None if pace is None else pace * 60 / UNIT,
                    known=self._catalogue.known(name),
                )
            )
        return found

    def drain(self, name: str, *, drained: bool) -> None:
        """Give a backend no more jobs, or again some; raises ``RequestError`` for a name that is none."""
        self._fleet.drain(self._backend(name).name, drained=drained)

    async def refresh(self, name: str) -> None:
        """Have a backend look for new files and read its lists anew; raises its ``BackendError`` with the cure."""
        backend = self._backend(name)
        try:
            await backend.refresh()
            await self._catalogue.refresh(backend)
        except BackendError as error:
            error.hint = cure(error).message or error.hint
            raise

    def _backend(self, name: str) -> Backend:
        member = self._fleet.members.get(name)
        if member is None:
            nearest = self._catalogue.suggest(Listing.BACKENDS, name) or list(self._fleet.members)
            raise RequestError(
                N_("There is no backend “{name}”."),
                N_("The nearest is “{nearest}”."),
                name=name[:100],
                nearest=nearest[0],
            )
        return member.backend
