"""What nodes a ComfyUI has and what they take, as ``GET /object_info/<class>`` tells."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

CORE = (
    "CheckpointLoaderSimple",
    "KSampler",
    "KSamplerAdvanced",
    "CLIPTextEncode",
    "CLIPSetLastLayer",
    "EmptyLatentImage",
    "VAELoader",
    "VAEDecode",
    "VAEEncode",
    "VAEEncodeForInpaint",
    "SetLatentNoiseMask",
    "LatentUpscale",
    "LoraLoader",
    "LoadImage",
    "LoadImageMask",
    "ImageScale",
    "ImageBlend",
    "ImageCompositeMasked",
    "UpscaleModelLoader",
    "ImageUpscaleWithModel",
    "ControlNetLoader",
    "ControlNetApplyAdvanced",
    "SaveImage",
    "PreviewImage",
)
"""The classes that our own graphs are made of."""
NEEDED = ("CheckpointLoaderSimple", "KSampler")
"""Without these it is no ComfyUI that paints."""
PREPROCESSORS: Mapping[str, str] = {
    "canny": "Canny",
    "openpose_full": "OpenposePreprocessor",
    "dw_openpose_full": "DWPreprocessor",
    "depth_midas": "MiDaS-DepthMapPreprocessor",
    "depth_anything": "DepthAnythingPreprocessor",
    "depth_anything_v2": "DepthAnythingV2Preprocessor",
    "depth_zoe": "Zoe-DepthMapPreprocessor",
    "normal_bae": "BAE-NormalMapPreprocessor",
    "lineart_realistic": "LineArtPreprocessor",
    "lineart_anime": "AnimeLineArtPreprocessor",
    "softedge_hed": "HEDPreprocessor",
    "softedge_pidinet": "PiDiNetPreprocessor",
    "scribble_hed": "FakeScribblePreprocessor",
    "mlsd": "M-LSDPreprocessor",
    "tile_resample": "TilePreprocessor",
}
"""ControlNet modules by the WebUI's names; all but the first come with comfyui_controlnet_aux."""


def read(kind: str, body: bytes | bytearray) -> dict[str, Any] | None:
    """Return one class's entry, ``None`` if the server lacks it; raises ``ValueError`` for another shape."""
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")  # noqa: TRY004 - it is the answer that is wrong
    entry = answer.get(kind)
    return entry if isinstance(entry, dict) else None


class Nodes:
    """The classes that a server has, out of those it was asked for."""

    def __init__(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        self._entries = entries

    def has(self, *kinds: str) -> bool:
        """Return whether all of these are there."""
        return all(kind in self._entries for kind in kinds)

    def is_output(self, kind: str) -> bool:
        """Return whether this class is an end of a graph, such as one that saves a picture."""
        return self._entries.get(kind, {}).get("output_node") is True

    def choices(self, kind: str, name: str) -> tuple[str, ...] | None:
        """Return what an input may be; ``None`` if it is no choice.

        Two spellings are about: ``[[…], {…}]`` and ``["COMBO", {"options": […]}]``.
        """
        config = dict(self._inputs(kind)).get(name)
        if config is None:
            return None
        listed = config[0]
        if listed == "COMBO" and len(config) > 1 and isinstance(config[1], dict):
            listed = config[1].get("options")
        return tuple(str(choice) for choice in listed) if isinstance(listed, list) else None

    def defaults(self, kind: str) -> dict[str, Any]:
        """Return what the inputs of a node begin with that are not linked from others."""
        return {
            name: value
            for name, config in self._inputs(kind, "required")
            if (value := _default(config)) is not None
        }

    def takes(self, kind: str, name: str) -> bool:
        """Return whether this class has such an input."""
        return any(name == known for known, _ in self._inputs(kind))

    def _inputs(self, kind: str, *sections: str) -> Iterator[tuple[str, list[Any]]]:
        known = self._entries.get(kind, {}).get("input")
        for section in sections or ("required", "optional"):
            inputs = known.get(section) if isinstance(known, dict) else None
            for name, config in inputs.items() if isinstance(inputs, dict) else ():
                if isinstance(config, list) and config:
                    yield name, config


def _default(config: list[Any]) -> Any:
    options = config[1] if len(config) > 1 and isinstance(config[1], dict) else {}
    listed = config[0] if isinstance(config[0], list) else options.get("options")
    if "default" in options:
        return options["default"]
    if isinstance(listed, list) and listed:
        return listed[0]
    return {"INT": 0, "FLOAT": 0.0, "STRING": "", "BOOLEAN": False}.get(str(config[0]))
