"""From an order to a graph: small steps, each adding the nodes of one thing.

Each picture of an order has a sampler of its own with its own seed, and all share what comes before. ComfyUI
would rather paint them as one batch, but a batch has one seed, from which only its first picture could be
painted again. One prompt for all of them, on the other hand, can be followed, stopped and found again by one id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.backends.comfyui.graph import Graph, Link, Sheet
from bot.backends.comfyui.listings import LATENT, LATENT_UPSCALERS, PLAIN_UPSCALERS
from bot.backends.comfyui.nodes import Nodes
from bot.domain.request import Control, Hires, MaskFill, PaintRequest, Refiner

PREFIX = "easel"
"""What files begin with that the server keeps."""
LATENT_PX = 8


@dataclass(frozen=True, slots=True)
class Uploads:
    """What the server calls the pictures it was given; ``box`` is where the patch goes, in px."""

    source: str | None = None
    mask: str | None = None
    whole: str | None = None
    edge: str | None = None
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Models:
    """What a checkpoint gives."""

    model: Link
    clip: Link
    vae: Link


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a sampler is led by."""

    models: Models
    positive: Link
    negative: Link


def painting(request: PaintRequest, uploads: Uploads, nodes: Nodes) -> Graph:
    """Return the graph for ``request``, whose names are ComfyUI's own."""
    sheet = Sheet()
    guidance = _guided(sheet, request, loaded(sheet, request), uploads, nodes)
    refiner = None if request.refiner is None else _refined(sheet, request, request.refiner)
    start = _start(sheet, request, guidance.models.vae, uploads)
    for seed in request.seeds():
        latent = _sampled(sheet, request, seed, guidance, refiner, start)
        if request.hires is not None:
            latent = _enlarged(sheet, request, request.hires, seed, guidance, latent)
        picture = sheet.add("VAEDecode", samples=latent, vae=guidance.models.vae)
        if request.hires is None and uploads.mask is not None:
            picture = _put_back(sheet, picture, uploads, request)
        _kept(sheet, picture, save=request.save_images)
    return sheet.graph()


def upscaling(picture: str, size: tuple[int, int], first: str, second: str | None, share: float) -> Graph:
    """Return the graph that brings an uploaded picture to ``size``; ``second`` is mixed in by ``share``."""
    sheet = Sheet()
    source = sheet.add("LoadImage", image=picture)
    result = _resized(sheet, source, size, first)
    if second is not None:
        other = _resized(sheet, source, size, second)
        result = sheet.add("ImageBlend", image1=result, image2=other, blend_factor=share, blend_mode="normal")
    _kept(sheet, result, save=False)
    return sheet.graph()


def ends(graph: Graph) -> tuple[str, ...]:
    """Return the nodes of one of these graphs that give its pictures, in order."""
    return tuple(node for node, content in graph.items() if content["class_type"] in {"SaveImage", "PreviewImage"})


def loaded(sheet: Sheet, request: PaintRequest) -> Models:
    """Load the checkpoint, then what changes it: its VAE, LoRAs one after the other, the layers of CLIP."""
    checkpoint = sheet.add("CheckpointLoaderSimple", ckpt_name=request.model)
    models = Models(checkpoint, checkpoint._replace(slot=1), checkpoint._replace(slot=2))
    if request.vae is not None:
        models = replace(models, vae=sheet.add("VAELoader", vae_name=request.vae))
    for lora in request.loras:
        added = sheet.add(
            "LoraLoader",
            model=models.model,
            clip=models.clip,
            lora_name=lora.name,
            strength_model=lora.weight,
            strength_clip=lora.weight,
        )
        models = replace(models, model=added, clip=added._replace(slot=1))
    if request.clip_skip is not None:
        clip = sheet.add("CLIPSetLastLayer", clip=models.clip, stop_at_clip_layer=-request.clip_skip)
        models = replace(models, clip=clip)
    return models


def _guided(sheet: Sheet, request: PaintRequest, models: Models, uploads: Uploads, nodes: Nodes) -> Guidance:
    positive = sheet.add("CLIPTextEncode", text=request.prompt, clip=models.clip)
    negative = sheet.add("CLIPTextEncode", text=request.negative_prompt, clip=models.clip)
    guidance = Guidance(models, positive, negative)
    for control, picture in zip(request.controls, uploads.controls, strict=True):
        guidance = _controlled(sheet, request, guidance, control, picture, nodes)
    return guidance


def _controlled(
    sheet: Sheet, request: PaintRequest, guidance: Guidance, control: Control, picture: str, nodes: Nodes
) -> Guidance:
    image = sheet.add("LoadImage", image=picture)
    if control.module is not None:
        inputs: dict[str, Any] = nodes.defaults(control.module)
        if nodes.takes(control.module, "resolution"):
            inputs["resolution"] = min(request.width, request.height)
        image = sheet.add(control.module, **{**inputs, "image": image})
    applied = sheet.add(
        "ControlNetApplyAdvanced",
        positive=guidance.positive,
        negative=guidance.negative,
        control_net=sheet.add("ControlNetLoader", control_net_name=control.model),
        image=image,
        strength=control.weight,
        start_percent=control.start,
        end_percent=control.end,
    )
    return replace(guidance, positive=applied, negative=applied._replace(slot=1))


def _refined(sheet: Sheet, request: PaintRequest, refiner: Refiner) -> Guidance:
    """Load the refiner, which reads the prompts by its own CLIP."""
    models = loaded(sheet, replace(request, model=refiner.model, loras=(), vae=None, clip_skip=None))
    positive = sheet.add("CLIPTextEncode", text=request.prompt, clip=models.clip)
    negative = sheet.add("CLIPTextEncode", text=request.negative_prompt, clip=models.clip)
    return Guidance(models, positive, negative)


def _start(sheet: Sheet, request: PaintRequest, vae: Link, uploads: Uploads) -> Link:
    """Begin with noise, a source picture, or one whose masked part alone is noisy."""
    if uploads.source is None:
        return sheet.add("EmptyLatentImage", width=request.width, height=request.height, batch_size=1)
    source = sheet.add("LoadImage", image=uploads.source)
    if request.mask is None or uploads.mask is None:
        return sheet.add("VAEEncode", pixels=source, vae=vae)
    mask = sheet.add("LoadImageMask", image=uploads.mask, channel="red")
    if request.mask.fill in {MaskFill.NOISE, MaskFill.NOTHING}:
        # Blurred already, so it needs not grow by more than a latent pixel.
        return sheet.add("VAEEncodeForInpaint", pixels=source, vae=vae, mask=mask, grow_mask_by=LATENT_PX)
    latent = sheet.add("VAEEncode", pixels=source, vae=vae)
    return sheet.add("SetLatentNoiseMask", samples=latent, mask=mask)


def _sampled(
    sheet: Sheet, request: PaintRequest, seed: int, guidance: Guidance, refiner: Guidance | None, start: Link
) -> Link:
    strength = 1.0 if request.strength is None else request.strength
    if request.refiner is None or refiner is None:
        return _sampler(sheet, request, guidance, seed, start, request.steps, strength)
    # The advanced sampler counts steps of the whole schedule: a source picture enters it late.
    steps = max(request.steps, round(request.steps / strength))
    first = steps - request.steps
    switch = first + max(1, round(request.steps * request.refiner.switch_at))
    parts = ((guidance, "enable", first, switch), (refiner, "disable", switch, steps))
    latent = start
    for led, noise, begin, end in parts:
        latent = sheet.add(
            "KSamplerAdvanced",
            **_led(request, led),
            add_noise=noise,
            noise_seed=seed,
            steps=steps,
            latent_image=latent,
            start_at_step=begin,
            end_at_step=end,
            return_with_leftover_noise="enable" if end < steps else "disable",
        )
    return latent


def _sampler(
    sheet: Sheet,
    request: PaintRequest,
    guidance: Guidance,
    seed: int,
    latent: Link,
    steps: int,
    strength: float,
) -> Link:
    return sheet.add(
        "KSampler", **_led(request, guidance), seed=seed, steps=steps, denoise=strength, latent_image=latent
    )


def _led(request: PaintRequest, guidance: Guidance) -> Mapping[str, Any]:
    return {
        "model": guidance.models.model,
        "positive": guidance.positive,
        "negative": guidance.negative,
        "cfg": request.cfg_scale,
        "sampler_name": request.sampler,
        "scheduler": request.scheduler,
    }


def _enlarged(
    sheet: Sheet, request: PaintRequest, hires: Hires, seed: int, guidance: Guidance, latent: Link
) -> Link:
    """Paint a second pass over the first, enlarged as a latent or as a picture."""
    vae, (width, height) = guidance.models.vae, request.final_size
    upscaler = hires.upscaler or LATENT_UPSCALERS["Latent"]
    if upscaler.startswith(LATENT):
        latent = sheet.add(
            "LatentUpscale",
            samples=latent,
            upscale_method=upscaler.removeprefix(LATENT),
            width=width,
            height=height,
            crop="disabled",
        )
    else:
        pixels = sheet.add("VAEDecode", samples=latent, vae=vae)
        latent = sheet.add("VAEEncode", pixels=_resized(sheet, pixels, (width, height), upscaler), vae=vae)
    steps = hires.steps or request.steps
    return _sampler(sheet, request, guidance, seed, latent, steps, hires.strength)


def _resized(sheet: Sheet, picture: Link, size: tuple[int, int], upscaler: str) -> Link:
    """Enlarge by a model or a plain method, and end at exactly ``size``."""
    method = upscaler
    if upscaler not in PLAIN_UPSCALERS.values():
        model = sheet.add("UpscaleModelLoader", model_name=upscaler)
        picture = sheet.add("ImageUpscaleWithModel", upscale_model=model, image=picture)
        method = PLAIN_UPSCALERS["Lanczos"]
    return sheet.add(
        "ImageScale", image=picture, upscale_method=method, width=size[0], height=size[1], crop="disabled"
    )


def _put_back(sheet: Sheet, picture: Link, uploads: Uploads, request: PaintRequest) -> Link:
    """Lay what was painted over the original, which the way through the VAE has changed everywhere."""
    left, top, width, height = uploads.box
    if (width, height) != (request.width, request.height):
        picture = _resized(sheet, picture, (width, height), PLAIN_UPSCALERS["Lanczos"])
    return sheet.add(
        "ImageCompositeMasked",
        destination=sheet.add("LoadImage", image=uploads.whole),
        source=picture,
        x=left,
        y=top,
        resize_source=False,
        mask=sheet.add("LoadImageMask", image=uploads.edge, channel="red"),
    )


def _kept(sheet: Sheet, picture: Link, *, save: bool) -> None:
    """End with a file: in the server's own collection, or one that is gone when the server next starts."""
    if save:
        sheet.add("SaveImage", images=picture, filename_prefix=PREFIX)
    else:
        sheet.add("PreviewImage", images=picture)
