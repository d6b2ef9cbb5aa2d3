"""Pages of one's own pictures; what was searched for is written in the ids of the page's own buttons and menus."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

import discord

from bot.domain.asker import Asker
from bot.domain.codes import code
from bot.domain.errors import RequestError
from bot.domain.gallery import Found, Search
from bot.domain.job import Job
from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.services.gallery import PER_PAGE
from bot.ui.card import Attachment, Card
from bot.ui.failures import GREY
from bot.ui.options import OPTIONS, Option
from bot.ui.words import ALT_TEXT, cut, escaped, model_name, one_line

PREFIX = "easel-history:"
MAX_WORDS = 80
"""Characters searched for: with what else an id says they fit its 100 (Discord docs, Components)."""
SEARCH = (
    Option("words", str, N_("Words of the prompt, in any order"), "", lambda _: (1, MAX_WORDS)),
    OPTIONS["model"],
    Option("after", str, N_("From this day on: 2026-11-01, or 7d for the last seven days"), "", lambda _: (1, 20)),
    Option("before", str, N_("Up to this day, without it: 2026-11-01, or 7d"), "", lambda _: (1, 20)),
    Option("favourites", bool, N_("Only those that you marked as favourites")),
    Option("everywhere", bool, N_("Those from other servers and direct messages too")),
)
SHOW = (
    Option("id", str, N_("The picture's code, as in /history"), "", lambda _: (1, 20)),
    Option("private", bool, N_("Show it to nobody but you")),
)
HIDDEN_SPOILER = N_("spoiler")
HIDDEN_AGE = N_("for age-restricted channels")
_MAX_MODEL = 60
_LINE = 60
_UNITS_S = {"h": 3600, "d": 86400, "w": 7 * 86400}
_AGO = re.compile(r"(?P<count>[0-9]{1,4})(?P<unit>[hdw])")


@dataclass(frozen=True, slots=True)
class Page:
    """One page (from 0) of what a search found; ``notes`` say by job why its place in the picture is empty."""

    wanted: Search
    number: int
    found: Found
    notes: Mapping[int, str]


def search(values: Mapping[str, Any], asker: Asker, now: float) -> Search:
    """Return what a command's values ask for; raises ``RequestError`` in words for what is no date."""
    return Search(
        user=asker.user_id,
        guild=asker.guild_id,
        words=one_line(str(values.get("words", ""))),
        model=model_name(str(values["model"])).removesuffix("…")[:_MAX_MODEL] if "model" in values else "",
        after=moment(values["after"], now) if "after" in values else None,
        before=moment(values["before"], now) if "before" in values else None,
        favourites=bool(values.get("favourites")),
        everywhere=bool(values.get("everywhere")),
    )


def moment(text: str, now: float) -> float:
    """Return the unix time of a day (UTC, its beginning) or of so long ago; raises ``RequestError``."""
    typed = text.strip().lower()
    ago = _AGO.fullmatch(typed)
    if ago is not None:
        return float(int(now) - int(ago["count"]) * _UNITS_S[ago["unit"]])
    try:
        return datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise RequestError(
            N_("“{text}” is no date."),
            N_("Write a day like 2026-11-01, or 7d for seven days ago."),
            text=cut(typed, 30),
        ) from error


def asked(message: discord.Message | None, asker: Asker) -> tuple[Search, int] | None:
    """Return what was searched for on a page, and the page's number; ``None`` if it does not tell."""
    found = dict(_ids(message.components if message else ()))
    try:
        number, flags, after, before = found["next"].split(":")
        wanted = Search(
            user=asker.user_id,
            guild=asker.guild_id,
            words=found["show"],
            model=found["mark"],
            after=float(after) if after else None,
            before=float(before) if before else None,
            favourites="f" in flags,
            everywhere="e" in flags,
        )
        return wanted, int(number)
    except (KeyError, ValueError):
        return None


def nothing(wanted: Search, locale: str) -> Card:
    """Return the answer to a search that found nothing."""
    plain = not (wanted.words or wanted.model or wanted.favourites or wanted.after or wanted.before)
    hint = N_("Paint one: /draw") if plain else N_("Search for fewer words, or leave an option out.")
    title = say(N_("No pictures yet") if plain else N_("No picture found"), locale)
    return Card(embed=discord.Embed(title=title, description=say(hint, locale), colour=GREY))


def page(shown: Page, picture: Attachment, locale: str) -> Card:
    """Return a page: the picture of thumbnails, a line for each of them, and the rows to go on from there."""
    found = shown.found
    lines = [_line(i, job, shown, locale) for i, job in enumerate(found.jobs, start=1)]
    if hidden := sum(note == HIDDEN_AGE for note in shown.notes.values()):
        words = say_many(
            N_("{count} is hidden here: age-restricted channels that allow adult pictures show it."),
            N_("{count} are hidden here: age-restricted channels that allow adult pictures show them."),
            hidden,
            locale,
        )
        lines.append(f"-# {words}")
    embed = discord.Embed(title=say(N_("Your pictures"), locale), description="\n".join(lines))
    pages = ceil(found.total / PER_PAGE)
    total = say_many(N_("{count} result"), N_("{count} results"), found.total, locale)
    where = say(N_("page {page} of {pages}"), locale, page=shown.number + 1, pages=pages)
    embed.set_footer(text=f"{total} · {where}")
    embed.set_image(url=picture.uri)
    return Card(embed=embed, view=_view(shown, pages, locale), files=(picture,))


def alt_text(found: Found, locale: str) -> str:
    """Return what a screen reader says of a page's picture."""
    prompts = (f"{i}: {cut(one_line(job.spec.request.prompt), 100)}" for i, job in enumerate(found.jobs, start=1))
    return cut(say(N_("Your pictures: {prompts}"), locale, prompts="; ".join(prompts)), ALT_TEXT)


def link(job: Job) -> str | None:
    """Return the address of a job's message, or ``None`` where nobody can go back to it."""
    address = job.address
    if address.message_id is None or address.ephemeral:
        return None
    return f"https://discord.com/channels/{address.guild_id or '@me'}/{address.channel_id}/{address.message_id}"


def gone(job: Job) -> str:
    """Return the note on a picture whose original is past its days."""
    return N_("only in its message") if link(job) else N_("no longer kept")


def only_in_message(job: Job, locale: str) -> Card:
    """Return the answer where a picture's original is past its days but its message is known."""
    words = say(N_("This picture's original is no longer kept, but its message may still be there."), locale)
    return Card(embed=discord.Embed(description=f"{words}\n{link(job)}", colour=GREY))


def _line(number: int, job: Job, shown: Page, locale: str) -> str:
    address = link(job)
    star = "⭐ " if job.id in shown.found.favourites else ""
    pictures = len(job.result.pictures) if job.result else 0
    facts = [
        f"**{number}** {star}`{code(job.id)}`",
        f"<t:{int(job.created_at)}:d>",
        escaped(cut(one_line(job.spec.request.prompt), _LINE)) or "—",
        f"×{pictures}" if pictures > 1 else None,
        say(shown.notes[job.id], locale) if job.id in shown.notes else None,
        f"[{say(N_('open'), locale)}]({address})" if address else None,
    ]
    return " · ".join(fact for fact in facts if fact)


def _view(shown: Page, pages: int, locale: str) -> discord.ui.View:
    wanted, number = shown.wanted, shown.number
    flags = ("e" if wanted.everywhere else "") + ("f" if wanted.favourites else "")
    bounds = ":".join("" if bound is None else str(int(bound)) for bound in (wanted.after, wanted.before))
    view = discord.ui.View(timeout=None)
    for face, to, possible in (("◀", "back", number > 0), ("▶", "next", number + 1 < pages)):
        custom_id = f"{PREFIX}{to}:{number}:{flags}:{bounds}"
        view.add_item(discord.ui.Button(label=face, custom_id=custom_id, disabled=not possible, row=0))
    menus = (("show", N_("Show"), wanted.words), ("mark", N_("Favourite"), wanted.model))
    for row, (name, words, kept) in enumerate(menus, start=1):
        options = [
            discord.SelectOption(
                label=f"{i} · {code(job.id)}",
                value=str(job.id),
                description=cut(one_line(job.spec.request.prompt), 100) or None,
                emoji="⭐" if job.id in shown.found.favourites else None,
            )
            for i, job in enumerate(shown.found.jobs, start=1)
        ]
        placeholder = say(words, locale)
        view.add_item(
            discord.ui.Select(
                custom_id=f"{PREFIX}{name}:{kept}", placeholder=placeholder, options=options, row=row
            )
        )
    view.stop()
    return view


def _ids(components: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for row in components:
        for component in getattr(row, "children", ()):
            custom_id = getattr(component, "custom_id", None) or ""
            if custom_id.startswith(PREFIX):
                name, _, kept = custom_id.removeprefix(PREFIX).partition(":")
                yield name, kept
