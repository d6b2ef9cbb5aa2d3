"""What a job costs the fair queue, in whole ticks; 1024 ticks are one standard image at weight 1.0."""

from bot.domain.request import Order, PaintRequest, UpscaleRequest

UNIT = 1024
"""Ticks of one standard image: 30 steps at 1024×1024 px with a model of 1000 permille."""
W0 = 100
"""The weight that counts as 1.0."""
PERMILLE = 1000
"""A model that costs what the standard one does; every model starts here."""

_STANDARD = 30 * 1024 * 1024 * PERMILLE
_LOWEST, _HIGHEST = 100, 20_000
_LEARNING = 8


_UPSCALING = 2
"""A pixel of an upscaled picture counts as this many steps."""
_LOOKING = 3 * 1024 * 1024
"""Looking at a picture, to describe it or to cut it out, counts as three steps at the standard size."""


def cost(request: Order, model_permille: int = PERMILLE) -> int:
    """Return the ticks that ``request`` costs with a model of ``model_permille``; at least 1.

    A hires pass counts at its real size, with the share of the steps that its strength leaves to do; an upscaled
    picture counts by its own size.
    """
    if isinstance(request, PaintRequest):
        work = _painting(request) * model_permille
    elif isinstance(request, UpscaleRequest):
        work = int(_UPSCALING * request.width * request.height * request.scale**2) * PERMILLE
    else:
        work = _LOOKING * PERMILLE
    return max(1, -(-work * UNIT // _STANDARD))


def _painting(request: PaintRequest) -> int:
    work = request.steps * request.width * request.height
    if request.hires is not None:
        width, height = request.final_size
        again = request.hires.steps or request.steps
        work += int(again * min(max(request.hires.strength, 0.0), 1.0) * width * height)
    return work * request.count


def step(ticks: int, weight: int) -> int:
    """Return how far ``ticks`` of service move a flow of ``weight`` on; at least 1."""
    return max(1, ticks * W0 // weight)


def ewma(average: float | None, sample: float) -> float:
    """Return the moving average with one more sample in it; the first sample is the average."""
    return sample if average is None else average + (sample - average) / _LEARNING


def learn(model_permille: int, seconds: float, request: PaintRequest, standard_pace: float) -> int:
    """Return a model's permille after one more picture of it took ``seconds``.

    ``standard_pace`` is what the lane does on average, in ticks per second with every model counted at
    1000 permille: a model that is slower than the lane's average becomes dearer. One odd measurement moves
    it by an eighth, and it stays between 100 and 20,000.
    """
    seen = PERMILLE * seconds * standard_pace / cost(request)
    seen = min(max(seen, _LOWEST), _HIGHEST)
    return round(ewma(model_permille, seen))
