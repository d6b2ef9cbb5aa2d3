"""Presses, choices and submitted forms: each goes to whoever answers ids that begin like its own."""

from collections.abc import Awaitable, Callable

import discord

from bot.domain.errors import GoneError
from bot.domain.text import N_
from bot.tree import answer_error, bind
from bot.ui import buttons

Answer = Callable[[discord.Interaction, str], Awaitable[None]]
"""Answers an interaction with this custom id; raises the ``BotError`` that says why not."""


class Answers:
    """Knows who answers what; ids say all there is to know, so that those of an earlier life are answered too."""

    def __init__(self) -> None:
        self._presses: dict[str, Answer] = {}
        self._forms: dict[str, Answer] = {}

    def press(self, prefix: str, answer: Answer) -> None:
        """Have ``answer`` called for the buttons and menus whose ids begin with ``prefix``."""
        self._presses[prefix] = answer

    def form(self, prefix: str, answer: Answer) -> None:
        """Have ``answer`` called for the submitted forms whose ids begin with ``prefix``."""
        self._forms[prefix] = answer

    async def answer(self, interaction: discord.Interaction) -> None:
        """Answer a press or a submitted form, in words if it is of nothing that is known; never raises."""
        match interaction.type:
            case discord.InteractionType.component:
                answers = self._presses
            case discord.InteractionType.modal_submit:
                answers = self._forms
            case _:
                return
        bind(interaction)
        custom_id = buttons.custom_id(interaction)
        try:
            await self._of(answers, custom_id)(interaction, custom_id)
        except Exception as error:  # noqa: BLE001 - the error door tells known from unknown
            await answer_error(interaction, error)

    @staticmethod
    def _of(answers: dict[str, Answer], custom_id: str) -> Answer:
        for prefix, answer in answers.items():
            if custom_id.startswith(prefix):
                return answer
        raise GoneError(N_("What this belongs to is no longer kept."), N_("Use the command again: /draw"))
