"""The command tree: what Discord knows of the commands, and the one door by which errors go back to people."""

import asyncio
import hashlib
import json
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.delivery.messenger import CUT
from bot.domain.errors import BotError
from bot.domain.ports import SettingsStore
from bot.i18n import fingerprint
from bot.ops.logging import failure_code
from bot.ui.failures import explain

log = structlog.get_logger(__name__)


def bind(interaction: discord.Interaction) -> None:
    """Have every line that is logged while an interaction is answered say which one it is, and of which server."""
    structlog.contextvars.bind_contextvars(interaction=interaction.id, guild=interaction.guild_id)


async def answer_error(interaction: discord.Interaction, error: Exception) -> None:
    """Tell the person in private what went wrong and what to do; an unknown error gets a code the log has too."""
    if isinstance(error, app_commands.CommandInvokeError) and isinstance(error.original, Exception):
        error = error.original
    if interaction.client.is_closed():
        # Orders that the stop cuts off are answered by the next start: their intakes are kept.
        log.info("cut off by the stop", interaction=interaction.id)
        return
    code = None
    interaction.client.dispatch("refused", error)
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

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Answer every command; what is logged meanwhile has its server."""
        bind(interaction)
        return True

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """Answer for a command that raised."""
        if interaction.type is discord.InteractionType.autocomplete:
            log.warning("autocomplete failed", exc_info=error)
            return
        await answer_error(interaction, error)


async def tell_commands(tree: app_commands.CommandTree[Any], store: SettingsStore, guild_id: int) -> None:
    """Tell Discord about the commands if they changed; ``guild_id`` is a testing server that gets them too, or 0.

    A former testing server loses its own.
    """
    known = await store.load("commands", 0)
    former = known.get("guild")
    if isinstance(former, int) and former not in {0, guild_id}:
        await _take_back(tree, former)
    guild = discord.Object(guild_id) if guild_id else None
    if guild is not None:
        tree.copy_global_to(guild=guild)
    payload = [command.to_dict(tree) for command in tree.get_commands(guild=guild)]
    told = [tree.client.application_id, guild_id, payload, await asyncio.to_thread(fingerprint)]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    if known.get("digest") == digest:
        return
    await tree.sync(guild=guild)
    await store.save("commands", 0, {"digest": digest, "guild": guild_id})
    log.info("commands told to Discord", count=len(payload))


async def _take_back(tree: app_commands.CommandTree[Any], guild_id: int) -> None:
    try:
        await tree.sync(guild=discord.Object(guild_id))
    except discord.HTTPException as error:
        # A server that sent the bot away took the commands with it; that must not keep the bot from starting.
        log.warning("commands not taken back", guild=guild_id, code=error.code)
