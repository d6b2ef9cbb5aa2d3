"""From an order to the JSON of ``POST /sdapi/v1/txt2img`` and ``img2img`` (AUTOMATIC1111 1.10.1, openapi.json).

Only what an order asks for is sent: what stays out is the server's. ``bytes`` among the fields are pictures.
"""

from collections.abc import Mapping
from typing import Any

from bot.backends.webui import extensions
from bot.backends.webui.dialect import Dialect
from bot.backends.webui.extensions import Swapper
from bot.backends.webui.listings import Choice
from bot.backends.webui.overrides import CHECKPOINT, Overrides
from bot.domain.capability import Listing
from bot.domain.request import Hires, Lora, Mask, MaskFill, PaintRequest
from bot.prompting.loras import in_prompt, with_tags, without_tags

_FILLS = {MaskFill.FILL: 0, MaskFill.ORIGINAL: 1, MaskFill.NOISE: 2, MaskFill.NOTHING: 3}


def payload(
    backend: str,
    request: PaintRequest,
    choice: Choice,
    dialect: Dialect,
    images: Mapping[str, bytes],
    *,
    swapper: Swapper | None = None,
    task: str,
) -> dict[str, Any]:
    """Return the fields of one order, without what ``settled`` adds.

    Several pictures are painted one after the other (``n_iter``), which needs no more memory than one. What an
    admin's preset says raw (``extra``) comes last.
    """
    fields = {
        **_basics(request, choice, dialect, task),
        **_finish(request, choice),
        **(_hires(request.hires, choice, dialect) if request.hires else {}),
        **_source(request, dialect, images),
        "clip_skip": request.clip_skip if dialect.clip_skip is None else None,
        "script_name": choice.called(Listing.SCRIPTS, request.script.name) if request.script else None,
        "script_args": list(request.script.args) if request.script else None,
        "alwayson_scripts": extensions.scripts(backend, request, choice, images, swapper) or None,
        "override_settings": _settings(request, choice, dialect) or None,
    }
    spoken = {
        dialect.renames.get(key, key): value
        for key, value in fields.items()
        if value is not None and key not in dialect.lacks
    }
    return _merged(spoken, request.extra)


def settled(fields: dict[str, Any], overrides: Overrides, dialect: Dialect) -> dict[str, Any]:
    """Return ``fields`` with all settings that must go along, to be restored afterwards."""
    settings = overrides.complete(fields.get("override_settings", {}), dialect.settings)
    if not settings:
        return fields
    return {"override_settings_restore_afterwards": True, **fields, "override_settings": settings}


def _basics(request: PaintRequest, choice: Choice, dialect: Dialect, task: str) -> dict[str, Any]:
    loras = [Lora(choice.called(Listing.LORAS, lora.name) or lora.name, lora.weight) for lora in request.loras]
    prompt = with_tags(request.prompt, loras)
    return {
        "prompt": prompt if dialect.tags else without_tags(prompt),
        "lora": None if dialect.tags else _lora_files(prompt, choice),
        "negative_prompt": request.negative_prompt or None,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "cfg_scale": request.cfg_scale,
        "seed": request.seed,
        "n_iter": request.count if request.count > 1 else None,
        "sampler_name": choice.sampler,
        "scheduler": choice.scheduler,
        "force_task_id": task,
        "save_images": True if request.save_images else None,
    }


def _lora_files(prompt: str, choice: Choice) -> list[dict[str, Any]] | None:
    """Return the LoRAs of a prompt for a server that does not read their tags."""
    loras = in_prompt(prompt)
    return [
        {"path": choice.lora_files.get(lora.name, lora.name), "multiplier": lora.weight} for lora in loras
    ] or None


def _finish(request: PaintRequest, choice: Choice) -> dict[str, Any]:
    variation, refiner = request.variation, request.refiner
    return {
        "styles": [choice.called(Listing.STYLES, style) for style in request.styles] or None,
        "tiling": True if request.tiling else None,
        "restore_faces": True if request.restore_faces else None,
        "subseed": variation.seed if variation else None,
        "subseed_strength": variation.strength if variation else None,
        "refiner_checkpoint": choice.called(Listing.MODELS, refiner.model) if refiner else None,
        "refiner_switch_at": refiner.switch_at if refiner else None,
    }


def _hires(hires: Hires, choice: Choice, dialect: Dialect) -> dict[str, Any]:
    return {
        "enable_hr": True,
        "hr_scale": hires.scale,
        "hr_upscaler": choice.called(Listing.HIRES_UPSCALERS, hires.upscaler),
        "hr_second_pass_steps": hires.steps or None,
        dialect.hires_strength: hires.strength,
        **dialect.hires,
    }


def _source(request: PaintRequest, dialect: Dialect, images: Mapping[str, bytes]) -> dict[str, Any]:
    if request.init_image is None:
        return {}
    return {
        "init_images": [images[request.init_image]],
        "denoising_strength": request.strength,
        "resize_mode": dialect.resize[request.resize],
        **(_mask(request.mask, images[request.mask.image]) if request.mask else {}),
    }


def _mask(mask: Mask, picture: bytes) -> dict[str, Any]:
    """Say all of it: the defaults differ from kin to kin."""
    return {
        "mask": picture,
        "mask_blur": mask.blur,
        "inpainting_fill": _FILLS[mask.fill],
        "inpaint_full_res": mask.padding is not None,
        "inpaint_full_res_padding": mask.padding,
        "inpainting_mask_invert": 1 if mask.invert else 0,
    }


def _settings(request: PaintRequest, choice: Choice, dialect: Dialect) -> dict[str, Any]:
    """Return the overrides that the order itself asks for; the model goes along as one."""
    vae = choice.called(Listing.VAES, request.vae)
    settings: dict[Any, Any] = {
        CHECKPOINT: choice.model,
        dialect.vae: [vae] if vae and dialect.several_vaes else vae,
        dialect.clip_skip: request.clip_skip,
        **request.overrides,
    }
    return {key: value for key, value in settings.items() if key and value is not None}


def _merged(fields: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``extra`` over ``fields``; what is an object in both, such as the overrides, is merged too."""
    for key, value in extra.items():
        ours = fields.get(key)
        fields[key] = {**ours, **value} if isinstance(ours, dict) and isinstance(value, Mapping) else value
    return fields
