"""Why the bot cannot start or go on, in words for the host, with the cure."""

from collections.abc import Mapping

import discord

from bot.delivery.messenger import CUT
from bot.domain.shards import Shards

UNKNOWN = "Discord does not know this DISCORD_TOKEN. Reset it in the developer portal."
_SHARDS_INVALID = "Discord does not take the shards {shards}. Choose others with --shards."
_SHARDS_REQUIRED = (
    "The bot is in too many servers for the shards {shards}. Share them out among more, or start it without "
    "--shards, for as many as Discord recommends."
)
_VERSION_REFUSED = "Discord ended the version of its gateway that this Easel speaks. Update Easel."
_INTENTS_INVALID = "Discord does not know what this Easel asks to be told of. Update Easel."
_INTENTS_REFUSED = (
    "Discord does not let this bot be told of what Easel asks for. Update Easel, or switch the intents on in the "
    "developer portal: page Bot, Privileged Gateway Intents."
)
_ENDED = "Discord ended the connection for good: {code}."


class StartError(Exception):
    """The bot cannot start; the words are for the host."""


class RefusedError(StartError):
    """Discord does not take what the bot is set to; to start again alone does not help."""


class TokenRefusedError(RefusedError):
    """Discord does not know the token."""


class DiscordAwayError(StartError):
    """Discord cannot be reached."""


SHARDS_REQUIRED, INTENTS_REFUSED = 4011, 4014
_BY_CODE: Mapping[int, tuple[type[StartError], str]] = {
    4004: (TokenRefusedError, UNKNOWN),
    4010: (RefusedError, _SHARDS_INVALID),
    SHARDS_REQUIRED: (RefusedError, _SHARDS_REQUIRED),
    4012: (RefusedError, _VERSION_REFUSED),
    4013: (RefusedError, _INTENTS_INVALID),
    INTENTS_REFUSED: (RefusedError, _INTENTS_REFUSED),
}
"""By the gateway's close code (Discord docs, Opcodes and Status Codes)."""


def refusal(code: int, shards: Shards, *, chosen: bool) -> StartError:
    """Return why Discord ended the connection of ``shards`` for good; ``chosen`` if the host named them."""
    kind, words = _BY_CODE.get(code, (DiscordAwayError, _ENDED))
    if code == SHARDS_REQUIRED and not chosen:
        kind = DiscordAwayError  # the next start asks Discord again how many shards there have to be
    return kind(words.format(code=code, shards=shards))


async def login(client: discord.Client, token: str) -> None:
    """Log in, which needs no gateway; raises ``TokenRefusedError`` or ``DiscordAwayError``."""
    try:
        await client.login(token)
    except discord.LoginFailure as error:
        raise TokenRefusedError(UNKNOWN) from error
    except (discord.HTTPException, discord.GatewayNotFound) as error:
        raise DiscordAwayError(f"Discord does not take the start: {error}") from error
    except CUT as error:
        raise DiscordAwayError(f"Discord cannot be reached: {type(error).__name__}.") from error
