"""Where a picture comes from, in one short line."""

from collections.abc import Mapping

from bot.domain.job import Address, Job, Origin
from bot.domain.text import N_
from bot.i18n import say

_DONE: Mapping[Origin, str] = {
    Origin.REROLL: N_("Rerolled from {message}"),
    Origin.EDIT: N_("Edited from {message}"),
    Origin.REMIX: N_("Remixed from {message}"),
    Origin.VARY: N_("Varied from {message}"),
    Origin.UPSCALE: N_("Upscaled from {message}"),
    Origin.CUTOUT: N_("Cut out of {message}"),
    Origin.EXPLORE: N_("Explored again from {message}"),
    Origin.DESCRIBE: N_("Described from {message}"),
}


def link(address: Address) -> str | None:
    """Return a message's address, which Discord's clients show as a jump to it; ``None`` if others see none."""
    if address.message_id is None or address.ephemeral:
        return None
    return f"https://discord.com/channels/{address.guild_id or '@me'}/{address.channel_id}/{address.message_id}"


def line(job: Job, parent: Job | None) -> str | None:
    """Return what was done to which message to get ``job``; ``None`` where its own message replies to that."""
    words = _DONE.get(job.spec.origin)
    place = link(parent.address) if parent is not None else None
    if words is None or place is None or job.address.reply_to is not None:
        return None
    return say(words, job.spec.locale, message=place)


def taken(job: Job, number: int, by: int) -> str | None:
    """Return of which message picture ``number`` (from 1) was, and who sent it; ``None`` if others see none."""
    place = link(job.address)
    if place is None:
        return None
    words = N_("Picture {number} of {message}, sent by {who}")
    return say(words, job.spec.locale, number=number, message=place, who=f"<@{by}>")
