"""The front desk: answers an interaction in time and turns a draft into a queued job, or into words why not."""

import asyncio

import discord
import structlog

from bot.delivery.asking import asker_of, check_channel, reaches_channel
from bot.delivery.messenger import CALL_TIMEOUT_S, CUT, Messenger
from bot.domain.errors import BotError, BusyError, RequestError
from bot.domain.job import Address, Intake, InteractionToken, Job
from bot.domain.ports import Blobs, Clock
from bot.domain.text import N_
from bot.fetching.attachments import Attachments
from bot.imaging.imaging import Imaging
from bot.jobs.service import Jobs
from bot.services.orders import Draft, Orders
from bot.ui import cards
from bot.ui.failures import explain

log = structlog.get_logger(__name__)

TOKEN_LIFE_S = 15 * 60
"""How long an interaction's token is good for (Discord docs, Receiving and Responding)."""
TOKEN_ONLY_ETA_S = 12 * 60
"""Where the token is the only route, a job that would take longer is refused."""
MAX_INPUT_BYTES = 25 * 1024 * 1024
FIND_TRIES = 3
ALREADY_ANSWERED = 40060
UNKNOWN_INTERACTION = 10062


class Desk:
    """Accepts drafts: intake row, defer, source picture, queue; in that order, so that nothing is lost unsaid."""

    def __init__(
        self,
        jobs: Jobs,
        orders: Orders,
        messenger: Messenger,
        blobs: Blobs,
        imaging: Imaging,
        attachments: Attachments,
        *,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._orders = orders
        self._messenger = messenger
        self._blobs = blobs
        self._imaging = imaging
        self._attachments = attachments
        self._clock = clock

    async def accept(
        self, interaction: discord.Interaction, draft: Draft, *, source: str | None = None
    ) -> Job | None:
        """Answer publicly that it is being thought about, then queue ``draft``; ``None`` if it was refused.

        ``source`` is the address of the picture that a draft needs. What can be refused without a network call has
        been refused while drafting; what fails from here on takes the placeholder away and says why in private.
        """
        check_channel(interaction)
        self._messenger.meet(interaction.user)
        token = InteractionToken(interaction.token, interaction.created_at.timestamp() + TOKEN_LIFE_S)
        intake = Intake(interaction.id, interaction.application_id, token, interaction.locale.value)
        await self._jobs.note_intake(intake)
        message_id = await self._acknowledge(interaction)
        if message_id is None:
            await self._jobs.drop_intake(interaction.id)
            return None
        try:
            if source is not None:
                draft = await self._with_source(draft, source)
            return await self._queue(interaction, draft, token, message_id)
        except BotError as error:
            await self._refuse(interaction, error)
            await self._jobs.drop_intake(interaction.id)
            return None

    async def accept_reaction(self, payload: discord.RawReactionActionEvent, draft: Draft, nth: int) -> Job:
        """Queue ``draft`` for a reaction; its message is posted as an answer to the one reacted to."""
        address = Address(channel_id=payload.channel_id, guild_id=payload.guild_id, reply_to=payload.message_id)
        key = f"{reaction_key(payload)}{nth}"
        return await self._orders.queue(draft, key=key, address=address)

    async def apologise(self) -> int:
        """Tell those whose order an earlier life saw but did not queue; returns how many there were."""
        orphans = await self._jobs.orphans()
        for intake in orphans:
            if intake.token.expires_at > self._clock():
                await self._say_not_queued(intake)
            await self._jobs.drop_intake(intake.interaction_id)
        return len(orphans)

    async def _acknowledge(self, interaction: discord.Interaction) -> int | None:
        """Defer within Discord's 3 s and return the message's id; ``None`` if Discord gave the person up."""
        try:
            answer = await interaction.response.defer(thinking=True)
        except discord.HTTPException as error:
            if error.code == UNKNOWN_INTERACTION:
                log.warning("answered too late", interaction=interaction.id)
                return None
            if error.code != ALREADY_ANSWERED:
                raise
            # discord.py repeats a callback that was answered with 5xx: the first one had got through.
            answer = None
        except CUT:
            # It may have got through: if so, there is an answer to be found.
            answer = None
        if answer is not None and answer.message_id is not None:
            return answer.message_id
        return await self._find_answer(interaction)

    async def _find_answer(self, interaction: discord.Interaction) -> int | None:
        for attempt in range(FIND_TRIES):
            await asyncio.sleep(attempt)
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    return (await interaction.original_response()).id
            except (discord.HTTPException, *CUT) as error:
                reason = type(error).__name__
                log.warning("answer not found", interaction=interaction.id, reason=reason)
        return None

    async def _queue(
        self, interaction: discord.Interaction, draft: Draft, token: InteractionToken, message_id: int
    ) -> Job:
        address = Address(
            channel_id=interaction.channel_id or 0,
            message_id=message_id,
            guild_id=interaction.guild_id,
            ephemeral=False,
            reachable=reaches_channel(interaction),
        )
        key = f"i:{interaction.id}:0"
        job = await self._orders.queue(draft, key=key, address=address, token=token, intake=interaction.id)
        if not address.reachable:
            await self._check_wait(job, draft)
        return job

    async def _check_wait(self, job: Job, draft: Draft) -> None:
        place = await self._jobs.place(job.id)
        if place is None or place.eta_s is None or place.eta_s <= TOKEN_ONLY_ETA_S:
            return
        await self._orders.cancel(job.id, draft.asker)
        raise BusyError(
            N_("The line is too long for this place: about {minutes} min."),
            N_("Here I can answer for 15 minutes only. Use me in a server I belong to, or try again later."),
            retry_after_s=place.eta_s,
            minutes=round(place.eta_s / 60),
        )

    async def _with_source(self, draft: Draft, source: str) -> Draft:
        data = await self._attachments.fetch(source, max_bytes=MAX_INPUT_BYTES)
        prepared = await self._imaging.prepare(data)
        blob = await self._blobs.put(prepared.data)
        return draft.with_image(blob, prepared.width, prepared.height)

    async def _refuse(self, interaction: discord.Interaction, error: BotError) -> None:
        # The public placeholder must go first: a follow-up that fills it would be public whatever its flags.
        try:
            async with asyncio.timeout(30):
                await interaction.delete_original_response()
                embed = explain(error, asker_of(interaction).locale)
                await interaction.followup.send(embed=embed, ephemeral=True)
        except (discord.HTTPException, *CUT) as failed:
            log.warning("refusal not shown", interaction=interaction.id, reason=type(failed).__name__)

    async def _say_not_queued(self, intake: Intake) -> None:
        card = cards.not_queued(intake.reply_locale)
        if not await self._messenger.edit_original(intake, card):
            log.info("orphan not told", interaction=intake.interaction_id)


def reaction_key(payload: discord.RawReactionActionEvent) -> str:
    """Return the beginning of the keys of all jobs that this person's reaction with this emoji made."""
    return f"r:{payload.message_id}:{payload.user_id}:{payload.emoji.name}:"


def check_source(source: discord.Attachment) -> None:
    """Raise ``RequestError`` for what Discord already says is too large or no picture."""
    if source.size > MAX_INPUT_BYTES:
        raise RequestError(
            N_("The picture is too large: {size} MB."),
            N_("Use one of at most {max} MB."),
            size=round(source.size / 1e6, 1),
            max=round(MAX_INPUT_BYTES / 1e6),
        )
    if source.content_type is not None and not source.content_type.startswith("image/"):
        raise RequestError(N_("That file is not a picture."), N_("Attach a PNG, JPEG or WebP."))
