"""A WebUI in the test's own process: it answers as a recorded AUTOMATIC1111 1.10.1, or misbehaves."""

import asyncio
import json
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from aiohttp import web

RECORDINGS = Path(__file__).parents[1] / "recordings" / "webui"
PAINTS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")


class Fault(StrEnum):
    """What goes wrong with a paint request."""

    CUT_BEFORE = "the connection breaks before it begins"
    CUT_AFTER = "it paints, then the connection breaks"
    CUT_MIDWAY = "the connection breaks in the middle of the answer"
    STALL = "it begins and never moves again"
    HANG = "nothing is ever answered, not even a GET"
    AUTH = "401"
    FORBIDDEN = "403"
    NOT_ENABLED = "404"
    INVALID = "422"
    OUT_OF_MEMORY = "500 OutOfMemoryError"
    CUDA = "500 CUDA out of memory"
    NAN = "500 NaN"
    CRASH = "500 with a reason"
    SILENT = "500 without a reason"
    GATEWAY = "502 of a proxy"
    HTML = "a web page"
    TRUNCATED_JSON = "JSON that ends too early"
    BROKEN_BASE64 = "base64 that is none"
    NO_IMAGES = "no images"
    NOT_A_PICTURE = "base64 of something else"
    WRONG_TYPE = "the right answer as text/plain"
    LIE = "another sampler than asked"
    GRID = "a grid before the pictures"
    SMALLER = "a smaller size than asked"
    BARE = "no info and no infotext"


_STATUS: dict[Fault, tuple[int, Any]] = {
    Fault.AUTH: (401, {"error": "HTTPException", "detail": "Not authenticated", "body": "", "errors": ""}),
    Fault.FORBIDDEN: (403, {"detail": "Forbidden"}),
    Fault.NOT_ENABLED: (404, {"detail": "Not Found"}),
    Fault.INVALID: (
        422,
        {"detail": [{"loc": ["body", "steps"], "msg": "value is not a valid integer", "type": "type_error"}]},
    ),
    Fault.OUT_OF_MEMORY: (
        500,
        {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": "Tried to allocate 9.00 GiB"},
    ),
    Fault.CUDA: (
        500,
        {"error": "RuntimeError", "detail": "", "body": "", "errors": "CUDA out of memory. GPU 0 has 8 GiB"},
    ),
    Fault.NAN: (
        500,
        {
            "error": "NansException",
            "detail": "",
            "body": "",
            "errors": "A tensor with NaNs was produced in Unet.",
        },
    ),
    Fault.CRASH: (
        500,
        {"error": "AssertionError", "detail": "", "body": "", "errors": "bad file /srv/models/x/y.ckpt"},
    ),
    Fault.SILENT: (500, "Internal Server Error"),
    Fault.GATEWAY: (502, "<html>Bad Gateway</html>"),
    Fault.HTML: (200, "<!DOCTYPE html><html><body>Gradio</body></html>"),
}


def recording(name: str) -> Any:
    """Return a recorded answer of a real server by its file name."""
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def png(width: int, height: int, seed: int, text: str = "", *, noise_bytes: int = 0) -> bytes:
    """Return a PNG of one colour that the seed decides; ``noise_bytes`` of ballast make it large."""
    colour = bytes((seed * 37 % 256, seed * 91 % 256, seed * 13 % 256))
    pixels = zlib.compress((b"\0" + colour * width) * height, 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    if text:
        chunks.append((b"tEXt", b"parameters\0" + text.encode("latin-1", "replace")))
    if noise_bytes:
        chunks.append((b"baLa", bytes(noise_bytes)))
    chunks += [(b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    json: Any
    headers: dict[str, str] = field(repr=False)


@dataclass
class _Running:
    task: str
    steps: int
    total: int
    step: int = 0
    interrupted: bool = False


class StandInWebUI:
    """Use as ``async with StandInWebUI() as server``; its attributes may be changed while it runs.

    ``fault`` holds for the next ``faults`` paint requests (all if ``None``); ``step_s`` is the time a step
    takes; ``ui``: it has ``/internal/*``; ``old``: it has no ``/schedulers``; ``auth``: user and password;
    ``replay`` answers a path with a given body. ``seen`` holds every request, ``painted`` every finished task.
    """

    def __init__(self, *, port: int = 0, ui: bool = True, step_s: float = 0.0) -> None:
        self.port = port
        self.ui = ui
        self.step_s = step_s
        self.old = False
        self.auth: tuple[str, str] | None = None
        self.fault: Fault | None = None
        self.faults: int | None = None
        self.noise_bytes = 0
        self.loras: list[str] = ["add-detail", "watercolour"]
        self.models: list[str] = ["random15", "dreamshaper_8"]
        self.replay: dict[str, tuple[int, bytes]] = {}
        self.seen: list[Seen] = []
        self.painted: list[str] = []
        self.running: _Running | None = None
        self._waiting: list[str] = []
        self._lock = asyncio.Lock()
        self._gone = asyncio.Event()
        self._began = 0
        self._runner: web.AppRunner | None = None

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
        """Listen, on the same port as before if it was up already."""
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._gone = asyncio.Event()
        self._runner = web.AppRunner(app, shutdown_timeout=0.05, handler_cancellation=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away as a killed process does: what runs is lost and connections break."""
        self._gone.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.running = None

    async def begun(self, task: str) -> None:
        """Wait until it works on ``task``."""
        while self.running is None or self.running.task != task:  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.005)

    def posts(self, path: str) -> list[Any]:
        """Return the bodies that came to ``path``."""
        return [seen.json for seen in self.seen if seen.method == "POST" and seen.path == path]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.path
        content = json.loads(body) if body else None
        self.seen.append(Seen(request.method, path, content, dict(request.headers)))
        if self.fault is Fault.HANG:
            await self._gone.wait()
        if not self._let_in(request):
            return web.json_response(recording("auth_wrong")["body"], status=401)
        if path in self.replay:
            status, replayed = self.replay[path]
            return web.Response(status=status, body=replayed, content_type="application/json")
        if path in PAINTS and request.method == "POST":
            return await self._paint(request, content)
        return self._small(request, content)

    def _let_in(self, request: web.Request) -> bool:
        if self.auth is None or request.path.startswith("/internal/"):
            return True
        scheme, _, login = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Basic" and b64decode(login).decode() == ":".join(self.auth)

    def _small(self, request: web.Request, content: Any) -> web.Response:
        path = request.path
        if self.fault in {Fault.NOT_ENABLED, Fault.HTML, Fault.AUTH, Fault.FORBIDDEN} and self.faults is None:
            return self._failure(self.fault)
        if path == "/internal/progress" and self.ui:
            return web.json_response(self._task_progress(content))
        answers: dict[str, Callable[[], Any]] = {
            "/sdapi/v1/progress": self._progress,
            "/sdapi/v1/interrupt": self._interrupt,
            "/sdapi/v1/sd-models": self._models,
            "/sdapi/v1/loras": lambda: [{"name": n, "alias": n, "metadata": {}} for n in self.loras],
            "/sdapi/v1/png-info": lambda: recording("png_info")["body"],
            "/sdapi/v1/samplers": lambda: recording("get_samplers")["body"],
            "/sdapi/v1/upscalers": lambda: recording("get_upscalers")["body"],
            "/sdapi/v1/sd-vae": lambda: recording("get_sd_vae")["body"],
            "/sdapi/v1/options": lambda: recording("get_options")["body"],
        }
        if not self.old:
            answers["/sdapi/v1/schedulers"] = lambda: recording("get_schedulers")["body"]
        if path not in answers:
            return web.json_response({"detail": "Not Found"}, status=404)
        return web.json_response(answers[path]())

    def _models(self) -> list[dict[str, Any]]:
        real = recording("get_sd_models")["body"][0]
        other = [
            {
                "title": f"{n}.safetensors",
                "model_name": n,
                "hash": None,
                "filename": f"/srv/models/{n}.safetensors",
            }
            for n in self.models
            if n != real["model_name"]
        ]
        return [real, *other]

    def _interrupt(self) -> dict[str, Any]:
        if self.running is not None:
            self.running.interrupted = True
        return {}

    def _progress(self) -> dict[str, Any]:
        running = self.running
        answer: dict[str, Any] = recording("get_progress_idle")["body"]
        if running is not None:
            done, job_no = running.step / running.total, running.step // max(1, running.steps)
            answer["progress"], answer["eta_relative"] = max(0.01, min(0.99, done)), 1.5
            answer["state"] |= {
                "job": "scripts_txt2img",
                "job_count": running.total // max(1, running.steps),
                "job_no": min(job_no, running.total // max(1, running.steps) - 1),
                "job_timestamp": str(self._began),
                "sampling_step": running.step % max(1, running.steps),
                "sampling_steps": running.steps,
                "interrupted": running.interrupted,
            }
        return answer

    def _task_progress(self, question: Any) -> dict[str, Any]:
        task = question["id_task"]
        answer: dict[str, Any] = recording("internal_progress_unknown")["body"]
        answer["id_live_preview"] = question.get("id_live_preview", -1)
        if task in self.painted:
            answer["completed"] = True
        elif task in self._waiting:
            answer |= {"queued": True, "textinfo": "In queue: 1/1"}
        elif self.running is not None and self.running.task == task:
            step = self.running.step
            answer |= {"active": True, "progress": step / self.running.total, "eta": 1.5, "textinfo": None}
            if step and question.get("id_live_preview") != step:
                picture = b64encode(png(64, 64, step)).decode()
                answer |= {"live_preview": f"data:image/png;base64,{picture}", "id_live_preview": step}
        return answer

    def _take_fault(self) -> Fault | None:
        if self.fault is None or self.faults == 0:
            return None
        if self.faults is not None:
            self.faults -= 1
        return self.fault

    @staticmethod
    def _failure(fault: Fault) -> web.Response:
        status, content = _STATUS[fault]
        if isinstance(content, str):
            kind = "text/html" if content.startswith("<") else "text/plain"
            return web.Response(status=status, text=content, content_type=kind)
        return web.json_response(content, status=status)

    async def _paint(self, request: web.Request, content: Any) -> web.StreamResponse:
        fault = self._take_fault()
        if fault is Fault.CUT_BEFORE:
            return self._cut(request)
        if fault in _STATUS:
            return self._failure(fault)
        task = content.get("force_task_id") or "?"
        self._waiting.append(task)
        async with self._lock:
            self._waiting.remove(task)
            interrupted = await self._work(task, content, fault)
        if self._gone.is_set() or fault is Fault.CUT_AFTER:
            return self._cut(request)
        self.painted.append(task)
        return await self._send(request, self._result(content, fault, half=interrupted), fault)

    async def _work(self, task: str, content: Any, fault: Fault | None) -> bool:
        steps, count = content.get("steps", 20), content.get("n_iter", 1)
        running = self.running = _Running(task, steps, steps * count)
        self._began += 1
        for _ in range(running.total):
            if running.interrupted or self._gone.is_set():
                break
            await asyncio.sleep(self.step_s)
            running.step += 1
        while fault is Fault.STALL and not (running.interrupted or self._gone.is_set()):  # noqa: ASYNC110 - two flags
            await asyncio.sleep(0.01)
        self.running = None
        return running.interrupted

    def _result(self, content: Any, fault: Fault | None, *, half: bool) -> dict[str, Any]:
        count, seed = content.get("n_iter", 1), content.get("seed", -1)
        sampler = "DPM++ 2M" if fault is Fault.LIE else content.get("sampler_name", "Euler")
        width, height = content.get("width", 512), content.get("height", 512)
        if fault is Fault.SMALLER:
            width, height = width - width % 8, height - height % 8
        model = content.get("override_settings", {}).get("sd_model_checkpoint", "random15")
        seeds = [seed + i for i in range(count)]
        texts = [
            f"{content['prompt']}\nSteps: {content['steps']}, Sampler: {sampler}, "
            f"Schedule type: {content.get('scheduler', 'Automatic')}, Seed: {s}, Size: {width}x{height}, "
            f"Model: {model}, Version: 1.10.1"
            for s in seeds
        ]
        shade = 1000 if half else 0
        images = [
            png(width, height, s + shade, "" if fault is Fault.BARE else t, noise_bytes=self.noise_bytes)
            for s, t in zip(seeds, texts, strict=True)
        ]
        info = {
            "all_seeds": seeds,
            "seed": seed,
            "sampler_name": sampler,
            "sd_model_name": model,
            "index_of_first_image": 0,
            "infotexts": texts,
        }
        if fault is Fault.GRID:
            images.insert(0, png(width * 2, height * 2, 999))
            info["index_of_first_image"] = 1
        encoded = [b64encode(image).decode() for image in images]
        if fault is Fault.BROKEN_BASE64:
            encoded[0] = encoded[0][:40] + "!!" + encoded[0][42:]
        elif fault is Fault.NOT_A_PICTURE:
            encoded = [b64encode(b"no picture at all").decode()]
        elif fault is Fault.NO_IMAGES:
            encoded = []
        plain = "" if fault is Fault.BARE else json.dumps(info)
        return {"images": encoded, "parameters": {**content, "init_images": None}, "info": plain}

    async def _send(self, request: web.Request, result: Any, fault: Fault | None) -> web.StreamResponse:
        body = json.dumps(result).encode()
        if fault is Fault.TRUNCATED_JSON:
            body = body[: len(body) * 2 // 3]
        if fault is not Fault.CUT_MIDWAY:
            kind = "text/plain" if fault is Fault.WRONG_TYPE else "application/json"
            return web.Response(body=body, content_type=kind)
        response = web.StreamResponse()
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        return self._cut(request, response)

    @staticmethod
    def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return response or web.Response()
