import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import RequestError
from bot.domain.options import Options, Shape
from bot.domain.request import Detail, Hires, Lora, PaintRequest, Refiner, Variation
from bot.prompting import wildcards
from bot.ui.copyable import command_line, copyable, spelled_out
from bot.ui.options import (
    DRAW,
    EVERYTHING,
    OPTIONS,
    REMIX,
    changes,
    resettable,
    typed,
)
from bot.ui.settings import Typed
from bot.ui.values import loras, written_lora
from tests.unit.ui_jobs import finished, job

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9 _.-]{0,30}[A-Za-z0-9]", fullmatch=True)


def test_what_was_typed_becomes_choices_and_what_was_not_stays_open() -> None:
    given = typed({"prompt": "a cat", "size": "16:9", "steps": 30, "lora": "ink:0.5", "private": True})
    options = Options(shape=Shape.WIDE, steps=30, loras=(Lora("ink", 0.5),))
    assert given == Typed("a cat", options, private=True)


def test_an_option_goes_over_the_same_in_more() -> None:
    given = typed({"steps": 30, "more": "steps 9 · hires 2 · preset ink", "hires": 1.5, "width": 192})
    assert given.preset == "ink"
    assert given.options == Options(steps=30, width=192, parts={"hires": {"scale": 1.5}})


def test_loras_are_names_with_weights_and_commas_between() -> None:
    assert loras("lora", "ink:0.8, film grain ,v1:2:-1") == (
        Lora("ink", 0.8),
        Lora("film grain"),
        Lora("v1:2", -1.0),
    )


@given(st.lists(st.builds(Lora, NAMES, st.integers(-400, 400).map(lambda n: n / 100)), max_size=10))
def test_loras_come_back_as_they_were_written(chosen: list[Lora]) -> None:
    assert loras("lora", ", ".join(map(written_lora, chosen))) == tuple(chosen)


@pytest.mark.parametrize("text", ["ink:heavy", "ink:nan", "ink:1e9", ":0.5", ",".join("abcdefghijk")])
def test_a_lora_that_cannot_be_meant_is_refused_in_words(text: str) -> None:
    with pytest.raises(RequestError):
        loras("lora", text)


def test_the_command_to_copy_names_everything_and_fits_on_one_line() -> None:
    done = finished(
        request={
            "prompt": "a harbour at dusk",
            "negative_prompt": "fog",
            "count": 2,
            "cfg_scale": 7.5,
            "sampler": "Euler a",
            "loras": (Lora("ink", 0.8),),
            "tiling": True,
        },
        spec={"spoiler": True},
    )
    assert copyable(done) == spelled_out(done)
    assert copyable(done) == (
        "/draw prompt:a harbour at dusk negative_prompt:fog model:dreamshaper_8.safetensors [879db523c3] "
        "width:768 height:512 count:2 steps:25 cfg_scale:7.5 sampler:Euler a scheduler:Karras seed:42 "
        "lora:ink:0.8 more:tiling on spoiler:True"
    )


@pytest.mark.parametrize("prompt", ["a harbour\nat dusk", "x" * 1501, "a sign that says seed:5", " two  spaces"])
def test_a_prompt_that_no_option_takes_is_left_to_the_job_and_spelled_out_below(prompt: str) -> None:
    done = finished(request={"prompt": prompt})
    assert "prompt:" not in copyable(done)
    assert copyable(done).endswith(" like:0007")
    assert spelled_out(done) == f"{copyable(done)}\n\nprompt: {prompt}"
    assert "like:" not in command_line(PaintRequest(prompt, 1)), "there is no job to be like"


@pytest.mark.parametrize(
    "request_", [{"init_image": "b", "strength": 0.6}, {"extra": {"a": 1}}, {"save_images": True}]
)
def test_what_nobody_can_type_is_left_to_the_job(request_: dict[str, object]) -> None:
    assert copyable(job(request=request_)).endswith(" like:0007")


def test_a_prompt_with_braces_is_not_drawn_from_again() -> None:
    assert copyable(finished(request={"prompt": "a {red|blue} fox"})).startswith(r"/draw prompt:a \{red")


def test_every_option_that_is_copied_is_an_option_of_the_command() -> None:
    done = finished(request={"negative_prompt": "fog", "loras": (Lora("ink"),), "count": 2})
    assert set(re.findall(r"(\w+):", copyable(done))) - {"ink"} <= set(DRAW)


def test_no_command_has_more_options_than_discord_takes() -> None:
    assert len(DRAW) == len(set(DRAW)) == 25
    assert len(REMIX) == len(set(REMIX)) <= 25
    assert {*DRAW, *REMIX} <= set(OPTIONS)


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


TEXTS = st.text(max_size=40)
WORDS = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text)
SHARES = st.integers(0, 100).map(lambda number: number / 100)
REQUESTS = st.builds(
    PaintRequest,
    prompt=TEXTS,
    seed=st.integers(0, 2**32 - 1),
    negative_prompt=TEXTS,
    model=WORDS,
    width=st.integers(64, 2048),
    height=st.integers(64, 2048),
    count=st.integers(1, 4),
    steps=st.integers(1, 60),
    cfg_scale=st.floats(0, 30),
    sampler=WORDS,
    scheduler=st.none() | WORDS,
    loras=st.lists(st.builds(Lora, WORDS, SHARES), max_size=3).map(tuple),
    styles=st.lists(WORDS, max_size=2).map(tuple),
    vae=st.none() | WORDS,
    clip_skip=st.none() | st.integers(1, 12),
    tiling=st.booleans(),
    restore_faces=st.booleans(),
    variation=st.none() | st.builds(Variation, st.integers(0, 9), SHARES),
    hires=st.none() | st.builds(Hires, st.floats(1.1, 4), st.none() | WORDS, st.integers(0, 9), SHARES),
    refiner=st.none() | st.builds(Refiner, WORDS, SHARES),
    details=st.lists(st.builds(Detail, WORDS, TEXTS, TEXTS, SHARES, SHARES), max_size=2).map(tuple),
)


@given(REQUESTS)
def test_any_order_comes_out_of_its_own_command_or_is_left_to_its_job(request: PaintRequest) -> None:
    given_back = typed(pasted(command_line(request, like=7)))
    if given_back.like is None:
        prompt = wildcards.expand(given_back.prompt, {"anything": ("else",)}, seed=1).words
        assert given_back.options.request(prompt, seed=0) == request
    else:
        assert given_back.like == "0007"


def pasted(command: str) -> dict[str, object]:
    """What Discord's client makes of a pasted command: each option up to the next one's name."""
    pieces = re.split(rf"(?:^|\s)({'|'.join(DRAW)}):", command.removeprefix("/draw"))[1:]
    typed_in = zip(pieces[::2], pieces[1::2], strict=True)
    return {name: OPTIONS[name].kind(text.strip()) for name, text in typed_in}
