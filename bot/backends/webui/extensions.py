"""What a request says to the WebUI's extensions: ControlNet, ADetailer, ReActor and roop.

Units of ControlNet and ADetailer are objects; the face swappers take their arguments by position.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.backends.webui.listings import Choice
from bot.domain.capability import Listing
from bot.domain.errors import RejectedError
from bot.domain.request import Control, ControlMode, Detail, FaceSwap, PaintRequest, Resize
from bot.domain.text import N_

CONTROLNET, ADETAILER, REACTOR, ROOP = "controlnet", "adetailer", "reactor", "roop"
DETAILERS = (
    "face_yolov8n.pt",
    "face_yolov8s.pt",
    "hand_yolov8n.pt",
    "person_yolov8n-seg.pt",
    "person_yolov8s-seg.pt",
    "mediapipe_face_full",
    "mediapipe_face_short",
    "mediapipe_face_mesh",
)
"""What every ADetailer comes with; older ones have no route to tell their models."""

_MODES = {
    ControlMode.BALANCED: "Balanced",
    ControlMode.PROMPT: "My prompt is more important",
    ControlMode.CONTROL: "ControlNet is more important",
}
_RESIZES = {
    Resize.STRETCH: "Just Resize",
    Resize.CROP: "Crop and Resize",
    Resize.FILL: "Resize and Fill",
    Resize.LATENT: "Just Resize",
}
_ANYBODY, _FROM_IMAGE = 0, 0
_MODEL = "inswapper_128.onnx"
_ROOP_WITH_SOURCE = 12
"""Arguments of the roop that lets one choose the source's face; it stands before the target's."""
_FEWEST = {REACTOR: 24, ROOP: 11}
"""A face swapper that takes fewer arguments has them in other places; newer ones add theirs at the end."""


@dataclass(frozen=True, slots=True)
class Swapper:
    """The face swapper of a server: how many arguments it takes and the model it has."""

    name: str
    size: int
    model: str


def swapper(script_info: Any) -> Swapper | None:
    """Return the face swapper that ``GET /script-info`` tells of, if it is one whose arguments are known."""
    told = {
        str(script.get("name")).casefold(): script["args"]
        for script in (script_info if isinstance(script_info, list) else ())
        if isinstance(script, dict) and isinstance(script.get("args"), list)
    }
    for name, fewest in _FEWEST.items():
        args = told.get(name, ())
        if len(args) >= fewest:
            at = 3 if name == ROOP and len(args) < _ROOP_WITH_SOURCE else 4
            value = args[at].get("value") if isinstance(args[at], dict) else None
            return Swapper(name, len(args), value if isinstance(value, str) else _MODEL)
    return None


def scripts(
    backend: str,
    request: PaintRequest,
    choice: Choice,
    images: Mapping[str, bytes],
    swapper: Swapper | None,
) -> dict[str, Any]:
    """Return ``alwayson_scripts``; raises ``RejectedError`` for what the server's face swapper cannot do."""
    found: dict[str, Any] = {}
    if request.controls:
        units = [_control(control, choice, images[control.image]) for control in request.controls]
        found[CONTROLNET] = {"args": units}
    if request.details:
        found["ADetailer"] = {"args": [True, False, *(_detail(detail, choice) for detail in request.details)]}
    if request.face_swap is not None and swapper is not None:
        swap, face = request.face_swap, images[request.face_swap.image]
        restorer = choice.called(Listing.FACE_RESTORERS, swap.restorer) or "None"
        arguments = _reactor if swapper.name == REACTOR else _roop
        found[swapper.name] = {"args": arguments(backend, swap, face, restorer, swapper)}
    return found


def _control(control: Control, choice: Choice, picture: bytes) -> dict[str, Any]:
    module = choice.called(Listing.CONTROL_MODULES, control.module)
    return {
        "enabled": True,
        **({"module": module} if module else {}),
        "model": choice.called(Listing.CONTROL_MODELS, control.model),
        "weight": control.weight,
        "image": picture,
        "resize_mode": _RESIZES[control.resize],
        "control_mode": _MODES[control.mode],
        "guidance_start": control.start,
        "guidance_end": control.end,
        "pixel_perfect": control.pixel_perfect,
        # Or the picture it made of ours comes along behind the pictures.
        "save_detected_map": False,
    }


def _detail(detail: Detail, choice: Choice) -> dict[str, Any]:
    unit = {
        "ad_model": choice.called(Listing.DETAILERS, detail.model),
        "ad_prompt": detail.prompt,
        "ad_negative_prompt": detail.negative_prompt,
        "ad_confidence": detail.confidence,
        "ad_denoising_strength": detail.strength,
    }
    return {key: value for key, value in unit.items() if value != ""}


def _reactor(_: str, swap: FaceSwap, face: bytes, restorer: str, swapper: Swapper) -> list[Any]:
    """Arguments in the order of ``FaceSwapScript.process`` in sd-webui-reactor."""
    return [
        face,
        True,
        str(swap.source_face),
        str(swap.target_face),
        swapper.model,
        restorer,
        1.0,  # how much of the restored face is taken
        True,  # restore before upscaling
        "None",  # upscaler
        1.0,
        1.0,
        False,  # swap in the source picture
        True,  # swap in the result
        0,  # console log level
        _ANYBODY,  # only women or men among the source's faces
        _ANYBODY,  # and among the target's
        False,  # keep the picture before the swap
        0.5,  # CodeFormer's weight
        False,  # compare hashes of the source
        False,  # and of the target
        "CUDA",
        False,  # correct the face's mask
        _FROM_IMAGE,
        "None",  # face model
    ]


def _roop(backend: str, swap: FaceSwap, face: bytes, restorer: str, swapper: Swapper) -> list[Any]:
    """Arguments in the order of ``FaceSwapScript.process`` in sd-webui-roop."""
    source = [str(swap.source_face)] if swapper.size >= _ROOP_WITH_SOURCE else []
    if swap.source_face and not source:
        raise RejectedError(
            N_("{backend} takes only the first face of a picture."),
            N_("Give it a picture with that one face."),
            backend=backend,
        )
    return [
        face,
        True,
        *source,
        str(swap.target_face),
        swapper.model,
        restorer,
        1.0,  # how much of the restored face is taken
        "None",  # upscaler
        1.0,
        1.0,
        False,  # swap in the source picture
        True,  # swap in the result
    ]
