"""From an order to the JSON of ``POST /sdapi/v1/txt2img`` and ``img2img`` (AUTOMATIC1111 1.10.1, openapi.json)."""

import json
from base64 import b64encode
from typing import Any

from bot.backends.webui.listings import Choice
from bot.domain.request import PaintRequest
from bot.prompting.loras import with_tags

_CROP_AND_RESIZE = 1


def payload(request: PaintRequest, choice: Choice, *, task: str) -> dict[str, Any]:
    """Return the fields of one order without its source picture.

    The model goes along as an override, so that a job never changes the server's own options. Several pictures
    are painted one after the other (``n_iter``), which needs no more memory than one. Settings that are not
    asked for, such as the CLIP skip, stay out: they are the server's.
    """
    fields: dict[str, Any] = {
        "prompt": with_tags(request.prompt, request.loras),
        "negative_prompt": request.negative_prompt,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "cfg_scale": request.cfg_scale,
        "seed": request.seed,
        "batch_size": 1,
        "n_iter": request.count,
        "sampler_name": choice.sampler,
        "scheduler": choice.scheduler,
        "force_task_id": task,
        "send_images": True,
        "save_images": False,
    }
    if choice.model is not None:
        fields["override_settings"] = {"sd_model_checkpoint": choice.model}
        fields["override_settings_restore_afterwards"] = True
    if request.init_image is not None:
        fields["denoising_strength"] = request.strength
        fields["resize_mode"] = _CROP_AND_RESIZE
        fields["include_init_images"] = False
    return {key: value for key, value in fields.items() if value is not None}


def encode(fields: dict[str, Any], init_image: bytes | None) -> bytes:
    """Return the body to send; ``init_image`` is an encoded picture."""
    if init_image is not None:
        fields = {**fields, "init_images": [b64encode(init_image).decode("ascii")]}
    return json.dumps(fields).encode()
