"""Places: which of them may have adult pictures, and where orders are private unless it is said otherwise."""

from dataclasses import replace

import discord

from bot.delivery.asking import reaches_channel
from bot.delivery.messenger import Messenger
from bot.domain.asker import Asker
from bot.domain.job import Job
from bot.services.preferences import Preferences


class Places:
    """Looks again, at delivery, whether a place may have what was painted for it."""

    def __init__(self, messenger: Messenger, preferences: Preferences) -> None:
        self._messenger = messenger
        self._preferences = preferences

    async def takes(self, job: Job) -> bool:
        """Return whether the place of a job may have its pictures now; raises ``BlockedError`` as an edit does.

        Discord is asked, for its flag may be gone since the order, and no gateway need have told of it. Where only
        a person brought the bot nobody can ask: what was seen at the order holds for the token's minutes.
        """
        address = job.address
        if not job.spec.adult:
            return True
        asker = Asker.of(job)
        if address.guild_id is not None and address.reachable:
            asker = replace(asker, restricted=await self._messenger.is_age_restricted(address.channel_id))
        return (await self._preferences.effective(asker)).adult

    async def lets_direct(self, job: Job) -> bool:
        """Return whether the asker's direct messages may have its pictures."""
        return not job.spec.adult or (await self._preferences.effective(Asker(job.user))).adult


def is_private(interaction: discord.Interaction, chosen: bool | None) -> bool:
    """Return whether an order is its asker's alone: so it is as a guest elsewhere, unless they say otherwise."""
    return not reaches_channel(interaction) if chosen is None else chosen
