"""The routes to a message: the interaction's token while it is fresh, then the channel, then a direct message."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import Enum
from http import HTTPStatus
from typing import TypeVar

import aiohttp
import discord

from bot.delivery.asking import is_age_restricted
from bot.delivery.pace import EditPace
from bot.domain.job import Address, Intake, Job
from bot.domain.ports import Clock
from bot.ui import cards
from bot.ui.card import Card

T = TypeVar("T")

CALL_TIMEOUT_S = 60.0
"""Bound of one call, discord.py's own waiting for rate limits included."""
TOKEN_MARGIN_S = 5.0
"""A token this close to its end is not used any more."""
CUT = (aiohttp.ClientError, OSError, TimeoutError)
"""What discord.py lets through when a connection breaks: whether the call had its effect is not known."""
ORIGINAL = "@original"
"""Discord's name for the message that answered an interaction."""
_PEOPLE = 2000


class Obstacle(Enum):
    """Why Discord did not take a message (Discord docs, Opcodes and Status Codes)."""

    GONE = "gone"
    BARRED = "barred"
    ARCHIVED = "archived"
    TOO_OLD = "too old"
    TOO_LARGE = "too large"
    NO_ROUTE = "no route"
    LATER = "later"


_CODES = {
    10003: Obstacle.GONE,
    10004: Obstacle.GONE,
    10008: Obstacle.GONE,
    50001: Obstacle.BARRED,
    50007: Obstacle.BARRED,
    50013: Obstacle.BARRED,
    160002: Obstacle.BARRED,
    50083: Obstacle.ARCHIVED,
    30046: Obstacle.TOO_OLD,
    40005: Obstacle.TOO_LARGE,
    10015: Obstacle.NO_ROUTE,
    50027: Obstacle.NO_ROUTE,
}


class BlockedError(Exception):
    """Discord did not take a message; ``obstacle`` says why and so what to do instead."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle


class Messenger:
    """Creates and edits jobs' messages over whichever route is open; raises ``BlockedError``.

    Needs a logged-in client; a gateway connection is of no use to it.
    """

    def __init__(self, client: discord.Client, pace: EditPace, *, clock: Clock) -> None:
        self._client = client
        self._pace = pace
        self._clock = clock
        self._people: OrderedDict[int, tuple[str, str]] = OrderedDict()

    def meet(self, user: discord.abc.User) -> None:
        """Remember a person's name and picture, in memory only, for the head of their results."""
        self._people[user.id] = (user.display_name, user.display_avatar.replace(size=64).url)
        self._people.move_to_end(user.id)
        if len(self._people) > _PEOPLE:
            self._people.popitem(last=False)

    def forget(self, user_id: int) -> None:
        """Forget a person's name and picture."""
        self._people.pop(user_id, None)

    async def author(self, user_id: int) -> tuple[str, str] | None:
        """Return a person's name and picture's address, or ``None`` if Discord will not say."""
        if user_id not in self._people:
            try:
                self.meet(await _bounded(self._client.fetch_user(user_id)))
            except BlockedError:
                return None
        return self._people[user_id]

    def by_token(self, job: Job) -> bool:
        """Return whether the job's message can be reached by the interaction's token."""
        return job.token is not None and job.token.expires_at - TOKEN_MARGIN_S > self._clock()

    def wait_s(self, job: Job) -> float:
        """Return how long an edit of the job's message has to wait for Discord's rate limits, in seconds."""
        if self.by_token(job):
            return 0.0
        return max(self._pace.wait_s(job.address.channel_id), self._pace.budget.wait_s())

    @property
    def pressed(self) -> bool:
        """Whether the bot's token is so busy that calls by it which can be put off should be."""
        return self._pace.budget.pressed

    async def edit(self, job: Job, card: Card) -> None:
        """Turn the job's message into ``card``."""
        address = job.address
        if address.message_id is None:
            raise BlockedError(Obstacle.NO_ROUTE)
        if job.token is not None and self.by_token(job):
            try:
                hook = self._webhook(job.token.value)
                await _bounded(hook.edit_message(address.message_id, **card.edit_fields()))
            except BlockedError as blocked:
                if blocked.obstacle is not Obstacle.NO_ROUTE:
                    raise
            else:
                return
        if address.ephemeral or not address.reachable:
            raise BlockedError(Obstacle.NO_ROUTE)
        await _bounded(self._message(address).edit(**card.edit_fields()))

    async def create(self, job: Job, card: Card) -> Address:
        """Post ``card`` as the job's new message, answering the one it replies to, and return where it is.

        The enforced nonce makes a second call within minutes return the first one's message
        (Discord docs, Create Message).
        """
        address = job.address
        answered = address.message_id or address.reply_to
        fields = card.send_fields()
        if answered is not None:
            fields["reference"] = discord.MessageReference(
                message_id=answered, channel_id=address.channel_id, fail_if_not_exists=False
            )
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        nonce = f"easel-{job.id}-{address.message_id or 0}"[-25:]
        message = await _bounded(channel.send(nonce=nonce, **fields))
        return Address(
            channel_id=address.channel_id,
            message_id=message.id,
            guild_id=address.guild_id,
            reply_to=answered,
        )

    async def add(self, job: Job, card: Card, part: int) -> None:
        """Post ``card`` beside the job's message, as ``part`` (from 2) of what did not fit into one.

        Through the channel, where a second call within minutes posts nothing more; by the token where that cannot
        be. The job's message has to be filled by then, for else a first answer by the token would fill it.
        """
        address = job.address
        blocked = BlockedError(Obstacle.NO_ROUTE)
        if address.reachable and not address.ephemeral:
            try:
                await self._answer(address, card, nonce=f"easel-{job.id}-part{part}")
            except BlockedError as error:
                if error.obstacle is not Obstacle.BARRED:
                    raise
                blocked = error
            else:
                return
        if job.token is None or not self.by_token(job):
            raise blocked
        hook = self._webhook(job.token.value)
        hook.type = discord.WebhookType.application  # the kind that may answer in private
        await _bounded(hook.send(wait=True, ephemeral=address.ephemeral, **card.send_fields()))

    async def post(self, place: Address, card: Card, *, nonce: str) -> Address:
        """Post ``card`` in a channel and return where it is; a second call within minutes posts nothing more."""
        channel = self._client.get_partial_messageable(place.channel_id, guild_id=place.guild_id)
        message = await _bounded(channel.send(nonce=nonce[-25:], **card.send_fields()))
        return Address(place.channel_id, message.id, place.guild_id)

    async def reword(self, place: Address, card: Card, *, keep_files: bool) -> None:
        """Turn a message into ``card``; the files that it has stay with it if so wished."""
        fields = card.edit_fields()
        if keep_files:
            del fields["attachments"]
        await _bounded(self._message(place).edit(**fields))

    async def direct(self, job: Job, card: Card, *, part: int = 1) -> None:
        """Send ``card`` to the asker's direct messages."""
        channel = await _bounded(self._client.create_dm(discord.Object(job.user)))
        await _bounded(channel.send(nonce=f"easel-{job.id}-dm{part}", **card.send_fields()))

    async def give(self, user_id: int, card: Card) -> int:
        """Send ``card`` to a person's direct messages and return the message's id."""
        channel = await _bounded(self._client.create_dm(discord.Object(user_id)))
        return (await _bounded(channel.send(**card.send_fields()))).id

    async def take_back(self, address: Address, emoji: str, user_id: int) -> None:
        """Take somebody's reaction from a message away."""
        face = discord.PartialEmoji.from_str(emoji)
        await _bounded(self._message(address).remove_reaction(face, discord.Object(user_id)))

    async def reply(self, job: Job, card: Card) -> None:
        """Answer the job's message with ``card``."""
        await self._answer(job.address, card, nonce=f"easel-{job.id}-ping")

    async def answer(self, interaction: discord.Interaction, card: Card) -> int:
        """Turn the placeholder that answers ``interaction`` into ``card`` and return that message's id."""
        message = await _bounded(interaction.edit_original_response(**card.edit_fields()))
        return message.id

    async def edit_original(self, intake: Intake, card: Card) -> bool:
        """Turn the answer of an interaction that never became a job into ``card``, if there is one."""
        # discord.py asks for a number, but Discord knows this answer by a name only.
        edit: Callable[..., Awaitable[object]] = self._webhook(intake.token.value).edit_message
        try:
            await _bounded(edit(ORIGINAL, **card.edit_fields()))
        except BlockedError:
            return False
        return True

    async def shows_result(self, job: Job) -> bool:
        """Look whether the job's message holds its pictures already: a delivery that was cut off got through."""
        if job.address.message_id is None:
            return False
        try:
            if job.token is not None and self.by_token(job):
                hook = self._webhook(job.token.value)
                message: discord.Message = await _bounded(hook.fetch_message(job.address.message_id))
            else:
                message = await _bounded(self._message(job.address).fetch())
        except BlockedError:
            return False
        # What an embed shows is not listed among the attachments.
        shown = [file.filename for file in message.attachments]
        shown += [embed.image.url or "" for embed in message.embeds]
        return any(f"easel-{job.id}-" in name for name in shown)

    async def delete(self, address: Address) -> None:
        """Take a message away."""
        await _bounded(self._message(address).delete())

    async def archived(self, job: Job, number: int) -> str | None:
        """Return a fresh address of ``job``'s picture ``number`` (from 1) if its message still shows just that."""
        if job.address.message_id is None or job.address.ephemeral or not job.address.reachable:
            return None
        try:
            return cards.archived(await _bounded(self._message(job.address).fetch()), job, number)
        except BlockedError:
            return None

    async def react(self, job: Job, emoji: str) -> None:
        """Put ``emoji`` under the job's message."""
        await _bounded(self._message(job.address).add_reaction(discord.PartialEmoji.from_str(emoji)))

    async def has_emoji(self, guild_id: int, emoji_id: int) -> bool:
        """Ask whether a custom emoji is one of that server's own."""
        try:
            await _bounded(self._client.http.get_custom_emoji(guild_id, emoji_id))
        except BlockedError as blocked:
            if blocked.obstacle is Obstacle.LATER:
                raise
            return False
        return True

    async def is_age_restricted(self, channel_id: int) -> bool:
        """Ask whether a channel, or that of a thread, is age-restricted now; raises ``BlockedError``.

        Where the bot may not look any more, what the gateway told last holds.
        """
        try:
            channel = await _bounded(self._client.fetch_channel(channel_id))
            if isinstance(channel, discord.Thread) and channel.parent_id:
                channel = await _bounded(self._client.fetch_channel(channel.parent_id))
        except discord.InvalidData:  # a kind of channel that discord.py does not know
            return False
        except BlockedError as blocked:
            if blocked.obstacle is not Obstacle.BARRED:
                raise
            return is_age_restricted(self._client.get_channel(channel_id))
        return is_age_restricted(channel)

    async def unarchive(self, job: Job) -> None:
        """Open the archived thread of the job's message again, if it is not locked."""
        thread = await _bounded(self._client.fetch_channel(job.address.channel_id))
        if not isinstance(thread, discord.Thread) or thread.locked:
            raise BlockedError(Obstacle.BARRED)
        await _bounded(thread.edit(archived=False))

    async def has_left(self, guild_id: int) -> bool:
        """Ask whether the bot is no longer in that server."""
        try:
            await _bounded(self._client.fetch_guild(guild_id))
        except BlockedError as blocked:
            return blocked.obstacle in {Obstacle.GONE, Obstacle.BARRED}
        return False

    async def _answer(self, address: Address, card: Card, *, nonce: str) -> None:
        reference = discord.MessageReference(
            message_id=address.message_id or address.reply_to or 0,
            channel_id=address.channel_id,
            fail_if_not_exists=False,
        )
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        await _bounded(channel.send(reference=reference, nonce=nonce, **card.send_fields()))

    def _webhook(self, token: str) -> discord.Webhook:
        application_id = self._client.application_id or 0
        return discord.Webhook.partial(application_id, token, client=self._client)

    def _message(self, address: Address) -> discord.PartialMessage:
        # A partial message of the channel is edited through the channel; an InteractionMessage would go by
        # the webhook and die with its token.
        channel = self._client.get_partial_messageable(address.channel_id, guild_id=address.guild_id)
        return channel.get_partial_message(address.message_id or 0)


async def _bounded(call: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await call
    except discord.HTTPException as error:
        raise BlockedError(_obstacle(error)) from error
    except CUT as error:
        raise BlockedError(Obstacle.LATER) from error


def _obstacle(error: discord.HTTPException) -> Obstacle:
    if error.code in _CODES:
        return _CODES[error.code]
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Obstacle.TOO_LARGE
    # Any other refusal of the request itself will be the same next time; only the way to the asker is left.
    refused = error.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    return Obstacle.BARRED if refused else Obstacle.LATER
