"""Which emoji a server may choose for reactions; whether one is its own, only Discord knows."""

from collections.abc import Mapping

from bot.delivery.messenger import Messenger
from bot.domain.errors import RequestError
from bot.domain.text import N_
from bot.services.preferences import EMOJI, Effective
from bot.ui import reactions


async def check_emoji(
    messenger: Messenger, guild_id: int, values: Mapping[str, object], effective: Effective
) -> None:
    """Raise ``RequestError`` for what ``reactions.check`` refuses, and for another server's own emoji."""
    chosen = {name: values[name] for name in EMOJI if name in values}
    reactions.check(chosen, effective)
    for emoji in map(reactions.custom_id, map(str, chosen.values())):
        if emoji is not None and not await messenger.has_emoji(guild_id, emoji):
            raise RequestError(
                N_("That emoji is not one of this server's own."),
                N_("Choose one of this server, or one of the usual ones."),
            )
