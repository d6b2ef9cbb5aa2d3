"""Every text that a person reads is marked: found in the code, and in what is drawn."""

import ast
import re
from collections.abc import Iterator, Mapping
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from bot import i18n
from bot.domain import errors
from bot.ui.options import OPTIONS
from bot.ui.settings import BY_NAME, SETTINGS
from docs import locales
from tests.unit.ui_builders import BUILDERS
from tests.unit.ui_payloads import payload

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("bot/cli", "bot/rehearsal")
"""What is not said in Discord: terminals speak English."""
ERRORS = [
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.BotError)
]
SHOWN: Mapping[str, tuple[int | str, ...]] = {
    **dict.fromkeys(ERRORS, (0, 1, "message", "hint")),
    "Text": (0, "message"),
    "Card": ("content",),
    "Embed": ("title", "description"),
    "set_footer": ("text",),
    "set_author": ("name",),
    "add_field": ("name", "value"),
    "Button": ("label",),
    "Select": ("placeholder",),
    "SelectOption": ("label", "description"),
    "TextInput": ("label", "placeholder"),
    "Label": ("text", "description"),
    "Modal": ("title",),
    "ContextMenu": ("name",),
    "send_message": (0, "content"),
    "Option": (2, "description"),
    "command": (1, "description"),
    "group": (1, "description"),
    "Topic": (1, "title"),
    "TextDisplay": (0, "content"),
    "Section": (0,),
}
"""By what is called: which of its arguments people read."""
NAMES = {"Easel"}
"""What is called the same in every language."""
WORD = re.compile(r"[^\W\d_]{2,}")


def bare(node: ast.expr | None) -> Iterator[str]:
    """Yield the literal words of an expression that nobody marked."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield from (text for part in parts if isinstance(part, ast.Constant) for text in bare(part))
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from (*bare(one), *bare(other))
        case ast.BoolOp(values=several) | ast.Tuple(elts=several) | ast.List(elts=several):
            yield from (text for each in several for text in bare(each))


def unmarked(source: str) -> Iterator[str]:
    """Yield what a module shows and no translator is told of."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = str(getattr(node.func, "attr", None) or getattr(node.func, "id", ""))
        read = SHOWN.get(called, ())
        shown = [argument for place, argument in enumerate(node.args) if place in read]
        shown += [keyword.value for keyword in node.keywords if keyword.arg in read]
        for text in (text for argument in shown for text in bare(argument)):
            if WORD.search(re.sub(r"<t:|https://\S+", "", text)) and text not in NAMES:
                yield f"{node.lineno}: {text}"


def test_every_text_in_the_code_is_marked() -> None:
    found = {
        name: texts
        for folder in locales.SOURCES
        for file in (ROOT / folder).rglob("*.py")
        if not (name := file.relative_to(ROOT).as_posix()).startswith(ELSEWHERE)
        and (texts := list(unmarked(file.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'Embed(title="Hello")',
        'embed.set_footer(text=f"page {number}")',
        'RequestError(N_("One."), "Two.")',
        'Button(label="Yes" if sure else N_("No"))',
        'interaction.response.send_message("Done.")',
    ],
)
def test_a_text_that_is_not_marked_is_found(source: str) -> None:
    assert list(unmarked(source))


def test_what_translators_are_told_of() -> None:
    source = """
say(N_("a {b}") if c else N_("d"), locale)
say("said at once", locale)
say_many(N_("{count} fox"), N_("{count} foxes"), 2)
PAIR = NN_("{count} hen", "{count} hens")
say_many(one, many, 2)
"""
    pairs = {("{count} fox", "{count} foxes"), ("{count} hen", "{count} hens")}
    assert set(locales.marked(source)) == {"a {b}", "d", "said at once", *pairs}


@pytest.mark.parametrize("source", ['say(f"a {b}", locale)', "N_(text)", "say_many(one, many, 2)"])
def test_a_text_that_translators_could_not_be_told_of_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="no literal text"):
        list(locales.marked(source))


class Bracketed(NullTranslations):
    """A language whose every word stands in brackets, so that what is not of it can be told."""

    def __init__(self) -> None:
        super().__init__()
        self._known = {
            text for each in locales.messages() for text in (each if isinstance(each, tuple) else (each,))
        }

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message in self._known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


TYPED = re.compile(r"`[^`]*`|<[^>]*>|https?://[^\s)…]+|`/[^`]*…$|\b[0-9a-f]{8,}\b|\b[0-9A-Z]{13}\b|\\?#3ba55d")
"""What is typed, clicked or read by machines: commands, mentions, links, hashes, pictures' codes, colours."""
TYPED_NAMES = {*OPTIONS, *BY_NAME, *(alias for setting in SETTINGS for alias in setting.aliases)}
TYPED_VALUES = {"on", "crop", "control", "mention", "grid", "en"}
GIVEN = {"Easel", "GFPGAN", "CodeFormer", "It said", "Varied from", "Edit", "Here", "Elsewhere"}
"""What is called the same everywhere, and what the tests themselves put in."""


def left_over(text: str) -> str:
    """Return what of a text is in no brackets."""
    text, before = TYPED.sub("", text.replace("\\_", "_")), ""
    while text != before:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    text = re.sub("|".join(GIVEN), "", text)
    return " ".join(word for word in text.split() if word.strip("*") not in TYPED_NAMES | TYPED_VALUES)


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Yield what people read of what Discord is sent."""
    match value:
        case str() if key in {"title", "description", "content", "label", "placeholder", "text", "name"}:
            yield value
        case dict():
            for name, each in value.items():
                yield from texts(each, name)
        case list():
            for each in value:
                yield from texts(each, key)


@pytest.fixture(scope="module")
def bracketed() -> tuple[Locale, Bracketed]:
    return Locale("en"), Bracketed()


@pytest.mark.parametrize("name", BUILDERS)
def test_all_that_is_drawn_can_be_translated(
    name: str, bracketed: tuple[Locale, Bracketed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "_catalogue", lambda _: bracketed)
    drawn = payload(BUILDERS[name]("0"))
    assert [text for text in texts(drawn) if WORD.search(left_over(text))] == []
