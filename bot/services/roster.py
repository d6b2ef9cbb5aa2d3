"""The backends of an installation whose processes are several: each tells of its own and learns of the others'.

What another process has is known as its own is, for lists, lanes and messages; only its own are painted with. Who
dies leaves its backends behind: they count as away, so that what only they can do waits for them a while, and are
forgotten then.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import structlog

from bot.domain.breaker import Condition
from bot.domain.capability import Capabilities
from bot.domain.errors import BackendError, OrphanedError, TakenError
from bot.domain.ports import Clock, RosterStore
from bot.domain.roster import Entry, Outage, Roll, Standing
from bot.domain.text import N_
from bot.jobs.notices import Notices
from bot.services.catalogue import Catalogue
from bot.services.claiming import claimed
from bot.services.fleet import Fleet, Other
from bot.services.routing import Routing

log = structlog.get_logger(__name__)

TICK_S = 1.0
"""How often, at most, a process tells of changes and looks what others told."""
LOOK_S = 5.0
"""How often it looks if no notice told it to."""
SETTLE_S = 3.0
"""How long after a change everybody knows of it: what was put into line meanwhile may be in a former lane."""
KEEP_S = 300.0
"""How long the backends of a dead process are waited for."""
DRAIN, RESUME, REFRESH = "drain", "resume", "refresh"
_TOLD, _LEFT, _ASKED = "backends", "left", "backend"


class Roster:
    """Keeps the roll of all backends. Of all processes one leads: the one that has been there longest.

    ``node`` is this process's number, which may become another one.
    """

    def __init__(
        self,
        store: RosterStore,
        fleet: Fleet,
        catalogue: Catalogue,
        routing: Routing,
        notices: Notices,
        *,
        node: Callable[[], int],
        clock: Clock,
        tick_s: float = TICK_S,
        settle_s: float = SETTLE_S,
        keep_s: float = KEEP_S,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._catalogue = catalogue
        self._routing = routing
        self._notices = notices
        self._node = node
        self._clock = clock
        self._tick_s, self._settle_s, self._keep_s = tick_s, settle_s, keep_s
        self._own = _Own(fleet, catalogue)
        self._marks: dict[str, str] = {}
        self._orphaned: dict[str, Outage] = {}
        self._leads = False
        self._news = True
        self._refreshing: asyncio.Queue[str] = asyncio.Queue()
        self._unsettled: Callable[[], None] = lambda: None
        self._settles_at: float | None = None
        notices.hear(_TOLD, self._hear)
        notices.hear(_LEFT, lambda _said: self._look_soon())
        notices.hear(_ASKED, self._take_order)
        notices.missed(self._look_soon)

    def on_unsettled(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when waiting jobs may be in lanes of former backends."""
        self._unsettled = tell

    def leads(self) -> bool:
        """Return whether it is for this process to do what only one of them is to do."""
        return self._leads

    def slots(self, lane: str) -> dict[str, int]:
        """Return how many slots of other processes serve ``lane`` now, by the backend's name."""
        others = self._fleet.others
        return {
            name: other.standing.slots
            for name, other in others.items()
            if other.standing.condition is Condition.UP and self._routing.serves(name, lane)
        }

    async def ask(self, name: str, order: str) -> None:
        """Have the process of a backend carry out an order: one of ``DRAIN``, ``RESUME`` and ``REFRESH``."""
        await self._notices.tell(_ASKED, f"{name} {order}")

    async def open(self) -> None:
        """Join with the backends of this process, and learn of the others'; called before anything is painted.

        A name may still be that of this process's own former life, which died a moment ago. Raises ``TakenError``
        if it is another's.
        """
        await claimed(self._publish, tick_s=self._tick_s)
        await self._look()

    async def run(self) -> None:
        """Tell and learn until cancelled."""
        loop = asyncio.get_running_loop()
        look_at = loop.time() + LOOK_S
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._refresh(), name="refreshing backends")
            while True:
                await asyncio.sleep(self._tick_s)
                await self._try(self._publish())
                if self._news or loop.time() > look_at:
                    self._news, look_at = False, loop.time() + LOOK_S
                    await self._try(self._look())
                self._settle()

    async def _try(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except TakenError as taken:
            log.warning("others have a backend of this name", **taken.values)
        except Exception as error:  # noqa: BLE001 - what was known holds until the database answers again
            log.warning("roll of backends not kept", reason=type(error).__name__, again_s=LOOK_S)
            self._news = True
            await asyncio.sleep(LOOK_S)

    async def _publish(self) -> None:
        node = self._node()
        standings, lists = self._own.changes(node)
        if standings:
            await self._store.publish(node, standings, lists)
            self._own.told(standings)
            self._marks |= {name: each.lists for name, each in standings.items() if each.lists}
            await self._notices.tell(_TOLD, str(node))
        if lists:
            self._unsettle()

    async def _look(self) -> None:
        roll, node = await self._store.read(self._marks), self._node()
        strangers = [entry for entry in roll.entries if entry.name not in self._fleet.members]
        names = {entry.name for entry in strangers}
        known = set(self._fleet.others)
        for entry in roll.entries:
            self._learn(entry, stranger=entry.name in names)
        for name in known - names:
            self._catalogue.unlearn(name)
            self._marks.pop(name, None)
        self._fleet.sight({entry.name: self._sighted(entry, roll) for entry in strangers})
        self._orphaned = {name: outage for name, outage in self._orphaned.items() if name in names}
        if names != known:
            self._unsettle()
        self._lead(node == min(roll.nodes, default=node))
        if self._leads:
            await self._forget_orphans()

    def _learn(self, entry: Entry, *, stranger: bool) -> None:
        """Learn what a backend has; of one's own, what it had in an earlier life, until it tells anew."""
        if entry.lists is not None:
            self._marks[entry.name] = entry.standing.lists
            if stranger:
                self._unsettle()
        if stranger:
            self._catalogue.learn(entry.name, entry.lists, loaded=entry.standing.loaded)
        elif self._catalogue.known(entry.name) is None:
            self._catalogue.learn(entry.name, entry.lists)

    def _sighted(self, entry: Entry, roll: Roll) -> Other:
        if entry.node in roll.nodes:
            self._orphaned.pop(entry.name, None)
            return Other(roll.nodes[entry.node], entry.standing)
        error = OrphanedError(
            N_("The process that {backend} belongs to is gone."),
            N_("The job keeps its place and is painted when it is back."),
            backend=entry.name,
        )
        outage = self._orphaned.setdefault(entry.name, Outage(self._clock(), error))
        return Other("", replace(entry.standing, condition=Condition.AWAY, outage=outage, running=0))

    async def _forget_orphans(self) -> None:
        before = self._clock() - self._keep_s
        gone = [name for name, outage in self._orphaned.items() if outage.since < before]
        if gone:
            log.info("backends of dead processes forgotten", backends=gone)
            await self._store.forget(gone)
            await self._notices.tell(_TOLD)

    def _lead(self, leads: bool) -> None:
        if leads and not self._leads:
            self._unsettle()
        self._leads = leads

    def _unsettle(self) -> None:
        """Have the lanes of what waits looked at now, and once more when everybody knows of the change."""
        self._settles_at = asyncio.get_running_loop().time() + self._settle_s
        self._unsettled()

    def _settle(self) -> None:
        if self._settles_at is not None and asyncio.get_running_loop().time() > self._settles_at:
            self._settles_at = None
            self._unsettled()

    def _hear(self, said: str) -> None:
        if said != str(self._node()):
            self._look_soon()

    def _look_soon(self) -> None:
        self._news = True

    def _take_order(self, said: str) -> None:
        name, _, order = said.rpartition(" ")
        if name not in self._fleet.members:
            return
        if order == REFRESH:
            self._refreshing.put_nowait(name)
        else:
            self._fleet.drain(name, drained=order == DRAIN)

    async def _refresh(self) -> None:
        """Refresh whichever backend of this process somebody asks for in another one."""
        while True:
            name = await self._refreshing.get()
            backend = self._fleet.members[name].backend
            try:
                await backend.refresh()
                await self._catalogue.refresh(backend)
            except BackendError as error:
                log.warning("lists not refreshed", backend=name, reason=type(error).__name__)


class _Own:
    """What of this process's backends the others do not know yet."""

    def __init__(self, fleet: Fleet, catalogue: Catalogue) -> None:
        self._fleet = fleet
        self._catalogue = catalogue
        self._node: int | None = None
        self._told: dict[str, Standing] = {}
        self._lists: dict[str, tuple[Capabilities, str]] = {}
        self._numbers = count(1)

    def changes(self, node: int) -> tuple[Mapping[str, Standing], Mapping[str, Capabilities]]:
        """Return what is to be told by ``node``: standings that changed, and lists that did."""
        if node != self._node:
            self._node = node
            self._told.clear()
            self._lists.clear()
        standings, lists = {}, {}
        for name, member in self._fleet.members.items():
            mark = self._mark(name)
            standing = replace(member.standing, loaded=self._catalogue.loaded(name), lists=mark)
            before = self._told.get(name)
            if standing != before:
                standings[name] = standing
            if mark and (before is None or mark != before.lists):
                lists[name] = self._lists[name][0]
        return standings, lists

    def told(self, standings: Mapping[str, Standing]) -> None:
        """Note that the others can know this."""
        self._told.update(standings)

    def _mark(self, name: str) -> str:
        """Return the mark of a backend's lists: numbers of nodes are never used twice."""
        known = self._catalogue.known(name)
        if known is None:
            return ""
        bare = replace(known, loaded_model=None)
        if name not in self._lists or self._lists[name][0] != bare:
            self._lists[name] = (bare, f"{self._node}:{next(self._numbers)}")
        return self._lists[name][1]
