from dataclasses import replace

import pytest

from bot.domain.errors import DeniedError, RequestError
from bot.domain.request import PaintRequest, Refiner
from bot.domain.rules import Rules

MODELS = ("sd/dream_8.safetensors [1a2b3c4d5e]", "anime-xl", "photo")


def test_without_rules_everything_stays_as_it_is() -> None:
    request = PaintRequest("a fox", 1)
    assert Rules().settled(request, MODELS) is request


def test_names_and_patterns_meet_titles_with_folder_ending_and_hash() -> None:
    for pattern in ("dream_8", "DREAM_8", "dream*", "*eam_?", "sd/dream_8.safetensors [1a2b3c4d5e]"):
        assert Rules(denied=(pattern,)).allows(MODELS[0]) is False
        assert Rules(allowed=(pattern,)).allows(MODELS[0]) is True
        assert Rules(allowed=(pattern,)).allows("photo") is False
    assert Rules(denied=("dream",)).allows(MODELS[0])
    assert not Rules(allowed=("*",), denied=("photo",)).allows("photo")


def test_no_pattern_takes_long() -> None:
    rules = Rules(denied=("*a" * 50,))
    assert rules.allows("a" * 49)
    assert not rules.allows("a" * 50)
    assert rules.allows("a" * 2000 + "b")
    assert rules.allows(f"a{' ' * 100_000}b")
    assert Rules(denied=("a**b?d*",)).among(("axxbcdx", "axxbd")) == ("axxbd",)


def test_a_denied_model_is_refused_and_so_is_a_denied_refiner() -> None:
    rules = Rules(denied=("photo",))
    with pytest.raises(DeniedError, match="does not allow the model “photo”"):
        rules.settled(PaintRequest("a fox", 1, model="photo"), MODELS)
    with pytest.raises(DeniedError, match="photo"):
        rules.settled(PaintRequest("a fox", 1, model="anime-xl", refiner=Refiner("photo")), MODELS)


def test_an_open_choice_falls_on_the_first_that_is_allowed() -> None:
    assert Rules(allowed=("photo",)).settled(PaintRequest("a fox", 1), MODELS).model == "photo"
    assert Rules(denied=("dream*",)).settled(PaintRequest("a fox", 1), MODELS).model == "anime-xl"
    with pytest.raises(DeniedError, match="None of the models"):
        Rules(allowed=("nothing",)).settled(PaintRequest("a fox", 1), MODELS)


def test_an_open_choice_waits_for_the_list_only_where_there_are_rules() -> None:
    rules, request = Rules(denied=("photo",)), PaintRequest("a fox", 1)
    with pytest.raises(RequestError, match="no backend has told yet"):
        rules.settled(request, (), told=False)
    assert rules.settled(request, (), told=True) is request, "there is nothing to choose among"
    assert Rules().settled(request, (), told=False) is request
    assert rules.settled(replace(request, model="anime"), (), told=False).model == "anime"


def test_allowing_and_denying_take_each_other_back() -> None:
    rules = Rules().denying("photo").denying("Anime*")
    assert rules.denied == ("photo", "Anime*")
    assert rules.allowing("PHOTO") == Rules(denied=("Anime*",))
    assert Rules(("photo",)).allowing("dream*") == Rules(("photo", "dream*"))
    assert Rules(("photo", "dream*")).denying("photo") == Rules(("dream*",), ("photo",))
