"""Which pictures may be named by their code or shown again, and where."""

from typing import Any

import discord

from bot.delivery.asking import asker_of, check_channel, reaches_channel
from bot.domain.errors import DeniedError, RequestError
from bot.domain.job import Job, State
from bot.domain.text import N_
from bot.services.access import unknown
from bot.services.studio import Studio


async def like(studio: Studio, interaction: discord.Interaction, typed: str | None) -> Job | None:
    """Return the job of a typed code, if there is one, to order another like it.

    Raises ``BotError`` for what this person never saw, and for what nobody knows the recipe of.
    """
    if not typed:
        return None
    job = await studio.access.named(typed, asker_of(interaction))
    _check_seen(interaction, job)
    if not job.spec.request.prompt.strip():
        raise RequestError(
            N_("Nobody knows how this picture was painted."),
            N_("Have it described: /describe. Or paint over it: /remix."),
        )
    return job


def check_showable(interaction: discord.Interaction, job: Job) -> None:
    """Raise the ``BotError`` that says why ``job`` cannot be shown to this person in this place."""
    if job.state is not State.DELIVERED or job.result is None or not job.result.pictures:
        raise RequestError(N_("There is no picture of it."), N_("Look for your pictures: /history"))
    _check_seen(interaction, job)


def may_be_public(interaction: discord.Interaction, job: Job) -> bool:
    """Return whether everybody in this place may see it, and the bot may post it there."""
    if job.address.ephemeral or not reaches_channel(interaction):
        return False
    here = job.address.channel_id == interaction.channel_id
    if job.user != interaction.user.id and not here and not _is_open(_place(interaction, job)):
        return False
    try:
        check_channel(interaction)
    except DeniedError:
        return False
    return True


def _check_seen(interaction: discord.Interaction, job: Job) -> None:
    if job.user != interaction.user.id and not _sees(interaction, job):
        raise unknown(job.id)


def _sees(interaction: discord.Interaction, job: Job) -> bool:
    """Return whether somebody else's picture stands where this person may see it."""
    if job.address.ephemeral or job.address.message_id is None:
        # It was for its asker alone, or its message was deleted: whoever did that did not want it seen.
        return False
    place = _place(interaction, job)
    if job.address.channel_id == interaction.channel_id:
        return True
    if place is None or not isinstance(interaction.user, discord.Member):
        return False
    rights = place.permissions_for(interaction.user)
    private = isinstance(place, discord.Thread) and place.is_private() and not rights.manage_threads
    return rights.view_channel and rights.read_message_history and not private


def _is_open(place: Any) -> bool:
    """Return whether everybody in its server may see a channel."""
    if isinstance(place, discord.Thread):
        return not place.is_private() and _is_open(place.parent)
    if not isinstance(place, discord.abc.GuildChannel):
        return False
    denied = any(overwrite.view_channel is False for overwrite in place.overwrites.values())
    return not denied and place.permissions_for(place.guild.default_role).view_channel


def _place(interaction: discord.Interaction, job: Job) -> Any:
    if job.address.channel_id == interaction.channel_id:
        return interaction.channel
    return interaction.client.get_channel(job.address.channel_id)
