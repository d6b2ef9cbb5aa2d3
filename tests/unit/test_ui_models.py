from bot.domain.capability import ModelFacts
from bot.domain.rules import Rules
from bot.domain.snippets import ModelCard
from bot.services.models import About, Backing
from bot.ui import models
from tests.unit.test_ui_tables import EFFECTIVE


def text(names: list[str], shown: int = 0, words: str = "", loaded: frozenset[str] = frozenset()) -> str:
    card = models.page(names, shown, words, EFFECTIVE, loaded, "en")
    return (card.embed.description or "") if card.embed else ""


def test_models_name_the_default_and_what_is_in_memory() -> None:
    names = ["dream_8", "sd/anything.safetensors [0123456789]"]
    assert text(names, loaded=frozenset({"dream_8"})).splitlines() == [
        "**dream\\_8** · your default · in memory",
        "anything",
    ]


def test_many_models_come_in_pages() -> None:
    names = [f"m{n}" for n in range(40)]
    card = models.page(names, 1, "m", EFFECTIVE, frozenset(), "en")
    assert text(names, 1).splitlines()[0] == "m15"
    assert card.view is not None
    assert [getattr(each, "custom_id", "") for each in card.view.children] == [
        "easel-models:0:m",
        "easel-models:2:m",
    ]
    assert text(names, 99).splitlines()[-1] == "m39"
    assert models.asked("easel-models:2:a:b") == (2, "a:b")
    assert models.asked("easel-models:-1:") == (-1, "")
    assert models.asked("easel-models:x") == (0, "")


def test_the_longest_names_fit() -> None:
    names = [f"{'_' * 200}{n}" for n in range(100)]
    card = models.page(names, 0, "*" * models.MAX_WORDS, EFFECTIVE, frozenset(names), "en")
    assert card.embed is not None
    assert len(card.embed) <= 6000
    assert len(card.embed.title or "") <= 256


def test_no_models_are_told_in_words() -> None:
    assert "No backend" in text([])
    assert "No model is called like that" in text([], words="x")


def test_all_that_is_known_of_a_model_is_shown() -> None:
    found = About(
        "sd/dream_8.safetensors [0123456789]",
        ModelFacts("0123456789", "SD 1.5", ("dreamy",)),
        ModelCard("x", note="Good at *faces*"),
        (Backing("gpu1", loaded=True, pace=12.25), Backing("gpu2", loaded=False, pace=None)),
        allowed=False,
        sample=b"png",
    )
    card = models.about(found, "en")
    assert card.embed is not None
    assert card.embed.title == "dream_8"
    assert (card.embed.description or "").splitlines() == [
        "SD 1.5 · hash `0123456789` · not allowed in this server",
        "Answers to: dreamy",
        "Good at \\*faces\\*",
        "`gpu1` · in memory · 12.25 standard pictures a minute",
        "`gpu2`",
    ]
    assert [file.description for file in card.files] == ["dream_8"]


def test_a_servers_rules_are_shown() -> None:
    assert "every model" in (models.rules(Rules(), "en").description or "")
    text = models.rules(Rules(("a*",), ("b",)), "en").description or ""
    assert text == "Allowed: a\\*\nDenied: b"
