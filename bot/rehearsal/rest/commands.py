"""Registering commands."""

from bot.rehearsal.errors import Json
from bot.rehearsal.events import Event
from bot.rehearsal.rest.table import Table
from bot.rehearsal.stage import Call, Stage

table = Table()
_GLOBAL = "/applications/{application_id}/commands"
_OF_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


@table.route("GET", _GLOBAL)
@table.route("GET", _OF_GUILD)
def registered(stage: Stage, call: Call) -> list[Json]:
    """Return what is registered."""
    return stage.commands.all(_place(call))


@table.route("PUT", _GLOBAL)
@table.route("PUT", _OF_GUILD)
def replace(stage: Stage, call: Call) -> list[Json]:
    """Register exactly these."""
    found = stage.commands.replace(call.body, _place(call))
    # No dispatch of Discord's: only the page, which lists commands, hears of it.
    stage.bus.publish(Event("COMMANDS_REGISTERED", {}, private_to=stage.world.bot.id))
    return found


def _place(call: Call) -> int | None:
    return int(call.params["guild_id"]) if "guild_id" in call.params else None
