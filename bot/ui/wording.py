"""A server's word rules, as options and as private answers."""

from collections.abc import Sequence

import discord

from bot.domain.text import N_
from bot.domain.wordrules import MAX_WORD, Action, WordRules
from bot.i18n import say, say_many
from bot.prompting.rewording import Reworded, Wish
from bot.ui.failures import GREEN, YELLOW
from bot.ui.options import Option
from bot.ui.words import cut, escaped, one_line, quoted

DESCRIPTION = 4096
"""Characters in an embed's description (Discord docs, Embed Limits)."""
_SHARE = 700
"""Characters for the words of one action: five of them fit."""
_PROMPT = 900
TEXT = 4000
"""Characters that a list or a prompt to try may have: what a prompt may."""

WORDS = Option("words", str, N_("Words or phrases, with commas between them"), "", lambda _: (1, TEXT))
BY = Option("by", str, N_("What stands there instead"), "", lambda _: (1, MAX_WORD))
PROMPT = Option("text", str, N_("A prompt as somebody might type it"), "", lambda _: (1, TEXT))
FILE = Option("file", discord.Attachment, N_("A file that /words export made, or one like it"))
_TITLES = {
    Action.DENY: N_("Denied"),
    Action.REPLACE: N_("Replaced"),
    Action.STRIP: N_("Left out"),
    Action.ALLOW: N_("Always allowed"),
    Action.ADULT: N_("Adult"),
}


def rules(kept: WordRules, locale: str) -> discord.Embed:
    """Return a server's rules, as many of each kind as fit."""
    parts = [
        f"**{say(title, locale)}** · {len(words)}\n{_listed(_written(kept, action, words), locale)}"
        for action, title in _TITLES.items()
        if (words := kept.of(action))
    ]
    nothing = N_("There are no rules for words here. /words deny refuses prompts that have one.")
    text = "\n\n".join(parts) or say(nothing, locale)
    return discord.Embed(title=say(N_("Rules for words"), locale), description=cut(text, DESCRIPTION))


def tried(text: str, found: Reworded, wish: Wish, locale: str) -> discord.Embed:
    """Return what would become of a prompt, and whether it asks for an adult picture."""
    if found.denied is not None:
        words = say(N_("It would be refused for {part}."), locale, part=quoted(found.denied, _PROMPT))
        return discord.Embed(colour=YELLOW, description=cut(words, DESCRIPTION))
    if found.text == text:
        words = say(N_("It would be painted as it is."), locale)
    elif not found.text.strip():
        words = say(N_("It would be refused: nothing would be left of it."), locale)
    else:
        words = say(N_("It would be painted as {prompt}."), locale, prompt=quoted(found.text, _PROMPT))
    if wish.adult is not None:
        part = quoted(wish.adult, _PROMPT)
        words += "\n" + say(N_("{part} asks for an adult picture: see /adult show."), locale, part=part)
    return discord.Embed(colour=GREEN, description=cut(words, DESCRIPTION))


def _written(kept: WordRules, action: Action, words: Sequence[str]) -> list[str]:
    shown = [escaped(one_line(word)) for word in words]
    if action is not Action.REPLACE:
        return shown
    instead = (escaped(one_line(kept.words[word].by)) for word in words)
    return [f"{word} → {by}" for word, by in zip(shown, instead, strict=True)]


def _listed(words: Sequence[str], locale: str) -> str:
    shown: list[str] = []
    room = _SHARE
    for word in words:
        room -= len(word) + 2
        if room < 0:
            break
        shown.append(word)
    more = len(words) - len(shown)
    if more:
        shown.append(say_many(N_("and {count} more"), N_("and {count} more"), more, locale))
    return ", ".join(shown)
