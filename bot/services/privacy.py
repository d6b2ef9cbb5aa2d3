"""What people may know, take away and have deleted; what goes by itself once its days are over."""

import asyncio
import io
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from bot.domain.errors import LimitError
from bot.domain.job import Job
from bot.domain.ports import BlobStore
from bot.domain.privacy import Kept, Terms
from bot.domain.shards import Shards
from bot.domain.text import N_
from bot.jobs.forgetting import Forgetting
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.pausing import Pausing
from bot.services.preferences import Preferences, Scope
from bot.services.quotas import Quotas
from bot.services.reviewing import Reviewing
from bot.services.snippets import Snippets
from bot.services.stats import Stats
from bot.storage.own import StoredOwn

log = structlog.get_logger(__name__)

DAY_S = 86400
NAME = "easel-data"
"""What an export is called, without its ending."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """What the services keep in memory and have to forget too."""

    preferences: Preferences
    snippets: Snippets
    stats: Stats
    pausing: Pausing
    quotas: Quotas
    reviewing: Reviewing
    authority: Authority
    auditing: Auditing


class Privacy:
    """Forgets people, servers and old jobs, with the files that nobody else uses.

    ``forsake`` draws the message of a job that was deleted before its last word; ``forget`` takes a person out of
    whatever the Discord side remembers.
    """

    def __init__(
        self,
        store: Forgetting,
        own: StoredOwn,
        blobs: BlobStore,
        shelves: Shelves,
        *,
        terms: Terms,
        forsake: Callable[[Job], None],
        forget: Callable[[int], None],
    ) -> None:
        self._store = store
        self._own = own
        self._blobs = blobs
        self._shelves = shelves
        self._forsake = forsake
        self._forget = forget
        self.terms = terms

    async def kept(self, user_id: int) -> Kept:
        """Return how much is kept of a person."""
        return await self._own.count(user_id)

    async def export(self, user_id: int, max_bytes: int) -> tuple[str, bytes]:
        """Return the name and the bytes of a file with all that is kept of a person, packed if it has to be.

        Raises ``LimitError`` where even that takes more than ``max_bytes``.
        """
        data = await self._own.export(user_id)
        if len(data) <= max_bytes:
            return f"{NAME}.json", data
        packed = await asyncio.to_thread(_zipped, data)
        if len(packed) > max_bytes:
            raise LimitError(
                N_("What I keep of you is too large for a file here."),
                N_("Use the command in a server that takes larger files, or ask the host of this bot."),
            )
        return f"{NAME}.zip", packed

    async def delete(self, user_id: int) -> None:
        """Forget a person everywhere; what of theirs waits or runs ends and is not delivered."""
        ended = await self._store.person(user_id)
        for job in ended:
            self._forsake(job)
        self._shelves.preferences.forget(Scope.PERSON, user_id)
        self._shelves.snippets.forget_all()
        self._shelves.stats.forget()
        self._forget(user_id)
        await self._bury()

    async def left(self, guild_id: int) -> None:
        """Note that the bot left a server: its days begin."""
        await self._store.part_from(guild_id)

    async def joined(self, guild_id: int) -> None:
        """Note that the bot is in a server again: what it has is kept."""
        await self._store.rejoin(guild_id)

    async def compare(self, present: Collection[int], shards: Shards) -> None:
        """Note which servers of ``shards`` the bot left, or joined again, while it was away."""
        if left := await self._store.compare(present, shards):
            log.info("servers left while away", count=left, kept_days=self.terms.left)

    async def tidy(self, shards: Shards) -> None:
        """Delete whatever is past its days, and finish what an earlier life began to delete.

        A server that was left goes by whoever has its shard, and remembers its settings.
        """
        if gone := await self._store.prune(self.terms.jobs * DAY_S):
            self._shelves.stats.forget()
            log.info("old jobs deleted", count=gone)
        for guild_id in await self._store.departed(self.terms.left * DAY_S):
            if shards.owns(guild_id):
                await self._delete_server(guild_id)
        await self._bury()

    async def _delete_server(self, guild_id: int) -> None:
        await self._shelves.pausing.forget(guild_id)
        for job in await self._store.server(guild_id):
            self._forsake(job)
        self._shelves.preferences.forget(Scope.SERVER, guild_id)
        self._shelves.quotas.forget(guild_id)
        self._shelves.authority.forget(guild_id)
        self._shelves.auditing.forget(guild_id)
        self._shelves.reviewing.forget(guild_id)
        self._shelves.snippets.forget_all()
        self._shelves.stats.forget()
        log.info("a server's data deleted", guild=guild_id)

    async def _bury(self) -> None:
        """Delete the files of deleted jobs that nobody else uses."""
        doomed, unused = await self._store.unused()
        if doomed:
            await self._blobs.remove(unused)
            await self._store.bury(doomed)


def _zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{NAME}.json", data)
    return packed.getvalue()
