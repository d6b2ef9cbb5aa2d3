import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import say
from bot.prompting.checking import tokens, undrawn, warnings
from bot.prompting.wildcards import expand


def said(
    prompt: str, negative: str = "", *, loras: tuple[str, ...] = (), embeddings: tuple[str, ...] = ()
) -> list[str]:
    return [say(text) for text in warnings(prompt, negative, loras=loras, embeddings=embeddings)]


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "a (red:1.2) [cat]",
        r"a smile \(happy\) :\)",
        "((a)) [[b]]",
        "<lora:watercolour:0.8> x -> y > z",
        "{a|b} __colour__",
        "a, " * 100,
    ],
)
def test_a_plain_prompt_brings_no_warning(prompt: str) -> None:
    assert said(prompt, prompt, loras=("watercolour",)) == []


def test_a_bracket_without_its_half_is_shown_where_it_stands() -> None:
    assert said("a long while ago, a (red cat by a lake") == ["“(” is never closed at “ago, a (red cat by”."]
    assert said("a cat) at night") == ["“)” closes nothing at “a cat) at night”."]
    assert said("[a (b] c)") == ["“]” closes nothing at “[a (b] c)”."]
    assert said("a cat", "[blur") == ["“[” is never closed at “[blur”."]
    assert said("a <lora:water", loras=("water",)) == ["“<” is never closed at “a <lora:water”."]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a {red|blue} __colour__", []),
        (r"\{red __colour__ \__nope__", []),
        ("a __nope__ fox", ["There is no list “nope” here; see which there are: /wildcard list"]),
        ("a {red|blue fox", ["“{” is never closed at “a {red|blue fox”."]),
        ("__loop__", ["The list “loop” comes to no end: it names itself, or there is too much to draw."]),
    ],
)
def test_what_is_left_of_a_template_is_told(template: str, words: list[str]) -> None:
    drawn = expand(template, {"colour": ("red",), "loop": ("a __loop__",)}, seed=1)
    assert [say(text) for text in undrawn(template, drawn)] == words


def test_a_prompt_of_too_many_words_is_told() -> None:
    assert said("word " * 225) == []
    assert said("word " * 226) == ["About 226 tokens: what stands beyond 225 hardly counts."]


def test_an_unknown_lora_or_embedding_comes_with_the_nearest() -> None:
    assert said("<lora:watercolor:1>", loras=("add-detail", "watercolour")) == [
        "There is no LoRA “watercolor” here; the nearest is “watercolour”."
    ]
    assert said("<lora:Water:1>", loras=("styles/water.safetensors",)) == []
    assert said("<lora:anything:1>") == []
    assert said("x", "embedding:easyneg", embeddings=("easynegative",)) == [
        "There is no embedding “easyneg” here; the nearest is “easynegative”."
    ]


def test_of_many_unknown_names_the_first_are_told() -> None:
    tags = "".join(f"<lora:x{number}>" for number in range(400))
    assert said(tags, loras=("water",)) == [
        f"There is no LoRA “x{number}” here; the nearest is “water”." for number in range(3)
    ]


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("a photo of a cat", 5), ("a cat, sitting.", 5), ("2048", 4), ("(cat:1.5) <lora:x:1>", 1), ("赤い猫", 3)],
)
def test_tokens_are_counted_about_as_clip_does(prompt: str, count: int) -> None:
    assert tokens(prompt) == count


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_prompt_makes_it_raise(prompt: str, negative: str) -> None:
    assert isinstance(warnings(prompt, negative, loras=("x",), embeddings=("y",)), tuple)
