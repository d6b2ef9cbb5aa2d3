"""A job's message in each of its states: one embed, the same facts in the same order, few words."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import discord

from bot.domain.capability import Feature
from bot.domain.codes import code
from bot.domain.errors import BotError, Failure, UnreachableError
from bot.domain.job import Job, Place, Result
from bot.domain.ports import Progress
from bot.domain.text import N_
from bot.i18n import ordinal, say
from bot.ui import buttons, work
from bot.ui.card import Attachment, Card
from bot.ui.copyable import copyable, spelled_out
from bot.ui.failures import AMBER, GREEN, GREY, RED, YELLOW, failure_text
from bot.ui.words import about, alt_text, cut, one_line, order_facts, result_facts

ONLY_YOURS = N_("Only you see this: I am a guest here. With private:False all would.")
"""The note on a picture where only its asker brought the bot."""
FROM_ELSEWHERE = N_("Only you see this: it was painted elsewhere, and here a moderator looks at pictures first.")
"""The note on a picture shown where its moderators have not seen it."""
REDUCED = N_("Sent smaller than painted: this place takes no larger file.")
"""The note on a picture that had to be fitted to the place's upload limit."""
IN_PARTS = N_("Too much for one message: the other pictures are in replies to it.")
"""The note on pictures that had to be spread over several messages."""
REWORDED = N_("Some words were changed by this server's rules.")
"""The note on a picture whose prompt was not painted as it was typed."""
WAITING_PROMPT = 300
ENDED_PROMPT = 120
FINISHED_PROMPT = 1500
"""Characters of a prompt under its picture: all that the command's option takes; more is under Settings."""
NOTES = 900
CONTENT = 2000
"""Characters in a message's own text (Discord docs, Create Message)."""
_BAR = 10
_SENT = re.compile(r"/easel-(?P<job>[0-9]{1,18})-(?P<number>[0-9]{1,2})\.")
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


def attachment(job: Job, number: int, data: bytes, media_type: str) -> Attachment:
    """Return a picture of ``job`` as it is sent: number 0 is the message's own, 1… are single originals."""
    extension = _EXTENSIONS.get(media_type, "png")
    return Attachment(
        filename=f"easel-{job.id}-{number}.{extension}",
        data=data,
        description=work.alt_words(job) or alt_text(job.spec.request.prompt, job.spec.locale),
        spoiler=job.spec.spoiler,
    )


def shown(message: discord.Message) -> tuple[int, int] | None:
    """Return the job and the number (as in ``attachment``) of the picture in one of our own messages' embeds."""
    found = (_SENT.search(embed.image.url or "") for embed in message.embeds)
    return next(((int(match["job"]), int(match["number"])) for match in found if match), None)


def archived(message: discord.Message | None, job: Job, number: int) -> str | None:
    """Return the fresh address of ``job``'s picture ``number`` (from 1) if ``message`` shows just that one."""
    if message is None or job.result is None:
        return None
    for address in (*(embed.image.url or "" for embed in message.embeds), *(f.url for f in message.attachments)):
        sent = _SENT.search(address)
        if sent is not None and int(sent["job"]) == job.id:
            whole = int(sent["number"]) == 0 and len(job.result.pictures) == 1
            return address if whole or int(sent["number"]) == number else None
    return None


def waiting(job: Job, place: Place | None) -> Card:
    """Return the message of a job in line; ``place`` is ``None`` while it is not known."""
    locale = job.spec.locale
    title = say(N_("In line"), locale)
    lines = [work.subject(job, WAITING_PROMPT)]
    if place is not None:
        title = say(N_("In line · {place}"), locale, place=ordinal(place.ahead + 1, locale))
        if place.eta_s is not None:
            lines.append(say(N_("about {time}"), locale, time=about(place.eta_s, locale)))
    embed = _embed(discord.Colour.blurple(), lines, title, _asked(job))
    return Card(embed=embed, view=buttons.waiting(job))


def no_painter(job: Job, since: float, reason: BotError | None = None) -> Card:
    """Return the message of a job that waits while no backend works: since unix time ``since``, for ``reason``."""
    locale = job.spec.locale
    lines = [
        work.subject(job, WAITING_PROMPT),
        say(N_("None is reachable since {time}; your place is kept."), locale, time=f"<t:{int(since)}:R>"),
    ]
    if reason is not None:
        failure = reason.failure()
        # What is to be done about one that is away was said in the line above.
        lines.append(
            failure_text(replace(failure, hint="") if isinstance(reason, UnreachableError) else failure, locale)
        )
    title = say(N_("Waiting for a painter"), locale)
    embed = _embed(YELLOW, lines, title, _asked(job))
    return Card(embed=embed, view=buttons.waiting(job))


def paused(job: Job) -> Card:
    """Return the message of a job that waits until a moderator lets its server's queue go on."""
    locale = job.spec.locale
    lines = [
        work.subject(job, WAITING_PROMPT),
        say(N_("It goes on when they resume the queue; your turn is kept."), locale),
    ]
    embed = _embed(YELLOW, lines, say(N_("Paused by a moderator"), locale), _asked(job))
    return Card(embed=embed, view=buttons.waiting(job))


def painting(job: Job, progress: Progress | None, *, backend: str | None = None, hidden: bool = False) -> Card:
    """Return the message of a job at work; a preview is its thumbnail, unless the picture is a spoiler or adult.

    ``backend`` is its name, where it is to be told. ``hidden``: the picture is looked at before it is shown.
    """
    locale = job.spec.locale
    fraction = min(1.0, max(0.0, progress.fraction)) if progress else 0.0
    title = say(work.doing(job), locale)
    if progress is not None:
        title = say(N_("{doing} · {percent} %"), locale, doing=title, percent=int(fraction * 100))
    lines = [work.subject(job, WAITING_PROMPT), _progress_line(progress, fraction, locale)]
    embed = _embed(AMBER, lines, title, " · ".join(filter(None, (_asked(job), backend))))
    files: tuple[Attachment, ...] = ()
    hidden = hidden or job.spec.spoiler or job.spec.adult
    if progress is not None and progress.preview is not None and not hidden:
        preview = Attachment(
            "preview.webp", progress.preview, alt_text(job.spec.request.prompt, locale), spoiler=False
        )
        embed.set_thumbnail(url=preview.uri)
        files = (preview,)
    return Card(embed=embed, view=buttons.waiting(job), files=files)


def finished(
    job: Job,
    author: tuple[str, str] | None,
    files: Sequence[Attachment],
    notes: Sequence[str] = (),
    *,
    offered: Collection[Feature] = frozenset(),
    lineage: str | None = None,
    accent: str | None = None,
) -> Card:
    """Return the message that is the result; ``author`` is the asker's name and avatar address.

    ``offered`` is what backends can do with it, ``lineage`` the line that says where it comes from, ``accent`` the
    server's own colour as ``#rrggbb``. Several pictures come as one grid or as several ``files``, and get a menu.
    A spoiler stays a plain attachment, because Discord hides no picture inside an embed.
    """
    locale = job.spec.locale
    result = job.result
    lines = [work.subject(job, FINISHED_PROMPT), *_noted(notes, locale)]
    lines += [f"-# {lineage}"] if lineage else []
    footer = came_to(job, result) if result else _asked(job)
    embed = _embed(colour(accent), lines, footer=footer)
    _sign(embed, author)
    _show(embed, files)
    pictures = len(result.pictures) if result else 1
    rows = buttons.finished(job, pictures=pictures, offered=offered, reduced=REDUCED in notes)
    return Card(embed=embed, view=rows, files=tuple(files))


def single(
    job: Job, index: int, file: Attachment, notes: Sequence[str] = (), *, accent: str | None = None
) -> Card:
    """Return one original of several, ``index`` from 0, with its own seed."""
    lines = [work.subject(job, WAITING_PROMPT), *_noted(notes, job.spec.locale)]
    footer = came_to(job, job.result, index=index) if job.result else None
    embed = _embed(colour(accent), lines, footer=footer)
    _show(embed, (file,))
    return Card(embed=embed, files=(file,))


def taken(
    job: Job,
    index: int,
    author: tuple[str, str] | None,
    file: Attachment,
    notes: Sequence[str] = (),
    *,
    accent: str | None = None,
) -> Card:
    """Return the same as a message for everybody, signed as the result is, with a button to delete it."""
    card = single(job, index, file, notes, accent=accent)
    if card.embed is not None:
        _sign(card.embed, author)
    return replace(card, view=buttons.taken(job))


def gathered(
    job: Job, files: Sequence[Attachment], notes: Sequence[str] = (), *, accent: str | None = None
) -> Card:
    """Return several originals of a job, each in full."""
    lines = [work.subject(job, WAITING_PROMPT), *_noted(notes, job.spec.locale)]
    embed = _embed(colour(accent), lines, footer=came_to(job, job.result) if job.result else None)
    return Card(embed=embed, files=tuple(files))


def untransmittable(job: Job, offered: Collection[Feature] = frozenset()) -> Card:
    """Return the message of a result that its place takes in no size; its pictures are still to be had."""
    locale = job.spec.locale
    pictures = len(job.result.pictures) if job.result else 1
    words = (
        N_("It is done, but this place takes no file, not even a small one."),
        N_("Have it sent to you: More, Send to me."),
    )
    lines = [work.subject(job, WAITING_PROMPT), "\n".join(say(each, locale) for each in words)]
    embed = _embed(YELLOW, lines, footer=came_to(job, job.result) if job.result else None)
    return Card(embed=embed, view=buttons.finished(job, pictures=pictures, offered=offered))


def withheld(job: Job, *, sent: bool) -> Card:
    """Return the message of an adult result in a place that may not have it; not even its prompt is there.

    ``sent``: it went to the asker's direct messages.
    """
    locale = job.spec.locale
    kept = N_("It is kept for you: /history shows it in an age-restricted channel that allows adult pictures.")
    words = N_("It was sent to you by direct message.") if sent else kept
    lines = [
        say(N_("It may be an adult picture, and this is no place for one any more."), locale),
        say(words, locale),
    ]
    return Card(embed=_embed(YELLOW, lines, say(N_("Not shown here"), locale)), view=buttons.taken(job))


def follows(job: Job, minutes: int) -> Card:
    """Return the word in direct messages that a picture comes there: elsewhere it would be too late."""
    locale = job.spec.locale
    text = N_("Your picture takes about {minutes} min, longer than I can answer there. It comes here.")
    return Card(content=say(text, locale, minutes=minutes))


def failed(job: Job) -> Card:
    """Return the message of a job that ended without a picture: what happened, and what to do next."""
    locale = job.spec.locale
    failure = job.failure or Failure(N_("It could not be painted."), N_("Try again."))
    if failure.withheld:
        lines = [work.subject(job, ENDED_PROMPT), failure_text(failure, locale)]
        return Card(embed=_embed(GREY, lines, say(N_("Not shown"), locale)))
    lines = [work.subject(job, ENDED_PROMPT), failure_text(failure, locale)]
    footer = say(N_("code {code}"), locale, code=failure.code) if failure.code else None
    embed = _embed(RED, lines, say(work.not_done(job), locale), footer)
    return Card(embed=embed, view=buttons.failed(job, smaller=failure.smaller_may_help))


def cancelled(job: Job) -> Card:
    """Return the message of a cancelled job; it names who did it, unless that was the asker."""
    locale = job.spec.locale
    lines = [work.subject(job, ENDED_PROMPT)]
    if job.cancelled_by is not None and job.cancelled_by != job.user:
        lines.append(say(N_("by {who}"), locale, who=f"<@{job.cancelled_by}>"))
    embed = _embed(GREY, lines, say(N_("Cancelled"), locale))
    return Card(embed=embed, view=buttons.cancelled(job))


def not_queued(locale: str) -> Card:
    """Return the answer to an order that was seen but lost before it was in the queue."""
    lines = [say(N_("I was restarted before it was in the queue."), locale), say(N_("Please repeat it."), locale)]
    return Card(embed=_embed(RED, ["\n".join(lines)], say(N_("Not queued"), locale)))


def wait_is_over(job: Job) -> Card:
    """Return the one short word after a long wait; it may ping the asker and nobody else."""
    who = f"<@{job.user}>"
    text = N_("{who} your picture is ready.")
    if job.result is not None and job.result.caption is not None:
        text = N_("{who} your description is ready.")
    if job.failure:
        text = N_("{who} it could not be painted.")
    if job.failure and job.failure.withheld:
        text = N_("{who} your picture is not shown.")
    return Card(content=say(text, job.spec.locale, who=who), mention=job.user)


def settings(job: Job, locale: str) -> Card:
    """Return the command that paints ``job`` again, to be copied whole; a long one is a text file."""
    done = work.done_note(job.spec.work, locale) if job.spec.work else ""
    if job.spec.work is not None and not job.spec.request.prompt:
        return Card(content=work.unknown_words(job.spec.work, locale))
    command = copyable(job)
    hint = say(N_("Its code is {code}: the option “like” takes all of it."), locale, code=code(job.id))
    block = "\n".join(filter(None, (f"```\n{command}\n```{hint}", done)))
    whole = spelled_out(job)
    if "```" not in command and len(block) <= CONTENT and whole == command:
        return Card(content=block)
    file = Attachment(f"easel-{job.id}-settings.txt", whole.encode())
    said = say(N_("The command is long: it is in the file."), locale)
    return Card(content=f"{said}\n{hint}", files=(file,))


def _asked(job: Job) -> str:
    if job.spec.work is not None:
        return work.order_facts(job.spec.work, job.spec.locale)
    return order_facts(job.spec.request, job.spec.locale)


def came_to(job: Job, result: Result, *, index: int | None = None) -> str:
    """Return the facts of a result in one line."""
    if job.spec.work is not None:
        return work.result_facts(job, job.spec.work, result)
    return result_facts(job, result, index=index)


def _embed(
    colour: discord.Colour, lines: Sequence[str], title: str | None = None, footer: str | None = None
) -> discord.Embed:
    embed = discord.Embed(colour=colour, title=title, description="\n".join(lines))
    if footer:
        embed.set_footer(text=cut(footer, 2048))
    return embed


def colour(accent: str | None) -> discord.Colour:
    """Return a server's own colour for what is finished, or the usual one."""
    return discord.Colour.from_str(accent) if accent else GREEN


def _sign(embed: discord.Embed, author: tuple[str, str] | None) -> None:
    if author is not None:
        embed.set_author(name=cut(one_line(author[0]), 256) or "…", icon_url=author[1])


def _show(embed: discord.Embed, files: Sequence[Attachment]) -> None:
    if len(files) == 1 and not files[0].spoiler:
        embed.set_image(url=files[0].uri)


def _noted(notes: Sequence[str], locale: str) -> list[str]:
    said = "\n".join(f"-# {say(note, locale)}" for note in dict.fromkeys(notes))
    return [cut(said, NOTES)] if said else []


def bar(fraction: float) -> str:
    """Return a bar that is full to ``fraction`` (0–1)."""
    full = int(fraction * _BAR + 0.5)
    return "▰" * full + "▱" * (_BAR - full)


def _progress_line(progress: Progress | None, fraction: float, locale: str) -> str:
    facts = []
    if progress is not None and progress.steps > 0:
        facts.append(say(N_("step {step} of {steps}"), locale, step=progress.step, steps=progress.steps))
    if progress is not None and progress.eta_s is not None and progress.eta_s > 0:
        facts.append(say(N_("{time} left"), locale, time=about(progress.eta_s, locale)))
    return f"{bar(fraction)} {' · '.join(facts)}".rstrip()
