"""What is chosen for work on finished pictures where nobody chose, and what is too much."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.cost import cost
from bot.domain.errors import LimitError
from bot.domain.limits import Limits
from bot.domain.request import CutoutRequest, UpscaleRequest
from bot.services import work_orders

LIMITS = Limits(max_side=2048, max_pixels=2048 * 1536)


def upscale(width: int, height: int, scale: float = 0.0) -> UpscaleRequest:
    return UpscaleRequest("Lanczos", scale, image="blob", width=width, height=height)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("None", "Lanczos", "Nearest", "DAT x4", "ESRGAN_4x", "LDSR", "R-ESRGAN 4x+"), "R-ESRGAN 4x+"),
        (("None", "Lanczos", "Nearest", "DAT x4", "ESRGAN_4x"), "ESRGAN_4x"),
        (("Lanczos", "Nearest", "4x-UltraSharp.pth"), "4x-UltraSharp.pth"),
        (("Lanczos", "Nearest", "2x-soft", "4x-sharp"), "2x-soft"),
        (("None", "Lanczos", "Nearest"), "Lanczos"),
        ((), ""),
    ],
)
def test_the_best_known_upscaler_is_taken_and_a_plain_one_only_if_there_is_no_other(
    names: tuple[str, ...], chosen: str
) -> None:
    assert work_orders.usual_upscaler(names) == chosen


@given(width=st.integers(16, 4096), height=st.integers(16, 4096), scale=st.sampled_from([0.0, 1.5, 2.0, 4.0]))
def test_whatever_passes_is_within_the_limits(width: int, height: int, scale: float) -> None:
    try:
        settled = work_orders.settled(upscale(width, height, scale), LIMITS)
    except LimitError as error:
        assume("max" in error.values)
        again = work_orders.settled(upscale(width, height, float(error.values["max"])), LIMITS)
        assert isinstance(again, UpscaleRequest)
        return
    assert isinstance(settled, UpscaleRequest)
    assert settled.scale >= 1
    assert max(width, height) * settled.scale <= LIMITS.max_side
    assert width * height * settled.scale**2 <= LIMITS.max_pixels
    assert scale in {0.0, settled.scale}


def test_twice_as_large_is_usual_or_as_much_as_fits() -> None:
    assert work_orders.settled(upscale(512, 512), LIMITS) == upscale(512, 512, 2.0)
    assert work_orders.settled(upscale(1024, 1024), LIMITS) == upscale(1024, 1024, 1.73)
    assert work_orders.settled(upscale(0, 0), LIMITS) == upscale(0, 0), "not before its size is known"
    assert work_orders.settled(upscale(4000, 100, 1.0), LIMITS) == upscale(4000, 100, 1.0), "a face fix alone"


def test_smaller_is_never_smaller_than_the_picture() -> None:
    assert work_orders.smaller(upscale(64, 64, 2.0), 0.75) == upscale(64, 64, 1.5)
    assert work_orders.smaller(upscale(64, 64, 1.1), 0.75) == upscale(64, 64, 1.0)
    assert work_orders.smaller(CutoutRequest("blob"), 0.75) == CutoutRequest("blob")


def test_a_larger_copy_costs_more() -> None:
    assert cost(upscale(512, 512, 4.0)) > cost(upscale(512, 512, 2.0)) > cost(CutoutRequest("blob")) // 2
