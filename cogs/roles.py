"""``/roles``: what a server lets which of its roles do, for those who manage it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.domain.asker import Asker
from bot.domain.audit import differences
from bot.domain.errors import RequestError
from bot.domain.permits import Permits
from bot.domain.text import N_
from bot.ui import roles
from bot.ui.commands import command, group, servers_only


class RolePermits(commands.Cog, name="Roles"):
    """Shows and changes who else manages a server, and for which roles commands, models and larger orders are."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio
        build = partial(command, limits=bot.studio.limits, suggest=bot.suggest)
        role = frozenset({"role"})
        self.order = servers_only(
            group(
                "roles",
                N_("What this server's roles may do"),
                build("show", N_("Show what is said of roles here"), self.show),
                build(
                    "command",
                    N_("Keep a command for a role, or for one more"),
                    self.command,
                    [roles.COMMAND, roles.ROLE],
                    required=role | {"command"},
                ),
                build(
                    "model",
                    N_("Keep models for a role, or for one more"),
                    self.model,
                    [roles.MODELS, roles.ROLE],
                    required=role | {"model"},
                ),
                build(
                    "limits",
                    N_("Let a role ask for more than others may here"),
                    self.limits,
                    [roles.ROLE, *roles.LIMITS],
                    required=role,
                ),
                build(
                    "admin",
                    N_("Let a role do what Manage Server may"),
                    self.admin,
                    [roles.ROLE],
                    required=role,
                ),
                build(
                    "remove",
                    N_("Take back what was said of a role, a command or a model"),
                    self.remove,
                    [roles.ROLE, roles.COMMAND, roles.MODELS],
                ),
                default_permissions=discord.Permissions(manage_guild=True),
            )
        )

    async def cog_load(self) -> None:
        """Put the commands into the tree."""
        self.bot.tree.add_command(self.order)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Forget a role that is deleted; what was for it alone is opened by an admin, not by chance."""
        await self.studio.authority.drop(role.guild.id, role.id)

    async def show(self, interaction: discord.Interaction, _: dict[str, Any]) -> None:
        """Show all that is said of roles."""
        asker = asker_of(interaction)
        guild_id = await self.studio.authority.check_managed(asker)
        await _show(interaction, await self.studio.authority.permits(guild_id), asker.locale)

    async def command(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep a command for a role, beside those it is for already."""
        role = _role(interaction, values)
        await self._change(interaction, lambda permits: permits.commanding(values["command"], role))

    async def model(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Keep models for a role in the same way."""
        role = _role(interaction, values)
        await self._change(interaction, lambda permits: permits.modelling(values["model"].strip(), role))

    async def limits(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Give a role limits of its own, never above the host's."""
        role = _role(interaction, values)
        limits = {name: value for name, value in values.items() if name != "role"}
        if not limits:
            raise RequestError(N_("There is nothing to change."), N_("Choose at least one limit."))
        self.studio.preferences.checked(limits)
        await self._change(interaction, lambda permits: permits.limiting(role, limits))

    async def admin(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Let a role manage the server, for those who have that permission themselves."""
        role = _role(interaction, values)
        await self._change(interaction, lambda permits: permits.managed_by(role))

    async def remove(self, interaction: discord.Interaction, values: dict[str, Any]) -> None:
        """Take a role out of everything or of what is named; what is named without a role is for everybody."""
        role = values["role"].id if "role" in values else None
        named = {kind: [values[kind]] for kind in ("command", "model") if kind in values}
        if role is None and not named:
            raise RequestError(N_("There is nothing to change."), N_("Name a role, a command or a model."))

        def change(permits: Permits) -> Permits:
            wanted = permits.without(role, **named) if role is not None else permits.opened(**named)
            if wanted == permits:
                raise RequestError(N_("Nothing like that is set."), N_("See what is: /roles show"))
            return wanted

        await self._change(interaction, change)

    async def _change(self, interaction: discord.Interaction, change: Callable[[Permits], Permits]) -> None:
        asker: Asker = asker_of(interaction)
        former, permits = await self.studio.authority.change(asker, change)
        await self.studio.auditing.record(asker, differences(roles.flat(former), roles.flat(permits)))
        await _show(interaction, permits, asker.locale)


async def _show(interaction: discord.Interaction, permits: Permits, locale: str) -> None:
    await interaction.response.send_message(embed=roles.permits(permits, locale), ephemeral=True)


def _role(interaction: discord.Interaction, values: dict[str, Any]) -> int:
    role: int = values["role"].id
    if role == interaction.guild_id:
        raise RequestError(N_("Everybody has that role."), N_("Choose another one."))
    return role


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(RolePermits(bot))
