"""The reaction that invites to a reroll: of all that Discord is asked for, what can wait the longest."""

import asyncio

import structlog

from bot.delivery.courier import Courier
from bot.delivery.turns import Turns
from bot.domain.job import Job

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Reactions on their way together: all that waited would else come between others' edits in one go."""
LOOK_S = 0.3
"""How soon it is asked again whether Discord is called less often."""
PATIENCE_S = 10.0
"""How long a reaction waits before it is left out: that the picture lacks it is better than that others wait."""


class Inviting:
    """Gives delivered pictures their reaction when nothing else needs what the bot's token may do."""

    def __init__(self, courier: Courier, turns: Turns) -> None:
        self._courier = courier
        self._turns = turns
        self._places = asyncio.Semaphore(AT_ONCE)

    async def invite(self, job: Job) -> None:
        """Put it under the job's message in a moment, or never; failing is of no account."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._places:
                while self._turns.pressed:  # noqa: ASYNC110 - what is free is known only by looking
                    await asyncio.sleep(LOOK_S)
                await self._courier.invite_reroll(job)
        except TimeoutError:
            log.debug("no reaction", job=job.id, reason="busy")
        except Exception:
            # Its task is one of the board's: what it raised would end the drawing of all messages.
            log.exception("no reaction", job=job.id)
