"""``/help``: what there is to know, by topic; ``/about``: who says so."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot import __version__
from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.text import N_
from bot.ui import buttons, guide
from bot.ui.commands import anywhere, command

log = structlog.get_logger(__name__)

IDS_TIMEOUT_S = 1.0
"""An answer is due within 3 s; help does not wait longer than this for looks."""
SOURCE = N_("Source")


class Help(commands.Cog):
    """Tells what the commands do, as clickable mentions, and what this bot is."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self._ids: Mapping[str, int] = {}
        self._since = bot.studio.clock()
        self._licence, self._source = _package()
        common: dict[str, Any] = {"limits": bot.studio.limits, "suggest": bot.suggest}
        self.orders = (
            anywhere(command("help", N_("What I can do"), self.help, **common)),
            anywhere(command("about", N_("What I am, and who to ask"), self.about, **common)),
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        for order in self.orders:
            self.bot.tree.add_command(order)
        self.bot.answers.press(guide.PREFIX, self._turn)

    async def help(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show the first page; commands are clickable if Discord tells their ids in time, else by name."""
        card = guide.page("", await self._offer(interaction), asker_of(interaction).locale)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def about(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show version, licence, painters, servers and links."""
        settings = self.bot.settings
        links = {SOURCE: self._source, N_("Support"): settings.support_url, N_("Privacy"): settings.privacy_url}
        facts = guide.Facts(
            version=__version__,
            licence=self._licence,
            painters=Counter(address.kind for address in settings.backend_addresses),
            servers=await self._servers(),
            since=self._since,
            links={name: address for name, address in links.items() if address},
        )
        card = guide.about(facts, asker_of(interaction).locale)
        await interaction.response.send_message(ephemeral=True, **card.send_fields())

    async def _servers(self) -> int:
        """Return how many servers the bot is in; where other processes know of some, Discord is asked."""
        known = len(self.bot.guilds)
        if self.bot.own_shards.whole:
            return known
        try:
            async with asyncio.timeout(IDS_TIMEOUT_S):
                return (await self.bot.application_info()).approximate_guild_count
        except (discord.HTTPException, OSError, TimeoutError) as failed:
            log.info("servers not counted", reason=type(failed).__name__)
            return known

    async def _turn(self, interaction: discord.Interaction, _: str) -> None:
        offer = await self._offer(interaction)
        card = guide.page(buttons.chosen(interaction), offer, asker_of(interaction).locale)
        await interaction.response.edit_message(**card.edit_fields())

    async def _offer(self, interaction: discord.Interaction) -> guide.Offer:
        """Return what somebody can use by their permissions there, or by a role that stands for Manage Server."""
        permissions = discord.Permissions(interaction.permissions.value)
        permissions.manage_guild |= await self.bot.studio.authority.manages(asker_of(interaction))
        entries = self.bot.tree.get_commands()
        menus = [entry.name for entry in entries if isinstance(entry, app_commands.ContextMenu)]
        orders = [
            entry
            for entry in entries
            if not isinstance(entry, app_commands.ContextMenu)
            and (entry.default_permissions is None or entry.default_permissions <= permissions)
        ]
        described = {
            leaf.qualified_name: leaf.description
            for entry in orders
            for leaf in _leaves(entry)
            if permissions.manage_guild or leaf.qualified_name not in guide.ADMINS
        }
        return guide.Offer(described, menus, await self._known_ids())

    async def _known_ids(self) -> Mapping[str, int]:
        if not self._ids:
            guild_id = self.bot.settings.sync_guild
            guild = discord.Object(guild_id) if guild_id else None
            try:
                async with asyncio.timeout(IDS_TIMEOUT_S):
                    known = await self.bot.tree.fetch_commands(guild=guild)
            except (discord.HTTPException, OSError, TimeoutError) as failed:
                log.info("commands' ids not known", reason=type(failed).__name__)
            else:
                slash = discord.AppCommandType.chat_input
                self._ids = {command.name: command.id for command in known if command.type is slash}
        return self._ids


def _leaves(
    entry: app_commands.Command[Any, ..., Any] | app_commands.Group,
) -> Iterator[app_commands.Command[Any, ..., Any]]:
    if isinstance(entry, app_commands.Command):
        yield entry
        return
    for each in entry.commands:
        yield from _leaves(each)


def _package() -> tuple[str, str]:
    """Return the licence and the address of the source, as the installed package states them; empty if not."""
    try:
        stated = metadata("easel")
    except PackageNotFoundError:
        return "MIT", ""
    urls = dict(line.split(", ", 1) for line in stated.get_all("Project-URL") or ())
    return (stated.get_all("License-Expression") or ["MIT"])[0], urls.get("Source", "")


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Help(bot))
