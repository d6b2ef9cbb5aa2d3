"""Ages of children in a prompt, up to 17 years, however they are written."""

import re
import unicodedata
from collections.abc import Iterable

from bot.prompting.lookalikes import Look, plain
from bot.prompting.reading import Reading

_FIGURES = {"a": "4", "e": "3", "i": "1", "l": "1", "o": "0", "s": "5", "t": "7"}
"""Digits that stand in words."""
_ONES = "one two three four five six seven eight nine"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_FOREIGN = """
    ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn
    once doce trece catorce quince dieciseis diecisiete
    dix onze douze treize quatorze quinze seize dixsept
"""
_UNITS = """
    yo yos yearold yearolds yearsold yrold yrolds yrsold yearofage yearsofage yearsyoung yeargirl yearboy yrgirl
    yrboy jahrealt jahrealte jahrealter jahrealtes jahrig jahrige jahriger jahriges jahrigen anos anitos ans
"""
_SMALL = "monthold monthsold weekold weeksold dayold daysold"
_ERAS = "middle stone bronze iron golden new"
"""What comes before ``age`` where it is nobody's own."""
_START, _END = r"(?<![^\W\d_])", r"(?![^\W\d_])"


def _any(words: str) -> str:
    """Return a pattern for words as ``_plainly`` spells them: their letters may be parted and drawn out."""
    spelt = (re.sub(r"(.)\1+", r"\1", word) for word in words.split())
    letters = ([f"[{letter}{_FIGURES.get(letter, '')}]{{1,9}}" for letter in word] for word in spelt)
    return f"(?:{'|'.join(map(' ?'.join, letters))})"


def _not_after(words: str) -> str:
    return "".join(f"(?<!{word} )" for word in words.split())


_FIGURE = r"(?<!\d)0*(?:1 ?[0-7]|[1-9])(?!\d)|(?<!\w)[1il] ?[0-7o](?!\d)"
_NUMBER = rf"{_FIGURE}|{_START}{_not_after(_TENS)}{_any(_ONES)}|{_START}{_any(_TEENS)}"
_HAN = "一二三四五六七八九十百千"
_AGE = re.compile(
    rf"(?:{_NUMBER}|{_START}{_any(_FOREIGN)}) ?(?:{_any(_UNITS)}{_END}|[岁歲歳才살]|лет(?:н\w+)?{_END})"
    rf"|(?:\d|{_START}{_any(f'{_ONES} {_TEENS}')}) ?{_any(_SMALL)}{_END}"
    rf"|{_START}{_not_after(_ERAS)}{_any('age aged ages ageof')} ?(?:{_NUMBER}){_END}"
    rf"|(?<![{_HAN}])(?:十[一二三四五六七]?|[一二两兩三四五六七八九]) ?[岁歲歳才]"
)


def tells_child(text: str, readings: Iterable[Reading]) -> bool:
    """Return whether ``text``, as one of its ``readings``, tells a child's age."""
    return any(_AGE.search(_plainly(text, reading)) for reading in readings)


def _plainly(text: str, reading: Reading) -> str:
    """Return a reading with the digits that stand in ``text``, and a blank for each gap."""
    parts: list[str] = []
    for letter, start, look, gap in zip(reading.letters, reading.starts, reading.looks, reading.gaps, strict=True):
        found = plain(text[start])[1] if look is Look.DIGIT else letter
        parts += (" " if gap else "", str(unicodedata.digit(found, found)) if len(found) == 1 else found)
    return "".join(parts)
