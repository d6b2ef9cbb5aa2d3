"""Variations: the recipe of a picture that is like another one, but not the same."""

from collections.abc import Iterator
from dataclasses import replace

from bot.domain.errors import GoneError, RequestError
from bot.domain.job import Job
from bot.domain.limits import Limits
from bot.domain.request import PaintRequest, Variation
from bot.domain.text import N_

MIXED_IN = 0.2
"""Share of another seed's noise that changes details and keeps the composition."""
REPAINTED = 0.3
"""Denoising strength that does about the same to a finished picture."""


def recipes(parent: Job, number: int, seed: int, limits: Limits, *, blob: str | None) -> Iterator[PaintRequest]:
    """Yield the ways to vary ``parent``'s picture ``number`` (from 1), the better one first.

    Another ``seed`` is mixed into the picture's own; for a server that cannot, or where that was done already, the
    picture ``blob``, if it is at hand, is painted over a little. Of an enlarged picture the recipe is varied.
    Raises ``GoneError`` if there is no such picture, ``RequestError`` if nobody knows how it was painted.
    """
    recipe = parent.spec.request
    if parent.result is None or not 1 <= number <= len(parent.result.pictures):
        raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
    if not recipe.prompt.strip():
        raise RequestError(
            N_("Nobody knows how this picture was painted."), N_("Remix it: that needs no more than the picture.")
        )
    if recipe.variation is None:
        own = _own_seed(parent, number)
        yield replace(recipe, seed=own, count=1, variation=Variation(seed, MIXED_IN))
    if blob is None:
        return
    width, height = recipe.final_size
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        width, height = recipe.width, recipe.height
    yield replace(
        recipe,
        seed=seed,
        count=1,
        width=width,
        height=height,
        init_image=blob,
        strength=REPAINTED,
        mask=None,
        hires=None,
        variation=None,
    )


def _own_seed(parent: Job, number: int) -> int:
    if parent.spec.work is None and parent.result is not None:
        return parent.result.pictures[number - 1].seed
    of_several = parent.spec.parent_picture or 1
    seeds = parent.spec.request.seeds()
    return seeds[min(of_several, len(seeds)) - 1]
