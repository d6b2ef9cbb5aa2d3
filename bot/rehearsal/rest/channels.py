"""Channels and their messages, by the bot's own right."""

from bot.rehearsal import errors, forms, payloads, permissions, ratelimits
from bot.rehearsal.errors import Json
from bot.rehearsal.permissions import Permission
from bot.rehearsal.post import Context
from bot.rehearsal.rest.table import Table
from bot.rehearsal.stage import Call, Stage
from bot.rehearsal.world import Channel, Message

table = Table()
_CHANNEL = "/channels/{channel_id}"
_MESSAGES = f"{_CHANNEL}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REPLY = 19
_HOUR_S = 3600


@table.route("GET", _CHANNEL)
def channel(stage: Stage, call: Call) -> Json:
    """Return a channel."""
    return payloads.channel(stage.channel(call))


@table.route("PATCH", _CHANNEL)
def change_channel(stage: Stage, call: Call) -> Json:
    """Archive or open a thread; nothing else of channels is played."""
    thread = stage.channel(call)
    if not thread.is_thread or not set(call.body) <= {"archived", "locked"}:
        raise errors.ApiError(501, 0, f"The stand-in does not play this change of a channel: {sorted(call.body)}")
    moderates = permissions.of(stage.world.bot, thread) & Permission.MANAGE_THREADS
    if (thread.locked or "locked" in call.body) and not moderates:
        raise errors.missing_permissions()
    stage.require(thread, Permission.SEND_MESSAGES_IN_THREADS)
    thread.archived = bool(call.body.get("archived", thread.archived))
    thread.locked = bool(call.body.get("locked", thread.locked))
    stage.world.update(thread)
    return payloads.channel(thread)


@table.route("GET", _MESSAGES)
def history(stage: Stage, call: Call) -> list[Json]:
    """Return messages, newest first, at most ``limit`` (50), before or after one."""
    place = stage.channel(call)
    if not permissions.of(stage.world.bot, place) & Permission.READ_MESSAGE_HISTORY:
        return []
    found = [m for m in place.messages if m.private_to is None]
    before, after = call.query.get("before"), call.query.get("after")
    if before:
        found = [m for m in found if m.id < int(before)]
    if after:
        found = [m for m in found if m.id > int(after)]
    limit = int(call.query.get("limit", 50))
    chosen = found[:limit] if after else found[-limit:]
    return [payloads.message(m, stage.world.bot) for m in reversed(chosen)]


@table.route("GET", _MESSAGE)
def message(stage: Stage, call: Call) -> Json:
    """Return one message, its files' addresses signed anew."""
    found = stage.message(call)
    stage.require(found.channel, Permission.READ_MESSAGE_HISTORY)
    stage.post.renew(found)
    return payloads.message(found, stage.world.bot)


@table.route("POST", _MESSAGES)
def send(stage: Stage, call: Call) -> Json:
    """Send a message; with an enforced nonce, the same one twice is one message."""
    place, bot = stage.channel(call), stage.world.bot
    _check_may_send(stage, place, call)
    nonce = call.body.get("nonce")
    if nonce is not None and call.body.get("enforce_nonce"):
        twin = next((m for m in place.messages if m.nonce == str(nonce) and m.author is bot), None)
        if twin is not None:
            return payloads.message(twin, bot)
    forms.check_message(call.body, call.files, layout=forms.is_layout(call.body))
    reference = _reference(stage, place, call.body)
    body = dict(call.body)
    if body.get("embeds") and not permissions.of(bot, place) & Permission.EMBED_LINKS:
        body["embeds"] = []
    if place.archived:
        place.archived = False
        stage.world.update(place)
    context = Context(type=_REPLY if reference else 0, reference=reference)
    return payloads.message(stage.post.send(place, bot, body, call.files, context), bot)


@table.route("PATCH", _MESSAGE)
def edit(stage: Stage, call: Call) -> Json:
    """Change one of the bot's own messages, also one that began as a response to an interaction."""
    found = stage.message(call)
    if found.author is not stage.world.bot:
        raise errors.not_ones_own()
    if found.channel.archived:
        raise errors.archived_thread()
    if stage.clock() - found.created_at > _HOUR_S:
        wait_s = stage.rate_limits.take_old_edit(found.channel.id)
        if wait_s is not None:
            raise _too_many_old_edits(wait_s)
    forms.check_message(call.body, call.files, layout=forms.is_layout(call.body, found.flags))
    stage.post.edit(found, call.body, call.files)
    return payloads.message(found, stage.world.bot)


@table.route("DELETE", _MESSAGE)
def delete(stage: Stage, call: Call) -> None:
    """Take a message away, another's only with Manage Messages."""
    found = stage.message(call)
    if found.author is not stage.world.bot:
        stage.require(found.channel, Permission.MANAGE_MESSAGES)
    if found.channel.archived:
        raise errors.archived_thread()
    stage.post.delete(found)


@table.route("POST", f"{_CHANNEL}/typing")
def typing(stage: Stage, call: Call) -> None:
    """Show that the bot is typing."""
    stage.channel(call)


def _check_may_send(stage: Stage, place: Channel, call: Call) -> None:
    person = next((p for p in place.recipients if not p.bot), None)
    if person is not None and not person.takes_direct_messages:
        raise errors.closed_direct_messages()
    if person is not None and not stage.world.may_write_to(person):
        raise errors.no_mutual_guild()
    stage.require(place, Permission.SEND_MESSAGES_IN_THREADS if place.is_thread else Permission.SEND_MESSAGES)
    if call.files:
        stage.require(place, Permission.ATTACH_FILES)
    if place.archived and place.locked:
        raise errors.archived_thread()


def _reference(stage: Stage, place: Channel, body: Json) -> Message | None:
    pointer = body.get("message_reference")
    if not pointer:
        return None
    if not permissions.of(stage.world.bot, place) & Permission.READ_MESSAGE_HISTORY:
        raise errors.ApiError(403, 160002, "Cannot reply without permission to read message history")
    found = place.log.get(int(pointer["message_id"]))
    if found is None and pointer.get("fail_if_not_exists", True):
        wrong = errors.FormErrors()
        wrong.add(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        wrong.raise_if_any()
    return found


def _too_many_old_edits(wait_s: float) -> errors.ApiError:
    headers, body = ratelimits.refusal(wait_s, {"X-RateLimit-Scope": "user"}, 30046)
    words = "Maximum number of edits to messages older than 1 hour reached. Try again later"
    return errors.ApiError(429, 30046, words, extra={**body, "message": words}, headers=headers)
