"""Keeping what is in memory as fresh as the rows, where other processes change them too."""

import asyncio
from contextlib import suppress

import structlog

from bot.jobs.notices import Notices
from bot.services.auditing import Auditing
from bot.services.authority import Authority
from bot.services.blocking import Blocking
from bot.services.pausing import SCOPE as PAUSED
from bot.services.pausing import Pausing
from bot.services.preferences import Preferences, Scope
from bot.services.quotas import Quotas
from bot.services.reviewing import Reviewing
from bot.services.snippets import Snippets

log = structlog.get_logger(__name__)

STALE_S = 60.0
"""After so long everything is read anew: a notice may come while the row of before is still being read."""


class Freshness:
    """Forgets what was read of settings, quotas and kept things once another process has changed them."""

    def __init__(
        self,
        notices: Notices,
        preferences: Preferences,
        authority: Authority,
        auditing: Auditing,
        quotas: Quotas,
        snippets: Snippets,
        reviewing: Reviewing,
        blocking: Blocking,
        pausing: Pausing,
    ) -> None:
        self._preferences = preferences
        self._by_server = (authority, auditing, quotas)
        self._snippets = snippets
        self._reviewing = reviewing
        self._blocking = blocking
        self._pausing = pausing
        self._due = asyncio.Event()
        notices.hear("settings", self._settings_changed)
        notices.hear("quotas", lambda said: quotas.forget(int(said)))
        notices.hear("snippets", lambda _said: snippets.forget_all())
        notices.hear("blocks", lambda _said: self._due.set())
        notices.missed(self._forget_all)

    async def run(self) -> None:
        """Read anew what is always in memory, whenever it may have changed, until cancelled."""
        loop = asyncio.get_running_loop()
        stale_at = loop.time() + STALE_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(stale_at):
                    await self._due.wait()
            if loop.time() >= stale_at:
                self._forget_all()
                stale_at = loop.time() + STALE_S
            self._due.clear()
            try:
                await self._pausing.load()
                await self._blocking.load()
            except Exception:
                # What it was before holds until the database answers again.
                log.exception("not read anew")

    def _settings_changed(self, said: str) -> None:
        scope, owner = said.split()
        if scope == PAUSED:
            self._due.set()
        if scope in set(Scope):
            self._preferences.forget(Scope(scope), int(owner))
        for each in self._by_server:
            each.forget(int(owner))
        self._reviewing.forget_rules()

    def _forget_all(self) -> None:
        self._preferences.forget_all()
        for each in self._by_server:
            each.forget_all()
        self._snippets.forget_all()
        self._reviewing.forget_rules()
        self._due.set()
