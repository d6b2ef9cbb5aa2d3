import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.capability import Feature
from bot.ui import buttons
from bot.ui.buttons import Action, Press, decode, encode
from tests.unit.ui_jobs import finished, job


@given(
    st.sampled_from(Action),
    st.integers(0, 2**63 - 1),
    st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,48}", fullmatch=True),
)
def test_an_id_comes_back_as_it_was_made_and_fits_discord(action: Action, number: int, arg: str | None) -> None:
    custom_id = encode(action, number, arg)
    assert len(custom_id) <= 100
    assert decode(custom_id) == Press(action, number, arg)


@given(st.text(max_size=120))
def test_any_other_id_is_none_of_ours(custom_id: str) -> None:
    press = decode(custom_id)
    assert press is None or encode(press.action, press.job, press.arg) == custom_id


@pytest.mark.parametrize(
    "custom_id",
    [
        "easel:explode:7",
        "easel:reroll:",
        "easel:reroll:-1",
        "easel:reroll:7:",
        "easel:reroll:7:a:b",
        "easel:reroll:7\n",
        "aiya:reroll:7",
    ],
)
def test_unknown_actions_and_broken_ids_are_refused(custom_id: str) -> None:
    assert decode(custom_id) is None


def test_an_argument_that_would_not_come_back_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="easel:take:7"):
        encode(Action.TAKE, 7, "two words")


def test_every_button_finds_its_own_job() -> None:
    rows = [
        *buttons.waiting(job()).to_components(),
        *buttons.finished(finished(1, 2), pictures=2).to_components(),
        *buttons.failed(job(), smaller=True).to_components(),
        *buttons.cancelled(job()).to_components(),
    ]
    presses = [decode(item["custom_id"]) for row in rows for item in row["components"]]
    assert {press.job for press in presses if press} == {7}
    assert [press.action for press in presses if press] == [
        Action.CANCEL,
        Action.REROLL,
        Action.EDIT,
        Action.REMIX,
        Action.SETTINGS,
        Action.DELETE,
        Action.TAKE,
        Action.MORE,
        Action.AGAIN,
        Action.SMALLER,
        Action.AGAIN,
    ]


def menus(pictures: int, *offered: Feature, reduced: bool = False, prompt: str = "a fox") -> dict[str, list[str]]:
    """The labels of each menu under a result, by its placeholder."""
    done = finished(*range(pictures), request={"prompt": prompt})
    rows = buttons.finished(done, pictures=pictures, offered=offered, reduced=reduced).to_components()
    drawn = [item for row in rows for item in row["components"] if item["type"] == 3]
    assert len(rows) <= 5
    assert len({menu["custom_id"] for menu in drawn}) == len(drawn)
    assert all(len(menu["options"]) <= 25 for menu in drawn)
    return {menu["placeholder"]: [option["label"] for option in menu["options"]] for menu in drawn}


def test_what_no_backend_can_do_is_not_offered() -> None:
    assert menus(1) == {"More": ["Favourite", "Send to me"]}
    assert menus(1, Feature.IMG2IMG) == {"More": ["Vary", "Favourite", "Send to me"]}
    assert menus(1, Feature.VARIATION, Feature.UPSCALE, Feature.CUTOUT, Feature.INTERROGATE) == {
        "More": ["Vary", "Upscale", "Cut out", "Describe", "Favourite", "Send to me"]
    }
    assert menus(2) == {"Take one": ["Send 1", "Send 2"], "More": ["Favourite", "Send to me"]}


def test_the_untouched_file_is_offered_where_it_had_to_shrink() -> None:
    assert menus(1, reduced=True) == {"More": ["Favourite", "Send to me", "Original file"]}
    assert "Original file" not in str(menus(2, reduced=True))


def test_of_a_picture_that_nobody_has_a_recipe_of_nothing_is_offered_that_needs_one() -> None:
    done = finished(request={"prompt": ""})
    row = buttons.finished(done, pictures=1, offered=list(Feature)).to_components()[0]
    assert [item["label"] for item in row["components"]] == ["Remix", "Settings", "Delete"]
    assert "Vary" not in menus(1, *Feature, prompt="")["More"]


def test_nine_pictures_get_as_many_menus_as_their_choices_need() -> None:
    found = menus(9, *Feature)
    assert list(found) == ["Take one · 1–5", "Take one · 6–9", "More"]
    assert found["Take one · 6–9"][:5] == ["Send 6", "Upscale 6", "Vary 6", "Remix 6", "Cut out 6"]
    assert len(found["Take one · 1–5"]) + len(found["Take one · 6–9"]) == 45


@pytest.mark.parametrize("pictures", range(1, 10))
def test_every_choice_says_what_it_stands_for(pictures: int) -> None:
    done = finished(*range(pictures))
    rows = buttons.finished(done, pictures=pictures, offered=list(Feature), reduced=True).to_components()
    for menu in (item for row in rows for item in row["components"] if item["type"] == 3):
        press = decode(menu["custom_id"])
        assert press is not None
        for option in menu["options"]:
            picked = buttons.picked(press, option["value"])
            assert picked is not None
            assert picked.action is not Action.TAKE
            assert option["label"].endswith(picked.arg or "")


@pytest.mark.parametrize(
    ("menu", "choice", "stands_for"),
    [
        (Action.TAKE, "3", Press(Action.SEND, 7, "3")),
        (Action.TAKE, "upscale:2", Press(Action.UPSCALE, 7, "2")),
        (Action.TAKE, "favourite:2", None),
        (Action.TAKE, "delete", None),
        (Action.TAKE, "0", None),
        (Action.TAKE, "10", None),
        (Action.TAKE, "", None),
        (Action.MORE, "vary", Press(Action.VARY, 7)),
        (Action.MORE, "cancel", None),
        (Action.MORE, "3", None),
        (Action.EDIT, "3", None),
    ],
)
def test_only_what_a_menu_offers_can_be_chosen_from_it(
    menu: Action, choice: str, stands_for: Press | None
) -> None:
    assert buttons.picked(Press(menu, 7), choice) == stands_for
