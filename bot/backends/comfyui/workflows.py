"""Admins' own graphs: every ``*.json`` of one folder, saved with ComfyUI's "Export (API)".

A graph says by the titles of its nodes what a request fills in: a node titled ``prompt`` takes the prompt, one
titled ``seed, steps, cfg`` takes all three. Any other title is a free input that a preset may fill by name. A
file that is wrong is told in one sentence and keeps no other from loading.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bot.backends import names
from bot.backends.comfyui.graph import Graph, sources
from bot.backends.comfyui.nodes import Nodes
from bot.domain.errors import RejectedError
from bot.domain.request import PaintRequest
from bot.domain.text import N_

MAX_FILE_BYTES = 8 * 1024 * 1024
_TEXTS = ("text", "prompt", "text_g", "text_l", "clip_l", "t5xxl", "string", "value")
INPUTS: Mapping[str, tuple[str, ...]] = {
    "prompt": _TEXTS,
    "negative": _TEXTS,
    "seed": ("seed", "noise_seed", "value"),
    "steps": ("steps", "value"),
    "cfg": ("cfg", "guidance", "value"),
    "sampler": ("sampler_name", "sampler"),
    "scheduler": ("scheduler",),
    "denoise": ("denoise", "strength", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "count": ("batch_size", "amount", "value"),
    "model": ("ckpt_name", "unet_name", "model_name"),
    "vae": ("vae_name",),
    "image": ("image",),
    "mask": ("image", "mask"),
}
"""The titles that mean something, and the inputs of a node that they may stand for."""
_ALIASES = {
    "positive": "prompt",
    "positive prompt": "prompt",
    "negative prompt": "negative",
    "cfg scale": "cfg",
    "denoising strength": "denoise",
    "strength": "denoise",
    "batch": "count",
    "batch size": "count",
    "checkpoint": "model",
}
_SEEDS = frozenset({"seed", "noise_seed"})


class Slot(NamedTuple):
    """One input of one node."""

    node: str
    name: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A sound graph with what a request fills in; ``free`` are all other titled nodes, by their title."""

    name: str
    graph: Graph
    bound: Mapping[str, tuple[Slot, ...]]
    free: Mapping[str, str]

    def classes(self) -> frozenset[str]:
        """Return the classes of its nodes."""
        return frozenset(node["class_type"] for node in self.graph.values())

    def slot(self, title: str) -> Slot | None:
        """Return the free input ``title`` or ``title.input`` stands for."""
        whole, (head, _, tail) = title.casefold(), title.casefold().rpartition(".")
        for wanted, name in ((whole, None), (head, tail)):
            if wanted in self.free:
                inputs = [name] if name else list(_literals(self.graph[self.free[wanted]]))
                if len(inputs) == 1 and inputs[0] in _literals(self.graph[self.free[wanted]]):
                    return Slot(self.free[wanted], inputs[0])
        return None

    def filled(self, values: Mapping[Slot, Any], prefix: str = "") -> dict[str, Any]:
        """Return a copy of the graph with ``values`` in it; ``prefix`` goes before the ids of its nodes."""
        copy: dict[str, Any] = {}
        for node, content in self.graph.items():
            inputs = dict(content["inputs"])
            inputs |= {name: [f"{prefix}{source}", slot] for name, (source, slot) in sources(content).items()}
            inputs |= {slot.name: value for slot, value in values.items() if slot.node == node}
            copy[f"{prefix}{node}"] = {"class_type": content["class_type"], "inputs": inputs}
        return copy


class WorkflowError(ValueError):
    """One plain sentence on what is wrong with a file and what to do."""


def load(folder: Path | None) -> tuple[dict[str, Preset], dict[str, str]]:
    """Return the sound graphs of ``folder`` by name, and by file name what is wrong with the others."""
    presets: dict[str, Preset] = {}
    problems: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")) if folder is not None else ():
        try:
            presets[path.stem] = read(path)
        except WorkflowError as error:
            problems[path.name] = str(error)
    return presets, problems


def read(path: Path) -> Preset:
    """Read one file; raises ``WorkflowError``."""
    file = path.name
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise WorkflowError(f"{file} is larger than {MAX_FILE_BYTES // 2**20} MiB; no graph is.")
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WorkflowError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{file} is no text; save the workflow with Export (API) again.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise WorkflowError(f"{file} is no JSON{where}; save the workflow with Export (API) again.") from error
    graph = _graph(file, content)
    bound, free = _titles(file, graph)
    _check_bound(file, graph, bound)
    return Preset(path.stem, graph, bound, free)


def named(
    backend: str, request: PaintRequest, presets: Mapping[str, Preset], problems: Mapping[str, str]
) -> Preset:
    """Return the graph that ``request`` names; raises ``RejectedError`` if there is none that can be used."""
    wanted = request.workflow.name if request.workflow is not None else ""
    found = next((preset for name, preset in presets.items() if name.casefold() == wanted.casefold()), None)
    why_not = {Path(file).stem.casefold(): words for file, words in problems.items()}
    if found is None and wanted.casefold() in why_not:
        raise RejectedError(
            N_("{backend} cannot use the workflow “{workflow}”: {reason}"),
            backend=backend,
            workflow=wanted[:100],
            reason=why_not[wanted.casefold()],
        )
    if found is None:
        raise names.unknown(backend, N_("workflow"), wanted, list(presets))
    return found


def unfit(preset: Preset, nodes: Nodes) -> str | None:
    """Return why a server cannot run ``preset``, in one sentence; ``None`` if it can."""
    file = f"{preset.name}.json"
    missing = sorted(kind for kind in preset.classes() if not nodes.has(kind))
    if missing:
        named = ", ".join(f"“{kind}”" for kind in missing[:5])
        return f"{file} needs the node {named}, which this server lacks; install the extension that brings it."
    if not any(nodes.is_output(kind) for kind in preset.classes()):
        return f"{file} ends nowhere; add a node that saves a picture, such as Save Image."
    return None


def _graph(file: str, content: Any) -> Graph:
    if not isinstance(content, dict) or not content:
        raise WorkflowError(f"{file} holds no graph; save the workflow with Export (API).")
    if isinstance(content.get("nodes"), list):
        raise WorkflowError(f"{file} is saved for ComfyUI's own page; save it with Export (API).")
    for node, item in content.items():
        if not isinstance(item, dict) or not isinstance(item.get("class_type"), str):
            raise WorkflowError(f"{file}: node {node} has no class_type; save the workflow with Export (API).")
        if not isinstance(item.get("inputs"), dict):
            raise WorkflowError(f"{file}: node {node} has no inputs; save the workflow with Export (API).")
        gone = next((name for name, (source, _) in sources(item).items() if source not in content), None)
        if gone is not None:
            raise WorkflowError(
                f"{file}: {_called(node, item)} takes {gone} from a node that is not there;"
                " connect it and export again."
            )
    return content


def _titles(file: str, graph: Graph) -> tuple[dict[str, tuple[Slot, ...]], dict[str, str]]:
    bound: dict[str, tuple[Slot, ...]] = {}
    free: dict[str, str] = {}
    for node, item in graph.items():
        title = _title(item)
        parts = [_ALIASES.get(part, part) for part in re.split(r"\s*[,+&]\s*", title.casefold())]
        if not all(part in INPUTS for part in parts):
            if title:
                free.setdefault(title.casefold(), node)
            continue
        for part in parts:
            bound[part] = (*bound.get(part, ()), *_slots(file, node, item, part))
    return bound, free


def _slots(file: str, node: str, item: Mapping[str, Any], word: str) -> Iterator[Slot]:
    literals = _literals(item)
    found = [name for name in INPUTS[word] if name in literals]
    if found:
        yield from (Slot(node, name) for name in found)
        return
    linked = next((name for name in INPUTS[word] if name in sources(item)), None)
    if linked is not None:
        source = sources(item)[linked][0]
        raise WorkflowError(
            f"{file}: {_called(node, item)} takes its {linked} from node {source};"
            f" title that one “{word}” instead."
        )
    wanted = " or ".join(INPUTS[word][:2])
    raise WorkflowError(
        f"{file}: {_called(node, item)} has no input {wanted}; title the node that has it “{word}”."
    )


def _check_bound(file: str, graph: Graph, bound: Mapping[str, Iterable[Slot]]) -> None:
    if "prompt" not in bound and "image" not in bound:
        raise WorkflowError(
            f"{file}: no node is titled “prompt”; give that title to the node with the text and export again."
        )
    if "seed" in bound:
        return
    for node, item in graph.items():
        if _SEEDS & _literals(item):
            raise WorkflowError(
                f"{file}: no node is titled “seed”, so every picture would be the same;"
                f" give that title to {_called(node, item)} and export again."
            )


def _literals(item: Mapping[str, Any]) -> set[str]:
    return {name for name in item["inputs"] if name not in sources(item)}


def _title(item: Mapping[str, Any]) -> str:
    meta = item.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title.strip() if isinstance(title, str) else ""


def _called(node: str, item: Mapping[str, Any]) -> str:
    return f"node {node} (“{_title(item) or item['class_type']}”)"
