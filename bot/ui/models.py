"""Models, as options, as a list in pages and one by one."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import discord

from bot.domain.capability import Listing
from bot.domain.rules import Rules
from bot.domain.text import N_
from bot.i18n import say
from bot.services.models import About
from bot.services.preferences import Effective, Scope
from bot.ui.card import Attachment, Card
from bot.ui.options import OPTIONS, Option
from bot.ui.words import cut, escaped, model_name, number, one_line

PREFIX = "easel-models:"
PER_PAGE = 15
MAX_WORDS = 60
"""Characters searched for: with the page they fit a button's id (Discord docs, Components: 100)."""
DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""

SEARCH = Option("words", str, N_("A part of its name"), "", lambda _: (1, MAX_WORDS))
NAME = Option("name", str, N_("The model"), "", lambda _: (1, 200), Listing.EVERY_MODEL)
PATTERN = replace(NAME, name="pattern", description=N_("A name, or part of one with * around it"))
CARD = (
    NAME,
    Option("trigger", str, N_("The words that it answers to"), "", lambda _: (1, 200)),
    Option("note", str, N_("What there is to know of it"), "", lambda _: (1, 500)),
    Option("sample", discord.Attachment, N_("A picture that it painted")),
    Option("forget", bool, N_("Forget what was told of it")),
)
MODEL = OPTIONS["model"]

_DEFAULT_OF = {
    Scope.HOST: N_("the usual one"),
    Scope.SERVER: N_("this server's default"),
    Scope.CHANNEL: N_("this channel's default"),
    Scope.PERSON: N_("your default"),
}


def page(
    names: Sequence[str], shown: int, words: str, effective: Effective, loaded: frozenset[str], locale: str
) -> Card:
    """Return page ``shown`` (from 0), or the nearest there is, of models that may be used here."""
    title = say(N_("Models"), locale) if not words else say(N_("Models like {words}"), locale, words=f"“{words}”")
    if not names:
        none = N_("No model is called like that.") if words else N_("No backend has told of any model yet.")
        return Card(embed=discord.Embed(title=title, description=say(none, locale)))
    pages = ceil(len(names) / PER_PAGE)
    shown = min(max(shown, 0), pages - 1)
    lines = [_line(name, effective, loaded, locale) for name in names[shown * PER_PAGE : (shown + 1) * PER_PAGE]]
    embed = discord.Embed(title=cut(title, 256), description=cut("\n".join(lines), DESCRIPTION))
    if pages == 1:
        return Card(embed=embed)
    where = say(N_("page {page} of {pages}"), locale, page=shown + 1, pages=pages)
    embed.set_footer(text=f"{len(names)} · {where}")
    view = discord.ui.View(timeout=None)
    for face, to in (("◀", shown - 1), ("▶", shown + 1)):
        custom_id = f"{PREFIX}{to}:{words}"
        view.add_item(discord.ui.Button(label=face, custom_id=custom_id, disabled=not 0 <= to < pages))
    # Its buttons are found by their ids, so discord.py must not keep it.
    view.stop()
    return Card(embed=embed, view=view)


def asked(custom_id: str) -> tuple[int, str]:
    """Return the page and the words of a page's button."""
    shown, _, words = custom_id.removeprefix(PREFIX).partition(":")
    return int(shown) if shown.removeprefix("-").isdecimal() else 0, words


def about(found: About, locale: str) -> Card:
    """Return all that is known of a model, with the picture its admins gave."""
    card = found.card
    facts = [
        found.facts.family,
        say(N_("hash {hash}"), locale, hash=f"`{found.facts.hash}`") if found.facts.hash else "",
        "" if found.allowed else say(N_("not allowed in this server"), locale),
    ]
    triggers = card.trigger if card is not None and card.trigger else ", ".join(found.facts.triggers)
    lines = [
        " · ".join(filter(None, facts)),
        say(N_("Answers to: {words}"), locale, words=escaped(one_line(triggers))) if triggers else "",
        escaped(one_line(card.note)) if card is not None else "",
        *(_backing(each.backend, each.pace, each.loaded, locale) for each in found.backings),
    ]
    embed = discord.Embed(
        title=cut(model_name(found.name), 256), description=cut("\n".join(filter(None, lines)), DESCRIPTION)
    )
    if found.sample is None:
        return Card(embed=embed)
    picture = Attachment("sample.png", found.sample, model_name(found.name))
    embed.set_image(url=picture.uri)
    return Card(embed=embed, files=(picture,))


def rules(held: Rules, locale: str) -> discord.Embed:
    """Return which models a server allows and denies."""
    lines = [
        say(N_("Allowed: {names}"), locale, names=_listed(held.allowed) or say(N_("every model"), locale)),
        say(N_("Denied: {names}"), locale, names=_listed(held.denied)) if held.denied else "",
    ]
    return discord.Embed(
        title=say(N_("This server's models"), locale), description=cut("\n".join(filter(None, lines)), DESCRIPTION)
    )


def _line(name: str, effective: Effective, loaded: frozenset[str], locale: str) -> str:
    notes = [escaped(model_name(name))]
    if name == effective.options.model:
        notes = [f"**{notes[0]}**", say(_DEFAULT_OF[effective.sources["model"]], locale)]
    if name in loaded:
        notes.append(say(N_("in memory"), locale))
    return " · ".join(notes)


def _backing(backend: str, pace: float | None, loaded: bool, locale: str) -> str:
    facts = [
        f"`{backend}`",
        say(N_("in memory"), locale) if loaded else "",
        say(N_("{pace} standard pictures a minute"), locale, pace=number(pace)) if pace is not None else "",
    ]
    return " · ".join(filter(None, facts))


def _listed(patterns: Sequence[str]) -> str:
    return ", ".join(escaped(one_line(pattern)) for pattern in patterns)
