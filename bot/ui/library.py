"""What servers and persons keep by name, as options and as private answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import discord

from bot.domain.capability import Listing
from bot.domain.snippets import MAX_NAME, PLACEHOLDER, Kind, Preset, Snippet, Style, Wildcards
from bot.domain.text import N_
from bot.i18n import say, say_many
from bot.services.preferences import Scope
from bot.services.presets import ADMINS_OWN
from bot.ui import settings_line
from bot.ui.options import OPTIONS, Option
from bot.ui.words import cut, escaped, one_line, quoted

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
_PROMPT = 600
_LINE = 80
_LINES = 15

NAME = Option("name", str, N_("Its name"), "", lambda _: (1, MAX_NAME), Listing.PRESETS)
STYLE_NAME = replace(NAME, listing=Listing.OWN_STYLES)
LIST_NAME = replace(NAME, listing=Listing.WILDCARDS)
SERVER = Option("server", bool, N_("For this server instead of for yourself"))
FILE = Option("file", discord.Attachment, N_("A file that /preset export made, or one like it"))
_OWN_PROMPT = replace(OPTIONS["prompt"], description=N_("Its words; {prompt} in them is where yours go"))
PRESET = (
    NAME,
    OPTIONS["like"],
    Option("settings", str, N_("What it chooses, as name value · name value"), "", lambda _: (1, 4000)),
    _OWN_PROMPT,
    OPTIONS["negative_prompt"],
    SERVER,
)
STYLE = (STYLE_NAME, _OWN_PROMPT, OPTIONS["negative_prompt"], SERVER)
WILDCARD = (
    LIST_NAME,
    Option(
        "lines", str, N_("What to draw from: red | green | 3::blue, which is likelier"), "", lambda _: (1, 4000)
    ),
    Option("file", discord.Attachment, N_("A text file with one on each line")),
    SERVER,
)

_TITLES = {Kind.PRESET: N_("Presets"), Kind.STYLE: N_("Styles"), Kind.WILDCARD: N_("Wildcard lists")}
_EMPTY = {
    Kind.PRESET: N_("Nothing is kept here yet. /preset save keeps your settings under a name."),
    Kind.STYLE: N_("Nothing is kept here yet. /style save keeps words under a name."),
    Kind.WILDCARD: N_("Nothing is kept here yet. /wildcard save keeps lines to draw from."),
}
_OWNERS = {Scope.PERSON: N_("Yours"), Scope.SERVER: N_("This server's")}


def shelf(
    kind: Kind, kept: Sequence[Snippet], others: Iterable[tuple[str, Sequence[str]]], locale: str
) -> discord.Embed:
    """Return the names of what is kept; ``others`` are names from elsewhere, under marked headings."""
    own = [(words, [each.name for each in kept if each.scope == scope]) for scope, words in _OWNERS.items()]
    parts = [
        f"**{say(heading, locale)}**\n{', '.join(escaped(one_line(name)) for name in names)}"
        for heading, names in (*own, *others)
        if names
    ]
    text = "\n\n".join(parts) or say(_EMPTY[kind], locale)
    return discord.Embed(title=say(_TITLES[kind], locale), description=cut(text, DESCRIPTION))


def preset(kept: Preset, locale: str) -> discord.Embed:
    """Return all that a preset chooses."""
    options = kept.options
    raw = [name for name in ADMINS_OWN if getattr(options, name)]
    lines = [
        *_prompts(kept.prompt, options.negative_prompt or "", locale),
        say(N_("Model: {model}"), locale, model=escaped(one_line(options.model))) if options.model else "",
        escaped(settings_line.write(options)),
        say(N_("By its file: {names}"), locale, names=", ".join(raw)) if raw else "",
    ]
    return _sheet(kept.name, lines)


def style(kept: Style, locale: str) -> discord.Embed:
    """Return a style's words."""
    return _sheet(kept.name, _prompts(kept.prompt, kept.negative_prompt, locale))


def wildcards(kept: Wildcards, locale: str) -> discord.Embed:
    """Return the first lines of a list, and how a prompt names it."""
    shown = [f"- {escaped(cut(one_line(line), _LINE))}" for line in kept.lines[:_LINES]]
    more = len(kept.lines) - len(shown)
    use = say(N_("In a prompt: {example}"), locale, example=f"`__{kept.name}__`")
    return _sheet(kept.name, [*shown, say(N_("… and {count} more"), locale, count=more) if more else "", use])


def kept(shown: discord.Embed, locale: str, *, replaced: bool) -> discord.Embed:
    """Return what was just kept, and say whether one of the same name gave way."""
    words = N_("Kept in place of the one of that name.") if replaced else N_("Kept.")
    return shown.set_footer(text=say(words, locale))


def told(text: str) -> discord.Embed:
    """Return a plain private answer."""
    return discord.Embed(description=cut(text, DESCRIPTION))


def counted(replaced: Mapping[str, bool], locale: str) -> str:
    """Say how many presets were kept, and which, by whether one of the same name gave way."""
    listed, instead = (
        ", ".join(escaped(one_line(name)) for name in names)
        for names in (replaced, [name for name, gave_way in replaced.items() if gave_way])
    )
    lines = [
        say_many(
            N_("{count} preset kept: {names}"),
            N_("{count} presets kept: {names}"),
            len(replaced),
            locale,
            names=listed,
        ),
        say(N_("In place of those of the same name: {names}"), locale, names=instead) if instead else "",
    ]
    return "\n".join(filter(None, lines))


def _prompts(prompt: str, negative_prompt: str, locale: str) -> list[str]:
    where = "" if PLACEHOLDER in prompt or not prompt else say(N_("(after what you type)"), locale)
    return [
        f"{quoted(prompt, _PROMPT)} {where}".rstrip() if prompt else "",
        say(N_("Without: {prompt}"), locale, prompt=quoted(negative_prompt, _PROMPT)) if negative_prompt else "",
    ]


def _sheet(title: str, lines: Iterable[str]) -> discord.Embed:
    return discord.Embed(title=one_line(title), description=cut("\n".join(filter(None, lines)), DESCRIPTION))
