"""The bot itself, other users, guilds, where the gateway is."""

from bot.rehearsal import errors, payloads
from bot.rehearsal.errors import Json
from bot.rehearsal.rest.table import Table
from bot.rehearsal.stage import Call, Stage
from bot.rehearsal.world import Guild

table = Table()


@table.route("GET", "/gateway")
def gateway(stage: Stage, _: Call) -> Json:
    """Tell where the gateway is."""
    address: str = stage.base_url().replace("http", "ws", 1)
    return {"url": f"{address}/gateway"}


@table.route("GET", "/gateway/bot")
def gateway_bot(stage: Stage, call: Call) -> Json:
    """Tell where the gateway is and how many sessions may start."""
    limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": stage.gateway.max_concurrency}
    return {**gateway(stage, call), "shards": stage.gateway.recommended_shards, "session_start_limit": limit}


@table.route("GET", "/users/@me")
def me(stage: Stage, _: Call) -> Json:
    """Return the bot's own user."""
    own = {"verified": True, "mfa_enabled": False, "locale": "en-US", "email": None}
    return payloads.user(stage.world.bot) | own


@table.route("GET", "/users/{user_id}")
def user(stage: Stage, call: Call) -> Json:
    """Return a user."""
    found = stage.world.users.get(int(call.params["user_id"]))
    if found is None:
        raise errors.unknown_user()
    return payloads.user(found)


@table.route("POST", "/users/@me/channels")
def open_direct(stage: Stage, call: Call) -> Json:
    """Open direct messages with a user."""
    found = stage.world.users.get(int(call.body.get("recipient_id") or 0))
    if found is None or found.bot:
        raise errors.ApiError(400, 50033, "Invalid Recipient(s)")
    return payloads.channel(stage.world.direct_channel(found))


@table.route("GET", "/applications/@me")
@table.route("GET", "/oauth2/applications/@me")
def application(stage: Stage, _: Call) -> Json:
    """Return the bot's application."""
    bot = stage.world.bot
    return {
        "id": str(bot.id),
        "name": bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "is_monetized": False,
        "is_verified": False,
        "is_discoverable": False,
        "flags": 0,
        "hook": True,
        "integration_types_config": {"0": {}, "1": {}},
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": len(stage.world.guilds),
        "verify_key": f"{bot.id:064x}",
        "owner": payloads.user(stage.world.owner),
        "team": None,
        "bot": payloads.user(bot),
    }


@table.route("GET", "/guilds/{guild_id}")
def guild(stage: Stage, call: Call) -> Json:
    """Return a guild the bot is in."""
    return payloads.guild(_guild(stage, call))


@table.route("GET", "/guilds/{guild_id}/members/{user_id}")
def member(stage: Stage, call: Call) -> Json:
    """Return a member of a guild the bot is in."""
    found = _guild(stage, call).members.get(int(call.params["user_id"]))
    if found is None:
        raise errors.ApiError(404, 10007, "Unknown Member")
    return payloads.member(found)


@table.route("GET", "/guilds/{guild_id}/emojis/{emoji_id}")
def custom_emoji(stage: Stage, call: Call) -> Json:
    """Return one of a guild's own emoji."""
    number = int(call.params["emoji_id"])
    name = _guild(stage, call).emojis.get(number)
    if name is None:
        raise errors.ApiError(404, 10014, "Unknown Emoji")
    return payloads.emoji(f"{name}:{number}")


def _guild(stage: Stage, call: Call) -> Guild:
    found = stage.world.guilds.get(int(call.params["guild_id"]))
    if found is None or stage.world.bot.id not in found.members:
        raise errors.missing_access()
    return found
