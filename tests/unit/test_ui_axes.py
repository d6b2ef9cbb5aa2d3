"""How the values of a parameter are written, and what an exploration makes of them."""

from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.capability import Feature
from bot.domain.errors import LimitError, RequestError
from bot.domain.options import Options, Shape
from bot.domain.request import MAX_SEED, Lora
from bot.services.explorations import MAX_CELLS
from bot.ui import axes, values
from bot.ui.axes import Axis
from bot.ui.settings import Typed

TYPED = Typed("a red fox", Options(loras=(Lora("detail", 0.5), Lora("film", 1.0)), steps=20))
NAMES = sorted(axes.SETTING_OF)


def axis(name: str, text: str, typed: Typed = TYPED) -> Axis:
    seeds = count(100)
    return axes.axis(name, text, typed, lambda: next(seeds))


def changed(found: Axis, typed: Typed = TYPED) -> list[Typed]:
    return [value.change(typed) for value in found.values]


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        ("steps", "10, 20,30", ("10", "20", "30")),
        ("steps", "1-10:3", ("1", "4", "7", "10")),
        ("steps", "1-3", ("1", "2", "3")),
        ("steps", "1-3, 10", ("1", "2", "3", "10")),
        ("steps", "5, 5, 5.0", ("5",)),
        ("cfg", "4..12 step 2", ("4", "6", "8", "10", "12")),
        ("CFG", "7 .. 4", ("7", "6", "5", "4")),
        ("cfg", "0.1..0.3 step 0.1", ("0.1", "0.2", "0.3")),
        ("cfg", "1..2:0.25", ("1", "1.25", "1.5", "1.75", "2")),
        ("strength", "0.3,0.6", ("0.3", "0.6")),
        ("seed", "random*3", ("100", "101", "102")),
        ("seed", "7, random", ("7", "100")),
        ("sampler", "Euler, DPM++ 2M", ("Euler", "DPM++ 2M")),
        ("model", '"a, b", c', ("a, b", "c")),
        ("size", "2:3, 768x512", ("2:3", "768×512")),
        ("tiling", "on, off", ("on", "off")),
        ("prompt", "red, blue", ("red", "blue")),
        ("lora", "film:0.2, film:0.8", ("film:0.2", "film:0.8")),
        ("lora", "film", ("film:1",)),
    ],
)
def test_values_are_read_as_they_are_written(name: str, text: str, labels: tuple[str, ...]) -> None:
    assert axis(name, text).labels == labels


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("colour", "red", "“colour” cannot be explored"),
        ("stps", "1", r"Choose one like these: [^.]*\bsteps\b[^.]{,60}\. More are shown while you type"),
        ("@", "1", r"Choose one like these: steps, cfg, sampler, seed\. More"),
        ("count", "1, 2", "“count” cannot be explored"),
        ("cfg", "4, cat", "“cat” is no number for cfg"),
        ("steps", "random*3", "Only seeds are drawn at random. Write steps like this: 4, 7"),
        ("cfg", "4, random", "Only seeds are drawn at random"),
        ("steps", "4, 2.5", "“2.5” is no whole number for steps"),
        ("steps", "1..3 step 0.5", "“1.5” is no whole number for steps"),
        ("cfg", " , ,", "There are no values for cfg"),
        ("cfg", "1..5 step 0", "A step of 0 leads nowhere"),
        ("prompt", "green, blue", "“green” is not in the prompt"),
        ("prompt", ",", "is not in the prompt"),
        ("size", "huge", "“huge” is no size"),
        ("tiling", "perhaps", "“perhaps” is nothing for tiling"),
        ("lora", "film:9", "is no LoRA with a weight"),
    ],
)
def test_what_says_nothing_is_refused_by_its_name(name: str, text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        axis(name, text)


@pytest.mark.parametrize("text", ["1-1000000", "1..9999999999:0.000001", "random*9999", "9999999999..-9999999999"])
def test_a_range_of_too_many_is_refused_before_it_is_made(text: str) -> None:
    with pytest.raises(LimitError, match="at most 25"):
        axis("seed", text)


def test_a_prompt_has_its_words_replaced() -> None:
    assert [typed.prompt for typed in changed(axis("prompt", "red, blue, very green"))] == [
        "a red fox",
        "a blue fox",
        "a very green fox",
    ]


def test_one_lora_is_weighed_and_the_others_stay() -> None:
    found = [typed.options.loras for typed in changed(axis("lora", "film:0.2, other"))]
    assert found == [
        (Lora("detail", 0.5), Lora("film", 0.2)),
        (Lora("detail", 0.5), Lora("film", 1.0), Lora("other", 1.0)),
    ]


def test_a_number_weighs_the_only_lora() -> None:
    typed = Typed("x", Options(loras=(Lora("a: b", 0.5),)))
    found = [each.options.loras for each in changed(axis("lora", "0.2..0.6 step 0.2", typed), typed)]
    assert found == [(Lora("a: b", weight),) for weight in (0.2, 0.4, 0.6)]


def test_a_size_replaces_whatever_size_was_typed() -> None:
    for options in (Options(width=64, height=64), Options(shape=Shape.TALL)):
        typed = Typed("x", options)
        first, second = (each.options for each in changed(axis("size", "2:3, 768x512", typed), typed))
        assert (first.shape, first.width, first.height) == (Shape.PORTRAIT, None, None)
        assert (second.shape, second.width, second.height) == (None, 768, 512)


def test_a_grid_has_every_pair_row_by_row() -> None:
    plan = axes.plan(TYPED, axis("steps", "10, 20"), axis("cfg", "4, 7"))
    assert [(options.steps, options.cfg_scale) for _, options in plan.cells] == [
        (10, 4),
        (20, 4),
        (10, 7),
        (20, 7),
    ]
    assert (plan.across, plan.columns, plan.down, plan.rows) == ("steps", ("10", "20"), "cfg", ("4", "7"))
    alone = axes.plan(TYPED, axis("steps", "10, 20"), Axis())
    assert (alone.down, alone.rows, len(alone.cells)) == ("", ("",), 2)


def test_two_words_of_a_prompt_can_be_both_parameters_but_no_other_can() -> None:
    plan = axes.plan(TYPED, axis("prompt", "red, blue"), axis("prompt", "fox, owl"))
    assert [prompt for prompt, _ in plan.cells] == ["a red fox", "a blue fox", "a red owl", "a blue owl"]
    with pytest.raises(RequestError, match="cannot be both parameters"):
        axes.plan(TYPED, axis("cfg", "1, 2"), axis("cfg", "3, 4"))
    with pytest.raises(RequestError, match="only one value"):
        axes.plan(TYPED, axis("cfg", "1"), Axis())


def test_only_what_a_backend_can_do_is_offered() -> None:
    assert "strength" in axes.names("str", lambda _: True)
    assert "strength" not in axes.names("str", lambda feature: feature is not Feature.IMG2IMG)
    assert set(axes.names("", lambda _: False)) >= {"seed", "steps", "cfg", "sampler", "model", "prompt"}


@given(st.sampled_from(NAMES), st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused_in_words(name: str, text: str) -> None:
    try:
        found = axis(name, text)
    except RequestError:
        return
    assert found.values
    assert len(set(found.labels)) == len(found.labels)
    for typed in changed(found):
        assert isinstance(typed, Typed)


@given(
    st.decimals(-1000, 1000, places=2),
    st.decimals(-1000, 1000, places=2),
    st.decimals("0.01", 500, places=2),
)
def test_a_range_has_its_first_value_and_steps_evenly_within_its_bounds(
    first: float, last: float, step: float
) -> None:
    try:
        found = [float(label) for label in axis("cfg", f"{first}..{last} step {step}").labels]
    except LimitError:
        assert abs(float(last) - float(first)) / float(step) >= MAX_CELLS - 1
        return
    assert found[0] == pytest.approx(float(first))
    assert all(
        min(first, last) <= value + 1e-9 and value - 1e-9 <= max(first, last) for value in map(float, found)
    )
    assert all(abs(b - a) == pytest.approx(float(step)) for a, b in pairwise(found))
    assert abs(float(last) - found[-1]) < float(step) + 1e-9


@given(st.lists(st.integers(0, MAX_SEED), min_size=1, max_size=20, unique=True))
def test_labels_written_again_are_the_same_values(seeds: list[int]) -> None:
    found = axis("seed", ", ".join(map(str, seeds)))
    assert found.labels == tuple(map(str, seeds))
    assert axis("seed", ", ".join(values.quoted(label, ",") for label in found.labels)).labels == found.labels
