"""Taking jobs back out of the queue, for those who may."""

from asyncio import gather
from collections.abc import Iterable

from bot.domain.asker import Asker
from bot.domain.audit import Change
from bot.domain.codes import code, job_id
from bot.domain.errors import DeniedError, GoneError, RequestError
from bot.domain.job import Job, State
from bot.domain.ports import Announcer
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.access import Access
from bot.services.auditing import Auditing
from bot.services.reviewing import Reviewing


class Cancelling:
    """Cancels jobs, one or many, and has it told."""

    def __init__(
        self, jobs: Jobs, access: Access, reviewing: Reviewing, auditing: Auditing, *, announcer: Announcer
    ) -> None:
        self._jobs = jobs
        self._access = access
        self._reviewing = reviewing
        self._auditing = auditing
        self._announcer = announcer

    async def cancel(self, job_id: int, asker: Asker) -> Job:
        """Cancel a job, or the rest of its sheet, for its owner or a moderator; raises a ``BotError`` if not."""
        cancelled = await self._cancel(await self._access.owned(job_id, asker), asker.user_id)
        if not cancelled:
            raise RequestError(N_("It is finished already."), N_("Delete takes the picture away."))
        return cancelled[0]

    async def cancel_named(self, typed: str, asker: Asker) -> Job:
        """Cancel the job of a typed code in the same way."""
        found = job_id(typed)
        try:
            return await self.cancel(found, asker)
        except GoneError as gone:
            raise GoneError(
                N_("There is no job {code} here."), N_("See who waits: /queue show"), code=code(found)
            ) from gone

    async def withdraw(self, message_id: int) -> None:
        """Cancel the job whose message somebody deleted: nobody waits for it any more."""
        job = await self._jobs.by_message(message_id)
        if job is not None:
            await self._cancel(job, None)

    async def _cancel(self, job: Job, by: int | None) -> list[Job]:
        if job.spec.sheet is not None:
            unseen = self._reviewing.is_held(job)
            cancelled = await self._jobs.cancel_sheet(job.spec.sheet.key, by=by, painted=unseen)
        else:
            one = await self._jobs.cancel(job.id, by=by)
            cancelled = [] if one is None else [one]
        for each in cancelled:
            self._announcer.changed(each)
        return cancelled

    async def clear(self, asker: Asker) -> int:
        """Cancel every waiting job of a server for a moderator and return how many there were."""
        if not asker.moderates_server or asker.guild_id is None:
            raise DeniedError(
                N_("Only members with Manage Messages may clear the queue."),
                N_("Ask a moderator, or cancel your own jobs."),
            )
        waiting = await self._jobs.waiting(guild=asker.guild_id)
        count = await self._cancel_all((job for job in waiting if job.state is State.QUEUED), asker)
        await self._auditing.record(asker, [Change("jobs", count, 0)] if count else ())
        return count

    async def cancel_own(self, asker: Asker) -> int:
        """Cancel all that ``asker`` has waiting or being painted here and return how many jobs that were."""
        return await self._cancel_all(await self._jobs.waiting(guild=asker.payer, user=asker.user_id), asker)

    async def _cancel_all(self, jobs: Iterable[Job], asker: Asker) -> int:
        async def cancel(job: Job) -> bool:
            cancelled = await self._jobs.cancel(job.id, by=asker.user_id)
            if cancelled is not None:
                self._announcer.changed(cancelled)
            return cancelled is not None

        # All at once: what waits together is written to the disk together.
        return sum(await gather(*map(cancel, jobs)))
