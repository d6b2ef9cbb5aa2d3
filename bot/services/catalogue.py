"""What the backends have, always answered from memory."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import structlog

from bot.domain.capability import Capabilities, Feature, Listing, Named
from bot.domain.errors import BackendError, RequestError
from bot.domain.options import Options, names_of
from bot.domain.ports import Backend
from bot.domain.searching import matches
from bot.domain.text import N_

log = structlog.get_logger(__name__)


class Catalogue:
    """The union of all backends' lists; a list outlives the backend that gave it until it gives another.

    ``refresh`` asks one of this process's backends, ``watch`` asks all of these every ``refresh_s`` seconds;
    ``learn`` tells what those of other processes have.
    """

    def __init__(self, backends: Sequence[Backend], *, refresh_s: float = 60.0) -> None:
        self._backends = backends
        self._refresh_s = refresh_s
        self._known: dict[str, Capabilities] = {}
        self._loaded: dict[str, str] = {}
        self._sets: dict[str, dict[Listing, frozenset[str]]] = {}
        self._names: Mapping[Listing, tuple[str, ...]] = MappingProxyType({})
        self._all: Mapping[Listing, frozenset[str]] = MappingProxyType({})
        self._changed: Callable[[], None] = lambda: None
        self.backends = tuple(sorted(backend.name for backend in backends))
        """The names of all there are, in the same order in every process: lanes are made of them."""
        self._merge()

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when a backend has other things than before."""
        self._changed = tell

    def known(self, backend: str) -> Capabilities | None:
        """Return what a backend last said it has."""
        return self._known.get(backend)

    def has(self, backend: str, named: Named) -> bool:
        """Return whether a backend has a name.

        One that nobody lists is left to the backend to judge, but if that one lists others, only once everybody
        has told what they have.
        """
        listed = self._sets[backend].get(named.listing)
        if named.name in self._all.get(named.listing, ()):
            return listed is not None and named.name in listed
        return listed is None or self.all_told

    def offers(self, feature: Feature) -> bool:
        """Return whether any backend can do it."""
        return any(feature in known.features for known in self._known.values())

    def check_offers(self, feature: Feature) -> None:
        """Raise ``RequestError`` for what no backend can do, once all of them have told what they can."""
        if self.all_told and not self.offers(feature):
            raise RequestError(
                N_("No backend here can do that: {what}."),
                N_("Ask the host of this bot for a backend that has it."),
                what=feature.value,
            )

    @property
    def all_told(self) -> bool:
        """Whether every backend has told what it has; until then nobody can say what there is not.

        One that said nothing yet may have it all, and so may the first that joins.
        """
        return bool(self.backends) and all(name in self._known for name in self.backends)

    def loaded(self, backend: str) -> str | None:
        """Return the model that a backend has in memory, as far as is known."""
        return self._loaded.get(backend)

    def note_loaded(self, backend: str, model: str | None) -> None:
        """Note the model that a backend has just painted with."""
        if model is not None:
            self._loaded[backend] = model

    def names(self, listing: Listing) -> tuple[str, ...]:
        """Return every name of a list, in the order of the backends; empty while none has answered."""
        return self._names.get(listing, ())

    def suggest(self, listing: Listing, typed: str) -> list[str]:
        """Return at most 25 names for what was typed so far, the likeliest first."""
        return matches(typed, self.names(listing))

    def loaded_models(self) -> frozenset[str]:
        """Return the models that backends have in memory now."""
        return frozenset(self._loaded.values())

    def check(self, options: Options) -> None:
        """Raise ``RequestError`` for a name that no backend has.

        Backends fall back silently on unknown names, so they are refused here. A list nobody has given yet
        refuses nothing.
        """
        for named in names_of(options):
            self.check_name(named.listing, named.option, named.name)

    def check_name(self, listing: Listing, option: str, name: str | None) -> None:
        """Raise ``RequestError`` if no backend has ``name``, or, once all have told, anything of that kind."""
        names = self.names(listing)
        if name is None or name in names or not (names or self.all_told):
            return
        if not names:
            raise RequestError(
                N_("No backend here has anything to choose for {option}."),
                N_("Leave {option} out."),
                option=option,
            )
        nearest = self.suggest(listing, name) or list(names[:1])
        raise RequestError(
            N_("There is no {option} “{name}” here."),
            N_("The nearest is “{nearest}”; type a few letters to see the list."),
            option=option,
            name=name[:100],
            nearest=nearest[0],
        )

    async def refresh(self, backend: Backend) -> None:
        """Ask one backend for its lists; raises its ``BackendError``."""
        known = await backend.capabilities()
        self.note_loaded(backend.name, known.loaded_model)
        self._take(backend.name, known)

    def learn(self, backend: str, known: Capabilities | None, *, loaded: str | None = None) -> None:
        """Note that another process has a backend, what that has in memory, and what it has where that is new."""
        if backend not in self.backends:
            self.backends = tuple(sorted((*self.backends, backend)))
            self._merge()
            self._changed()
        if loaded is None:
            self._loaded.pop(backend, None)
        self.note_loaded(backend, loaded)
        if known is not None:
            self._take(backend, known)

    def unlearn(self, backend: str) -> None:
        """Note that no other process has such a backend any more."""
        self.backends = tuple(name for name in self.backends if name != backend)
        for book in (self._known, self._sets, self._loaded):
            book.pop(backend, None)
        self._merge()
        self._changed()

    def _take(self, backend: str, known: Capabilities) -> None:
        former, self._known[backend] = self._known.get(backend), known
        if former is None or (former.listings, former.features) != (known.listings, known.features):
            self._sets[backend] = {listing: frozenset(names) for listing, names in known.listings.items()}
            self._merge()
            self._changed()

    def _merge(self) -> None:
        merged: dict[Listing, dict[str, None]] = {Listing.BACKENDS: dict.fromkeys(self.backends)}
        for known in self._known.values():
            for listing, names in known.listings.items():
                merged.setdefault(listing, {}).update(dict.fromkeys(names))
        self._names = MappingProxyType({listing: tuple(names) for listing, names in merged.items()})
        self._all = MappingProxyType({listing: frozenset(names) for listing, names in merged.items()})

    async def watch(self) -> None:
        """Keep all lists fresh until cancelled; a backend that does not answer keeps its last ones."""
        while True:
            await asyncio.gather(*(self._try(backend) for backend in self._backends))
            await asyncio.sleep(self._refresh_s)

    async def _try(self, backend: Backend) -> None:
        try:
            await self.refresh(backend)
        except BackendError as error:
            log.info("lists not refreshed", backend=backend.name, reason=type(error).__name__)
