"""The words a person reads, in their language: gettext catalogues in ``bot/locales``, English being the source."""

from functools import cache
from pathlib import Path

from babel import Locale
from babel.core import UnknownLocaleError
from babel.support import NullTranslations, Translations

from bot.domain.text import N_, Text, Value

DOMAIN = "easel"
SOURCE = "en"
_FOLDER = Path(__file__).with_name("locales")
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
    return _filled((_catalogue(locale)[1].gettext(message), message), {**carried, **values})


def say_many(one: str, many: str, count: int, locale: str = SOURCE, **values: Value) -> str:
    """Render ``one`` or ``many`` by the plural rule of the language; ``{count}`` is filled with ``count``."""
    source = one if count == 1 else many
    return _filled((_catalogue(locale)[1].ngettext(one, many, count), source), {"count": count, **values})


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


@cache
def _catalogue(code: str) -> tuple[Locale, NullTranslations]:
    """Return the language that ``code`` gets, with its messages; what has no catalogue gets the source's."""
    try:
        wanted = Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale(SOURCE), NullTranslations()
    for name in dict.fromkeys((str(wanted), wanted.language)):
        found = Translations.load(_FOLDER, [name], DOMAIN)
        if isinstance(found, Translations):
            return wanted, found
    return Locale(SOURCE), NullTranslations()


def _filled(messages: tuple[str, ...], values: dict[str, Value]) -> str:
    for message in messages:
        try:
            return message.format_map(values)
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            continue
    return messages[-1]
