from bot.domain.request import Lora
from bot.prompting.loras import can_be_tagged, in_prompt, with_tags, without_tags


def test_a_chosen_lora_becomes_a_tag_behind_the_prompt() -> None:
    assert with_tags("a fox", [Lora("ink", 0.8), Lora("snow")]) == "a fox <lora:ink:0.8> <lora:snow:1>"


def test_a_lora_typed_in_the_prompt_keeps_its_own_weight() -> None:
    assert with_tags("a fox <lora:ink:0.3>", [Lora("ink", 0.8)]) == "a fox <lora:ink:0.3>"


def test_tags_are_read_with_their_weights() -> None:
    prompt = "a <lora:ink:0.3> fox <lora:snow> <lora:odd:x> <lora:parts:0.5:0.2>"
    assert in_prompt(prompt) == (Lora("ink", 0.3), Lora("snow"), Lora("odd"), Lora("parts", 0.5))


def test_tags_of_older_extensions_are_read_too() -> None:
    prompt = "a fox <lyco:ink:0.5> <LoRA:snow:2>"
    assert in_prompt(prompt) == (Lora("ink", 0.5), Lora("snow", 2.0))
    assert without_tags(prompt) == "a fox"


def test_a_name_the_syntax_cannot_say_is_told_apart() -> None:
    assert can_be_tagged("add-detail v2")
    assert not can_be_tagged("odd:name")
