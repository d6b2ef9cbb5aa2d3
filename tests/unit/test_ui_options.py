import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import RequestError
from bot.domain.job import Origin
from bot.domain.options import Options, Shape
from bot.domain.request import Lora
from bot.ui.options import (
    DRAW,
    EVERYTHING,
    OPTIONS,
    REMIX,
    changes,
    copyable,
    loras,
    resettable,
    typed,
    written_loras,
)
from tests.unit.ui_jobs import finished, job

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9 _.-]{0,30}[A-Za-z0-9]", fullmatch=True)


def test_what_was_typed_becomes_choices_and_what_was_not_stays_open() -> None:
    prompt, options = typed({"prompt": "a cat", "size": "16:9", "steps": 30, "lora": "ink:0.5"})
    assert prompt == "a cat"
    assert options == Options(shape=Shape.WIDE, steps=30, loras=(Lora("ink", 0.5),))


def test_loras_are_names_with_weights_and_commas_between() -> None:
    assert loras("ink:0.8, film grain ,v1:2:-1") == (
        Lora("ink", 0.8),
        Lora("film grain"),
        Lora("v1:2", -1.0),
    )


@given(st.lists(st.builds(Lora, NAMES, st.integers(-400, 400).map(lambda n: n / 100)), max_size=10))
def test_loras_come_back_as_they_were_written(chosen: list[Lora]) -> None:
    assert loras(written_loras(chosen)) == tuple(chosen)


@pytest.mark.parametrize("text", ["ink:heavy", "ink:nan", "ink:1e9", ":0.5", ",".join("abcdefghijk")])
def test_a_lora_that_cannot_be_meant_is_refused_in_words(text: str) -> None:
    with pytest.raises(RequestError):
        loras(text)


def test_the_command_to_copy_names_everything_and_fits_on_one_line() -> None:
    done = finished(
        request={
            "prompt": "a harbour\nat dusk",
            "negative_prompt": "fog",
            "count": 2,
            "cfg_scale": 7.5,
            "sampler": "Euler a",
            "loras": (Lora("ink", 0.8),),
        },
        spec={"spoiler": True},
    )
    assert copyable(done) == (
        "/draw prompt:a harbour at dusk negative_prompt:fog model:dreamshaper_8.safetensors [879db523c3] "
        "width:768 height:512 count:2 steps:25 cfg_scale:7.5 sampler:Euler a scheduler:Karras seed:42 "
        "lora:ink:0.8 spoiler:True"
    )


def test_the_command_of_a_remix_is_a_remix_with_its_strength() -> None:
    line = copyable(job(request={"init_image": "b", "strength": 0.6}, spec={"origin": Origin.REMIX}))
    assert line.startswith("/remix prompt:a quiet harbour strength:0.6 ")


def test_every_option_that_is_copied_is_an_option_of_the_command() -> None:
    done = finished(request={"negative_prompt": "fog", "loras": (Lora("ink"),), "count": 2})
    named = {part.split(":")[0] for part in shlex.split(copyable(done)) if ":" in part}
    assert named <= set(DRAW)


def test_the_names_are_the_fields_own() -> None:
    assert (
        *("prompt", "negative_prompt", "model", "size", "width", "height", "count", "steps", "cfg_scale"),
        *("sampler", "scheduler", "seed", "lora", "spoiler"),
    ) == DRAW
    assert ("image", "prompt", "strength", *DRAW[1:]) == REMIX


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_an_option_fits_discord(option: object) -> None:
    names = [getattr(option, "name"), getattr(option, "description")]  # noqa: B009
    assert 1 <= len(names[0]) <= 32
    assert 1 <= len(names[1]) <= 100


def test_a_setting_is_changed_or_taken_back_and_typing_wins() -> None:
    names = ("model", "steps", "ping")
    assert changes({"steps": 30, "reset": "model"}, names).values == {"steps": 30, "model": None}
    everything = changes({"steps": 30, "reset": EVERYTHING}, names)
    assert everything.values == {"model": None, "steps": 30, "ping": None}
    assert changes({"model": "a"}, names).options == Options(model="a")


def test_everything_that_can_be_set_can_be_taken_back() -> None:
    assert [value for _, value in resettable(("model", "steps")).choices] == ["everything", "model", "steps"]
