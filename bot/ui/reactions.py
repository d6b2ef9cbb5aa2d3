"""Emoji as reactions: which one stands for what, and what a server may choose."""

import re
import unicodedata
from collections.abc import Mapping

from bot.domain.errors import RequestError
from bot.domain.text import N_
from bot.services.preferences import EMOJI, Effective
from bot.ui.buttons import Action
from bot.ui.words import cut

CUSTOM = re.compile(r"<a?:\w{2,32}:(?P<id>[0-9]{15,20})>")
"""A server's own emoji as Discord's client writes it (Discord docs, Message Formatting)."""
_LONGEST = 32
_VARIANT = "\ufe0f"
_JOINER = "\u200d"
_SIGNS = frozenset({"So", "Sm"})
_AROUND = frozenset({"Sk", "Me", "Mn", "Cf"})
"""Unicode categories of what is an emoji by itself, and of what changes one: skin tones, variants, tags."""
_LIKE_LETTERS = frozenset("‼⁉〰〽ℹ")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_ACTIONS: Mapping[str, Action] = {
    "emoji_reroll": Action.REROLL,
    "emoji_cancel": Action.CANCEL,
    "emoji_favourite": Action.FAVOURITE,
    "emoji_dm": Action.DM,
    "emoji_upscale": Action.UPSCALE,
}


def meant(effective: Effective, emoji: str) -> Action | None:
    """Return what a reaction with ``emoji`` asks for in a place; ``None`` for all others."""
    wanted = key(emoji)
    return next((action for name, action in _ACTIONS.items() if key(getattr(effective, name)) == wanted), None)


def key(emoji: str) -> str:
    """Return what tells emoji apart: a custom one's id; of the others Discord's clients write several variants."""
    custom = CUSTOM.fullmatch(emoji)
    return custom["id"] if custom else emoji.replace(_VARIANT, "")


def custom_id(emoji: str) -> int | None:
    """Return the id of a server's own emoji."""
    found = CUSTOM.fullmatch(emoji)
    return int(found["id"]) if found else None


def check(values: Mapping[str, object], effective: Effective) -> None:
    """Raise ``RequestError`` for what is no emoji, and for two reactions with the same one.

    Whether a custom emoji is this server's own is for the caller to ask.
    """
    chosen = {name: str(values[name] or EMOJI[name]) for name in EMOJI if name in values}
    for name, emoji in chosen.items():
        if not _is_emoji(emoji):
            raise RequestError(
                N_("“{text}” is no emoji for {option}."),
                N_("Put in one emoji, of the usual ones or of this server's own."),
                text=cut(emoji, 50),
                option=name,
            )
    used: dict[str, str] = {}
    for name in EMOJI:
        emoji = chosen.get(name, getattr(effective, name))
        if (other := used.setdefault(key(emoji), name)) != name:
            raise RequestError(
                N_("{option} and {other} cannot be the same emoji."),
                N_("Choose another one for one of them."),
                option=name,
                other=other,
            )


def _is_emoji(text: str) -> bool:
    if CUSTOM.fullmatch(text) or _KEYCAP.fullmatch(text):
        return True
    return 0 < len(text) <= _LONGEST and all(map(_is_one_sign, text.split(_JOINER)))


def _is_one_sign(part: str) -> bool:
    signs = [sign for sign in part if sign in _LIKE_LETTERS or unicodedata.category(sign) in _SIGNS]
    others = {unicodedata.category(sign) for sign in part if sign not in signs}
    flag = len(signs) == len("🇩🇪") and all("🇦" <= sign <= "🇿" for sign in signs)
    return (len(signs) == 1 or flag) and not part.isascii() and others <= _AROUND
