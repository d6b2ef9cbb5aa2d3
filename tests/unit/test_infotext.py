from hypothesis import given
from hypothesis import strategies as st

from bot.domain.infotext import Infotext, describe, parse
from bot.domain.request import PaintRequest

RECORDED = (
    "a cat\nNegative prompt: dog\nSteps: 2, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7.0, Seed: 5, "
    "Size: 64x64, Model hash: dba7816360, Model: random15, Version: 1.10.1"
)
lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x85\u2028\u2029")).map(str.strip)
prompts = st.lists(lines.filter(lambda line: not line.startswith("Negative prompt:")), min_size=1).map(
    lambda parts: "\n".join(parts).strip()
)
values = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).map(str.strip).filter(bool)
extras = st.dictionaries(st.from_regex(r"[A-Z][a-z]{2,8}( [a-z]{2,8})?", fullmatch=True), values, max_size=4)


def test_what_the_webui_wrote_is_read_whole() -> None:
    found = parse(RECORDED)
    assert (found.prompt, found.negative_prompt, found.seed) == ("a cat", "dog", 5)
    assert found.fields["Sampler"] == "Euler a"
    assert found.fields["Version"] == "1.10.1"
    assert found.write() == RECORDED


@given(prompts, prompts, extras)
def test_what_is_written_is_read_back(prompt: str, negative: str, extra: dict[str, str]) -> None:
    fields = {"Steps": "20", "Sampler": "Euler a", "Seed": "5", **extra}
    found = parse(Infotext(prompt, negative, fields).write())
    assert (found.prompt, found.negative_prompt, found.fields) == (prompt, negative, fields)


def test_lora_tags_quotes_commas_and_line_breaks_survive() -> None:
    told = Infotext(
        'a "fox", snow <lora:add-detail:0.8>\nand birds: many',
        "blurry,\nugly",
        {"Steps": "20", "Seed": "7", "Size": "64x64", "Lora hashes": 'add: "1", b\\c: 2'},
    )
    assert parse(told.write()) == told


@given(st.text())
def test_any_text_at_all_can_be_read(text: str) -> None:
    parse(text).write()


def test_a_prompt_without_a_recipe_stays_a_prompt() -> None:
    assert parse("a cat, mood: calm, light: soft") == Infotext("a cat, mood: calm, light: soft")


def test_a_recipe_names_what_was_asked_and_used() -> None:
    request = PaintRequest("a cat", 5, negative_prompt="dog", steps=12, cfg_scale=6.5, strength=0.4)
    text = describe(request, seed=6, size=(64, 96), model="m", sampler="Euler").write()
    assert text == (
        "a cat\nNegative prompt: dog\n"
        "Steps: 12, Sampler: Euler, CFG scale: 6.5, Seed: 6, Size: 64x96, Model: m, Denoising strength: 0.4"
    )
