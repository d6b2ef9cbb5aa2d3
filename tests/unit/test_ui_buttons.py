import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        Action.AGAIN,
        Action.SMALLER,
        Action.AGAIN,
    ]
