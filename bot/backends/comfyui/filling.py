"""From an order to an admin's own graph: what the order says goes into the inputs that are bound to it."""

from collections.abc import Mapping
from typing import Any

from bot.backends import names
from bot.backends.comfyui import listings, spelling
from bot.backends.comfyui.building import Uploads
from bot.backends.comfyui.graph import Graph
from bot.backends.comfyui.nodes import Nodes
from bot.backends.comfyui.workflows import Preset, Slot
from bot.domain.errors import RejectedError
from bot.domain.request import PaintRequest
from bot.domain.text import N_

_NAMED = frozenset({"model", "vae", "sampler", "scheduler"})


def filled(
    backend: str, preset: Preset, request: PaintRequest, uploads: Uploads, nodes: Nodes
) -> tuple[Graph, dict[str, int]]:
    """Return the graph for ``request`` and the seed of each of its nodes that ends it.

    Several pictures are as many copies of the graph in one prompt, each with its own seed, of which ComfyUI runs
    what is the same only once; if the graph says where its ``count`` goes, it is one batch with one seed. Raises
    ``RejectedError`` for a picture or a value that it has no input for, and for a name its nodes do not know.
    """
    values = _values(backend, preset, request, uploads, nodes)
    seeds = request.seeds()[:1] if "count" in preset.bound else request.seeds()
    graph: dict[str, Any] = {}
    ends: dict[str, int] = {}
    for i, seed in enumerate(seeds):
        prefix = f"{i}-" if len(seeds) > 1 else ""
        seeded = dict.fromkeys(preset.bound.get("seed", ()), seed)
        copy = preset.filled({**values, **seeded}, prefix)
        graph |= copy
        ends |= {node: seed for node, content in copy.items() if nodes.is_output(content["class_type"])}
    return graph, ends


def _values(
    backend: str, preset: Preset, request: PaintRequest, uploads: Uploads, nodes: Nodes
) -> dict[Slot, Any]:
    told: Mapping[str, Any] = {
        "prompt": request.prompt,
        "negative": request.negative_prompt,
        "steps": request.steps,
        "cfg": request.cfg_scale,
        "width": request.width,
        "height": request.height,
        "count": request.count,
        "denoise": request.strength,
        "model": request.model,
        "vae": request.vae,
        "sampler": request.sampler,
        "scheduler": None if request.scheduler == spelling.AUTOMATIC else request.scheduler,
        "image": uploads.source,
        "mask": uploads.mask,
    }
    _check_pictures(backend, preset, uploads)
    values: dict[Slot, Any] = {}
    for word, value in told.items():
        for slot in preset.bound.get(word, ()) if value is not None else ():
            values[slot] = _named(backend, word, value, slot, preset, nodes) if word in _NAMED else value
    for title, value in request.workflow.values.items() if request.workflow is not None else ():
        found = preset.slot(title)
        if found is None:
            raise names.unknown(backend, N_("input of this workflow"), title, list(preset.free))
        values[found] = value
    return values


def _check_pictures(backend: str, preset: Preset, uploads: Uploads) -> None:
    if uploads.source is None and "image" in preset.bound:
        raise RejectedError(
            N_("The workflow “{workflow}” of {backend} needs a picture."),
            N_("Attach one and ask again."),
            backend=backend,
            workflow=preset.name,
        )
    for word, upload in (("image", uploads.source), ("mask", uploads.mask)):
        if upload is not None and word not in preset.bound:
            raise RejectedError(
                N_("The workflow “{workflow}” of {backend} takes no {input}."),
                N_("Leave it out and ask again."),
                backend=backend,
                workflow=preset.name,
                input=word,
            )


def _named(backend: str, word: str, value: str, slot: Slot, preset: Preset, nodes: Nodes) -> str:
    """Find a name among the choices of the very node that takes it."""
    choices = nodes.choices(preset.graph[slot.node]["class_type"], slot.name)
    if choices is None:
        return value
    entries = listings.entries(word, choices)
    entry = listings.find(value, entries)
    if entry is None:
        raise names.unknown(backend, word, value, [entry.name for entry in entries])
    return entry.wire
