import re
from collections import Counter
from collections.abc import Mapping, Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.limits import MAX_PROMPT
from bot.prompting import wildcards
from bot.prompting.wildcards import Drawn, lines, literal

LISTS = {
    "colour": ("red", "3::blue", "{light|dark} green"),
    "animals/birds": ("heron", "owl"),
    "loop": ("__loop__ __loop__",),
    "empty": (),
}
SIGNS = st.text(st.sampled_from("{}|_\\$:0123.,a b()<>#%\n"), max_size=60)
ODD = st.one_of(SIGNS, st.text(max_size=60))


def expand(template: str, lists: Mapping[str, Sequence[str]], *, seed: int) -> str:
    return wildcards.expand(template, lists, seed=seed).words


def drawn(template: str, times: int = 60) -> set[str]:
    return {expand(template, LISTS, seed=seed) for seed in range(times)}


def test_what_stays_as_it_was_typed_is_told() -> None:
    found = wildcards.expand(r"__nope__ __empty__ \__x__ __colour__ __nope__ __Loop__", LISTS, seed=1)
    assert (found.unknown, found.endless) == (("nope", "empty"), ("loop",))
    assert wildcards.expand("a {red", LISTS, seed=1) == Drawn("a {red")


def test_one_of_several_is_drawn() -> None:
    assert drawn("a {red|blue} cat") == {"a red cat", "a blue cat"}
    assert drawn("{ red | blue }") == {"red", "blue"}
    assert drawn("{red|}x") == {"redx", "x"}


def test_a_line_of_a_list_is_drawn_and_may_draw_again() -> None:
    assert drawn("__colour__") == {"red", "blue", "light green", "dark green"}
    assert drawn("__Animals/Birds__") == {"heron", "owl"}


def test_choices_lie_in_each_other() -> None:
    assert drawn("{a|{b|c} __animals/birds__}") == {"a", "b heron", "b owl", "c heron", "c owl"}


def test_several_different_ones_are_drawn() -> None:
    assert drawn("{2$$a|b|c}") == {"a, b", "b, a", "a, c", "c, a", "b, c", "c, b"}
    assert drawn("{1-2$$ and $$a|b}") == {"a", "b", "a and b", "b and a"}
    assert drawn("{5$$a|b}") == {"a, b", "b, a"}
    assert drawn("{2$$__animals/birds__}") == {"heron, owl", "owl, heron"}
    assert drawn("{0$$a|b}x") == {"x"}


def test_a_weight_makes_one_likelier() -> None:
    found = Counter(expand("{3::a|b}", {}, seed=seed) for seed in range(400))
    assert 250 < found["a"] < 350
    assert drawn("{0::a|b}") == {"b"}
    first = Counter(expand("{2$$3::a|b}", {}, seed=seed) for seed in range(400))
    assert 250 < first["a, b"] < 350


def test_what_is_no_choice_stays_as_it_was_typed() -> None:
    for typed in (
        "a {masterpiece} fox",
        "{prompt}",
        "a {b|c",
        "a} | b",
        "__nobody__ has __empty__",
        "C# minor, 50% off for $5, https://x.org//",
        "(a:1.2) [b] \\(c\\) <lora:d:0.8>",
        "snake_case __ and ____",
    ):
        assert drawn(typed, 3) == {typed}


def test_a_backslash_makes_a_sign_plain() -> None:
    assert expand(r"\{a\|b\} \__colour__", LISTS, seed=1) == "{a|b} __colour__"
    assert drawn(r"\\{a|b}") == {"\\a", "\\b"}


def test_a_list_that_names_itself_ends() -> None:
    assert "__loop__" in expand("__loop__", LISTS, seed=1)


def test_what_is_drawn_makes_no_prompt_too_long() -> None:
    long = {"long": ("x" * 1000,)}
    assert len(expand("__long__ " * 50, long, seed=1)) == MAX_PROMPT
    assert expand("y" * 5000, long, seed=1) == "y" * 5000


def test_no_list_however_made_takes_long() -> None:
    looping = "__loop__ " * 50 + "{" + "|".join("x" * 30_000) + "}"
    assert len(expand("__loop__" * 50, {"loop": (looping,)}, seed=1)) <= MAX_PROMPT
    several = expand("{999$$__letters__}" * 200, {"letters": ("2::a", "b") * 15_000}, seed=1)
    assert several.startswith(("a, ", "b, "))
    assert len(several) == MAX_PROMPT


def test_nothing_is_drawn_that_weighs_nothing() -> None:
    assert drawn("{2$$0::a|b|0::c}") == {"b"}
    assert drawn("x{0::a|0::b}") == {"x"}


def test_depth_is_bounded() -> None:
    deep = "{a|" * 2000 + "b" + "}" * 2000
    assert len(expand(deep, LISTS, seed=1)) <= len(deep)


@given(ODD, st.integers(0, 2**32 - 1))
@example("{" * 4000, 1)
@example("{a|" * 1300, 1)
@example("\\" * 4000, 1)
@example("__" * 2000, 1)
def test_nothing_raises_and_the_same_seed_draws_the_same(template: str, seed: int) -> None:
    assert expand(template, LISTS, seed=seed) == expand(template, LISTS, seed=seed)


@given(ODD, st.integers(0, 100))
@example("{a|b}", 1)
@example(r"\{a|b\} __colour__ ___colour___ {2$$a|b}", 1)
@example("\\\\__colour__\\", 1)
def test_a_literal_prompt_comes_out_as_it_is(prompt: str, seed: int) -> None:
    assert expand(literal(prompt), LISTS, seed=seed) == prompt


@given(st.text(st.characters(exclude_characters="{}|_\\"), max_size=60))
def test_a_prompt_without_signs_is_its_own_literal(prompt: str) -> None:
    assert literal(prompt) == prompt


def test_lines_are_read_as_people_write_them() -> None:
    assert lines("red\n# no\n\n 3::blue | green \n") == ("red", "3::blue | green")
    assert lines(r"red | {light|dark} green | 2::blue \| black") == (
        "red",
        "{light|dark} green",
        r"2::blue \| black",
    )
    assert lines(" | ") == ()


def test_every_choice_is_taken_sometime() -> None:
    words = " ".join(drawn("{one|two|three|four|five|six|seven}", 200))
    assert set(re.findall(r"\w+", words)) == {"one", "two", "three", "four", "five", "six", "seven"}
