"""A ComfyUI in the test's own process: it answers as a recorded ComfyUI 0.3.64, or misbehaves."""

import asyncio
import contextlib
import copy
import functools
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import web
from aiohttp.web_request import FileField

from tests.standins.comfyui_faults import STATUS, Fault, cut, failure, halved
from tests.standins.comfyui_files import RECORDINGS, Files, viewed
from tests.standins.comfyui_graph import Nodes, Verdict, node, refusal, validate
from tests.standins.comfyui_run import Prompt, Run
from tests.standins.comfyui_sockets import FEATURES, Sockets

__all__ = ["Fault", "StandInComfyUI", "node", "recording"]

# Which attribute fills which node's choices.
_CHOICES = {
    ("CheckpointLoaderSimple", "ckpt_name"): "checkpoints",
    ("KSampler", "sampler_name"): "samplers",
    ("KSamplerAdvanced", "sampler_name"): "samplers",
    ("KSampler", "scheduler"): "schedulers",
    ("KSamplerAdvanced", "scheduler"): "schedulers",
    ("LoraLoader", "lora_name"): "loras",
    ("VAELoader", "vae_name"): "vaes",
    ("UpscaleModelLoader", "model_name"): "upscale_models",
    ("ControlNetLoader", "control_net_name"): "controlnets",
}
_FOLDERS = {
    "checkpoints": "checkpoints",
    "loras": "loras",
    "vae": "vaes",
    "upscale_models": "upscale_models",
    "controlnet": "controlnets",
    "embeddings": "embeddings",
}


@functools.cache
def _text(name: str) -> str:
    return (RECORDINGS / f"{name}.json").read_text()


def recording(name: str) -> Any:
    """Return a recorded answer of a real server by its file name."""
    return json.loads(_text(name))


@dataclass
class Seen:
    """One request as it arrived; ``path`` is without ``/api``, an upload's ``json`` holds its fields."""

    method: str
    path: str
    json: Any
    headers: dict[str, str] = field(repr=False)
    query: dict[str, str] = field(default_factory=dict)


class StandInComfyUI:
    """Use as ``async with StandInComfyUI() as server``; its attributes may be changed while it runs.

    ``fault`` holds for the next ``faults`` prompts (all, and then other requests too, if ``None``);
    ``step_s`` is the time a sampler's step takes; ``history_lag_s`` the time from ``execution_success`` to the
    history; ``previews``: it was started with ``--preview-method``; ``old``: it sends no ``progress_state`` and
    knows no feature flags; ``own_ids``: it takes the client's ``prompt_id``; ``combos``: all choices are spelled
    ``["COMBO", {"options": …}]``; ``auth``: user and password of the proxy before it; ``extra_nodes`` adds to
    the recorded ones (see ``node``); ``replay`` answers a path with a given status and body.
    ``sockets.refuse`` refuses handshakes. ``seen`` holds every request, ``painted`` every ended prompt.
    """

    def __init__(self, *, port: int = 0, step_s: float = 0.0) -> None:
        self.port = port
        self.step_s = step_s
        self.history_lag_s = 0.0
        self.previews = True
        self.old = False
        self.own_ids = True
        self.combos = False
        self.auth: tuple[str, str] | None = None
        self.fault: Fault | None = None
        self.faults: int | None = None
        recorded = recording("object_info")
        sampler = recorded["KSampler"]["input"]["required"]
        self.checkpoints = ["random15.safetensors", "randomsmall.safetensors"]
        self.samplers: list[str] = sampler["sampler_name"][0]
        self.schedulers: list[str] = sampler["scheduler"][0]
        self.loras = ["add-detail.safetensors", "watercolour.safetensors"]
        self.vaes = ["clear.safetensors", "pixel_space"]
        self.upscale_models = ["2x-soft.pth", "4x-sharp.pth"]
        self.controlnets = ["canny.safetensors", "depth.safetensors"]
        self.embeddings = ["easynegative"]
        self.extra_nodes: Nodes = {}
        self.stats: dict[str, Any] = recording("system_stats")["body"]
        self.replay: dict[str, tuple[int, bytes]] = {}
        self.files = Files()
        self.sockets = Sockets()
        self.seen: list[Seen] = []
        self.painted: list[str] = []
        self._forget()

    def _forget(self) -> None:
        self.running: Run | None = None
        self.pending: list[Prompt] = []
        self.histories: dict[str, dict[str, Any]] = {}
        self.cache: dict[str, dict[str, Any] | None] = {}
        self._number = 0
        self._wake = asyncio.Event()
        self._gone = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._worker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before if it was up already; queue, history and cache are empty."""
        self._forget()
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05, handler_cancellation=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Go away as a killed process does: queue and history are lost and connections break."""
        self._gone.set()
        self.sockets.drop()
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        if self._runner is not None:
            await self._runner.cleanup()
        self.running = self._worker = self._runner = None

    async def begun(self, prompt_id: str) -> None:
        """Wait until a node of ``prompt_id`` runs."""
        while self.running is None or self.running.prompt_id != prompt_id or not self.running.node:  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.005)

    def posts(self, path: str) -> list[Any]:
        """Return the bodies that came to ``path``."""
        return [seen.json for seen in self.seen if seen.method == "POST" and seen.path == path]

    def nodes(self) -> Nodes:
        """Return ``/object_info`` with the choices as they are now."""
        info: Nodes = {**recording("object_info"), **copy.deepcopy(self.extra_nodes)}
        filled = {key: getattr(self, name) for key, name in _CHOICES.items()}
        filled |= {(kind, "image"): self.files.uploaded() for kind in ("LoadImage", "LoadImageMask")}
        for (kind, name), options in filled.items():
            config = info[kind]["input"]["required"][name]
            if config[0] == "COMBO":
                config[1]["options"] = list(options)
            else:
                config[0] = list(options)
        for entry in info.values() if self.combos else ():
            for section in entry["input"].values():
                for name, config in section.items():
                    if isinstance(config[0], list):
                        section[name] = ["COMBO", {**dict(*config[1:]), "options": config[0]}]
        return info

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api")
        content, upload = await self._read(request)
        self.seen.append(Seen(request.method, path, content, dict(request.headers), dict(request.query)))
        if self.fault is Fault.HANG:
            await self._gone.wait()
        refused = self._refuse(request)
        if refused is not None:
            return refused
        if path == "/ws":
            run = self.running
            last = (run.client_id, run.node) if run and run.client_id and run.node else None
            self.sockets.old = self.old
            return await self.sockets.serve(request, self._remaining(), last)
        if path in self.replay:
            status, replayed = self.replay[path]
            return web.Response(status=status, body=replayed, content_type="application/json")
        if request.method == "POST":
            return await self._post(request, path, content, upload)
        return await self._get(request, path)

    async def _read(self, request: web.Request) -> tuple[Any, bytes]:
        if request.content_type != "multipart/form-data":
            body = await request.read()
            with contextlib.suppress(ValueError):
                return (json.loads(body) if body else None), b""
            return body.decode("latin-1"), b""
        form = await request.post()
        image = form.get("image")
        fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
        if not isinstance(image, FileField):
            return fields, b""
        with image.file as file:
            return {**fields, "filename": image.filename}, file.read()

    def _refuse(self, request: web.Request) -> web.Response | None:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return web.Response(status=403)
        if self.auth is not None:
            scheme, _, login = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Basic" or b64decode(login).decode() != ":".join(self.auth):
                return failure(Fault.AUTH)
        if self.fault in STATUS and self.faults is None:
            return failure(self.fault)
        return None

    async def _post(self, request: web.Request, path: str, content: Any, upload: bytes) -> web.StreamResponse:
        if path == "/prompt":
            return await self._submit(request, content)
        if path == "/upload/image":
            return self.files.upload(content, upload)
        if path == "/queue":
            await self._edit_queue(content)
        elif path == "/history":
            kept = {} if content.get("clear") else self.histories
            self.histories = {key: entry for key, entry in kept.items() if key not in content.get("delete", ())}
        elif path == "/interrupt":
            wanted = (content or {}).get("prompt_id")
            if self.running is not None and wanted in {None, self.running.prompt_id}:
                self.running.interrupted = True
        elif path != "/free":
            return web.Response(status=404 if path not in self._answers() else 405)
        return web.Response()

    async def _edit_queue(self, content: Any) -> None:
        before = len(self.pending)
        unwanted = content.get("delete", ())
        kept = [prompt for prompt in self.pending if prompt.prompt_id not in unwanted]
        self.pending = [] if content.get("clear") else kept
        if content.get("clear") or len(self.pending) < before:
            await self._status()

    def _answers(self) -> dict[str, Callable[[], Any]]:
        answers: dict[str, Callable[[], Any]] = {
            "/queue": lambda: {
                "queue_running": [self.running.prompt.listed()] if self.running else [],
                "queue_pending": [prompt.listed() for prompt in self.pending],
            },
            "/prompt": lambda: {"exec_info": {"queue_remaining": self._remaining()}},
            "/object_info": self.nodes,
            "/system_stats": lambda: self.stats,
            "/embeddings": lambda: self.embeddings,
            "/models": lambda: recording("models")["body"],
        }
        if not self.old:
            answers["/features"] = lambda: FEATURES
        return answers

    async def _get(self, request: web.Request, path: str) -> web.StreamResponse:
        answers = self._answers()
        if path in answers:
            return web.json_response(answers[path]())
        if path == "/view":
            return await self._view(request)
        head, _, tail = path[1:].partition("/")
        if path == "/history":
            newest = int(request.query.get("max_items", len(self.histories)))
            return web.json_response(dict(list(self.histories.items())[-newest:]))
        if head in {"history", "object_info"}:
            every = self.histories if head == "history" else self.nodes()
            return web.json_response({tail: every[tail]} if tail in every else {})
        if head == "models" and tail in recording("models")["body"]:
            names = getattr(self, _FOLDERS[tail]) if tail in _FOLDERS else []
            return web.json_response([name for name in names if name != "pixel_space"])
        return web.Response(status=404)

    async def _view(self, request: web.Request) -> web.StreamResponse:
        found = self.files.view(dict(request.query))
        if isinstance(found, int):
            return web.Response(status=found)
        key, content = found
        if key in self.files.cut:
            return await halved(request, content)
        return viewed(key[-1], content, request.query.get("preview"))

    async def _submit(self, request: web.Request, content: Any) -> web.StreamResponse:
        fault = self.fault if self.faults is None or self.faults > 0 else None
        if fault is not None and self.faults is not None:
            self.faults -= 1
        if fault is Fault.CUT_BEFORE:
            return cut(request)
        if fault in STATUS or not isinstance(content, dict):
            return failure(fault if fault in STATUS else Fault.CRASH)
        verdict = self._judge(content)
        if verdict.error is not None:
            answer = {"error": verdict.error, "node_errors": verdict.node_errors}
            return web.json_response(answer, status=400)
        prompt = self._accept(content, verdict.outputs, fault)
        await self._status()
        if fault is Fault.CUT_AFTER:
            return cut(request)
        node_errors = verdict.node_errors
        if fault is Fault.PARTIAL:
            node_errors = recording("prompt_partial_node_errors")["body"]["node_errors"]
        body = json.dumps({"prompt_id": prompt.prompt_id, "number": prompt.number, "node_errors": node_errors})
        kind = "text/plain" if fault is Fault.WRONG_TYPE else "application/json"
        return web.Response(text=body[: 20 if fault is Fault.TRUNCATED_JSON else None], content_type=kind)

    def _judge(self, content: dict[str, Any]) -> Verdict:
        if "prompt" not in content:
            words = "No prompt provided"
            return Verdict([], {}, refusal("no_prompt", words, words))
        return validate(content["prompt"], self.nodes(), lambda name: self.files.find(name) is not None)

    def _accept(self, content: Any, outputs: list[str], fault: Fault | None) -> Prompt:
        number = float(content["number"]) if "number" in content else self._number
        number = -number if content.get("front") else number
        self._number += 1
        prompt_id = str(content.get("prompt_id", uuid4())) if self.own_ids else str(uuid4())
        extra = dict(content.get("extra_data") or {})
        if "client_id" in content:
            extra["client_id"] = content["client_id"]
        prompt = Prompt(number, prompt_id, content["prompt"], extra, outputs, fault)
        self.pending = sorted([*self.pending, prompt], key=lambda waiting: waiting.number)
        self._wake.set()
        return prompt

    def _remaining(self) -> int:
        return len(self.pending) + (self.running is not None)

    async def _status(self) -> None:
        await self.sockets.tell("status", {"status": {"exec_info": {"queue_remaining": self._remaining()}}})

    async def _work(self) -> None:
        while True:
            while not self.pending:
                self._wake.clear()
                await self._wake.wait()
            run = self.running = Run(self, self.pending.pop(0))
            await self._status()
            await run.go()
            await asyncio.sleep(self.history_lag_s)
            if run.prompt.fault is not Fault.NO_HISTORY:
                self.histories[run.prompt_id] = run.history()
            self.running = None
            self.painted.append(run.prompt_id)
            await self._status()
            await run.end()
