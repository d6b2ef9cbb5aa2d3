"""Reading a ComfyUI graph backwards: from its sampler to the prompt, the model and the numbers.

ComfyUI writes the graph as it was queued into its pictures under ``prompt``: nodes by id, each with a
``class_type`` and ``inputs`` that are values or links ``[node, output]``. Under ``workflow`` stands what its
editor showed: a list of ``nodes`` with ``widgets_values`` in the order of their fields, and of ``links``.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.request import MAX_SEED, Lora, PaintRequest
from bot.domain.samplers import SAMPLERS, SCHEDULERS

Node = Mapping[str, Any]

MOST_NODES = 2000
_LARGEST = 2**64
"""Numbers beyond this, and those that are none, are no choice that anybody made."""
_TEXTS = ("text", "text_g", "t5xxl", "clip_l", "string", "value", "prompt")
_MODELS = ("ckpt_name", "unet_name", "model_name")
_LATENTS = ("latent_image", "latent", "samples")
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "FluxGuidance": ("guidance",),
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "LoraLoader": ("lora_name", "strength_model"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
}
"""The fields of ComfyUI's own nodes in the order in which its editor keeps their values."""
_POSITIVE, _NEGATIVE = ("positive", "conditioning"), ("negative",)


def read(text: str) -> PaintRequest | None:
    """Return the order that a graph painted, ``None`` for what is no graph with a sampler."""
    try:
        # An escape may leave half a surrogate pair, which neither a database nor Discord takes.
        found = json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and isinstance(found.get("nodes"), list):
        found = _as_queued(found)
    nodes = _Nodes(found if isinstance(found, dict) else {})
    sampler = nodes.first_sampler()
    return None if sampler is None else nodes.order(sampler)


class _Nodes:
    """The nodes of one graph, by id."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._inputs: dict[str, Node] = {
            str(name): node["inputs"]
            for name, node in list(found.items())[:MOST_NODES]
            if isinstance(node, dict) and isinstance(node.get("inputs"), dict)
        }

    def first_sampler(self) -> str | None:
        """Return the sampler that begins from nothing: its latent comes from no other one."""
        samplers = {name: None for name, inputs in self._inputs.items() if self._samples(inputs)}
        return next(
            (name for name in samplers if not any(up in samplers for up in self._upstream(name, _LATENTS))),
            next(iter(samplers), None),
        )

    def order(self, sampler: str) -> PaintRequest:
        """Return what ``sampler`` was told to paint."""
        usual = PaintRequest("", 0)
        width, height = self._size(sampler)
        seed = self._value(sampler, ("seed", "noise_seed"), int)
        steps, cfg = self._value(sampler, ("steps",), int), self._value(sampler, ("cfg", "guidance"), float)
        method, schedule = (self._value(sampler, (name,), str) for name in ("sampler_name", "scheduler"))
        return PaintRequest(
            self._text(sampler, _POSITIVE),
            (seed or 0) % (MAX_SEED + 1),
            self._text(sampler, _NEGATIVE),
            model=_stem(self._value(sampler, _MODELS, str)),
            width=width or usual.width,
            height=height or usual.height,
            steps=steps or usual.steps,
            cfg_scale=usual.cfg_scale if cfg is None else cfg,
            sampler=SAMPLERS.get(method, method),
            scheduler=SCHEDULERS.get(schedule, schedule),
            loras=self._loras(sampler),
        )

    @staticmethod
    def _samples(inputs: Node) -> bool:
        return any(name in inputs for name in _LATENTS) and bool({"positive", "guider"} & inputs.keys())

    def _upstream(self, start: str, through: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the nodes that feed ``start``, the nearest first; its own inputs only ``through`` these names."""
        seen, queue = {start}, deque(self._links(self._inputs.get(start, {}), through))
        while queue:
            name = queue.popleft()
            if name in seen or name not in self._inputs:
                continue
            seen.add(name)
            yield name
            queue.extend(self._links(self._inputs[name], ()))

    @staticmethod
    def _links(inputs: Node, through: tuple[str, ...]) -> Iterator[str]:
        for name, value in inputs.items():
            if isinstance(value, list) and value and (not through or name in through):
                yield str(value[0])

    def _value(self, start: str, names: tuple[str, ...], kind: type[Any]) -> Any:
        for node in (start, *self._upstream(start)):
            for name in names:
                value = self._inputs[node].get(name)
                if isinstance(value, str) if kind is str else _is_number(value, kind):
                    return value
        return None

    def _text(self, sampler: str, side: tuple[str, ...]) -> str:
        for node in self._conditions(sampler, side):
            for name in _TEXTS:
                value = self._inputs[node].get(name)
                if isinstance(value, str) and value.strip():
                    return value.strip()
        return ""

    def _conditions(self, sampler: str, side: tuple[str, ...]) -> Iterator[str]:
        """Yield what leads to the prompt of one ``side``; a guider stands between a sampler and both."""
        queue, seen = deque([(sampler, False)]), set()
        while queue:
            node, inside = queue.popleft()
            if node in seen or node not in self._inputs:
                continue
            seen.add(node)
            inputs = self._inputs[node]
            if inside:
                yield node
                both = {"positive", "negative"} <= inputs.keys()
                queue.extend((link, True) for link in self._links(inputs, side if both else ()))
            else:
                queue.extend((link, True) for link in self._links(inputs, side))
                queue.extend((link, False) for link in self._links(inputs, ("guider",)))

    def _size(self, sampler: str) -> tuple[int, int]:
        for node in self._upstream(sampler, _LATENTS):
            sides: list[Any] = [self._inputs[node].get(name) for name in ("width", "height")]
            if all(_is_number(side, int) for side in sides):
                return sides[0], sides[1]
        return 0, 0

    def _loras(self, sampler: str) -> tuple[Lora, ...]:
        found = []
        for node in self._upstream(sampler, ("model", "guider")):
            inputs = self._inputs[node]
            name, weight = inputs.get("lora_name"), inputs.get("strength_model", 1.0)
            if isinstance(name, str) and _is_number(weight, float):
                found.append(Lora(_stem(name) or name, float(weight)))
        return tuple(reversed(found))


def _is_number(value: Any, kind: type[Any]) -> bool:
    """Return whether a value of JSON is a number of a ``kind`` (each ``int`` is a ``float`` too) in bounds."""
    known = isinstance(value, (int, kind)) and not isinstance(value, bool)
    return known and -_LARGEST < value < _LARGEST


def _stem(file: str | None) -> str | None:
    return file and re.sub(r"\.(?:safetensors|ckpt|gguf|pt|pth|sft)$", "", re.split(r"[\\/]", file)[-1])


def _as_queued(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """Return the editor's graph in the shape in which it is queued, as far as its nodes are known."""
    links = {
        link[0]: [str(link[1]), link[2]]
        for link in workflow.get("links") or ()
        if isinstance(link, list) and len(link) > 2 and isinstance(link[0], int)  # noqa: PLR2004 - id, node, slot
    }
    queued = {}
    for node in workflow["nodes"]:
        if not isinstance(node, dict):
            continue
        values = node.get("widgets_values")
        names = _WIDGETS.get(str(node.get("type")), ())
        inputs = dict(zip(names, values, strict=False)) if isinstance(values, list) else {}
        for socket in node.get("inputs") or ():
            if isinstance(socket, dict) and socket.get("link") in links:
                inputs[str(socket.get("name"))] = links[socket["link"]]
        queued[str(node.get("id"))] = {"class_type": node.get("type"), "inputs": inputs}
    return queued
