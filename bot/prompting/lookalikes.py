"""Which letter a character is, and which one it may only look like.

The table is that of Unicode's confusables (UTS #39, ``confusables.txt``) for single Latin letters, without what
NFKD brings to them by itself (fullwidth, mathematical and circled letters), and with small capitals and letters
with a stroke.
"""

import unicodedata
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache


class Kind(IntEnum):
    """What a character is to the word it stands in: part of it, nothing, or a gap; the widest last."""

    LETTER = 0
    UNSEEN = 1
    TIGHT = 2
    LOOSE = 3
    WIDE = 4


class Look(IntEnum):
    """How a character came to its letter: it is it, looks like it, like it in the other case, or stands for it."""

    SELF = 0
    TWIN = 1
    KIN = 2
    SIGN = 3
    DIGIT = 4


_ALIKE: Mapping[str, str] = {
    "a": "ɑαаΑАᎪᗅꓮᴀ",
    "b": "ƄЬᏏᑲᖯꞴΒВᏴᗷꓐƀʙ",
    "c": "ᴄⲥсꮯⲤСᏟꓚ",
    "d": "ԁᏧᑯꓒᎠᗞᗪꓓđᴅ",
    "e": "ꬲеҽΕЕᎬꓰᴇ",
    "f": "ꬵꞙẝքꞘϜᖴꓝƒꜰ",
    "g": "ɡᶃƍցԌᏀᏳꓖɢ",
    "h": "һհᏂΗⲎНᎻᕼꓧħʜ",
    "i": "ıɪɩιіꙇӏꭵᎥƖǀΙⲒІӀꓲɨ",
    "j": "ϳјꞲͿЈᎫᒍꓙᴊ",
    "k": "ΚⲔКᏦꓗᴋ",
    "l": "ⳐᏞᒪꓡłʟ",
    "m": "ΜϺⲘМᎷᗰꓟᴍ",
    "n": "ոռΝⲚꓠŋɴ",
    "o": "ᴏᴑꬽοσⲟоօΟⲞОՕꓳø",
    "p": "ρⲣрΡⲢРᏢᑭꓑᴘ",
    "q": "ԛգզǫ",
    "r": "ꭇꭈᴦⲅгꮁƦᎡᏒᖇꓣʀ",
    "s": "ꜱƽѕꮪЅՏᏕᏚꓢ",
    "t": "ΤⲦТᎢꓔŧᴛ",
    "u": "μꞟᴜꭎꭒʋυսՍᑌꓴ",
    "v": "ᴠνѵꮩѴᏙᐯꓦ",
    "w": "ɯᴡѡԝաꮃԜᎳᏔꓪ",
    "x": "хᕁᕽꞳΧⲬХꓫ",
    "y": "ɣᶌʏỿꭚγуүΥⲨУҮᎩᎽꓬ",
    "z": "ᴢꮓΖᏃꓜ",
}
_TWINS = {char: letter for letter, alike in _ALIKE.items() for char in alike}
_STAND_INS = {"@": "a", "$": "s", "€": "e", "£": "l", "¥": "y", "¢": "c"}
_DIGITS = {"0": "o", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
EITHER = "1!|"
"""What stands for an i or for an l."""
_ALPHABETS = (0x1F1E6, 0x1F150, 0x1F170)
"""Where 26 letters begin that NFKD leaves alone: regional indicators, white on black in circles and squares."""
_PAST_ARMENIAN, _PAST_THAANA = 0x0590, 0x0900
"""Up to the first, accents are taken off letters; up to the second, marks are no letters of their own."""
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and a symbol that show nothing."""
_QUOTES = frozenset("'’‘ʼ`´ʻ＇")
_WIDE = frozenset(",;，、；،")
_LOOSE = frozenset("-_/+=&:：")
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3040, 0x312F),
    (0x31A0, 0x31FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Thai and Lao, Burmese, Khmer, kana and bopomofo, Chinese characters; from the lowest on."""


@lru_cache(maxsize=8192)
def plain(char: str) -> tuple[Kind, str]:
    """Return what a character is, and its letters without case, accents and fancy shapes; often just one."""
    category = unicodedata.category(char)
    if char in _BLANK or category in {"Cf", "Me", "Co", "Cn", "Cs"} or (category == "Cc" and not char.isspace()):
        return Kind.UNSEEN, ""
    if category[0] == "M":
        return (Kind.UNSEEN, "") if _hides(char) else (Kind.LETTER, char)
    letters = "".join(each for each in _folded(char) if unicodedata.category(each)[0] in "LNM")
    if letters and char not in _QUOTES:
        return Kind.LETTER, letters
    if char.isspace() or char in _WIDE or char in _QUOTES:
        return Kind.WIDE, ""
    return (Kind.LOOSE if char in _LOOSE or category in {"Pd", "Pc"} else Kind.TIGHT), ""


@lru_cache(maxsize=8192)
def seen(char: str, either: str) -> tuple[Kind, str, Look]:
    """Return the same of how a character looks in Latin letters; ``either`` is what a 1 stands for."""
    if char in _STAND_INS or char in EITHER:
        return Kind.LETTER, _STAND_INS.get(char, either), Look.DIGIT if char == "1" else Look.SIGN
    alphabet = next((start for start in _ALPHABETS if start <= ord(char) < start + 26), None)
    if alphabet is not None:
        return Kind.LETTER, chr(ord(char) - alphabet + ord("a")), Look.TWIN
    kind, letters = plain(char)
    if letters == "1" or letters in _DIGITS:
        return kind, _DIGITS.get(letters, either), Look.DIGIT
    bare = unicodedata.normalize("NFKD", char)[:1]
    for look, form in ((Look.TWIN, bare), (Look.KIN, letters), (Look.KIN, letters.swapcase())):
        if form in _TWINS and len(letters) == 1:
            return kind, _TWINS[form], look
    return kind, letters, Look.SELF


def is_unspaced(char: str) -> bool:
    """Return whether a letter is of a script that puts no spaces between words, such as Chinese or Thai."""
    code = ord(char)
    return code >= _UNSPACED[0][0] and any(first <= code <= last for first, last in _UNSPACED)


def is_mark(char: str) -> bool:
    """Return whether a character only stands with others: accents, vowel signs."""
    return len(char) == 1 and unicodedata.category(char)[0] == "M"


def is_decorated(letter: str) -> bool:
    """Return whether marks on a letter leave it what it is: they do up to Thaana, but not in Thai or Hindi."""
    return ord(letter) < _PAST_THAANA


def _hides(mark: str) -> bool:
    """Return whether a mark belongs to no script: accents, strokes, variation selectors."""
    name = unicodedata.name(mark, "")
    kana = "KATAKANA" in name
    return name.startswith(("COMBINING", "VARIATION SELECTOR")) and not kana


def _folded(char: str) -> str:
    """Return a character in its plain shape without case, and without accents up to Armenian."""
    whole = unicodedata.normalize("NFKD", char)
    if whole and ord(whole[0]) < _PAST_ARMENIAN:
        folded = unicodedata.normalize("NFKD", whole.casefold())
        return "".join(each for each in folded if unicodedata.category(each)[0] != "M")
    return unicodedata.normalize("NFKC", char).casefold()
