from dataclasses import replace

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import RequestError
from bot.domain.request import Control, Detail, FaceSwap, Hires, Lora, Mask, PaintRequest
from bot.prompting import wildcards
from bot.ui import modals
from tests.unit.ui_jobs import finished, job

WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9+ _]{0,20}[A-Za-z0-9]", fullmatch=True)
REQUESTS = st.builds(
    PaintRequest,
    prompt=st.just("a"),
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(64, 2048),
    height=st.integers(64, 2048),
    count=st.integers(1, 4),
    steps=st.integers(1, 60),
    cfg_scale=st.integers(0, 300).map(lambda n: n / 10),
    sampler=st.none() | WORDS,
    scheduler=st.none() | WORDS,
    loras=st.lists(st.builds(Lora, WORDS, st.just(0.8)), max_size=3).map(tuple),
)


def values(modal: discord.ui.Modal) -> dict[str, str]:
    components = [label["component"] for label in modal.to_dict()["components"]]
    return {component["custom_id"]: component.get("value", "") for component in components}


@given(REQUESTS)
def test_an_edit_that_changes_nothing_asks_for_the_same_picture(request: PaintRequest) -> None:
    parent = finished(request={**{k: getattr(request, k) for k in PaintRequest.__slots__ if k != "prompt"}})
    read = modals.edited(parent, values(modals.edit(parent, "en")))
    again = read.options.request(read.prompt, seed=0)
    assert again == replace(parent.spec.request, prompt=read.prompt)


def test_the_edit_form_is_filled_and_fits_discord() -> None:
    parent = finished(request={"prompt": "x" * 4000, "negative_prompt": "y" * 4000})
    payload = modals.edit(parent, "en").to_dict()
    assert payload["custom_id"] == "easel:edit:7"
    assert len(payload["components"]) == 5
    assert all(len(label["label"]) <= 45 for label in payload["components"])
    assert values(modals.edit(parent, "en")) == {
        "prompt": "x" * 4000,
        "negative_prompt": "y" * 4000,
        "model": "dreamshaper_8.safetensors [879db523c3]",
        "settings": "768×512 · steps 25 · cfg 7 · count 1",
        "seed": "42",
    }


def test_what_is_taken_out_of_the_line_is_left_open_and_pictures_stay() -> None:
    request = {
        "init_image": "i",
        "strength": 0.5,
        "mask": Mask("m", blur=9),
        "controls": (Control("c", "canny", weight=0.5),),
        "face_swap": FaceSwap("f", target_face=1),
        "hires": Hires(steps=9),
        "tiling": True,
    }
    parent = finished(request=request)
    line = "768×512 · control_model canny · hires 1.5"
    options = modals.edited(parent, {**values(modals.edit(parent, "en")), "settings": line}).options
    again = options.request("a", seed=0, init_image="i")
    assert again.mask == Mask("m")
    assert again.controls == (Control("c", "canny"),)
    assert again.face_swap == FaceSwap("f")
    assert again.hires == Hires(scale=1.5)
    assert (again.tiling, again.strength) == (False, 0.6)
    options = modals.edited(parent, {"prompt": "a", "settings": "768×512"}).options
    again = options.request("a", seed=0, init_image="i")
    assert (again.controls, again.hires) == ((), None)
    assert again.mask == Mask("m")


def test_what_the_line_has_no_room_for_stays() -> None:
    details = tuple(Detail(f"face{number}.pt", prompt="x" * 400) for number in range(10))
    parent = finished(request={"details": details, "face_swap": FaceSwap("f", restorer="GFPGAN")})
    shown = values(modals.edit(parent, "en"))
    assert len(shown["settings"]) <= 4000
    assert not shown["settings"].endswith("·")
    options = modals.edited(parent, shown).options
    assert options.request("a", seed=0).face_swap == FaceSwap("f", restorer="GFPGAN")


def test_the_form_of_a_job_with_wildcards_shows_them() -> None:
    template = "a {red|blue} fox"
    assert values(modals.edit(finished(spec={"template": template}), "en"))["prompt"] == template
    literal = values(modals.edit(finished(request={"prompt": template}), "en"))["prompt"]
    assert wildcards.expand(literal, {}, seed=1).words == template


def test_an_empty_seed_asks_for_a_new_one_and_an_empty_model_for_the_usual() -> None:
    options = modals.edited(finished(), {"prompt": "a", "seed": " ", "model": ""}).options
    assert options.seed is None
    assert options.model is None


def test_a_seed_that_is_no_number_is_refused_in_words() -> None:
    with pytest.raises(RequestError, match="no number for seed"):
        modals.edited(finished(), {"prompt": "a", "seed": "lucky"})


def test_a_remix_keeps_its_parents_settings_but_not_its_seed() -> None:
    form = modals.remix(finished(), "en")
    assert form.custom_id == "easel:remix:7:1"
    assert values(form) == {"prompt": "a quiet harbour", "strength": "0.6"}
    prompt, options = modals.remixed(finished(), {"prompt": "at night", "strength": "0,8"})
    assert prompt == "at night"
    assert (options.strength, options.steps, options.seed) == (0.8, 25, None)


async def test_discord_py_keeps_no_form() -> None:
    assert modals.edit(job(), "en").is_finished()


def test_a_submitted_form_is_read_by_its_fields_ids_in_both_of_discords_shapes() -> None:
    label = {"type": 18, "component": {"type": 4, "custom_id": "prompt", "value": "a cat"}}
    row = {"type": 1, "components": [{"type": 4, "custom_id": "seed", "value": ""}]}
    data = {"custom_id": "easel:edit:7", "components": [label, row]}
    assert modals.texts(data) == {"prompt": "a cat", "seed": ""}
    assert modals.texts({}) == {}
