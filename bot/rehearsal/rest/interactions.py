"""Answering interactions: the first response, then messages by the interaction's token."""

from bot.rehearsal import errors, forms, payloads
from bot.rehearsal.errors import Json
from bot.rehearsal.interactions import Interaction
from bot.rehearsal.rest.table import Table
from bot.rehearsal.stage import Call, Stage
from bot.rehearsal.world import Message

table = Table()
_HOOK = "/webhooks/{webhook_id}/{webhook_token}"
_ORIGINAL = f"{_HOOK}/messages/@original"
_MESSAGE = f"{_HOOK}/messages/{{message_id}}"


@table.route("POST", "/interactions/{interaction_id}/{interaction_token}/callback", by_token=True)
def respond(stage: Stage, call: Call) -> Json | None:
    """Take the first response; ``with_response`` asks for what it made."""
    token = call.params["interaction_token"]
    answer = stage.interactions.respond(int(call.params["interaction_id"]), token, call.body, call.files)
    return answer if call.query.get("with_response", "").lower() in {"1", "true"} else None


@table.route("POST", _HOOK, by_token=True)
def follow_up(stage: Stage, call: Call) -> Json:
    """Send another message to who acted."""
    message = stage.interactions.follow_up(_interaction(stage, call), call.body, call.files)
    return payloads.message(message, stage.world.bot)


@table.route("GET", _ORIGINAL, by_token=True)
@table.route("GET", _MESSAGE, by_token=True)
def get(stage: Stage, call: Call) -> Json:
    """Return a message of this interaction."""
    return payloads.message(_message(stage, call), stage.world.bot)


@table.route("PATCH", _ORIGINAL, by_token=True)
@table.route("PATCH", _MESSAGE, by_token=True)
def edit(stage: Stage, call: Call) -> Json:
    """Change a message of this interaction."""
    message = _message(stage, call)
    if message.channel.archived:
        raise errors.archived_thread()
    forms.check_message(call.body, call.files, layout=forms.is_layout(call.body, message.flags))
    stage.post.edit(message, call.body, call.files)
    return payloads.message(message, stage.world.bot)


@table.route("DELETE", _ORIGINAL, by_token=True)
@table.route("DELETE", _MESSAGE, by_token=True)
def delete(stage: Stage, call: Call) -> None:
    """Take a message of this interaction away."""
    stage.post.delete(_message(stage, call))


def _interaction(stage: Stage, call: Call) -> Interaction:
    if call.params["webhook_id"] != str(stage.world.bot.id):
        raise errors.unknown_webhook()
    interaction = stage.interactions.by_token(call.params["webhook_token"])
    if interaction.channel.deleted:
        raise errors.unknown_channel()
    return interaction


def _message(stage: Stage, call: Call) -> Message:
    return stage.interactions.find(_interaction(stage, call), call.params.get("message_id", "@original"))
