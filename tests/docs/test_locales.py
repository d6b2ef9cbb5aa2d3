"""The catalogues of ``bot/locales``: whole, in order, and as their languages and Discord would have them."""

import os
import re
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import pytest_asyncio
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.support import Translations
from hatchling.builders.wheel import WheelBuilder

from bot import i18n
from bot.client import Easel
from bot.domain.permits import Command
from bot.extensions import EXTENSIONS
from bot.foundations import opened
from bot.rehearsal.commands import characters, check
from bot.rehearsal.errors import FormErrors
from bot.settings_loading import load
from bot.ui.localiser import Localiser
from bot.ui.options import OPTIONS, WORK
from bot.ui.settings import BY_NAME
from docs import locales
from tests.unit.ui_builders import BUILDERS, LONGEST
from tests.unit.ui_payloads import payload, problems

ROOT = Path(__file__).parents[2]
LONGEST_COMMAND = 8000
"""Characters of a command's names, descriptions and choices, each in its longest language (Discord docs)."""
CODES = {
    "en": ("en-US", "en-GB", "zh-TW", "pt-BR"),
    "de": ("de",),
    "es": ("es-ES", "es-419"),
    "fr": ("fr",),
    "ja": ("ja",),
    "zh_Hans": ("zh-CN",),
}
"""Which of Discord's languages read which catalogue; those of a language without one read English."""
WORDS_AND_OPTIONS = {"spoiler", "tiling", "variation"}
"""Words of sentences that are names of options too."""
EXACT = re.compile(
    r"EASEL_\w+|\w+_\w+=\d|DATABASE_URL|\bDISCORD_TOKEN\b|--\w[\w-]+|https?://|\.safetensors|<t:[^>]*>|`|\*\*|"
    r"[🔁❌⭐⬆]|\b[a-z]+:(?=\w|\{)|__name__|#3ba55d|\d{4}-\d\d-\d\d|\b7d\b|x,y,width,height|extend right 25%"
)
"""What means something to a machine or to Discord, and is the same in every language."""
COMMANDS = sorted(
    re.findall(r"^##+ /(.+)$", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), re.MULTILINE)
)
COMMAND = re.compile(r"(?<![\w/])/(" + "|".join(reversed(COMMANDS)) + r")\b")

ROOM = {2: ("label", 80), 3: ("placeholder", 150), 4: ("placeholder", 100), 18: ("label", 45)}
"""By a component's type: its caption, and how many characters that may have (Discord docs, Components)."""

languages = pytest.mark.parametrize("language", i18n.shipped())


def said(language: str) -> Iterator[tuple[Message, list[tuple[str, str]]]]:
    """Yield every message with its texts beside the English ones that they stand for."""
    for message in locales.read(language):
        if not message.id:
            continue
        texts = locales.translations(message)
        english = [message.id] if isinstance(message.id, str) else [message.id[0], *[message.id[1]] * len(texts)]
        if len(texts) == 1 and len(english) > 1:
            english = english[1:]
        yield message, list(zip(english, texts, strict=False))


def wrong(language: str, shape: Callable[[str], object]) -> list[str]:
    """Return the texts that have another ``shape`` than the English ones."""
    return [
        text for _, pairs in said(language) for english, text in pairs if text and shape(english) != shape(text)
    ]


def fields(text: str) -> Counter[tuple[str, str | None, str | None]]:
    return Counter((name, form, how) for _, name, form, how in Formatter().parse(text) if name is not None)


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@languages
def test_a_catalogue_has_every_message_of_the_code_and_no_other(language: str) -> None:
    if os.environ.get("UPDATE_DOCS"):
        locales.main([])
    known = locales.read(language)
    assert (i18n.FOLDER / language / i18n.FILE).read_bytes() == locales.written(known), "run: make locales"
    has = {message.id if isinstance(message.id, str) else tuple(message.id) for message in known if message.id}
    assert has == locales.messages(), "run: make locales"


@languages
def test_every_message_has_its_words(language: str) -> None:
    left = [locales.first(message) for message in locales.missing(locales.read(language))]
    assert left == [], f"to be translated in {i18n.FOLDER.name}/{language}/{i18n.FILE}"


@languages
def test_no_translation_is_a_guess(language: str) -> None:
    assert [message.id for message in locales.read(language) if message.fuzzy and message.id] == []


@languages
def test_placeholders_are_those_of_the_message(language: str) -> None:
    assert wrong(language, lambda text: set(fields(text))) == []


@languages
def test_what_machines_read_is_kept(language: str) -> None:
    assert wrong(language, lambda text: Counter(EXACT.findall(text))) == []
    assert wrong(language, lambda text: Counter(COMMAND.findall(text))) == []


@languages
def test_a_text_begins_and_ends_like_its_message(language: str) -> None:
    def edges(text: str) -> tuple[bool, bool, bool]:
        return text[:1].isspace(), text[-1:].isspace(), "\n" in text

    assert wrong(language, edges) == []


@languages
def test_a_catalogue_compiles_and_counts_by_its_language(language: str) -> None:
    messages = i18n._messages(language)
    assert isinstance(messages, Translations)
    forms = Catalog(locale=language).num_plurals
    assert all(len(pairs) == forms for message, pairs in said(language) if not isinstance(message.id, str))


def test_names_of_options_are_never_translated() -> None:
    typed = {*OPTIONS, *BY_NAME, *(option.name for options in WORK.values() for option in options)}
    assert {locales.first(message) for message in locales.messages()} & typed == WORDS_AND_OPTIONS


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, codes in CODES.items() for code in codes])
def test_each_of_discords_languages_reads_its_catalogue(name: str, code: str) -> None:
    read = i18n._catalogue(code)[1]
    assert isinstance(read, Translations) == (name in i18n.shipped())
    assert name not in i18n.shipped() or read is i18n._messages(name)


def test_a_server_can_choose_every_language_that_is_shipped() -> None:
    own = {"de": "Deutsch", "es": "Español", "fr": "Français", "ja": "日本語", "zh_Hans": "简体中文"}
    offered = dict(OPTIONS["language"].choices)
    assert offered == {"English": "en", **{own[name]: name.replace("_", "-") for name in i18n.shipped()}}
    assert all(
        i18n._catalogue(code)[1] is i18n._messages(name)
        for name, code in zip(i18n.shipped(), list(offered.values())[1:], strict=True)
    )


@languages
@pytest.mark.parametrize("name", BUILDERS)
def test_all_that_is_drawn_stays_inside_discords_limits(
    language: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = Locale.parse(language), i18n._messages(language)
    monkeypatch.setattr(i18n, "_catalogue", lambda _: spoken)
    found = {text[:20]: problems(BUILDERS[name](text)) for text in (LONGEST[0], "0")}
    assert {text: each for text, each in found.items() if each} == {}
    assert [text for text, most in captions(payload(BUILDERS[name]("0"))) if len(text) >= most] == [], "cut off"


def captions(drawn: Any) -> Iterator[tuple[str, int]]:
    """Yield what stands on buttons, menus and fields, with how much Discord has room for."""
    match drawn:
        case {"type": int(kind)} if kind in ROOM:
            key, most = ROOM[kind]
            if drawn.get(key):
                yield drawn[key], most
        case {"title": str(title), "custom_id": _}:
            yield title, 45
    for each in drawn.values() if isinstance(drawn, dict) else drawn if isinstance(drawn, list) else ():
        yield from captions(each)


@pytest_asyncio.fixture
async def told(tmp_path: Path) -> AsyncIterator[list[dict[str, Any]]]:
    """What Discord is told of the commands."""
    settings = load({"EASEL_BACKENDS": "sketch", "EASEL_DATA_DIR": str(tmp_path), "DISCORD_TOKEN": "a.b.c"}, None)
    async with opened(settings) as base, Easel(settings, base) as easel:
        for extension in EXTENSIONS:
            await easel.load_extension(extension)
        yield [await each.get_translated_payload(easel.tree, Localiser()) for each in easel.tree.get_commands()]


async def test_commands_fit_discord_in_every_language(told: list[dict[str, Any]]) -> None:
    found = FormErrors()
    for command in told:
        check(command, found, (command["name"],))
    found.raise_if_any()
    assert {command["name"]: size for command in told if (size := characters(command)) > LONGEST_COMMAND} == {}


@languages
async def test_every_description_and_choice_has_its_words(language: str, told: list[dict[str, Any]]) -> None:
    code = CODES[language][0]
    same = {locales.first(message) for message, pairs in said(language) if pairs[0][0] == pairs[0][1]}
    english = {
        text for command in told for text, others in localised(command) if code not in others and text not in same
    }
    chosen = {*OPTIONS, *Command, *(name for name, _ in i18n.languages())}
    assert english - chosen == set()


async def test_names_that_are_typed_are_the_same_for_everybody(told: list[dict[str, Any]]) -> None:
    typed = [each for command in told if command.get("type") == 1 for each in nested(command)]
    assert [each["name"] for each in typed if each.get("name_localizations")] == []


def nested(command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield command
    for option in command.get("options", ()):
        yield from nested(option)


def localised(command: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the texts that people read, each with its translations by Discord's codes."""
    for each in nested(command):
        if "description" in each:
            yield each["description"], each.get("description_localizations", {})
        for choice in each.get("choices", ()):
            yield choice["name"], choice.get("name_localizations", {})


def test_a_built_package_has_the_catalogues(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as built:
        packed = set(built.namelist())
    assert {f"bot/locales/{language}/{i18n.FILE}" for language in i18n.shipped()} <= packed
