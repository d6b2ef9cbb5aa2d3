"""How far a prompt is, from ComfyUI's older ``progress`` and its newer ``progress_state`` messages.

Both count per node and begin anew with each; messages may be missing, come twice or change places. So each node
keeps the most it ever had, and the bar is the sum over the nodes that take steps.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.backends.comfyui.graph import Graph
from bot.domain.ports import Clock, Progress

_ALMOST = 0.99
_GUESSED_STEPS = 20
"""Steps of a sampler that gets their number from another node."""


class Course:
    """One prompt's progress as people see it: it never goes back and is done only when the pictures are there."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._weights = dict(_samplers(graph)) or dict.fromkeys(graph, 1)
        self._done = dict.fromkeys(self._weights, 0.0)
        self._clock = clock
        self._began: tuple[float, float] | None = None

    def heard(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take a message in; those that tell of no progress change nothing."""
        if kind == "progress":
            self._reach(data.get("node"), data.get("value"), data.get("max"))
        elif kind == "progress_state":
            nodes = data.get("nodes")
            for node, state in nodes.items() if isinstance(nodes, dict) else ():
                if isinstance(state, dict):
                    self._reach(node, state.get("value"), state.get("max"))
        elif kind == "executed":
            self._reach(data.get("node"), 1, 1)
        elif kind == "execution_cached":
            nodes = data.get("nodes")
            for node in nodes if isinstance(nodes, list) else ():
                self._reach(node, 1, 1)
        if self._began is None and any(self._done.values()):
            self._began = self._clock(), self._share()

    def now(self, preview: bytes | None) -> Progress:
        """Return the progress; ``preview`` is what is shown of it."""
        share = self._share()
        eta_s = None
        if self._began is not None and share > self._began[1]:
            began, before = self._began
            eta_s = (self._clock() - began) / (share - before) * (1 - share)
        steps = sum(self._weights.values())
        return Progress(min(share, _ALMOST), int(share * steps + 0.01), steps, eta_s, preview)

    def _share(self) -> float:
        done = sum(weight * self._done[node] for node, weight in self._weights.items())
        return done / sum(self._weights.values())

    def _reach(self, node: Any, value: Any, most: Any) -> None:
        if node in self._done and isinstance(value, int | float) and isinstance(most, int | float) and most > 0:
            self._done[node] = max(self._done[node], min(1.0, value / most))


def _samplers(graph: Graph) -> Iterator[tuple[str, int]]:
    for node, content in graph.items():
        inputs = content["inputs"]
        if "latent_image" not in inputs:
            continue
        steps = inputs.get("steps")
        steps = steps if isinstance(steps, int) else _GUESSED_STEPS
        begin, end = inputs.get("start_at_step", 0), inputs.get("end_at_step", steps)
        if isinstance(begin, int) and isinstance(end, int):
            steps = min(steps, end) - begin
        yield node, max(1, steps)
