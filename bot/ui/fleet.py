"""How the backends are, on one screen."""

from collections.abc import Iterator, Sequence

import discord

from bot.domain.breaker import Condition
from bot.domain.capability import Feature, Listing
from bot.domain.text import N_
from bot.i18n import say
from bot.services.fleet import nobody
from bot.services.upkeep import Report, cure
from bot.ui.words import cut, escaped, model_name, number

EMBED = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
_CONDITIONS = {
    Condition.UNKNOWN: N_("not asked yet"),
    Condition.UP: N_("works"),
    Condition.AWAY: N_("away"),
    Condition.RESTING: N_("rests after failures"),
    Condition.DRAINED: N_("drained"),
}
_COUNTED = (
    (Listing.MODELS, N_("models: {count}")),
    (Listing.LORAS, N_("LoRAs: {count}")),
    (Listing.WORKFLOWS, N_("workflows: {count}")),
)


def backends(reports: Sequence[Report], locale: str) -> discord.Embed:
    """Return every backend with its state, its model and speed, what it has and lacks, and a cure if one is ill.

    One of another process stands there with that one's name.

    Where there are too many for one embed, the details of the sound ones go first, then the last lines.
    """
    title = say(N_("Backends"), locale)
    if not reports:
        return discord.Embed(title=title, description=say(nobody().message, locale))
    whole = "\n\n".join("\n".join(_lines(report, locale)) for report in reports)
    if len(whole) > EMBED:
        short = [list(_lines(report, locale)) for report in reports]
        kept = [
            lines if report.standing.outage else lines[:1] for lines, report in zip(short, reports, strict=True)
        ]
        whole = "\n".join("\n".join(lines) for lines in kept)
    if len(whole) > EMBED:
        whole = whole[: EMBED - 2].rpartition("\n")[0] + "\n…"
    return discord.Embed(title=title, description=cut(whole, EMBED))


def _lines(report: Report, locale: str) -> Iterator[str]:
    kin = escaped(report.known.kin) if report.known is not None else ""
    state, outage = say(_CONDITIONS[report.standing.condition], locale), report.standing.outage
    if outage is not None:
        state += f" <t:{int(outage.since)}:R>"
    yield " · ".join(part for part in (f"**{escaped(report.name)}**", escaped(report.node), state, kin) if part)
    if outage is not None:
        error = outage.error
        yield cut(say(error.texts()[0], locale), 300)
        if words := say(cure(error), locale):
            yield words
    yield " · ".join(_work(report, locale))
    if report.known is not None:
        yield " · ".join(_assets(report, locale))


def _work(report: Report, locale: str) -> Iterator[str]:
    standing = report.standing
    yield say(N_("painting {running} of {slots}"), locale, running=standing.running, slots=standing.slots)
    if report.loaded:
        yield say(N_("{model} in memory"), locale, model=escaped(model_name(report.loaded)))
    if report.pace is not None:
        yield say(N_("about {count} standard pictures a minute"), locale, count=number(round(report.pace, 1)))
    if standing.failed:
        counts = {"painted": standing.painted, "failed": standing.failed}
        yield say(N_("painted {painted}, failed {failed}"), locale, **counts)


def _assets(report: Report, locale: str) -> Iterator[str]:
    if report.known is None:
        return
    for listing, words in _COUNTED:
        if names := report.known.listings.get(listing, ()):
            yield say(words, locale, count=len(names))
    if report.known.features:
        has = ", ".join(say(feature.value, locale) for feature in Feature if feature in report.known.features)
        yield say(N_("has {features}"), locale, features=has)
    for name, value in report.known.facts.items():
        yield f"{escaped(name)} {escaped(cut(value, 100))}"
