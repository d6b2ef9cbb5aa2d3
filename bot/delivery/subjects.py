"""Which finished picture somebody means: one they attached, one that a message shows, or their last one here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import discord

from bot.delivery.sources import Source, Wanted, check_files
from bot.domain.asker import Asker
from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Job, Picture
from bot.domain.pending import Pending
from bot.domain.request import UpscaleRequest, Work
from bot.domain.text import N_
from bot.services.drafts import Draft
from bot.services.studio import Studio
from bot.ui import cards


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture: ``job``'s picture ``number`` (from 1), as ``message`` may show it, or a ``file`` or ``link``."""

    job: Job | None = None
    number: int = 1
    message: discord.Message | None = None
    file: discord.Attachment | None = None
    link: Source | None = None

    @property
    def picture(self) -> Picture | None:
        """The job's picture, if it is one of a job's."""
        pictures = self.job.result.pictures if self.job is not None and self.job.result else ()
        return pictures[self.number - 1] if 1 <= self.number <= len(pictures) else None


async def job_shown(studio: Studio, message: discord.Message, ours: int | None) -> tuple[Job, int] | None:
    """Return the job that one of our messages is about, and the number (from 1) of its picture there.

    ``ours`` is the application's id: nobody else's message is believed.
    """
    job = await studio.jobs.by_message(message.id)
    if job is not None:
        return job, 1
    found = await studio.gallery.shown_by(message.id)
    if found is not None:
        return found[0], max(1, found[1])
    if message.author.id == ours:
        # A result that came by direct message is no job's own message, but its file says whose it is.
        sent = cards.shown(message)
        job = await studio.jobs.get(sent[0]) if sent else None
        return None if job is None or sent is None else (job, max(1, sent[1]))
    return None


def is_grid(job: Job, message_id: int) -> bool:
    """Return whether that message shows all cells of the exploration that ``job`` is a cell of."""
    return job.spec.sheet is not None and job.address.message_id == message_id


def check_single(job: Job, message_id: int) -> None:
    """Raise ``RequestError`` where a message shows a whole grid."""
    if is_grid(job, message_id):
        raise RequestError(N_("That is a whole grid."), N_("Take one from the menu under it first."))


async def shown(studio: Studio, asker: Asker, message: discord.Message, ours: int | None) -> Subject:
    """Return the picture that a message shows; raises ``GoneError`` or ``RequestError`` in words."""
    found = await job_shown(studio, message, ours)
    if found is not None:
        job, number = found
        await studio.access.seen(job.id, asker)
        check_single(job, message.id)
        subject = Subject(job, number, message)
        if subject.picture is None:
            raise RequestError(N_("There is no picture there yet."), N_("Wait until it is painted."))
        return subject
    file = next((file for file in message.attachments if is_picture(file)), None)
    if file is None:
        raise RequestError(N_("That message has no picture attached."), N_("Choose one that has."))
    return Subject(file=file)


async def attached_or_last(studio: Studio, asker: Asker, file: discord.Attachment | None) -> Subject:
    """Return what was attached, or else the last picture that ``asker`` made in this channel."""
    if file is not None:
        return Subject(file=file)
    job = await studio.jobs.last_result(asker.user_id, asker.channel_id or 0)
    if job is None:
        raise RequestError(
            N_("You have made no picture in this channel yet."), N_("Attach the one you mean as image.")
        )
    await studio.access.seen(job.id, asker)
    return Subject(job)


async def linked(studio: Studio, asker: Asker, values: Mapping[str, object]) -> Source | None:
    """Return the ``link`` among a command's ``values``; raises ``RequestError`` or ``DeniedError`` in words."""
    link = str(values.get("link", "")).strip().removeprefix("<").removesuffix(">")
    if not link:
        return None
    if "image" in values:
        raise RequestError(
            N_("A file and a link both say which picture."), N_("Leave one of the two out and ask again.")
        )
    effective = await studio.preferences.effective(asker)
    studio.links.check(link, allowed=effective.links)
    return Source(link=link)


async def meant(studio: Studio, asker: Asker, values: Mapping[str, object]) -> Subject:
    """Return the ``image`` or ``link`` among a command's ``values``, or else ``asker``'s last picture here."""
    link = await linked(studio, asker, values)
    if link is not None:
        return Subject(link=link)
    file = values.get("image")
    return await attached_or_last(studio, asker, file if isinstance(file, discord.Attachment) else None)


async def drafted(
    studio: Studio, asker: Asker, work: Work, subject: Subject, *, private: bool = False
) -> tuple[Draft, Wanted]:
    """Return the order for ``work`` on ``subject`` and where its picture comes from; raises ``BotError``."""
    file, job, picture = subject.file, subject.job, subject.picture
    if subject.link is not None:
        draft = await studio.orders.work(asker, replace(work, image=Pending.INIT), private=private)
        return draft, {Pending.INIT: subject.link}
    if file is not None:
        check_files([(Pending.INIT, file)])
        asked = replace(work, image=Pending.INIT)
        if isinstance(asked, UpscaleRequest):
            asked = replace(asked, width=file.width or 0, height=file.height or 0)
        draft = await studio.orders.work(asker, asked, spoiler=file.is_spoiler(), private=private)
        return draft, {Pending.INIT: Source.attached(file)}
    if job is None or picture is None:
        raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
    draft = await studio.orders.work(asker, work, parent=job, number=subject.number, private=private)
    # Past the days that originals are kept, the message is the archive.
    url = cards.archived(subject.message, job, subject.number)
    return draft, {Pending.INIT: Source(url, picture.blob, job=subject.job, number=subject.number)}


def is_picture(file: discord.Attachment) -> bool:
    """Return whether Discord says that a file is a picture."""
    return (file.content_type or "").startswith("image/")
