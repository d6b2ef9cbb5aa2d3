"""The command tree: the one door through which every interaction's error goes back to the person."""

import discord
import structlog
from discord import app_commands

from bot.delivery.messenger import CUT
from bot.domain.errors import BotError
from bot.ops.logging import failure_code
from bot.ui.failures import explain

log = structlog.get_logger(__name__)


async def answer_error(interaction: discord.Interaction, error: Exception) -> None:
    """Tell the person in private what went wrong and what to do; an unknown error gets a code the log has too."""
    if isinstance(error, app_commands.CommandInvokeError) and isinstance(error.original, Exception):
        error = error.original
    if interaction.client.is_closed():
        # Orders that the stop cuts off are answered by the next start: their intakes are kept.
        log.info("cut off by the stop", interaction=interaction.id)
        return
    code = None
    if not isinstance(error, BotError | app_commands.AppCommandError):
        code = failure_code()
        log.error("interaction failed", code=code, interaction=interaction.id, exc_info=error)
    embed = explain(error, interaction.locale.value, code=code)
    try:
        if interaction.response.is_done():
            if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
                # A follow-up would fill the public placeholder, and be public whatever its flags say.
                await interaction.delete_original_response()
            await interaction.followup.send(embed=embed, ephemeral=True)
        else:
            await interaction.response.send_message(embed=embed, ephemeral=True)
    except (discord.HTTPException, *CUT) as failed:
        log.warning("error not shown", interaction=interaction.id, reason=type(failed).__name__)


class Tree(app_commands.CommandTree[discord.Client]):
    """Sends what commands raise through ``answer_error``; autocomplete never shows an error."""

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """Answer for a command that raised."""
        if interaction.type is discord.InteractionType.autocomplete:
            log.warning("autocomplete failed", exc_info=error)
            return
        await answer_error(interaction, error)
