"""The panel of ``/queue``: who runs and who waits, and the buttons under it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import discord

from bot.domain.asker import Asker
from bot.domain.codes import code
from bot.domain.job import Job, Origin, Place, State
from bot.domain.request import CutoutRequest, DescribeRequest, UpscaleRequest
from bot.domain.text import N_
from bot.i18n import ordinal, say
from bot.ui.buttons import ELSEWHERE
from bot.ui.card import Card
from bot.ui.failures import YELLOW
from bot.ui.words import about

PREFIX = f"{ELSEWHERE}queue:"
REFRESH, CANCEL, PAUSE, RESUME, CLEAR = "refresh", "cancel", "pause", "resume", "clear"
SHOWN = 15
"""Lines of the list before the rest is only counted."""
_OWN_SHOWN = 5
"""Most lines for one's own jobs that wait further back."""
_WORK = {
    UpscaleRequest: N_("upscale"),
    CutoutRequest: N_("cutout"),
    DescribeRequest: N_("description"),
}
_KINDS = {
    Origin.REMIX: N_("remix"),
    Origin.VARY: N_("variation"),
    Origin.EXPLORE: N_("part of a sheet"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A server's line at one moment: ``jobs`` run, then wait; ``paused_since`` is unix seconds."""

    jobs: Sequence[Job]
    places: Mapping[int, Place]
    paused_since: float | None = None


def panel(line: Line, asker: Asker, *, live: bool) -> Card:
    """Return who is being painted for and who waits, without their prompts; one's own lines are bold.

    ``live``: the panel is renewed by itself.
    """
    locale = asker.locale
    lines = list(_lines(line, asker)) or [say(N_("Nobody waits here."), locale)]
    colour = discord.Colour.blurple()
    if line.paused_since is not None:
        since = f"<t:{int(line.paused_since)}:R>"
        lines.insert(0, say(N_("A moderator paused the queue {since}: what waits is kept."), locale, since=since))
        colour = YELLOW
    embed = discord.Embed(title=say(N_("In line"), locale), description="\n".join(lines), colour=colour)
    told = N_("Renewed by itself for some minutes.") if live else N_("Press Refresh to see how it stands now.")
    embed.set_footer(text=say(told, locale))
    return Card(embed=embed, view=_view(line, asker))


def _lines(line: Line, asker: Asker) -> Iterator[str]:
    ordered = sorted(line.jobs, key=lambda job: _turn(job, line.places.get(job.id)))
    own = [job for job in ordered[SHOWN:] if job.user == asker.user_id][:_OWN_SHOWN]
    hidden = 0
    for at, job in enumerate(ordered):
        if at >= SHOWN and job not in own:
            hidden += 1
            continue
        if hidden:
            yield say(N_("… {count} more …"), asker.locale, count=hidden)
            hidden = 0
        yield _one(job, line, asker)
    if hidden:
        yield say(N_("… and {count} more"), asker.locale, count=hidden)


def _turn(job: Job, place: Place | None) -> tuple[bool, float]:
    ahead = float("inf") if place is None else place.ahead
    return job.state is not State.RUNNING, 0.0 if job.state is State.RUNNING else ahead


def _one(job: Job, line: Line, asker: Asker) -> str:
    told = f"`{code(job.id)}`  {_state(job, line, asker.locale)}  · {_kind(job, asker.locale)} · <@{job.user}>"
    return f"**{told}**" if job.user == asker.user_id else told


def _state(job: Job, line: Line, locale: str) -> str:
    place = line.places.get(job.id)
    if job.state is State.RUNNING:
        return say(N_("painting"), locale)
    if place is None or line.paused_since is not None:
        return say(N_("waiting"), locale)
    where = ordinal(place.ahead + 1, locale)
    if place.eta_s is None:
        return where
    return f"{where}, {say(N_('about {time}'), locale, time=about(place.eta_s, locale))}"


def _kind(job: Job, locale: str) -> str:
    """Return what is being made, in a word."""
    work, count = job.spec.work, job.spec.request.count
    if work is not None:
        return say(_WORK[type(work)], locale)
    kind = say(_KINDS.get(job.spec.origin, N_("picture")), locale)
    return f"{kind} ×{count}" if count > 1 else kind


def _view(line: Line, asker: Asker) -> discord.ui.View:
    own = any(job.user == asker.user_id for job in line.jobs)
    buttons = [(REFRESH, N_("Refresh"), True), (CANCEL, N_("Cancel mine"), own)]
    if asker.moderates_server:
        paused = line.paused_since is not None
        buttons.append((RESUME, N_("Resume"), True) if paused else (PAUSE, N_("Pause"), True))
        buttons.append((CLEAR, N_("Clear"), any(job.state is State.QUEUED for job in line.jobs)))
    view = discord.ui.View(timeout=None)
    for name, label, possible in buttons:
        style = discord.ButtonStyle.danger if name == CLEAR else discord.ButtonStyle.secondary
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            style=style, label=say(label, asker.locale)[:80], custom_id=f"{PREFIX}{name}", disabled=not possible
        )
        view.add_item(button)
    view.stop()
    return view
