import pytest

from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Job
from bot.domain.limits import Limits
from bot.domain.request import Hires, Mask, PaintRequest, UpscaleRequest, Variation
from bot.services.variations import MIXED_IN, REPAINTED, recipes
from tests.unit.ui_jobs import finished

LIMITS = Limits()


def ways(parent: Job, number: int = 1, blob: str | None = "blob") -> list[PaintRequest]:
    return list(recipes(parent, number, 99, LIMITS, blob=blob))


def test_another_seed_is_mixed_into_the_pictures_own() -> None:
    mixed, _ = ways(finished(42, 43, request={"count": 2}), 2)
    assert (mixed.seed, mixed.count, mixed.variation) == (43, 1, Variation(99, MIXED_IN))
    assert mixed.prompt == "a quiet harbour"


def test_a_server_that_mixes_no_seeds_paints_the_picture_over_a_little() -> None:
    _, over = ways(finished(request={"init_image": "older", "strength": 0.7, "mask": Mask("mask")}))
    assert (over.seed, over.init_image, over.strength, over.mask) == (99, "blob", REPAINTED, None)


def test_a_remix_keeps_what_it_was_painted_over() -> None:
    mixed, _ = ways(finished(request={"init_image": "older", "strength": 0.7}))
    assert (mixed.init_image, mixed.strength) == ("older", 0.7)


def test_what_was_varied_already_is_painted_over_so_that_it_stays_near() -> None:
    [over] = ways(finished(request={"variation": Variation(7, 0.2)}))
    assert over.variation is None


def test_a_picture_that_had_a_second_pass_is_painted_over_at_its_full_size_if_that_is_allowed() -> None:
    _, over = ways(finished(request={"width": 512, "height": 512, "hires": Hires(2.0)}))
    assert (over.width, over.height, over.hires) == (1024, 1024, None)
    _, over = ways(finished(request={"width": 1024, "height": 1024, "hires": Hires(4.0)}))
    assert (over.width, over.height) == (1024, 1024)


def test_of_an_enlarged_picture_the_recipe_is_varied() -> None:
    work = UpscaleRequest("ESRGAN", image="blob")
    enlarged = finished(0, spec={"work": work, "parent_picture": 3}, request={"count": 4})
    mixed, over = ways(enlarged)
    assert (mixed.seed, mixed.count) == (44, 1)
    assert over.init_image == "blob"


def test_without_the_picture_only_seeds_are_mixed() -> None:
    [mixed] = ways(finished(), blob=None)
    assert mixed.variation is not None
    assert ways(finished(request={"variation": Variation(7, 0.2)}), blob=None) == []


def test_what_is_not_there_or_has_no_recipe_is_refused_in_words() -> None:
    with pytest.raises(GoneError, match="no longer kept"):
        ways(finished(), 2)
    with pytest.raises(RequestError, match="Nobody knows"):
        ways(finished(request={"prompt": " "}))
