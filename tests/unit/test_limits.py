"""What a place allows, field by field."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import LimitError, PromptError
from bot.domain.limits import MIN_SIDE, Limits
from bot.domain.request import (
    Control,
    Detail,
    FaceSwap,
    Hires,
    Lora,
    Mask,
    PaintRequest,
    Refiner,
    Variation,
)

PLAIN = PaintRequest("a fox", 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"clip_skip": 0}, "clip_skip 0 is outside"),
        ({"clip_skip": 13}, "clip_skip 13 is outside"),
        ({"hires": Hires(scale=99)}, "hires 99 is outside"),
        ({"hires": Hires(scale=4.0)}, "more than a picture may have"),
        ({"hires": Hires(scale=8), "width": 64, "height": 64}, "hires 8 is outside"),
        ({"hires": Hires(scale=4), "width": 640, "height": 128}, "The hires pass would make it 2560×512"),
        ({"hires": Hires(steps=61)}, "hires_steps 61 is outside"),
        ({"hires": Hires(strength=1.5)}, "hires_strength 1.5 is outside"),
        ({"refiner": Refiner("m", 1.1)}, "refiner 1.1 is outside"),
        ({"variation": Variation(-1, 0.1)}, "variation -1 is outside"),
        ({"variation": Variation(1, 2)}, "variation 2 is outside"),
        ({"init_image": "i", "strength": 0.0}, "strength 0.0 is outside"),
        ({"mask": Mask("m", blur=65)}, "mask_blur 65 is outside"),
        ({"mask": Mask("m", padding=257)}, "mask_padding 257 is outside"),
        ({"controls": (Control("c", "m", weight=2.1),)}, "control_weight 2.1 is outside"),
        ({"controls": (Control("c", "m", start=0.6, end=0.5),)}, "control_end 0.5 is outside"),
        ({"loras": (Lora("ink", 4.1),)}, "lora 4.1 is outside"),
        ({"loras": (Lora("ink"),) * 11}, "lora is there 11 times"),
        ({"styles": ("ink",) * 11}, "style is there 11 times"),
        ({"details": (Detail("m", confidence=1.1),)}, "detail_confidence 1.1 is outside"),
        ({"details": (Detail("m", strength=float("nan")),)}, "detail_strength nan is outside"),
        ({"face_swap": FaceSwap("f", target_face=-1)}, "face_target -1 is outside"),
    ],
)
def test_what_is_outside_is_refused_by_its_name(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(LimitError) as refusal:
        Limits().check(replace(PLAIN, **fields))
    assert words in str(refusal.value)


@pytest.mark.parametrize("prompt", ["", " \n", "\u200b\u200d \ufeff", "\u202e", "\ufe0f"])
def test_a_prompt_that_shows_nothing_is_empty(prompt: str) -> None:
    with pytest.raises(PromptError, match="The prompt is empty"):
        Limits().check(replace(PLAIN, prompt=prompt))


def test_a_detailers_own_prompt_is_no_longer_than_any() -> None:
    with pytest.raises(PromptError, match="4001 characters"):
        Limits().check(replace(PLAIN, details=(Detail("m", prompt="x" * 4001),)))


@pytest.mark.parametrize("prompt", ["\U0001f98a", "\U0001fae8", "\u5d29", "\u05e9", "?"])
def test_whatever_shows_something_is_a_prompt(prompt: str) -> None:
    Limits().check(replace(PLAIN, prompt=prompt))


def test_everything_within_limits_may_be_painted() -> None:
    Limits().check(
        replace(
            PLAIN,
            clip_skip=2,
            hires=Hires(scale=2, steps=10),
            refiner=Refiner("m"),
            variation=Variation(1, 0.5),
            controls=(Control("c", "m"),),
            details=(Detail("m"),),
            face_swap=FaceSwap("f"),
            loras=(Lora("ink", -1),),
        )
    )


@given(st.floats(1, 4), st.integers(64, 2048), st.integers(64, 2048))
def test_a_hires_pass_never_makes_more_than_a_picture_may_have(scale: float, width: int, height: int) -> None:
    limits = Limits()
    request = replace(PLAIN, width=width, height=height, hires=Hires(scale=scale))
    try:
        limits.check(request)
    except LimitError:
        return
    final_width, final_height = request.final_size
    assert final_width * final_height <= limits.max_pixels
    assert max(final_width, final_height) <= limits.max_side


@given(st.integers(MIN_SIDE, 8192), st.integers(MIN_SIDE, 8192), st.integers(2**18, 2**22))
def test_the_nearest_size_that_may_be_is_no_larger_and_of_the_same_ratio(
    width: int, height: int, most: int
) -> None:
    limits = Limits(max_side=1024, max_pixels=most)
    narrower, lower = limits.fitted(width, height)
    assert narrower * lower <= most
    limits.check(replace(PLAIN, width=narrower, height=lower))
    within = min(width, 1024), min(height, 1024)
    if within[0] * within[1] <= most:
        assert (narrower, lower) == within
    else:
        assert narrower / lower == pytest.approx(within[0] / within[1], rel=0.1)
