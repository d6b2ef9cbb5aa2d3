"""A graph in ComfyUI's API format, put together node by node."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Graph = Mapping[str, Mapping[str, Any]]
"""Nodes by their id: ``{"class_type": …, "inputs": {name: value or [id, slot]}}``."""


class Link(NamedTuple):
    """One output of a node, for an input of another."""

    node: str
    slot: int = 0


class Sheet:
    """The graph in the making; ids count from 1 in the order the nodes are added.

    The same node twice is one, as ComfyUI would run it once.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, Any]] = {}

    def add(self, kind: str, **inputs: Any) -> Link:
        """Add a node of class ``kind`` and return its first output; links among ``inputs`` connect it."""
        values = {name: list(value) if isinstance(value, Link) else value for name, value in inputs.items()}
        content = {"class_type": kind, "inputs": values}
        known = next((node for node, other in self._nodes.items() if other == content), None)
        node = known or str(len(self._nodes) + 1)
        self._nodes[node] = content
        return Link(node)

    def graph(self) -> Graph:
        """Return what is to be sent."""
        return self._nodes


def sources(node: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Return where a node's linked inputs come from, by the input's name."""
    return {
        name: (value[0], value[1])
        for name, value in node["inputs"].items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)  # noqa: PLR2004 - a link is a pair
    }
