"""The backends as a run needs them: waited for, asked what they have, and orders checked against that."""

import asyncio
from collections.abc import Awaitable

from bot.cli.screens import Screen
from bot.domain.capability import Listing, Named, names
from bot.domain.errors import BackendError, BotError, Failure, RequestError
from bot.domain.request import PaintRequest
from bot.foundations import Foundations
from bot.services.catalogue import Catalogue
from bot.services.routing import Routing
from bot.services.upkeep import cure

LISTS_S = 10.0
"""How long backends get to tell what they have, in seconds."""
_AGAIN_S = 1.0


class Painters:
    """The backends as a run needs them: what they have, and which of them can do what."""

    def __init__(self, base: Foundations) -> None:
        self.backends = base.backends
        self.catalogue = Catalogue(base.backends)
        self.routing = Routing(self.catalogue)
        self._right: set[Named] = set()

    async def reach(self, screen: Screen) -> None:
        """Return once a backend has told what it has; the others get ``LISTS_S`` for that too."""
        said = ""
        while True:
            words = await self._ask()
            if words is None:
                return
            if words != said:
                said = words
                screen.say(f"Waiting for a painter. {words}")
            await asyncio.sleep(_AGAIN_S)

    def check(self, request: PaintRequest) -> None:
        """Raise ``RequestError`` for a name that no backend has, or for what none of them can do."""
        for named in names(request):
            if named not in self._right:
                self._check_name(named)
                self._right.add(named)
        self.routing.check(request)

    async def _ask(self) -> str | None:
        """Ask all backends for their lists; return ``None``, or why none of them answers."""
        asked = [asyncio.create_task(self.catalogue.refresh(backend)) for backend in self.backends]
        try:
            await asyncio.wait(asked, timeout=LISTS_S)
        finally:
            for late in asked:
                late.cancel()
        words = ""
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if outcome is None:
                return None
            if isinstance(outcome, BackendError):
                words = words or ailment(outcome)
            elif not isinstance(outcome, asyncio.CancelledError):
                raise outcome
        return words or "No backend has told yet what it has."

    def _problem(self, workflow: str) -> str:
        """Return why no backend can run a workflow that is in its folder; empty if it is not there."""
        told = [known for backend in self.backends if (known := self.catalogue.known(backend.name))]
        return next((facts for known in told if (facts := known.facts.get(f"workflow {workflow}.json"))), "")

    def _check_name(self, named: Named) -> None:
        known = self.catalogue.names(named.listing)
        if named.name in known:
            return
        if named.listing is Listing.WORKFLOWS and (problem := self._problem(named.name)):
            raise RequestError("The workflow “{name}” cannot be used: {problem}", name=named.name, problem=problem)
        if not known:
            raise RequestError("No backend here has any {option} to choose.", option=named.option)
        nearest = (self.catalogue.suggest(named.listing, named.name) or known)[0]
        raise RequestError(
            "There is no {option} “{name}” here.",
            "The nearest is “{nearest}”.",
            option=named.option,
            name=named.name[:100],
            nearest=nearest,
        )


def words_of(failure: Failure | BotError) -> str:
    """Return in English why something failed, and the cure."""
    return " ".join([reason(failure), failure.hint.format(**failure.values)]).strip()


def reason(failure: Failure | BotError) -> str:
    """Return in English why something failed."""
    return failure.message.format(**failure.values)


def ailment(error: BackendError) -> str:
    """Return in English what is wrong with a backend, and what its host can do."""
    words = cure(error)
    return f"{reason(error)} {words.message.format(**words.values)}".rstrip()


async def first(*works: Awaitable[object]) -> int:
    """Wait for the first of ``works`` to end, cancel the others, and return its index; raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(n for n, task in enumerate(tasks) if task.done())
        await tasks[ended]
        return ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
