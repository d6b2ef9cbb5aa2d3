"""The words a person reads, in their language: gettext catalogues in ``bot/locales``, English being the source."""

import hashlib
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.core import UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from bot.domain.text import N_, Text, Value

SOURCE = "en"
FOLDER = Path(__file__).with_name("locales")
FILE = "LC_MESSAGES/easel.po"
_NAMES = {"zh_Hans": "简体中文"}
"""What a language calls itself, where CLDR says it otherwise than people do."""
_WORDS = frozenset({"feature", "kind", "one", "option", "other", "permissions", "reason", "what"})
"""Placeholders whose values may be marked words themselves, several with commas between."""
_MINUTE_S = 60
_ORDINALS = {
    "one": N_("{number}st"),
    "two": N_("{number}nd"),
    "few": N_("{number}rd"),
    "other": N_("{number}th"),
}


def say(text: Text | str, locale: str = SOURCE, **values: Value) -> str:
    """Render ``text`` for ``locale`` (a code of Discord's, such as ``zh-CN``); an unknown one reads English.

    ``values`` fill the placeholders, over those the text carries. Never raises: a translation that does not fit
    its values gives way to the English words, and those to the bare message.
    """
    message, carried = (text.message, text.values) if isinstance(text, Text) else (text, {})
    if not message:
        return ""
    messages = _catalogue(locale)[1]
    return _filled((messages.gettext(message), message), _worded({**carried, **values}, messages))


def say_many(one: str, many: str, count: int, locale: str = SOURCE, **values: Value) -> str:
    """Render ``one`` or ``many`` by the plural rule of the language; ``{count}`` is filled with ``count``."""
    source = one if count == 1 else many
    messages = _catalogue(locale)[1]
    return _filled((messages.ngettext(one, many, count), source), _worded({"count": count, **values}, messages))


def duration(seconds: float, locale: str = SOURCE) -> str:
    """Say how long ``seconds`` are, as people do: 40 s, 3 min, 1 h 20 min."""
    whole_s = max(0, round(seconds))
    if whole_s < _MINUTE_S:
        return say(N_("{seconds} s"), locale, seconds=whole_s)
    hours, minutes = divmod(round(whole_s / _MINUTE_S), 60)
    if not hours:
        return say(N_("{minutes} min"), locale, minutes=minutes)
    if not minutes:
        return say(N_("{hours} h"), locale, hours=hours)
    return say(N_("{hours} h {minutes} min"), locale, hours=hours, minutes=minutes)


def ordinal(number: int, locale: str = SOURCE) -> str:
    """Say the ``number``-th: 1st, 2nd, 3rd, 11th.

    The language's own ordinal rule (CLDR) picks among the four messages, so French can say 1er and 21e.
    """
    rules, _ = _catalogue(locale)
    return say(_ORDINALS.get(rules.ordinal_form(number), _ORDINALS["other"]), locale, number=number)


def translated(message: str, locale: str) -> str | None:
    """Return the translation of ``message`` itself, its placeholders unfilled; ``None`` where there is none."""
    found = _catalogue(locale)[1].gettext(message) if message else message
    return None if found == message else found


@cache
def shipped() -> tuple[str, ...]:
    """Return the languages that have a catalogue, by the names of their folders: ``de``, ``zh_Hans``."""
    return tuple(sorted(file.parents[1].name for file in FOLDER.glob(f"*/{FILE}")))


def fingerprint() -> str:
    """Return what differs as soon as any catalogue does: the SHA-256 of all of them."""
    digest = hashlib.sha256()
    for name in shipped():
        digest.update(name.encode() + (FOLDER / name / FILE).read_bytes())
    return digest.hexdigest()


def languages() -> tuple[tuple[str, str], ...]:
    """Return what a server can choose: each language's own name for itself, and its code; the source first."""
    return tuple((_own_name(Locale.parse(name)), name.replace("_", "-")) for name in (SOURCE, *shipped()))


def load() -> None:
    """Read every catalogue, so that no answer waits for one; some 30 ms of computing for each."""
    for name in shipped():
        _messages(name)


def _own_name(language: Locale) -> str:
    name = _NAMES.get(str(language)) or language.get_display_name(language) or str(language)
    return name[:1].upper() + name[1:]


@cache
def _catalogue(code: str) -> tuple[Locale, NullTranslations]:
    """Return the language that ``code`` gets, with its messages; what has no catalogue gets the source's.

    A language written in another script is another language: ``zh-TW`` does not read ``zh_Hans``.
    """
    try:
        wanted = Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale(SOURCE), NullTranslations()
    name = f"{wanted.language}_{wanted.script}" if wanted.script else wanted.language
    return (wanted, _messages(name)) if name in shipped() else (Locale(SOURCE), NullTranslations())


@cache
def _messages(name: str) -> NullTranslations:
    """Compile a catalogue in memory, so that what translators write is all there is to ship."""
    compiled = BytesIO()
    with (FOLDER / name / FILE).open("rb") as file:
        write_mo(compiled, read_po(file, locale=name))
    compiled.seek(0)
    return Translations(compiled)


def _worded(values: dict[str, Value], messages: NullTranslations) -> Mapping[str, Value]:
    for name in _WORDS & values.keys():
        value = values[name]
        if isinstance(value, str) and value:
            values[name] = ", ".join(messages.gettext(part) if part else part for part in value.split(", "))
    return values


def _filled(messages: tuple[str, ...], values: Mapping[str, Value]) -> str:
    for message in messages:
        try:
            return message.format_map(values)
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            continue
    return messages[-1]
