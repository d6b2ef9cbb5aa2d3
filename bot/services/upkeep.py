"""Looking after the backends: how they are, and what the host may do about it."""

from dataclasses import dataclass

from bot.domain.capability import Capabilities, Listing
from bot.domain.cost import UNIT
from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    NotEnabledError,
    OrphanedError,
    RequestError,
    UnreachableError,
    UntrustedError,
)
from bot.domain.roster import Standing
from bot.domain.text import N_, Text
from bot.jobs.service import Jobs
from bot.services.catalogue import Catalogue
from bot.services.fleet import Fleet
from bot.services.roster import DRAIN, REFRESH, RESUME, Roster

_CURES: tuple[tuple[type[BackendError], str], ...] = (
    (NotEnabledError, N_("A WebUI is to be started with --api; for anything else, mend EASEL_BACKENDS.")),
    (AuthError, N_("Give it user:password in EASEL_BACKEND_{number}_AUTH.")),
    (UntrustedError, N_("Give it ca= and the file of its certificate in EASEL_BACKENDS.")),
    (OrphanedError, N_("Start it again, or wait: in a few minutes this backend is forgotten.")),
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
    """One backend at one moment: ``pace`` is standard pictures (30 steps at 1024×1024 px) a minute in a slot.

    ``node`` is the other process that it belongs to; empty for one of this process.
    """

    name: str
    standing: Standing
    loaded: str | None
    pace: float | None
    known: Capabilities | None
    node: str = ""


class Upkeep:
    """Reports on the backends and carries out what the host decides about them.

    ``roster`` reaches those of other processes, where there are others.
    """

    def __init__(self, jobs: Jobs, fleet: Fleet, catalogue: Catalogue, roster: Roster | None = None) -> None:
        self._jobs = jobs
        self._fleet = fleet
        self._catalogue = catalogue
        self._roster = roster

    async def reports(self) -> list[Report]:
        """Return how every backend is: those of this process in the order of the settings, then the others."""
        paces = await self._jobs.paces()
        others = self._fleet.others
        found = []
        for name, standing in self._fleet.standings().items():
            pace = paces.get(name, {}).get("")
            found.append(
                Report(
                    name=name,
                    standing=standing,
                    loaded=self._catalogue.loaded(name),
                    pace=None if pace is None else pace * 60 / UNIT,
                    known=self._catalogue.known(name),
                    node=others[name].node if name in others else "",
                )
            )
        return found

    async def drain(self, name: str, *, drained: bool) -> None:
        """Give a backend no more jobs, or again some; raises ``RequestError`` for a name that is none."""
        self._check(name)
        if name in self._fleet.members:
            self._fleet.drain(name, drained=drained)
        elif self._roster is not None:
            await self._roster.ask(name, DRAIN if drained else RESUME)

    async def refresh(self, name: str) -> bool:
        """Have a backend look for new files and read its lists anew; raises its ``BackendError`` with the cure.

        ``False``: that is for another process, which was asked to.
        """
        self._check(name)
        if name not in self._fleet.members:
            if self._roster is not None:
                await self._roster.ask(name, REFRESH)
            return False
        backend = self._fleet.members[name].backend
        try:
            await backend.refresh()
            await self._catalogue.refresh(backend)
        except BackendError as error:
            error.hint = cure(error).message or error.hint
            raise
        return True

    def _check(self, name: str) -> None:
        names = self._catalogue.names(Listing.BACKENDS)
        if name in names:
            return
        if not names:
            raise RequestError(
                N_("No painter is connected to this bot."), N_("Its host can start one: easel worker")
            )
        raise RequestError(
            N_("There is no backend “{name}”."),
            N_("The nearest is “{nearest}”."),
            name=name[:100],
            nearest=(self._catalogue.suggest(Listing.BACKENDS, name) or names)[0],
        )
