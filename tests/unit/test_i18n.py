"""Words in somebody's language, and what happens where there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from bot import i18n
from bot.domain.text import Text
from bot.i18n import duration, languages, load, ordinal, say, say_many, translated


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of catalogues with a little German in it."""
    catalogue = Catalog(locale="de")
    catalogue.add("In line · {place}", "In der Reihe · {place}")
    catalogue.add("about {time}", "etwa {zeit}")
    catalogue.add("{number}th", "{number}.")
    catalogue.add("{minutes} min", "{minutes} Min.")
    catalogue.add("upscaling", "Vergrößern")
    catalogue.add("View Channel", "Kanal anzeigen")
    catalogue.add(("{count} picture", "{count} pictures"), ("{count} Bild", "{count} Bilder"))
    file = tmp_path / "de" / i18n.FILE
    file.parent.mkdir(parents=True)
    with file.open("wb") as written:
        write_po(written, catalogue)
    monkeypatch.setattr(i18n, "FOLDER", tmp_path)
    forget()
    yield
    forget()


def forget() -> None:
    """Have the folder read anew."""
    for cached in (i18n.shipped, i18n._messages, i18n._catalogue):
        cached.cache_clear()


@pytest.mark.usefixtures("german")
def test_a_text_is_said_in_the_language_of_the_locale() -> None:
    assert say("In line · {place}", "de", place=ordinal(3, "de")) == "In der Reihe · 3."
    assert say(Text("In line · {place}", {"place": "x"}), "de-AT") == "In der Reihe · x"
    assert duration(180, "de") == "3 Min."


@pytest.mark.usefixtures("german")
def test_plurals_follow_the_language() -> None:
    assert [say_many("{count} picture", "{count} pictures", n, "de") for n in (1, 2)] == ["1 Bild", "2 Bilder"]
    assert [say_many("{count} picture", "{count} pictures", n) for n in (0, 1)] == ["0 pictures", "1 picture"]


@pytest.mark.usefixtures("german")
def test_words_that_a_text_carries_are_translated_too_and_nothing_else_in_it() -> None:
    assert say("{backend} lacks {feature}", "de", backend="upscaling", feature="upscaling") == (
        "upscaling lacks Vergrößern"
    )
    assert say("{permissions}", "de", permissions="View Channel, Fly") == "Kanal anzeigen, Fly"


@pytest.mark.usefixtures("german")
def test_a_server_is_offered_the_languages_that_have_a_catalogue() -> None:
    assert languages() == (("English", "en"), ("Deutsch", "de"))
    load()
    assert say("{number}th", "de", number=2) == "2."


@pytest.mark.usefixtures("german")
def test_what_has_no_words_of_its_own_is_left_to_english() -> None:
    assert translated("upscaling", "de") == "Vergrößern"
    assert [translated("upscaling", "fr"), translated("nothing", "de"), translated("", "de")] == [None] * 3


@pytest.mark.usefixtures("german")
def test_a_translation_that_does_not_fit_gives_way_to_english() -> None:
    assert say("about {time}", "de", time="3 min") == "about 3 min"


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "zh-TW", "pt-BR", "tlh", "", "../../etc", "x" * 300])
def test_a_locale_without_catalogue_reads_english(locale: str) -> None:
    assert say("about {time}", locale, time="3 min") == "about 3 min"
    assert ordinal(22, locale) == "22nd"


@pytest.mark.parametrize("message", ["{missing}", "{", "{0}", "{value.nothing}", "{value:zz}", "{value!q}"])
def test_a_message_that_cannot_be_filled_is_shown_as_it_is(message: str) -> None:
    assert say(message, value=3) == message


def test_values_given_now_win_over_those_carried() -> None:
    assert say(Text("{a} {b}", {"a": 1, "b": 2}), b=3) == "1 3"


def test_nothing_is_said_as_nothing() -> None:
    assert not say("", "en")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (40, "40 s"),
        (59.6, "1 min"),
        (170, "3 min"),
        (3599, "1 h"),
        (4800, "1 h 20 min"),
        (90000, "25 h"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (101, "101st")],
)
def test_places_are_said_as_people_do(number: int, words: str) -> None:
    assert ordinal(number) == words
