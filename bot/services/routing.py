"""Which backends can do which job.

Jobs that the same backends can do wait in one lane of the fair queue; a lane is named by them. What every
backend can do waits in the common lane, and so does what no backend can: whoever takes it says why.
"""

from collections.abc import Collection, Iterator, Sequence

from bot.domain.capability import Feature, Listing, Named, features, names
from bot.domain.errors import RequestError
from bot.domain.job import COMMON_LANE, Job
from bot.domain.request import Order, PaintRequest
from bot.domain.text import N_
from bot.prompting.loras import in_prompt
from bot.services.catalogue import Catalogue

_JOIN = "+"
HELD_LANE = "(paused)"
"""The lane that nobody serves: there the jobs of paused servers wait. No backend can have that name."""


class Routing:
    """Lanes for requests, by what the backends last said they have; one that said nothing yet may have it all.

    All processes of an installation come to the same lanes, but for jobs that failed at a backend: who shuns whom
    only the process knows where it happened. Another one that moves jobs may give such a job back to the backend
    that failed at it, which costs it one more attempt.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._shunned: dict[int, frozenset[str]] = {}
        self.paused: set[int] = set()
        """The guilds whose waiting jobs are not to be started."""

    @property
    def _names(self) -> tuple[str, ...]:
        return self._catalogue.backends

    def lane(self, request: Order, *, without: Collection[str] = ()) -> str:
        """Return the lane of ``request``: of backends that are not among ``without``, if any of them can do it."""
        capable = [name for name in self._names if self._lacks(name, request) is None]
        able = [name for name in capable if name not in without] or capable
        return _JOIN.join(able) if able and len(able) < len(self._names) else COMMON_LANE

    def lane_of(self, job: Job) -> str:
        """Return the lane that a waiting job belongs to now."""
        return self.lane_for(job.guild, job.spec.order, without=self._shunned.get(job.id, ()))

    def lane_for(self, guild: int, request: Order, *, without: Collection[str] = ()) -> str:
        """Return the lane of a ``request`` that ``guild`` pays for."""
        return self.held(guild) or self.lane(request, without=without)

    def is_held(self, job: Job) -> bool:
        """Return whether a waiting job is kept from starting."""
        return job.lane == HELD_LANE

    def held(self, guild: int) -> str | None:
        """Return the lane where the jobs of a paused ``guild`` wait; ``None`` if it is not paused."""
        return HELD_LANE if guild in self.paused else None

    def lane_after_restart(self, job: Job) -> str:
        """Return the lane that a job of an earlier life waits in until the lists are known: its own if it can."""
        own = None if job.guild in self.paused or not self.members(job.lane) else job.lane
        return own or self.lane_of(job)

    def serves(self, backend: str, lane: str) -> bool:
        """Return whether ``backend`` does the jobs of ``lane``."""
        return lane == COMMON_LANE or backend in lane.split(_JOIN)

    def members(self, lane: str) -> tuple[str, ...]:
        """Return the backends that do the jobs of ``lane``."""
        return tuple(name for name in self._names if self.serves(name, lane))

    def elsewhere(self, job: Job, backend: str, among: Collection[str] | None = None) -> str | None:
        """Return a lane without ``backend``, which failed at this job; ``None`` if no other can do it.

        ``among``: only these count as others.
        """
        shunned = self._shunned.get(job.id, frozenset()) | {backend}
        request = job.spec.order
        others = [name for name in self._names if name not in shunned and (among is None or name in among)]
        if all(self._lacks(name, request) is not None for name in others):
            return None
        self._shunned[job.id] = shunned
        return self.lane_of(job)

    @property
    def avoiding(self) -> frozenset[int]:
        """The jobs that are kept from a backend that failed at them."""
        return frozenset(self._shunned)

    def forget(self, job_id: int) -> None:
        """Forget who failed at a job that has ended."""
        self._shunned.pop(job_id, None)

    def check(self, request: Order) -> None:
        """Raise ``RequestError`` if no single backend has all that ``request`` needs."""
        lacking = [self._lacks(name, request) for name in self._names]
        if not lacking or any(missing is None for missing in lacking):
            return
        missing = [each for each in lacking if each is not None]
        whole = set.intersection(*({_word(each)} for each in missing))
        if whole:
            raise RequestError(
                N_("No backend here has {what}."), N_("Leave it out and ask again."), what=whole.pop()
            )
        raise RequestError(
            N_("No single backend here can do all of that: one lacks {what}, another {other}."),
            N_("Leave one of the two out and ask again."),
            what=_word(missing[0]),
            other=next(word for word in map(_word, missing) if word != _word(missing[0])),
        )

    def first_able(self, requests: Sequence[PaintRequest]) -> PaintRequest | None:
        """Return the first of ``requests`` that a backend can do, else the last: ``check`` says what it lacks."""
        for request in requests:
            if not self._names or any(self._lacks(name, request) is None for name in self._names):
                return request
        return requests[-1] if requests else None

    def _lacks(self, backend: str, request: Order) -> Feature | Named | None:
        """Return the first thing that a backend lacks for ``request``; ``None`` if it can do it."""
        known = self._catalogue.known(backend)
        if known is None:
            return None
        for feature in sorted(features(request) - known.features):
            return feature
        return next((named for named in _names(request) if not self._catalogue.has(backend, named)), None)


def _names(request: Order) -> Iterator[Named]:
    """Return every listed name that ``request`` uses, those in its prompt too."""
    yield from names(request)
    if isinstance(request, PaintRequest) and request.workflow is None:
        for lora in in_prompt(request.prompt):
            yield Named(Listing.LORAS, "lora", lora.name)


def _word(missing: Feature | Named) -> str:
    return missing.value if isinstance(missing, Feature) else f"{missing.option} “{missing.name[:100]}”"
