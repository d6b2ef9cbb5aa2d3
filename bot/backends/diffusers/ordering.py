"""From a request to the order of the painting process: names and numbers checked, pictures brought to size."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.backends import lacking, names
from bot.backends.diffusers import sampling, words
from bot.backends.diffusers.order import LATENT_PX, Guide, Order, Second
from bot.domain import capability
from bot.domain.capability import Capabilities, Listing
from bot.domain.errors import RejectedError, RequestError
from bot.domain.request import ControlMode, MaskFill, PaintRequest, Resize
from bot.domain.text import N_
from bot.imaging import pixels, placing
from bot.imaging.placing import Patch
from bot.prompting.loras import in_prompt, without_tags

MAX_CLIP_SKIP = 12
UPSCALERS = ("Latent", "Latent (bicubic)", "Latent (nearest-exact)", "Lanczos")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What goes to the painting process, and what its picture is put back into."""

    order: Order
    blobs: tuple[bytes, ...] = field(repr=False)
    patch: Patch | None = field(default=None, repr=False)


def order(backend: str, request: PaintRequest, known: Capabilities) -> Order:
    """Return the order; raises ``RejectedError`` for what is not there or cannot be painted."""
    lacking.check(backend, request, known)
    for named in capability.names(request):
        names.check(backend, named.option, named.name, known.listings.get(named.listing, ()))
    tagged = {lora.name: lora.weight for lora in (*in_prompt(request.prompt), *request.loras)}
    for name in tagged:
        names.check(backend, "lora", name, known.listings[Listing.LORAS])
    sampler = request.sampler or sampling.DEFAULT
    scheduler = request.scheduler or sampling.AUTOMATIC
    if scheduler not in sampling.kinds(sampler):
        raise words.not_together(backend, sampler, scheduler)
    _check_numbers(backend, request)
    strength = 0.75 if request.strength is None else request.strength
    fill = MaskFill.ORIGINAL if request.mask is None else request.mask.fill
    models = known.listings[Listing.MODELS]
    return Order(
        model=request.model or (known.loaded_model if known.loaded_model in models else models[0]) or "",
        prompt=without_tags(request.prompt),
        negative_prompt=without_tags(request.negative_prompt),
        seeds=request.seeds(),
        width=request.width,
        height=request.height,
        steps=request.steps,
        cfg_scale=request.cfg_scale,
        sampler=sampler,
        scheduler=scheduler,
        loras=tuple(tagged.items()),
        # What begins with noise has nothing left of the source that a strength could keep.
        strength=1.0 if fill is MaskFill.NOISE else strength,
        clip_skip=request.clip_skip or 1,
        tiling=request.tiling,
        second=_second(request),
        guides=tuple(
            Guide(each.model, each.weight, each.start, each.end, each.mode is ControlMode.CONTROL)
            for each in request.controls
        ),
        has_source=request.init_image is not None,
        has_mask=request.mask is not None and request.init_image is not None,
        blank=fill is MaskFill.NOTHING,
    )


def prepare(made: Order, request: PaintRequest, images: Mapping[str, bytes]) -> Prepared:
    """Bring the request's pictures to the size that is painted; raises ``RejectedError`` if one is none."""
    size, blobs, patch = (request.width, request.height), [], None
    try:
        if request.init_image is not None:
            source = pixels.flattened(images[request.init_image])
            if request.mask is not None:
                mask = images[request.mask.image]
                patch = placing.patch(source, mask, *size, _plain(request.resize), request.mask)
                blobs = [pixels.colours(patch.picture), pixels.greys(patch.mask)]
            else:
                blobs = [pixels.colours(placing.place(source, *size, _plain(request.resize)))]
        for control in request.controls:
            hint = pixels.flattened(images[control.image])
            blobs.append(pixels.colours(placing.place(hint, *size, _plain(control.resize))))
    except RequestError as error:
        raise RejectedError(error.message, error.hint, **error.values) from error
    return Prepared(made, tuple(blobs), patch)


def _check_numbers(backend: str, request: PaintRequest) -> None:
    sides = (*request.final_size, request.width, request.height)
    if any(side < LATENT_PX or side % LATENT_PX for side in sides):
        raise words.bad_number(backend, "size", f"n × {LATENT_PX} px")
    most = sampling.max_steps(request.sampler or sampling.DEFAULT)
    if not 1 <= request.steps <= most:
        raise words.bad_number(backend, "steps", f"1–{most}")
    if request.clip_skip is not None and not 1 <= request.clip_skip <= MAX_CLIP_SKIP:
        raise words.bad_number(backend, "clip_skip", f"1–{MAX_CLIP_SKIP}")
    for strength in (request.strength, request.hires.strength if request.hires else None):
        if strength is not None and not 0 < strength <= 1:
            raise words.bad_number(backend, "strength", "> 0, ≤ 1")
    if request.mask is not None and request.hires is not None:
        raise words.not_together(backend, N_("inpainting"), N_("the hires fix"))
    for control in request.controls:
        if control.mode is ControlMode.PROMPT:
            raise words.no_mode(backend, control.mode)


def _second(request: PaintRequest) -> Second | None:
    if request.hires is None:
        return None
    hires = request.hires
    width, height = request.final_size
    return Second(width, height, hires.upscaler or UPSCALERS[0], hires.steps or request.steps, hires.strength)


def _plain(resize: Resize) -> Resize:
    return Resize.STRETCH if resize is Resize.LATENT else resize
