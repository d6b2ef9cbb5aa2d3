"""How people's words and the facts of a picture are written."""

import re
import unicodedata
from math import ceil

from bot.domain.job import Job, Result
from bot.domain.request import PaintRequest
from bot.domain.rules import bare
from bot.domain.text import N_
from bot.i18n import duration, say, say_many

ALT_TEXT = 1000
"""Characters of alt text shown; Discord takes 1,024 (Discord docs, Attachment Object)."""
_SHORTEST_S = 0.1
_MARKUP = re.compile(r"[\\*_~`|<\[\]]|^[ \t]*(?:[-#>+]|\d+(?=[.)]))", re.MULTILINE)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_BIDI = dict.fromkeys(map(ord, _BIDI))
_EVERYONE = re.compile(r"@(?=everyone|here|[!&]?\d)")


def one_line(text: str) -> str:
    """Return ``text`` on one line, without controls, direction marks and half surrogate pairs."""
    if text.isprintable():  # none of them is
        return " ".join(text.split())
    kept = (
        char
        for char in text
        if char.isspace() or (char not in _BIDI and unicodedata.category(char) not in {"Cc", "Cs"})
    )
    return " ".join("".join(kept).split())


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, with an ellipsis where something is missing."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def escaped(text: str) -> str:
    """Return ``text`` so that Discord shows it as it was typed: no markdown, no mention, no direction marks.

    At most twice as long. A backslash makes any mark plain (Discord's Markdown); what follows an @ is held
    off by a zero-width space as in discord.py, because servers look for mentions before markdown.
    """
    plain = _MARKUP.sub(_escape, text.translate(_NO_BIDI))
    return _EVERYONE.sub("@\u200b", plain)


def _escape(match: re.Match[str]) -> str:
    mark = match[0]
    return f"{mark}\\" if mark[-1].isdigit() else f"{mark[:-1]}\\{mark[-1]}"


def quoted(prompt: str, limit: int) -> str:
    """Return a prompt in quotes on one line, at most ``limit`` of its characters and ``2 · limit + 2`` in all."""
    return f"“{escaped(cut(one_line(prompt), limit))}”"


def about(seconds: float, locale: str) -> str:
    """Say about how long something takes, without flicker: in steps of 5 s from 10 s, of 1 min from 2 min."""
    rounded = max(1, ceil(seconds))
    for above, step in ((120, 60), (10, 5)):
        if seconds > above:
            rounded = ceil(seconds / step) * step
            break
    return duration(rounded, locale)


def taken(seconds: float, locale: str) -> str:
    """Say how long a picture took, in tenths."""
    if seconds < _SHORTEST_S:
        return say(N_("under {seconds} s"), locale, seconds=_SHORTEST_S)
    return say(N_("{seconds} s"), locale, seconds=f"{seconds:.1f}")


def alt_text(prompt: str, locale: str) -> str:
    """Return what a screen reader says of a picture."""
    return cut(say(N_("Prompt: {prompt}"), locale, prompt=cut(one_line(prompt), ALT_TEXT)), ALT_TEXT)


def model_name(title: str) -> str:
    """Return a checkpoint's name as people say it: no folder, no file ending, no hash (WebUI's titles)."""
    return cut(bare(one_line(title)), 60)


def number(value: float) -> str:
    """Return a number without zeros that say nothing: 7.0 is 7, 7.50 is 7.5."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def exact(value: float) -> str:
    """Return a number that can be typed again without painting anything else."""
    short = f"{value:.15g}"
    return short if float(short) == value else repr(value)


def order_facts(request: PaintRequest, locale: str) -> str:
    """Return what was asked for in one line: model, size, steps, count."""
    facts = [
        model_name(request.model) if request.model else None,
        f"{request.width}×{request.height}",
        say_many(N_("{count} step"), N_("{count} steps"), request.steps, locale),
        say_many(N_("{count} picture"), N_("{count} pictures"), request.count, locale)
        if request.count > 1
        else None,
    ]
    return " · ".join(fact for fact in facts if fact)


def result_facts(job: Job, result: Result, *, index: int | None = None) -> str:
    """Return what became of it in one line: seed, model, size, steps, CFG, sampler, time.

    ``index`` (from 0) chooses one of several pictures.
    """
    request, locale = job.spec.request, job.spec.locale
    pictures = result.pictures if index is None else result.pictures[index : index + 1]
    seeds = [picture.seed for picture in pictures] or list(request.seeds())
    if len(seeds) > 1:
        seed = say(N_("seeds {first}–{last}"), locale, first=str(seeds[0]), last=str(seeds[-1]))
    else:
        seed = say(N_("seed {seed}"), locale, seed=str(seeds[0]))
    size = (pictures[0].width, pictures[0].height) if pictures else (request.width, request.height)
    model = result.model or request.model
    facts = [
        seed,
        model_name(model) if model else None,
        f"{size[0]}×{size[1]}",
        say_many(N_("{count} step"), N_("{count} steps"), request.steps, locale),
        say(N_("CFG {scale}"), locale, scale=number(request.cfg_scale)),
        _sampler(result.sampler or request.sampler, result.scheduler or request.scheduler),
        taken(result.seconds, locale),
    ]
    return " · ".join(fact for fact in facts if fact)


def _sampler(sampler: str | None, scheduler: str | None) -> str | None:
    if not sampler:
        return None
    # "Automatic" is the WebUI's word for "whatever goes with the sampler": it tells a reader nothing.
    if not scheduler or scheduler.lower() in {"automatic", "default"} or scheduler in sampler:
        return cut(one_line(sampler), 60)
    return cut(one_line(f"{sampler} {scheduler}"), 60)
