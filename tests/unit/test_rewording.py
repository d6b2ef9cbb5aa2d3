"""Word rules find words however they are hidden, let innocent ones be, and change nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.limits import MAX_PROMPT
from bot.domain.wordrules import Action, Rule, WordRules
from bot.prompting.rewording import Rewording
from tests.unit.words import EVASIONS, INNOCENT, RULED

DENY, STRIP, ALLOW = Rule(Action.DENY), Rule(Action.STRIP), Rule(Action.ALLOW)
DENYING = Rewording(WordRules().having(RULED, DENY))


def made(**words: str) -> Rewording:
    """Return rules by their words: what replaces one, or ``deny``, ``strip``, ``allow``."""
    plain = {"deny": DENY, "strip": STRIP, "allow": ALLOW}
    rules = {word.replace("_", " "): plain.get(by, Rule(Action.REPLACE, by)) for word, by in words.items()}
    return Rewording(WordRules(rules))


MIXED = made(fox="wolf", hen="strip", red_hen="rook", owl="a barn bird", cat="deny", ox="strip", fox_hole="allow")


@pytest.mark.parametrize("text", EVASIONS)
def test_a_hidden_word_is_found(text: str) -> None:
    assert DENYING.applied(text).denied is not None
    assert DENYING.applied(f"a picture of {text} by night").denied is not None


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_word_is_let_be(text: str) -> None:
    assert DENYING.applied(text).denied is None
    assert DENYING.applied(f"painted, {text}, by night").denied is None


def test_a_refusal_names_what_was_typed() -> None:
    assert DENYING.denied("a red F.0.X in snow") == "F.0.X"


@pytest.mark.parametrize(
    ("typed", "painted"),
    [
        ("a red fox in snow", "a red wolf in snow"),
        ("A  Fox, (FOX:1.2), f.o.x!", "A  wolf, (wolf:1.2), wolf!"),
        ("(fo:1.2)x", "(wolf:1.2)"),
        ("fo<lora:fox:0.8>x", "wolf<lora:fox:0.8>"),
        ("{fox|hen} in a foxglove", "{wolf|} in a foxglove"),
        ("a hen in snow", "a in snow"),
        ("hen, snow", "snow"),
        ("snow, hen, ice", "snow, ice"),
        ("snow, hen", "snow, "),
        ("a red hen", "a rook"),
        ("a fox hole and a fox", "a fox hole and a wolf"),
        ("h e n", ""),
        ("fohenx", "fohenx"),
        ("f hen o hen x", "wolf"),
    ],
)
def test_words_are_changed_where_they_stand_and_nothing_else_is(typed: str, painted: str) -> None:
    assert MIXED.applied(typed).text == painted


def test_what_is_denied_stays_as_it_was_typed() -> None:
    found = MIXED.applied("a fox and a c4t")
    assert (found.text, found.denied) == ("a fox and a c4t", "c4t")


def test_a_word_that_comes_together_by_leaving_others_out_is_denied() -> None:
    assert MIXED.applied("c hen a hen t").denied is not None


def test_what_is_allowed_is_let_be_just_as_it_is_written() -> None:
    rules = made(cum="deny", ano="deny", cum_laude="allow", año="allow")
    assert rules.denied("summa cum laude, feliz año") is None
    assert rules.denied("c u m laude") is not None
    assert rules.denied("ano") is not None


def test_words_nested_without_end_are_denied_instead_of_looked_for_without_end() -> None:
    rules = made(red_hen="strip")
    assert rules.applied("red " * 5 + "hen " * 5).text.strip() == ""
    assert rules.applied("red " * 500 + "hen " * 500).denied is not None


def test_a_replacement_that_is_ruled_out_itself_is_told() -> None:
    assert made(fox="hen", hen="fox").clashing() == ("fox", "hen")
    assert made(fox="a c-a-t", cat="deny").clashing() == ("fox", "a c-a-t")
    assert MIXED.clashing() is None


def test_replacing_makes_no_prompt_longer_than_a_prompt_may_be() -> None:
    text = "a " * 3000
    grown = made(a="b" * 64).applied(text).text
    assert len(text) >= len(grown)
    assert "bbbb" in made(a="b" * 64).applied("a " * 50).text


NASTY = st.text(
    st.one_of(
        st.sampled_from("fox hen owl cat.,-_()[]{}<>|:\\1!@0\u200b\u0301oxeатх狐ﾞカ"),
        st.characters(codec="utf-8"),
    ),
    max_size=200,
)
PIECES = st.lists(st.one_of(st.sampled_from(EVASIONS + INNOCENT), NASTY), max_size=6).map(" ".join)


@settings(max_examples=300, deadline=None)
@example("f hen hen ox")
@example("{red |hen")
@given(st.one_of(NASTY, PIECES))
def test_any_text_comes_out_bounded_and_the_same_when_it_is_done_twice(text: str) -> None:
    for rules in (MIXED, DENYING):
        once = rules.applied(text)
        assert len(once.text) <= max(len(text), MAX_PROMPT)
        assert once.denied is None or once.text == text
        assert rules.applied(once.text) == once


@settings(max_examples=100, deadline=None)
@given(st.lists(NASTY, max_size=5), NASTY)
def test_any_words_make_rules(words: list[str], text: str) -> None:
    Rewording(WordRules().having(words, STRIP)).applied(text)
