"""Pausing a server's queue: what waits there is not started until a moderator resumes it."""

from collections.abc import Mapping

from bot.domain.asker import Asker
from bot.domain.errors import DeniedError, RequestError
from bot.domain.ports import Announcer, Clock, SettingsStore
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.auditing import Auditing
from bot.services.routing import Routing

SCOPE, _OWNER = "paused", 0


class Pausing:
    """Knows which servers are paused, across restarts; their jobs wait in a lane that no backend serves.

    What runs already is finished. A paused server gains and loses nothing in the fair queue: its jobs come back
    into line as if they had been ordered then.
    """

    def __init__(
        self,
        store: SettingsStore,
        jobs: Jobs,
        routing: Routing,
        auditing: Auditing,
        *,
        announcer: Announcer,
        clock: Clock,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._routing = routing
        self._auditing = auditing
        self._announcer = announcer
        self._clock = clock
        self._since: dict[int, float] = {}

    async def load(self) -> None:
        """Take up what an earlier life left paused, before any job is started."""
        self._take(await self._store.load(SCOPE, _OWNER))

    def since(self, guild_id: int | None) -> float | None:
        """Return since when (unix seconds) a server is paused; ``None`` if it is not."""
        return self._since.get(guild_id) if guild_id is not None else None

    async def pause(self, asker: Asker) -> None:
        """Start none of the server's waiting jobs; raises ``DeniedError``, ``RequestError`` if it is so."""
        guild_id = _moderated(asker)
        await self.load()  # other processes pause other servers
        if guild_id in self._since:
            raise RequestError(N_("The queue of this server is paused already."), N_("Go on: /queue resume"))
        await self._set(guild_id, self._clock())
        await self._auditing.record(asker)

    async def resume(self, asker: Asker) -> None:
        """Let the server's jobs go on; raises ``DeniedError``, ``RequestError`` if they are not paused."""
        guild_id = _moderated(asker)
        await self.load()
        if guild_id not in self._since:
            raise RequestError(N_("The queue of this server is not paused."), N_("See who waits: /queue show"))
        await self._set(guild_id, None)
        await self._auditing.record(asker)

    async def forget(self, guild_id: int) -> None:
        """Forget a server that the bot left."""
        if guild_id in self._since:
            await self._set(guild_id, None)

    def _take(self, stored: Mapping[str, object]) -> None:
        self._since = {int(guild): float(str(since)) for guild, since in stored.items()}
        self._routing.paused = set(self._since)

    async def _set(self, guild_id: int, since: float | None) -> None:
        # In this order: a job that was on its way into the queue at this moment is in it once this is stored.
        self._routing.paused = (
            self._routing.paused - {guild_id} if since is None else {*self._routing.paused, guild_id}
        )
        self._take(await self._store.alter(SCOPE, _OWNER, {str(guild_id): since}))
        await self._jobs.relane(self._routing.lane_of, self._announcer.changed)


def _moderated(asker: Asker) -> int:
    """Return the server's id if the asker moderates all of it."""
    if asker.guild_id is None:
        raise RequestError(N_("There is no server here."), N_("Cancel your own jobs: /queue cancel"))
    if not asker.moderates_server:
        raise DeniedError(
            N_("Only members with Manage Messages may pause or resume the queue."),
            N_("Ask a moderator, or cancel your own jobs."),
        )
    return asker.guild_id
