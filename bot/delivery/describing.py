"""Describing a picture: by what it tells of itself, or in words by a backend."""

from dataclasses import replace

import discord

from bot.delivery.asking import asker_of
from bot.delivery.desk import Desk
from bot.delivery.subjects import Subject, drafted
from bot.domain.capability import Feature
from bot.domain.permits import Command
from bot.domain.request import DescribeRequest
from bot.services.studio import Studio
from bot.ui import work


async def describe(
    desk: Desk,
    studio: Studio,
    interaction: discord.Interaction,
    subject: Subject,
    *,
    model: str | None = None,
    private: bool = False,
) -> None:
    """Answer with the recipe of ``subject``; queue its description where it has none or ``model`` is chosen."""
    asker, job, picture = asker_of(interaction), subject.job, subject.picture
    await studio.access.check_commands(asker, Command.DESCRIBE)
    private = private or (job is not None and job.address.ephemeral)
    if job is not None:
        await studio.access.check_place(asker, job)
    if job is not None and picture is not None and job.spec.request.prompt and model is None:
        recipe = replace(job.spec.request, seed=picture.seed, count=1)
        card = work.recipe(
            recipe,
            picture.blob,
            asker.locale,
            of=job,
            spoiler=job.spec.spoiler,
            describes=studio.catalogue.offers(Feature.INTERROGATE),
        )
        await interaction.response.send_message(ephemeral=private, **card.send_fields())
        return
    draft, sources = await drafted(studio, asker, DescribeRequest("", model), subject, private=private)
    await desk.accept(interaction, draft, sources=sources)
