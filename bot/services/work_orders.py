"""Work on finished pictures as it is ordered: what was left open is chosen, and the result stays within limits."""

from collections.abc import Sequence
from dataclasses import replace
from math import floor, sqrt

from bot.domain.capability import Capabilities, Feature, Listing
from bot.domain.errors import GoneError, LimitError
from bot.domain.job import Job, Origin
from bot.domain.limits import Limits
from bot.domain.request import CutoutRequest, DescribeRequest, PaintRequest, UpscaleRequest, Work
from bot.domain.text import N_
from bot.services.catalogue import Catalogue

MAX_SCALE = 4.0
USUAL_SCALE = 2.0
"""What a picture is enlarged by where nobody says, or less if that would be too large here."""
LEAST_SCALE = 1.1
"""A picture that cannot grow by this much is as large as pictures may be."""
ORIGINS: dict[type[Work], Origin] = {
    UpscaleRequest: Origin.UPSCALE,
    CutoutRequest: Origin.CUTOUT,
    DescribeRequest: Origin.DESCRIBE,
}
FACE_FIXES = ("GFPGAN", "CodeFormer")
_LIKED = ("R-ESRGAN 4x+", "RealESRGAN_x4plus", "UltraSharp", "ESRGAN_4x", "ESRGAN")
"""Parts of names, the better ones first: the first that is listed is taken where nobody chose."""
_PLAIN = frozenset({"none", "nearest", "lanczos"})
"""They only resize: taken where there is nothing else."""


def usual_upscaler(names: Sequence[str]) -> str:
    """Return the upscaler to take where nobody chose one; empty if there is none."""
    models = [name for name in names if name.casefold() not in _PLAIN]
    liked = (name for part in _LIKED for name in models if part.casefold() in name.casefold())
    plain = next((name for name in reversed(names) if name.casefold() == "lanczos"), "")
    return next(liked, models[0] if models else plain)


def upscaling(  # one parameter for each option of the command
    catalogue: Catalogue,
    *,
    upscaler: str | None = None,
    scale: float | None = None,
    second: str | None = None,
    second_share: float | None = None,
    face_fix: str | None = None,
) -> UpscaleRequest:
    """Return an order whose picture is still to be named; a scale of 0 is settled when its size is known.

    Its upscaler is left to ``chosen`` while no backend has told which it has. Raises ``RequestError`` for what no
    backend has.
    """
    catalogue.check_offers(Feature.UPSCALE)
    names = catalogue.names(Listing.UPSCALERS)
    fix = next((each for each in FACE_FIXES if face_fix and each.casefold() == face_fix.casefold()), face_fix)
    for listing, option, name in (
        (Listing.UPSCALERS, "upscaler", upscaler),
        (Listing.UPSCALERS, "second", second),
        (Listing.FACE_RESTORERS, "face_fix", fix),
    ):
        catalogue.check_name(listing, option, name)
    if scale is not None:
        Limits.check_range("scale", scale, 1, MAX_SCALE)
    request = UpscaleRequest(
        upscaler or usual_upscaler(names),
        0.0 if scale is None else scale,
        gfpgan=float(fix == FACE_FIXES[0]),
        codeformer=float(fix == FACE_FIXES[1]),
    )
    return request if second is None else replace(request, second=second, second_share=_share(second_share))


def chosen(work: Work, known: Capabilities | None) -> Work:
    """Return ``work`` with an upscaler of the backend that does it, if it was ordered before any were known."""
    if isinstance(work, UpscaleRequest) and not work.upscaler and known is not None:
        return replace(work, upscaler=usual_upscaler(known.listings.get(Listing.UPSCALERS, ())))
    return work


def of_picture(work: Work, job: Job, number: int) -> Work:
    """Return ``work`` on ``job``'s picture ``number`` (from 1); raises ``GoneError`` if there is none."""
    pictures = job.result.pictures if job.result else ()
    if not 1 <= number <= len(pictures):
        raise GoneError(N_("That picture is no longer kept."), N_("Reroll paints a new one."))
    picture = pictures[number - 1]
    work = replace(work, image=work.image or picture.blob)
    if isinstance(work, UpscaleRequest):
        return replace(work, width=picture.width, height=picture.height)
    return work


def recipe_of(job: Job, number: int | None) -> PaintRequest:
    """Return what painted ``job``'s picture ``number`` (from 1) alone."""
    recipe = job.spec.request
    if number is None or job.result is None or job.spec.work is not None or recipe.count == 1:
        return recipe
    return replace(recipe, seed=job.result.pictures[number - 1].seed, count=1)


def settled(work: Work, limits: Limits) -> Work:
    """Return ``work`` with its scale chosen, once its picture's size is known; raises ``LimitError`` in words."""
    if not isinstance(work, UpscaleRequest) or not work.width:
        return work
    largest = largest_scale(work.width, work.height, limits)
    scale = work.scale or min(USUAL_SCALE, largest)
    if work.scale and work.scale <= max(1.0, largest):
        return work
    if not work.scale and scale >= LEAST_SCALE:
        return replace(work, scale=scale)
    if largest < LEAST_SCALE:
        raise LimitError(
            N_("{width}×{height} is about as large as a picture may be here."),
            N_("Choose a smaller picture."),
            width=work.width,
            height=work.height,
        )
    raise LimitError(
        N_("{scale} times {width}×{height} is more than a picture may have here."),
        N_("Choose a scale of at most {max}."),
        scale=f"{scale:g}",
        width=work.width,
        height=work.height,
        max=f"{largest:g}",
    )


def largest_scale(width: int, height: int, limits: Limits) -> float:
    """Return the largest scale, in hundredths, that keeps a picture of ``width`` × ``height`` px within limits."""
    by_side = limits.max_side / max(width, height)
    by_area = sqrt(limits.max_pixels / (width * height))
    return floor(min(MAX_SCALE, by_side, by_area) * 100) / 100


def smaller(work: Work, by: float) -> Work:
    """Return ``work`` at ``by`` times its scale, never under 1."""
    if isinstance(work, UpscaleRequest):
        return replace(work, scale=max(1.0, floor(work.scale * by * 100) / 100))
    return work


def _share(share: float | None) -> float:
    if share is None:
        return 0.5
    Limits.check_range("second_share", share, 0, 1)
    return share
