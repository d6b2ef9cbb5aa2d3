"""What becomes of an order whose prompt looked wrong: painted anyway, or changed first."""

from dataclasses import replace

import discord
from discord.ext import commands

from bot.client import Easel
from bot.delivery.asking import asker_of
from bot.delivery.showing import like
from bot.domain.request import PaintRequest
from bot.domain.text import N_
from bot.i18n import say
from bot.ui import modals, warned


class Warned(commands.Cog):
    """Answers the two buttons under the question, and the form behind one of them."""

    def __init__(self, bot: Easel) -> None:
        self.bot = bot
        self.studio = bot.studio

    async def cog_load(self) -> None:
        """Answer for its buttons and forms."""
        self.bot.answers.press(warned.ANYWAY, self.anyway)
        self.bot.answers.press(warned.MEND, self.mend)
        self.bot.answers.form(warned.FORM, self.mended)

    async def anyway(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Queue it as it is."""
        key = custom_id.removeprefix(warned.ANYWAY)
        asker, (doubted, sources) = asker_of(interaction), self.bot.desk.doubted.find(interaction.user.id, key)
        drafts = [replace(await self.studio.orders.afresh(asker, draft), warnings=()) for draft in doubted]
        self.bot.desk.doubted.take(interaction.user.id, key)
        if len(drafts) > 1:
            await self.bot.desk.explore(interaction, drafts, self.studio.explorations.queue, sources=sources)
        else:
            await self.bot.desk.accept(interaction, drafts[0], sources=sources)

    async def mend(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Open the form with all that was ordered."""
        key = custom_id.removeprefix(warned.MEND)
        [doubted, *_], _ = self.bot.desk.doubted.find(interaction.user.id, key)
        spec = doubted.spec
        locale = asker_of(interaction).locale
        title, form = say(N_("Edit"), locale), f"{warned.FORM}{key}"
        await interaction.response.send_modal(
            modals.form(form, title, spec.request, locale, template=spec.template)
        )

    async def mended(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Order what the form was changed to, with the same pictures."""
        key = custom_id.removeprefix(warned.FORM)
        asker = asker_of(interaction)
        [former, *_], sources = self.bot.desk.doubted.find(interaction.user.id, key)
        spec = former.spec
        given = modals.changed(spec.request, modals.fields(interaction))
        parent = await self.studio.access.seen(spec.parent, asker) if spec.parent is not None else None
        draft = await self.studio.orders.draft(
            asker,
            given.prompt,
            replace(given.options, spoiler=spec.spoiler or given.options.spoiler),
            origin=spec.origin,
            parent=parent,
            init_image=spec.request.init_image,
            preset=given.preset,
            like=await like(self.studio, interaction, given.like),
            private=former.private or bool(given.private),
        )
        draft = replace(
            draft,
            free_size=former.free_size and (given.options.width, given.options.height) == _size(spec.request),
            spec=replace(draft.spec, parent_picture=spec.parent_picture),
        )
        await self.bot.desk.accept(interaction, draft, sources=sources)


def _size(request: PaintRequest) -> tuple[int, int]:
    return request.width, request.height


async def setup(bot: Easel) -> None:
    """Add the cog."""
    await bot.add_cog(Warned(bot))
