"""Reactions of the bot, and moderating those of others."""

from bot.rehearsal import errors, payloads, permissions
from bot.rehearsal.errors import Json
from bot.rehearsal.permissions import Permission
from bot.rehearsal.rest.table import Table
from bot.rehearsal.stage import Call, Stage
from bot.rehearsal.world import Message

table = Table()
_ALL = "/channels/{channel_id}/messages/{message_id}/reactions"
_FACE = f"{_ALL}/{{emoji_name}}"


@table.route("PUT", f"{_FACE}/@me")
def add(stage: Stage, call: Call) -> None:
    """Let the bot react; a face nobody chose before needs Add Reactions."""
    message = _message(stage, call)
    stage.require(message.channel, Permission.READ_MESSAGE_HISTORY)
    face = call.params["emoji_name"]
    if not message.reactions.get(face):
        stage.require(message.channel, Permission.ADD_REACTIONS)
    stage.post.react(message, stage.world.bot, face)


@table.route("DELETE", f"{_FACE}/@me")
def take_back(stage: Stage, call: Call) -> None:
    """Take the bot's own reaction away."""
    stage.post.unreact(_message(stage, call), stage.world.bot, call.params["emoji_name"])


@table.route("DELETE", f"{_FACE}/{{user_id}}")
def remove(stage: Stage, call: Call) -> None:
    """Take somebody's reaction away."""
    message = _message(stage, call)
    stage.require(message.channel, Permission.MANAGE_MESSAGES)
    user = stage.world.users.get(int(call.params["user_id"]))
    if user is None:
        raise errors.unknown_user()
    stage.post.unreact(message, user, call.params["emoji_name"])


@table.route("DELETE", _ALL)
@table.route("DELETE", _FACE)
def clear(stage: Stage, call: Call) -> None:
    """Take everybody's reactions away, or those with one face."""
    message = _message(stage, call)
    stage.require(message.channel, Permission.MANAGE_MESSAGES)
    stage.post.clear_reactions(message, call.params.get("emoji_name"))


@table.route("GET", _FACE)
def who(stage: Stage, call: Call) -> list[Json]:
    """Return who reacted with a face."""
    message = _message(stage, call)
    if not permissions.of(stage.world.bot, message.channel) & Permission.READ_MESSAGE_HISTORY:
        raise errors.missing_permissions()
    ids = message.reactions.get(call.params["emoji_name"], [])
    return [payloads.user(stage.world.users[user_id]) for user_id in ids]


def _message(stage: Stage, call: Call) -> Message:
    message = stage.message(call)
    if message.channel.archived:
        raise errors.archived_thread()
    return message
