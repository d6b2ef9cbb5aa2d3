"""What is set for a server and its channels: the questions before much of it changes, and how it is told."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import discord

from bot.domain.errors import GoneError, RequestError
from bot.domain.text import N_
from bot.i18n import languages, say, say_many
from bot.services.preferences import RULE_NAMES, WORDS, Values
from bot.services.settings_files import NAME, Difference
from bot.ui import panel, tables
from bot.ui.buttons import ELSEWHERE
from bot.ui.card import Attachment, Card
from bot.ui.failures import GREEN, GREY, YELLOW
from bot.ui.options import OPTIONS, Option
from bot.ui.quotas import ChannelChoice
from bot.ui.words import cut

PREFIX = f"{ELSEWHERE}settings:"
WIPE, IMPORT, LEAVE = "wipe", "import", "leave"
_ID = re.compile(rf"{PREFIX}(?P<verb>{WIPE}|{IMPORT}|{LEAVE}):(?P<key>[0-9]{{1,20}})")
SHOWN = (*tables.SERVER, *RULE_NAMES, *tables.REACTIONS)
SHOWN_OF_CHANNEL = (*tables.CHANNEL, *RULE_NAMES)
CHANNEL = Option("channel", ChannelChoice, N_("Which channel; without it, this one"))
OF_CHANNEL = replace(CHANNEL, description=N_("A channel; without it, the whole server"))
SETTING = Option("setting", str, N_("What to take back; without it, everything"), suggested=True)
FILE = Option("file", discord.Attachment, N_("A file that /settings export made, or one like it"))
IN_CHANNEL = (CHANNEL, *(OPTIONS[name] for name in SHOWN_OF_CHANNEL))
"""The options of ``/settings channel``."""
_SHOWN_CHANGES = 30


def typed(given: Mapping[str, object]) -> dict[str, object]:
    """Return what a command's values set; raises ``RequestError`` in words."""
    return {name: panel.read(name, str(value)) if name in RULE_NAMES else value for name, value in given.items()}


def check_language(values: Values) -> None:
    """Raise ``RequestError`` for a language that there are no messages in."""
    code = values.get("language")
    if code is not None and code not in {known for _, known in languages()}:
        raise RequestError(
            N_("I do not speak “{code}”."),
            N_("Choose one of these: {codes}."),
            code=str(code)[:50],
            codes=", ".join(known for _, known in languages()),
        )


def asked(custom_id: str) -> tuple[str, int]:
    """Return what a button wants, and of what; raises ``GoneError`` for what is none of ours."""
    found = _ID.fullmatch(custom_id)
    if found is None:
        raise gone()
    return found["verb"], int(found["key"])


def gone() -> GoneError:
    """Return what is said where a button belongs to nothing any more."""
    return GoneError(N_("What this belongs to is no longer kept."), N_("See what is set: /settings show"))


def wiping(own: Values, channel_id: int | None, locale: str) -> Card:
    """Return the question before all of a server's or a channel's settings go; ``RequestError`` for none."""
    if not own:
        raise RequestError(N_("Nothing is set there."), N_("See what holds: /settings show"))
    lines = [_place(channel_id, locale), ", ".join(f"`{name}`" for name in own)]
    if WORDS in own:
        lines.append(say(N_("The rules for words are among it: `/words export` keeps them."), locale))
    title = say(N_("Take back all of this?"), locale)
    embed = discord.Embed(title=title, description=cut("\n".join(lines), tables.DESCRIPTION), colour=YELLOW)
    return Card(embed=embed, view=_question(f"{WIPE}:{channel_id or 0}", N_("Take it back"), locale))


def importing(changed: Sequence[Difference], key: int, locale: str, *, anew: bool = False) -> Card:
    """Return the question before a file's settings take the place of others; ``anew`` since those changed."""
    if not changed:
        return said(N_("Everything is set like that already."), locale)
    lines = [_change(each, locale) for each in changed[:_SHOWN_CHANGES]]
    if anew:
        lines.insert(0, say(N_("Something was changed meanwhile. Now it would change this:"), locale))
    if more := len(changed[_SHOWN_CHANGES:]):
        lines.append(say_many(N_("and {count} more"), N_("and {count} more"), more, locale))
    title = say(N_("Set it like that?"), locale)
    embed = discord.Embed(title=title, description=cut("\n".join(lines), tables.DESCRIPTION), colour=YELLOW)
    return Card(embed=embed, view=_question(f"{IMPORT}:{key}", N_("Set it"), locale))


def exported(data: bytes, locale: str) -> Card:
    """Return a file of settings."""
    text = say(N_("All that is set here and in the channels. /settings import takes it."), locale)
    return Card(embed=discord.Embed(description=text), files=(Attachment(NAME, data),))


def said(message: str, locale: str) -> Card:
    """Return a short answer, with no buttons any more."""
    return Card(embed=discord.Embed(description=say(message, locale), colour=GREY))


def done(message: str, locale: str) -> Card:
    """Return the answer once something was done."""
    return Card(embed=discord.Embed(description=say(message, locale), colour=GREEN))


def suggestions(own: Iterable[str], typed_so_far: str) -> list[str]:
    """Return the names of what is set, for what was typed."""
    return [name for name in own if typed_so_far.strip().casefold() in name][:25]


def _change(each: Difference, locale: str) -> str:
    place = _place(each.channel_id, locale)
    if each.name == WORDS:
        return f"{place} · `{WORDS}`  {say(N_('other rules'), locale)}"
    before, after = (tables.shown(each.name, value, locale) or "—" for value in (each.before, each.after))
    return f"{place} · `{each.name}`  {before} → {after}"


def _place(channel_id: int | None, locale: str) -> str:
    return say(N_("This server"), locale) if channel_id is None else f"<#{channel_id}>"


def _question(what: str, label: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    danger, plain = discord.ButtonStyle.danger, discord.ButtonStyle.secondary
    for custom_id, words, style in ((what, label, danger), (f"{LEAVE}:0", N_("Leave it"), plain)):
        view.add_item(
            discord.ui.Button(style=style, label=say(words, locale)[:80], custom_id=f"{PREFIX}{custom_id}")
        )
    view.stop()
    return view
