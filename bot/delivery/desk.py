"""The front desk: answers an interaction in time and turns a draft into a queued job, or into words why not."""

import asyncio
from collections.abc import Sequence
from types import MappingProxyType
from typing import Protocol

import discord
import structlog

from bot.delivery.asking import asker_of, check_channel, reaches_channel
from bot.delivery.finished import Known
from bot.delivery.memory import Memory
from bot.delivery.messenger import CALL_TIMEOUT_S, CUT, BlockedError, Messenger
from bot.delivery.places import Places
from bot.delivery.sources import Sources, Wanted
from bot.domain.capability import Feature
from bot.domain.errors import BotError, BusyError
from bot.domain.job import Address, Intake, InteractionToken, Job
from bot.domain.pending import Pending
from bot.domain.ports import Clock
from bot.domain.text import N_
from bot.jobs.service import Jobs
from bot.services.allowing import Allowing, CapError
from bot.services.cancelling import Cancelling
from bot.services.drafts import Draft
from bot.services.orders import Orders
from bot.ui import cards, lighter, warned, work
from bot.ui.card import Card
from bot.ui.failures import explain

log = structlog.get_logger(__name__)

TOKEN_LIFE_S = 15 * 60
"""How long an interaction's token is good for (Discord docs, Receiving and Responding)."""
TOKEN_ONLY_ETA_S = 12 * 60
"""Where the token is the only route, a job that would take longer is refused."""
FIND_TRIES = 3
ALREADY_ANSWERED = 40060
UNKNOWN_INTERACTION = 10062
_NONE: Wanted = MappingProxyType({})


class QueueAll(Protocol):
    """Puts orders that share one message in the queue, all of them or none; ``key`` begins their jobs' keys."""

    async def __call__(
        self,
        drafts: Sequence[Draft],
        *,
        key: str,
        address: Address,
        token: InteractionToken | None = None,
        intake: int | None = None,
    ) -> list[Job]:
        """Return their jobs."""


class Desk:
    """Accepts drafts: intake row, defer, pictures, queue; in that order, so that nothing is lost unsaid."""

    def __init__(
        self,
        jobs: Jobs,
        orders: Orders,
        cancelling: Cancelling,
        messenger: Messenger,
        sources: Sources,
        allowing: Allowing,
        places: Places,
        *,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._orders = orders
        self._cancelling = cancelling
        self._messenger = messenger
        self._sources = sources
        self._allowing = allowing
        self._places = places
        self._clock = clock
        self.doubted: Memory[tuple[Sequence[Draft], Wanted]] = Memory()
        self.offered: Memory[tuple[Sequence[Draft], Wanted]] = Memory()

    async def accept(
        self, interaction: discord.Interaction, draft: Draft, *, sources: Wanted = _NONE
    ) -> Job | None:
        """Answer that it is being thought about, then queue ``draft``; ``None`` if it was refused.

        ``sources`` are the pictures that the draft has only names for. What can be refused without a network
        call has been refused while drafting; what fails from here on takes the placeholder away and says why in
        private.
        """
        if await self._is_too_much(interaction, [draft], sources):
            return None
        if draft.warnings:
            await self._ask_first(interaction, [draft], sources)
            return None
        received = await self._receive(interaction, private=draft.private)
        if received is None:
            return None
        address, token = received
        try:
            if sources and draft.spec.work is not None:
                found = await self._sources.look_at(draft, sources)
                if isinstance(found, Known):
                    await self._tell(interaction, found)
                    return None
                draft = found
            elif sources:
                draft = await self._sources.fill(draft, sources)
            key = f"i:{interaction.id}:0"
            job = await self._orders.queue(draft, key=key, address=address, token=token, intake=interaction.id)
            await self._check_wait(job, draft)
        except BotError as error:
            await self._refuse(interaction, error)
            await self._jobs.drop_intake(interaction.id)
            return None
        return job

    async def explore(
        self,
        interaction: discord.Interaction,
        drafts: Sequence[Draft],
        queue: QueueAll,
        *,
        sources: Wanted = _NONE,
    ) -> None:
        """Answer in the same way and ``queue`` all cells of an exploration, which share their source picture."""
        first = drafts[0]
        if await self._is_too_much(interaction, drafts, sources):
            return
        if any(draft.warnings for draft in drafts):
            await self._ask_first(interaction, drafts, sources)
            return
        received = await self._receive(interaction, private=first.private)
        if received is None:
            return
        address, token = received
        try:
            if sources:
                filled = (await self._sources.fill(first, sources)).spec.request
                blobs: dict[str, str] = {Pending.INIT: filled.init_image or ""}
                drafts = [each.with_images(blobs).of_size(filled.width, filled.height) for each in drafts]
            jobs = await queue(
                drafts, key=f"i:{interaction.id}:", address=address, token=token, intake=interaction.id
            )
            await self._check_wait(jobs[-1], first)
        except BotError as error:
            await self._refuse(interaction, error)
            await self._jobs.drop_intake(interaction.id)

    async def _receive(
        self, interaction: discord.Interaction, *, private: bool
    ) -> tuple[Address, InteractionToken] | None:
        """Answer that it is being thought about; ``None`` if Discord gave the person up."""
        if not private:
            check_channel(interaction)
        self._messenger.meet(interaction.user)
        token = InteractionToken(interaction.token, interaction.created_at.timestamp() + TOKEN_LIFE_S)
        intake = Intake(interaction.id, interaction.application_id, token, interaction.locale.value)
        await self._jobs.note_intake(intake)
        answer = await self._acknowledge(interaction, private=private)
        if answer is None:
            await self._jobs.drop_intake(interaction.id)
            return None
        message_id, ephemeral = answer
        address = Address(
            channel_id=interaction.channel_id or 0,
            message_id=message_id,
            guild_id=interaction.guild_id,
            ephemeral=ephemeral,
            reachable=reaches_channel(interaction),
        )
        return address, token

    async def _is_too_much(
        self, interaction: discord.Interaction, drafts: Sequence[Draft], sources: Wanted
    ) -> bool:
        """Say so in private if an order costs more than is allowed; raises for what else stands against it."""
        try:
            await self._allowing.check(drafts)
        except CapError as error:
            card = self._refusal(interaction, error, sources)
            await interaction.response.send_message(ephemeral=True, **card.send_fields())
            return True
        return False

    def _refusal(self, interaction: discord.Interaction, error: BotError, sources: Wanted = _NONE) -> Card:
        """Return why not; the nearest order that may be is kept in mind while its button is there."""
        locale = asker_of(interaction).locale
        if not isinstance(error, CapError):
            return Card(embed=explain(error, locale))
        if error.lighter:
            self.offered.keep(interaction.user.id, interaction.id, (error.lighter, sources))
        return lighter.offer(error, interaction.id, locale)

    async def _ask_first(self, interaction: discord.Interaction, drafts: Sequence[Draft], sources: Wanted) -> None:
        """Ask in private whether what looks wrong is meant so; the order is kept in mind until then.

        The cells of an exploration are changed by no form.
        """
        first, several = drafts[0], len(drafts) > 1
        self.doubted.keep(interaction.user.id, interaction.id, (drafts, sources))
        warnings = [warning for draft in drafts for warning in draft.warnings]
        locale = first.asker.locale
        cost = lighter.price(drafts, locale)
        card = warned.question(warnings, interaction.id, locale, cost=cost, can_mend=not several)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def accept_reaction(self, payload: discord.RawReactionActionEvent, draft: Draft, nth: int) -> Job:
        """Queue ``draft`` for a reaction; its message is posted as an answer to the one reacted to."""
        key = f"{reaction_key(payload)}{nth}"
        return await self._orders.queue(draft, key=key, address=_answering(payload))

    async def explore_by_reaction(
        self, payload: discord.RawReactionActionEvent, drafts: Sequence[Draft], queue: QueueAll, nth: int
    ) -> None:
        """``queue`` all cells of an exploration in the same way."""
        await queue(drafts, key=f"{reaction_key(payload)}{nth}:", address=_answering(payload))

    async def apologise(self) -> int:
        """Tell those whose order an earlier life saw but did not queue; returns how many there were."""
        orphans = await self._jobs.orphans()
        for intake in orphans:
            if intake.token.expires_at > self._clock():
                await self._say_not_queued(intake)
            await self._jobs.drop_intake(intake.interaction_id)
        return len(orphans)

    async def _acknowledge(self, interaction: discord.Interaction, *, private: bool) -> tuple[int, bool] | None:
        """Defer within Discord's 3 s and return the message's id; ``None`` if Discord gave the person up.

        And whether only the asker sees it: Discord has it so where guests may not speak to all.
        """
        try:
            answer = await interaction.response.defer(thinking=True, ephemeral=private)
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
            return answer.message_id, answer.is_ephemeral()
        return await self._find_answer(interaction)

    async def _find_answer(self, interaction: discord.Interaction) -> tuple[int, bool] | None:
        for attempt in range(FIND_TRIES):
            await asyncio.sleep(attempt)
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    found = await interaction.original_response()
                    return found.id, found.flags.ephemeral
            except (discord.HTTPException, *CUT) as error:
                reason = type(error).__name__
                log.warning("answer not found", interaction=interaction.id, reason=reason)
        return None

    async def _check_wait(self, job: Job, draft: Draft) -> None:
        """Take an order back that would wait too long for the only route there is; raises ``BusyError``."""
        if job.address.reachable:
            # There is the channel, and what is private can follow by direct message.
            return
        place = await self._jobs.place(job.id)
        if place is None or place.eta_s is None or place.eta_s <= TOKEN_ONLY_ETA_S:
            return
        if draft.private and await self._follows(job, place.eta_s):
            return
        await self._cancelling.cancel(job.id, draft.asker)
        raise BusyError(
            N_("The line is too long for this place: about {minutes} min."),
            N_("Here I can answer for 15 minutes only. Use me in a server I belong to, or try again later."),
            retry_after_s=place.eta_s,
            minutes=round(place.eta_s / 60),
        )

    async def _follows(self, job: Job, eta_s: float) -> bool:
        """Say in the asker's direct messages that a picture will come there; return whether it can."""
        if not await self._places.lets_direct(job):
            return False
        try:
            await self._messenger.direct(job, cards.follows(job, round(eta_s / 60)), part=0)
        except BlockedError as blocked:
            log.info("no way to the asker", job=job.id, reason=blocked.obstacle.value)
            return False
        return True

    async def _tell(self, interaction: discord.Interaction, known: Known) -> None:
        """Answer by what a picture tells of itself: nothing is to be queued."""
        describes = self._orders.offers(Feature.INTERROGATE)
        locale = asker_of(interaction).locale
        card = work.recipe(known.recipe, known.blob, locale, spoiler=known.spoiler, describes=describes)
        try:
            await self._messenger.answer(interaction, card)
        except BlockedError as blocked:
            log.warning("recipe not shown", interaction=interaction.id, reason=blocked.obstacle.value)
        await self._jobs.drop_intake(interaction.id)

    async def _refuse(self, interaction: discord.Interaction, error: BotError) -> None:
        # The public placeholder must go first: a follow-up that fills it would be public whatever its flags.
        try:
            async with asyncio.timeout(30):
                await interaction.delete_original_response()
                card = self._refusal(interaction, error)
                await interaction.followup.send(ephemeral=True, **card.send_fields())
        except (discord.HTTPException, *CUT) as failed:
            log.warning("refusal not shown", interaction=interaction.id, reason=type(failed).__name__)

    async def _say_not_queued(self, intake: Intake) -> None:
        card = cards.not_queued(intake.reply_locale)
        if not await self._messenger.edit_original(intake, card):
            log.info("orphan not told", interaction=intake.interaction_id)


def _answering(payload: discord.RawReactionActionEvent) -> Address:
    return Address(channel_id=payload.channel_id, guild_id=payload.guild_id, reply_to=payload.message_id)


def reaction_key(payload: discord.RawReactionActionEvent) -> str:
    """Return the beginning of the keys of all jobs that this person's reaction with this emoji made."""
    return f"r:{payload.message_id}:{payload.user_id}:{payload.emoji.name}:"
