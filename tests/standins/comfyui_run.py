"""One prompt on a ComfyUI, from its place in the queue to its history."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.standins.comfyui_faults import EXCEPTIONS, Fault, broken_node, failed
from tests.standins.comfyui_files import picture, preview
from tests.standins.comfyui_graph import Graph, order, shape, signature

if TYPE_CHECKING:
    from tests.standins.comfyui import StandInComfyUI


# An upscaler tells its progress by tiles, without previews.
_TILES = 2


class _Interrupted(Exception):  # noqa: N818 - an end, not an error
    pass


class _Failed(Exception):  # noqa: N818 - ComfyUI's message tells the error
    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(details["exception_type"])
        self.details = details


@dataclass
class Prompt:
    """An accepted prompt; ``fault`` is what will go wrong with it."""

    number: float
    prompt_id: str
    graph: Graph
    extra_data: dict[str, Any]
    outputs: list[str]
    fault: Fault | None = None

    def listed(self) -> list[Any]:
        """Return it as ``/queue`` and ``/history`` show it."""
        return [self.number, self.prompt_id, self.graph, self.extra_data, self.outputs]


@dataclass
class Run:
    """The prompt that runs now; ``node`` and ``step`` tell how far it is."""

    server: "StandInComfyUI"
    prompt: Prompt
    node: str = ""
    step: int = 0
    interrupted: bool = False
    _states: dict[str, dict[str, Any]] = field(default_factory=dict)
    _messages: list[list[Any]] = field(default_factory=list)
    _results: dict[str, Any] = field(default_factory=dict)
    _executed: list[str] = field(default_factory=list)
    _held: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def prompt_id(self) -> str:
        """The id that the client chose or was given."""
        return self.prompt.prompt_id

    @property
    def client_id(self) -> str | None:
        """Whose socket hears of it; ``None`` if the prompt came without one."""
        return self.prompt.extra_data.get("client_id")

    async def go(self) -> None:
        """Run all nodes and tell every message but the last ``status`` and ``executing``."""
        await self._mark("execution_start", {})
        if self.prompt.fault is Fault.FOREIGN:
            await self._intrude()
        graph = self.prompt.graph
        signatures = {key: signature(graph, key, self.server.files.stamp) for key in graph}
        cache = self.server.cache
        for kept in cache.keys() - signatures.values():
            del cache[kept]
        cached = {key for key, own in signatures.items() if own in cache}
        await self._mark("execution_cached", {"nodes": [key for key in graph if key in cached]})
        try:
            for key in order(graph, self.prompt.outputs, cached):
                if key in cached:
                    await self._reuse(key, cache[signatures[key]])
                else:
                    cache[signatures[key]] = await self._execute(key)
        except _Interrupted:
            details = {"node_id": self.node, "node_type": graph[self.node]["class_type"]}
            await self._mark("execution_interrupted", {**details, "executed": self._executed})
        except _Failed as error:
            current = {"current_outputs": list(graph)}
            await self._mark("execution_error", {**error.details, "executed": self._executed, **current})
        else:
            await self._mark("execution_success", {})

    async def end(self) -> None:
        """Tell that nothing of it runs any more."""
        if self.client_id is not None:
            await self._tell("executing", {"node": None, "prompt_id": self.prompt_id})
        if self._held:
            await self._pass_on(*self._held.pop())

    def history(self) -> dict[str, Any]:
        """Return its entry in ``/history``."""
        fine = self._messages[-1][0] == "execution_success"
        meta = {
            key: {"node_id": key, "display_node": key, "parent_node": None, "real_node_id": key}
            for key in self._results
        }
        status = {
            "status_str": "success" if fine else "error",
            "completed": fine,
            "messages": self._messages,
        }
        return {"prompt": self.prompt.listed(), "outputs": self._results, "status": status, "meta": meta}

    async def _mark(self, kind: str, data: dict[str, Any]) -> None:
        stamp = {"timestamp": int(time.time() * 1000)}
        first = data if kind == "execution_cached" else {}
        data = {**first, "prompt_id": self.prompt_id, **data, **stamp}
        self._messages.append([kind, data])
        if self.client_id is not None:
            await self._tell(kind, data)

    async def _tell(self, kind: str, data: dict[str, Any]) -> None:
        fault = self.prompt.fault
        if fault is Fault.SILENT:
            return
        if fault is Fault.REORDERED and not self._held:
            self._held.append((kind, data))
            return
        await self._pass_on(kind, data)
        if fault is Fault.REPEATED:
            await self._pass_on(kind, data)
        if self._held:
            await self._pass_on(*self._held.pop())

    async def _pass_on(self, kind: str, data: dict[str, Any]) -> None:
        await self.server.sockets.tell(kind, data, self.client_id)

    async def _intrude(self) -> None:
        other = "somebody-else"
        images = [{"filename": "foreign_00001_.png", "subfolder": "", "type": "output"}]
        failure = failed("3", {"class_type": "KSampler", "inputs": {}}, "RuntimeError", "not yours\n")
        for kind, data in (
            ("execution_start", {}),
            ("progress", {"value": 1, "max": 1, "node": "3"}),
            ("executed", {"node": "9", "display_node": "9", "output": {"images": images}}),
            ("execution_success", {}),
            ("execution_error", {**failure, "current_outputs": []}),
            ("execution_interrupted", {"node_id": "3", "node_type": "KSampler", "executed": []}),
            ("executing", {"node": None}),
        ):
            await self._pass_on(kind, {**data, "prompt_id": other})

    async def _reuse(self, key: str, output: dict[str, Any] | None) -> None:
        if output is not None:
            await self._give(key, output)
        await self._progress(key, 1, 1, "finished")

    async def _execute(self, key: str) -> dict[str, Any] | None:
        self.node, self.step = key, 0
        if self.interrupted:
            raise _Interrupted
        await self._progress(key, 0.0, 1.0, "running")
        if self.client_id is not None:
            data = {"node": key, "display_node": key, "prompt_id": self.prompt_id}
            await self._tell("executing", data)
        item = self.prompt.graph[key]
        steps = self._steps(item)
        if self.prompt.fault in EXCEPTIONS and (steps or self._is_output(key)):
            raise _Failed(broken_node(self.prompt.fault, key, item))
        for _ in range(steps):
            await self._take_step(key, steps)
        output = self._result(key, item)
        if output is not None:
            await self._give(key, output)
        full = steps or 1.0
        await self._progress(key, full, full, "finished")
        self._executed.append(key)
        return output

    async def _take_step(self, key: str, steps: int) -> None:
        await asyncio.sleep(self.server.step_s)
        while self.prompt.fault is Fault.STALL and not self.interrupted:  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.01)
        if self.interrupted:
            raise _Interrupted
        self.step += 1
        if self.prompt.fault is Fault.SOCKET_DROP and self.step == max(1, steps // 2):
            self.server.sockets.drop(self.client_id)
        await self._progress(key, self.step, steps, "running")
        sockets = self.server.sockets
        about: dict[str, Any] = {"node_id": key, "prompt_id": self.prompt_id, "display_node_id": key}
        about |= {"parent_node_id": None, "real_node_id": key}
        with_metadata = sockets.takes_metadata(self.client_id)
        samples = "latent_image" in self.prompt.graph[key]["inputs"]
        shown = samples and self.server.previews and self.prompt.fault is not Fault.SILENT
        # The newer frame comes before ``progress``, the older one after it.
        if shown and with_metadata:
            await sockets.show(preview(about), self.client_id)
        data = {"value": self.step, "max": steps, "prompt_id": self.prompt_id, "node": key}
        await self._tell("progress", data)
        if shown and not with_metadata:
            await sockets.show(preview(None), self.client_id)

    async def _progress(self, key: str, value: float, most: float, state: str) -> None:
        self._states[key] = {
            "value": value,
            "max": most,
            "state": state,
            "node_id": key,
            "prompt_id": self.prompt_id,
            "display_node_id": key,
            "parent_node_id": None,
            "real_node_id": key,
        }
        if not self.server.old:
            nodes = {name: dict(content) for name, content in self._states.items()}
            await self._tell("progress_state", {"prompt_id": self.prompt_id, "nodes": nodes})

    async def _give(self, key: str, output: dict[str, Any]) -> None:
        self._results[key] = output
        if self.client_id is not None:
            data = {"node": key, "display_node": key, "output": output, "prompt_id": self.prompt_id}
            await self._tell("executed", data)

    def _is_output(self, key: str) -> bool:
        return key in self.prompt.outputs

    def _steps(self, item: dict[str, Any]) -> int:
        inputs = item["inputs"]
        if item["class_type"] == "ImageUpscaleWithModel":
            return _TILES
        if "steps" not in inputs or "latent_image" not in inputs:
            return 0
        steps = int(inputs["steps"])
        return max(0, min(steps, int(inputs.get("end_at_step", steps))) - int(inputs.get("start_at_step", 0)))

    def _result(self, key: str, item: dict[str, Any]) -> dict[str, Any] | None:
        files, fault = self.server.files, self.prompt.fault
        try:
            if item["class_type"].startswith("LoadImage"):
                files.size(item["inputs"]["image"])
            if not self._is_output(key) or fault is Fault.NO_IMAGES:
                return None
            drawn = shape(self.prompt.graph, self.server.nodes(), key, files.size)
        except OSError as error:
            words = f"cannot identify image file '/srv/comfy-data/input/{item['inputs'].get('image')}'\n"
            raise _Failed(failed(key, item, "PIL.UnidentifiedImageError", words)) from error
        texts = {"prompt": self.prompt.graph, **self.prompt.extra_data.get("extra_pnginfo", {})}
        pictures = [picture(drawn, index, texts) for index in range(drawn.count)]
        if fault is Fault.NOT_A_PICTURE:
            pictures = [b"no picture at all"]
        temporary = item["class_type"] == "PreviewImage"
        prefix = "ComfyUI_temp_diogk" if temporary else item["inputs"].get("filename_prefix", "ComfyUI")
        images = files.save(prefix, "temp" if temporary else "output", pictures)
        keys = [(image["type"], image["subfolder"], image["filename"]) for image in images]
        if fault is Fault.CUT_VIEW:
            files.cut.update(keys)
        for missing in keys if fault is Fault.FILE_MISSING else ():
            del files.stored[missing]
        return {"images": images}
