"""Who may see, follow and take away which job."""

from bot.domain.asker import Asker
from bot.domain.codes import code, job_id
from bot.domain.errors import DeniedError, GoneError
from bot.domain.job import Job
from bot.domain.permits import Command
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.adult import check_place
from bot.services.preferences import Preferences
from bot.services.reviewing import Reviewing


class Access:
    """Finds jobs for those who may have them."""

    def __init__(self, jobs: Jobs, preferences: Preferences, reviewing: Reviewing) -> None:
        self._jobs = jobs
        self._preferences = preferences
        self._reviewing = reviewing

    async def owned(self, job_id: int, asker: Asker) -> Job:
        """Return a job that ``asker`` may cancel or delete; raises ``DeniedError`` or ``GoneError``."""
        job = await self._found(job_id, asker)
        here = asker.moderates and job.address.channel_id == asker.channel_id
        if asker.user_id != job.user and not here and not asker.moderates_server:
            raise DeniedError(
                N_("This picture is not yours."),
                N_("Only the asker and members with Manage Messages may cancel or delete it."),
            )
        return job

    async def named(self, typed: str, asker: Asker) -> Job:
        """Return the job of a typed code as ``seen`` does; raises ``RequestError`` for what is no code."""
        found = job_id(typed)
        try:
            return await self.seen(found, asker)
        except GoneError as gone:
            raise unknown(found) from gone

    async def check_place(self, asker: Asker, job: Job) -> None:
        """Raise ``DeniedError`` if a picture may not be shown where ``asker`` is."""
        check_place(await self._preferences.effective(asker), adult=job.spec.adult)

    async def may_repost(self, asker: Asker, job: Job) -> bool:
        """Return whether a picture may be shown to all where ``asker`` is.

        One from elsewhere no moderator has seen there.
        """
        server = job.address.guild_id if job.address.reachable else None
        if asker.guild_id is None or asker.guild_id == server:
            return True
        rule = await self._reviewing.rule(asker.guild_id)
        return rule.cause(trusted=await self._reviewing.trusts(asker)) is None

    async def check_commands(self, asker: Asker, *commands: Command) -> None:
        """Raise ``DeniedError`` for a command that is kept for other roles, before a form for it is filled in."""
        (await self._preferences.effective(asker)).grant.check(*commands)

    async def check_follows(self, asker: Asker, parent: Job) -> None:
        """Raise ``DeniedError`` if a picture may not be shown there, or if others' may not be painted on from."""
        await self.check_place(asker, parent)
        if asker.user_id == parent.user or asker.moderates or asker.moderates_server:
            return
        effective = await self._preferences.effective(asker)
        if not effective.others_may_reroll:
            raise DeniedError(
                N_("This picture is not yours."),
                N_("Here only its asker and members with Manage Messages may paint on from it. Start with /draw."),
            )

    async def seen(self, job_id: int, asker: Asker) -> Job:
        """Return a job of this server or channel, or this person's own; raises ``GoneError`` otherwise.

        What is private is seen by nobody else, not even by moderators. What they look at first, or have declined,
        is a ``DeniedError`` for everybody.
        """
        job = await self._found(job_id, asker)
        if is_private(job) and asker.user_id != job.user:
            raise _gone()
        await self._reviewing.check_seen(job)
        return job

    async def _found(self, job_id: int, asker: Asker) -> Job:
        job = await self._jobs.get(job_id)
        here = {asker.user_id, asker.payer, asker.channel_id}
        if job is None or here.isdisjoint({job.user, job.guild, job.address.channel_id}):
            raise _gone()
        return job


def unknown(found: int) -> GoneError:
    """Return what is said of a typed code whose job is not kept, or was never seen by who typed it."""
    return GoneError(
        N_("There is no picture {code} here, or it is no longer kept."),
        N_("Look for your pictures: /history"),
        code=code(found),
    )


def _gone() -> GoneError:
    return GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /draw"))


def is_private(job: Job | None) -> bool:
    """Return whether only its asker has seen a job: so it stays with everything made from it."""
    return job is not None and job.address.ephemeral
