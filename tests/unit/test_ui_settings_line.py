"""One line that says anything that can be chosen, and comes back as it was written."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import RequestError
from bot.domain.options import Options, Shape
from bot.domain.request import (
    Control,
    ControlMode,
    Detail,
    FaceSwap,
    Hires,
    Lora,
    Mask,
    MaskFill,
    PaintRequest,
    Refiner,
    Resize,
    Variation,
)
from bot.ui import settings_line
from bot.ui.settings import BY_NAME, SETTINGS

WORDS = st.text(min_size=1, max_size=30).filter(lambda text: text.strip() == text)
NUMBERS = st.integers(0, 400).map(lambda number: number / 100)
SHARES = st.integers(0, 100).map(lambda number: number / 100)
WHOLE = st.integers(0, 4096)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def parts(**chosen: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=chosen)


WHOLES = st.fixed_dictionaries(
    {},
    optional={
        "hires": parts(scale=NUMBERS, upscaler=WORDS, steps=WHOLE, strength=SHARES),
        "mask": parts(blur=WHOLE, fill=st.sampled_from(MaskFill), padding=optional(WHOLE), invert=st.booleans()),
        "controls": parts(
            model=WORDS,
            module=WORDS,
            weight=NUMBERS,
            start=SHARES,
            end=SHARES,
            mode=st.sampled_from(ControlMode),
            resize=st.sampled_from(Resize),
            pixel_perfect=st.booleans(),
        ),
        "face_swap": parts(source_face=WHOLE, target_face=WHOLE, restorer=WORDS),
    },
).map(lambda found: {name: chosen for name, chosen in found.items() if chosen} or None)
TYPED = st.builds(
    Options,
    width=optional(WHOLE),
    height=optional(WHOLE),
    count=optional(WHOLE),
    steps=optional(WHOLE),
    cfg_scale=optional(NUMBERS),
    sampler=optional(WORDS),
    scheduler=optional(WORDS),
    loras=optional(st.lists(st.builds(Lora, WORDS, NUMBERS), min_size=1, max_size=3).map(tuple)),
    strength=optional(SHARES),
    vae=optional(WORDS),
    clip_skip=optional(st.integers(1, 12)),
    styles=optional(st.lists(WORDS, min_size=1, max_size=3).map(tuple)),
    tiling=optional(st.booleans()),
    restore_faces=optional(st.booleans()),
    spoiler=optional(st.booleans()),
    variation=optional(st.builds(Variation, WHOLE, SHARES)),
    refiner=optional(st.builds(Refiner, WORDS, SHARES)),
    resize=optional(st.sampled_from(Resize)),
    details=optional(
        st.lists(st.builds(Detail, WORDS, WORDS, WORDS, SHARES, SHARES), min_size=1, max_size=2).map(tuple)
    ),
    parts=WHOLES,
)


@given(TYPED)
def test_what_is_written_is_read_as_it_was(options: Options) -> None:
    assert settings_line.read(settings_line.write(options)).options == options


@given(TYPED, st.integers(0, 200))
def test_a_line_that_is_too_long_ends_between_two_settings(options: Options, most: int) -> None:
    whole, cut = settings_line.write(options), settings_line.write(options, most=most)
    assert len(cut) <= most
    assert whole.startswith(cut)
    assert settings_line.names(cut) <= settings_line.names(whole)


@given(TYPED)
def test_leaving_open_what_a_line_shows_leaves_nothing_to_show(options: Options) -> None:
    shown = settings_line.names(settings_line.write(options))
    assert settings_line.write(settings_line.without(options, shown)) == ""


def test_a_fraction_is_no_whole_number() -> None:
    assert settings_line.read("steps 25.0").options.steps == 25
    with pytest.raises(RequestError, match=r"“2\.5” is no whole number for steps"):
        settings_line.read("steps 2.5")


def test_a_whole_order_is_said_without_what_every_plain_one_has() -> None:
    request = PaintRequest(
        "a",
        1,
        init_image="i",
        strength=0.5,
        hires=Hires(),
        mask=Mask("m", blur=9),
        controls=(Control("c", "canny", weight=0.5),),
        details=(Detail("face.pt", strength=0.2), Detail("hand.pt")),
        face_swap=FaceSwap("f", target_face=1),
        loras=(Lora("ink, thick", 0.5),),
    )
    assert settings_line.write(settings_line.said(request)) == (
        '512×512 · steps 20 · cfg 7 · count 1 · strength 0.5 · lora "ink, thick":0.5 · hires 2 · mask_blur 9 · '
        "control_model canny · control_weight 0.5 · detail face.pt · detail_strength 0.2 · detail hand.pt · "
        "face_target 1"
    )


def test_settings_may_be_written_freely() -> None:
    read = settings_line.read(
        "size tall; Steps: 30\nCFG=6,5 · sampler DPM++ 2M · lora ink:0.5, oil · Tiling yes · refiner xl@0.7"
    )
    assert read.options == Options(
        shape=Shape.TALL,
        steps=30,
        cfg_scale=6.5,
        sampler="DPM++ 2M",
        loras=(Lora("ink", 0.5), Lora("oil")),
        tiling=True,
        refiner=Refiner("xl", 0.7),
    )
    assert settings_line.read("preset ink · private on · like k7f2").preset == "ink"


@pytest.mark.parametrize(
    "line",
    [
        "make it nice",
        "steps",
        "steps many",
        "cfg inf",
        "lora",
        "seed",
        "tiling perhaps",
        "mask_fill red",
        "variation 5",
        "size round",
        "detail_strength 0.3",
    ],
)
def test_settings_that_say_nothing_are_named_in_the_refusal(line: str) -> None:
    with pytest.raises(RequestError) as refusal:
        settings_line.read(f"steps 20 · {line}")
    assert line.split(maxsplit=1)[-1].split(" ", maxsplit=1)[0] in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("steps 9 · cfg 7 · steps 11", "“steps” is there twice. Leave one of them out."),
        ("cfg 7 · cfg_scale 8", "“cfg” is there twice."),
        ("768×512 · size 2:3", "“size” is there twice."),
        ("2:3 · width 100", "“size” and “width” say the same twice. Leave one of them out."),
        ("height 100 · 768×512", "“height” and “size” say the same twice."),
        ("stps 9", "Did you mean “steps”? Write it like this: 768×512 · steps 25"),
        ("steps", "“steps” in the settings says nothing to me. Write it like this"),
        ("xyzzy", "“xyzzy” in the settings says nothing to me. Write it like this"),
        ("lora ,,,", "“,,,” names nothing for lora"),
        ("style ,", "“,” names nothing for style"),
    ],
)
def test_what_says_nothing_or_something_twice_is_refused_with_what_to_do(line: str, words: str) -> None:
    with pytest.raises(RequestError) as refusal:
        settings_line.read(line)
    assert words in str(refusal.value)


def test_what_may_be_there_several_times_may() -> None:
    read = settings_line.read(
        "lora ink · lora oil · detail a · detail_prompt x · detail b · detail_prompt y"
    ).options
    assert [len(read.loras or ()), len(read.details or ())] == [2, 2]


def test_quotes_that_are_never_closed_are_plain_signs_however_many() -> None:
    assert settings_line.read('style "a, b", 5" disk · steps 9').options == Options(
        styles=("a, b", '5" disk'), steps=9
    )
    with pytest.raises(RequestError):
        settings_line.read('"\\' * 100_000)
    with pytest.raises(RequestError):
        settings_line.read(f"size {'1' * 200_000}")


def test_parts_that_are_typed_change_what_a_lower_layer_has() -> None:
    like = Options.of(PaintRequest("a", 1, hires=Hires(scale=1.5, steps=9), controls=(Control("c", "canny"),)))
    request = settings_line.read("hires_steps 3 · control_weight 0.5").options.over(like).request("a", seed=1)
    assert request.hires == Hires(scale=1.5, steps=3)
    assert request.controls == (Control("c", "canny", weight=0.5),)
    assert settings_line.read("hires 1").options.over(like).request("a", seed=1).hires is None


def test_the_table_names_every_field_that_can_be_chosen() -> None:
    targets = {setting.target.split(".")[0].removesuffix("[]") for setting in SETTINGS}
    only_presets = {"script", "workflow", "save_images", "overrides", "extra", "shape", "parts"}
    assert {each.name for each in fields(Options)} <= targets | only_presets
    assert len(BY_NAME) == sum(1 + len(setting.aliases) for setting in SETTINGS), "no name twice"
