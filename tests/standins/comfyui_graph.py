"""What a ComfyUI does with a graph besides running it: it refuses, orders, caches and sizes."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

Graph = dict[str, dict[str, Any]]
Nodes = dict[str, dict[str, Any]]

_CONVERT: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
_FRAME = '  File "/srv/ComfyUI/execution.py", line 788, in validate_inputs\n'
# A longer list of choices is only counted in the refusal.
_LISTED = 20


def node(
    inputs: dict[str, Any],
    outputs: tuple[str, ...] = (),
    *,
    optional: dict[str, Any] | None = None,
    output_node: bool = False,
) -> dict[str, Any]:
    """Return an entry of ``/object_info`` for a node that the recordings do not have."""
    sections = {"required": inputs, **({"optional": optional} if optional else {})}
    return {
        "input": sections,
        "input_order": {section: list(names) for section, names in sections.items()},
        "output": list(outputs),
        "output_is_list": [False] * len(outputs),
        "output_name": list(outputs),
        "name": "",
        "display_name": "",
        "description": "",
        "python_module": "custom_nodes.extra",
        "category": "extra",
        "output_node": output_node,
    }


def choices(config: list[Any]) -> list[str] | None:
    """Return what an input may be, in either spelling; ``None`` if it is no choice."""
    if isinstance(config[0], list):
        return config[0]
    return list(config[1]["options"]) if config[0] == "COMBO" else None


def _type(config: list[Any]) -> str:
    return "COMBO" if isinstance(config[0], list) else str(config[0])


def links(item: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the nodes and slots that a node's inputs come from."""
    for value in item["inputs"].values():
        if isinstance(value, list):
            yield value[0], value[1]


@dataclass(frozen=True)
class Verdict:
    """The outputs that can run, or the reason why none can; ``node_errors`` may stand beside either."""

    outputs: list[str]
    node_errors: dict[str, Any]
    error: dict[str, Any] | None = None


def refusal(kind: str, message: str, details: str = "") -> dict[str, Any]:
    """Return the ``error`` object of a refused prompt."""
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def validate(graph: Graph, nodes: Nodes, has_file: Callable[[str], bool]) -> Verdict:
    """Judge a graph as ``validate_prompt`` of ComfyUI 0.3.64 does."""
    for key, item in graph.items():
        kind = item.get("class_type")
        if kind not in nodes:
            words = f"node {kind} does not exist." if kind else "a node is missing the class_type property."
            error = refusal("invalid_prompt", f"Cannot execute because {words}", f"Node ID '#{key}'")
            return Verdict([], {}, error)
    outputs = [key for key, item in graph.items() if nodes[item["class_type"]]["output_node"]]
    if not outputs:
        return Verdict([], {}, refusal("prompt_no_outputs", "Prompt has no outputs"))
    check, good, details = _Check(graph, nodes, has_file), [], []
    node_errors: dict[str, Any] = {}
    for output in outputs:
        if check.output_passes(output):
            good.append(output)
            continue
        details += [f"{reason['message']}: {reason['details']}" for reason in check.reasons[output]]
        for key, reasons in check.reasons.items():
            if reasons:
                kind = graph[key]["class_type"]
                entry = {"errors": reasons, "dependent_outputs": [], "class_type": kind}
                node_errors.setdefault(key, entry)["dependent_outputs"].append(output)
    message = "Prompt outputs failed validation"
    refused = refusal("prompt_outputs_failed_validation", message, "\n".join(details))
    return Verdict(good, node_errors, None if good else refused)


class _Check:
    """Walks from an output to its sources; ``reasons`` holds every node seen, in the order of its end."""

    def __init__(self, graph: Graph, nodes: Nodes, has_file: Callable[[str], bool]) -> None:
        self.graph, self.nodes, self.has_file = graph, nodes, has_file
        self.reasons: dict[str, list[dict[str, Any]]] = {}
        self._sound: dict[str, bool] = {}

    def output_passes(self, key: str) -> bool:
        try:
            return self._passes(key)
        except KeyError as error:
            extra = {"exception_type": "KeyError", "traceback": [_FRAME]}
            self.reasons[key] = [
                _reason("exception_during_validation", "Exception when validating node", str(error), extra=extra)
            ]
            return False

    def _passes(self, key: str) -> bool:
        if key in self._sound:
            return self._sound[key]
        item = self.graph[key]
        reasons: list[dict[str, Any]] = []
        sound = True
        for section, inputs in self.nodes[item["class_type"]]["input"].items():
            for name, config in inputs.items() if section != "hidden" else ():
                if name not in item["inputs"]:
                    if section == "required":
                        words = "Required input is missing"
                        reasons.append(_reason("required_input_missing", words, name, name))
                elif isinstance(item["inputs"][name], list):
                    sound &= self._link(item["inputs"][name], name, config, reasons)
                else:
                    reasons += self._value(item["inputs"][name], name, config)
        self.reasons[key] = reasons
        self._sound[key] = sound and not reasons
        return self._sound[key]

    def _link(self, link: list[Any], name: str, config: list[Any], reasons: list[dict[str, Any]]) -> bool:
        source, slot = link
        received = self.nodes[self.graph[source]["class_type"]]["output"][slot]
        wanted = _type(config)
        if wanted not in {received, "*"} and received != "*":
            details = f"{name}, received_type({received}) mismatch input_type({wanted})"
            extra = {"input_config": config, "received_type": received, "linked_node": link}
            words = "Return type mismatch between linked nodes"
            reasons.append(_reason("return_type_mismatch", words, details, name, extra))
            return False
        try:
            return self._passes(source)
        except KeyError as error:
            extra = {"input_config": config, "exception_message": str(error), "exception_type": "KeyError"}
            extra |= {"traceback": [_FRAME, _FRAME], "linked_node": link}
            words = "Exception when validating inner node"
            kind = "exception_during_inner_validation"
            self.reasons[source] = [_reason(kind, words, str(error), name, extra)]
            self._sound[source] = False
            return False

    def _value(self, value: Any, name: str, config: list[Any]) -> list[dict[str, Any]]:
        options: dict[str, Any] = config[1] if len(config) > 1 else {}
        extra = {"input_config": config, "received_value": value}
        wanted = _type(config)
        if wanted in _CONVERT:
            try:
                value = _CONVERT[wanted](value)
            except (TypeError, ValueError) as error:
                extra["exception_message"] = str(error)
                words = f"Failed to convert an input value to a {wanted} value"
                return [_reason("invalid_input_type", words, f"{name}, {value}, {error}", name, extra)]
        if "min" in options and value < options["min"]:
            words = f"Value {value} smaller than min of {options['min']}"
            return [_reason("value_smaller_than_min", words, name, name, extra)]
        if "max" in options and value > options["max"]:
            words = f"Value {value} bigger than max of {options['max']}"
            return [_reason("value_bigger_than_max", words, name, name, extra)]
        if options.get("image_upload"):
            return self._upload(value, name)
        allowed = choices(config)
        if allowed is None or value in allowed:
            return []
        short = len(allowed) <= _LISTED
        details = f"{name}: '{value}' not in {allowed if short else f'(list of length {len(allowed)})'}"
        extra["input_config"] = config if short else None
        return [_reason("value_not_in_list", "Value not in list", details, name, extra)]

    def _upload(self, value: str, name: str) -> list[dict[str, Any]]:
        if self.has_file(value):
            return []
        details = f"{name} - Invalid image file: {value}"
        words = "Custom validation failed for node"
        return [_reason("custom_validation_failed", words, details, name)]


def _reason(
    kind: str, message: str, details: str, name: str | None = None, extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    named = {"input_name": name} if name is not None else {}
    return {"type": kind, "message": message, "details": details, "extra_info": {**named, **(extra or {})}}


def order(graph: Graph, outputs: list[str], cached: set[str]) -> list[str]:
    """Return the nodes to run: the first listed that is ready, an output before others."""
    pending: dict[str, set[str]] = {}
    stack = list(outputs)
    while stack:
        key = stack.pop()
        if key not in pending:
            sources = [source for source, _ in links(graph[key]) if not {key, source} & cached]
            pending[key] = set(sources)
            stack += sources
    course: list[str] = []
    while pending:
        ready = [key for key, sources in pending.items() if not sources & pending.keys()]
        key = next((key for key in ready if key in outputs), ready[0])
        del pending[key]
        course.append(key)
    return course


def signature(graph: Graph, key: str, stamp: Callable[[str], str]) -> str:
    """Return what decides whether a node's result may be used again; ``stamp`` tells a file's content."""
    item = graph[key]
    inputs = {
        name: [signature(graph, value[0], stamp), value[1]] if isinstance(value, list) else value
        for name, value in item["inputs"].items()
    }
    content = stamp(str(inputs.get("image"))) if item["class_type"].startswith("LoadImage") else ""
    return json.dumps([item["class_type"], inputs, content], sort_keys=True)


@dataclass(frozen=True)
class Shape:
    """The pictures that a node gives: size in px, how many, and the seed that colours them."""

    width: int
    height: int
    count: int = 1
    seed: int = 0

    def scaled(self, factor: float) -> "Shape":
        """Return it ``factor`` times as wide and high."""
        return replace(self, width=round(self.width * factor), height=round(self.height * factor))

    def sized(self, width: int, height: int) -> "Shape":
        """Return it in another size; a side of 0 follows the other."""
        width = width or max(1, round(self.width * height / self.height))
        height = height or max(1, round(self.height * width / self.width))
        return replace(self, width=width, height=height)


def shape(graph: Graph, nodes: Nodes, key: str, size_of: Callable[[str], tuple[int, int]]) -> Shape:
    """Follow the first picture or latent that leads to ``key`` and all that sizes it on the way.

    ``size_of`` gives an uploaded file's width and height in px.
    """
    item = graph[key]
    inputs, outputs = item["inputs"], nodes[item["class_type"]]["output"]
    if item["class_type"].startswith("LoadImage"):
        return Shape(*size_of(inputs["image"]))
    drawn = (s for s, slot in links(item) if nodes[graph[s]["class_type"]]["output"][slot] in _DRAWN)
    result = next((shape(graph, nodes, source, size_of) for source in drawn), Shape(512, 512))
    numbers: dict[str, Any] = {name: value for name, value in inputs.items() if isinstance(value, int | float)}
    if {"width", "height"} <= numbers.keys():
        result = result.sized(numbers["width"], numbers["height"])
    sides = [int(numbers.get(side, 0)) for side in ("left", "right", "top", "bottom")]
    result = result.sized(result.width + sides[0] + sides[1], result.height + sides[2] + sides[3])
    result = result.scaled(numbers.get("scale_by", 1) * _factor(graph, inputs.get("upscale_model")))
    count = result.count * numbers.get("amount", 1)
    seed = numbers.get("seed", numbers.get("noise_seed", result.seed))
    result = replace(result, count=numbers.get("batch_size", count), seed=seed)
    # A latent's pixel is eight of the picture's.
    return result.sized(result.width // 8 * 8, result.height // 8 * 8) if "LATENT" in outputs else result


_DRAWN = {"IMAGE", "LATENT", "MASK"}


def _factor(graph: Graph, link: list[Any] | None) -> int:
    if link is None:
        return 1
    found = re.search(r"(\d)x|x(\d)", str(graph[link[0]]["inputs"].get("model_name", "")), re.IGNORECASE)
    return int(found[1] or found[2]) if found else 4
