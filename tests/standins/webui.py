"""A WebUI in the test's own process: it answers as one of the recorded servers, or misbehaves."""

import asyncio
import json
from base64 import b64decode
from typing import Any, Self

from aiohttp import web

from tests.standins.webui_answers import API, Routes
from tests.standins.webui_faults import Fault, failure
from tests.standins.webui_kin import CLOSES, Kin, answered, missing, recording, refused
from tests.standins.webui_paint import Painter
from tests.standins.webui_pictures import png
from tests.standins.webui_state import Seen

__all__ = ["Fault", "Kin", "Seen", "StandInWebUI", "png", "recording"]

PAINTS = (f"{API}txt2img", f"{API}img2img")
_OPEN = ("/internal/", "/rembg")
_SHUT = (Fault.NOT_ENABLED, Fault.HTML, Fault.AUTH, Fault.FORBIDDEN)


class StandInWebUI(Painter):
    """Use as ``async with StandInWebUI() as server``; its attributes may be changed while it runs.

    ``kin`` is the server it plays (setting it starts from that server's own options, scripts and upscalers);
    ``fault`` holds for the next ``faults`` paint requests (all if ``None``); ``step_s`` is the time a step
    takes; ``ui``: it has ``/internal/*``; ``old``: it has no ``/schedulers``; ``auth``: user and password;
    ``replay`` answers a path with a given body, ``hung`` are paths that never answer. ``models``, ``loras``,
    ``vaes``, ``embeddings``, ``styles`` (name to prompt and negative), ``upscalers``, ``controlnet_models``,
    ``scripts`` (installed always-on scripts) and ``rembg`` are what it has. ``options`` are the live ones,
    ``saved`` the keys of its config file, ``leaked`` what ``override_settings`` left behind. ``seen`` holds
    every request, ``painted`` every finished task.
    """

    def __init__(self, *, port: int = 0, ui: bool = True, step_s: float = 0.0, kin: Kin = Kin.A1111) -> None:
        super().__init__(ui=ui, step_s=step_s, kin=kin)
        self.port = port
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
        self._gone.clear()
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
        try:
            content = json.loads(body) if body else None
        except ValueError:
            return answered("error_bad_json", self.kin)
        port = request.transport.get_extra_info("peername")[1] if request.transport else 0
        self.seen.append(Seen(request.method, path, content, dict(request.headers), port))
        if self.fault is Fault.HANG or path in self.hung:
            await self._gone.wait()
        if (stranger := self._turn_away(request)) is not None:
            return stranger
        if path in self.replay:
            status, replayed = self.replay[path]
            return web.Response(status=status, body=replayed, content_type="application/json")
        if path in PAINTS and request.method == "POST":
            return await self._paint(request, content)
        response = self._small(request, content)
        return await self._closing(request, response) if response.get(CLOSES) else response

    def _turn_away(self, request: web.Request) -> web.Response | None:
        if self.auth is None or request.path.startswith(_OPEN):
            return None
        scheme, _, login = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return refused(self.kin, 401, "Not authenticated")
        if b64decode(login).decode() != ":".join(self.auth):
            return refused(self.kin, 401, "Incorrect username or password")
        return None

    def _small(self, request: web.Request, content: Any) -> web.Response:
        if self.fault in _SHUT and self.faults is None:
            return failure(self.fault, self.kin) or missing(self.kin)
        routes = self._short() | self._extra()
        if self.kin is not Kin.SDCPP:
            routes["GET /openapi.json"] = lambda _: self._openapi(routes)
        route = routes.get(f"{request.method} {request.path}")
        if route is None:
            return missing(self.kin)
        answer = route(content)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def _openapi(self, routes: Routes) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {path: {"post": {}} for path in PAINTS}
        for route in routes:
            method, _, path = route.partition(" ")
            paths.setdefault(path, {})[method.lower()] = {}
        sdnext = self.kin is Kin.SDNEXT
        title, version = ("SD.Next", "0.0.unknown") if sdnext else ("FastAPI", "0.1.0")
        return {"openapi": "3.1.0", "info": {"title": title, "version": version}, "paths": paths}

    async def _paint(self, request: web.Request, content: Any) -> web.StreamResponse:
        fault = self._take_fault()
        if fault is Fault.CUT_BEFORE:
            return self._cut(request)
        answer = failure(fault, self.kin) or self._refuse(request.path, content)
        result = answer or await self._serve(request.path, content, fault)
        if self._gone.is_set() or fault is Fault.CUT_AFTER:
            return self._cut(request)
        if not isinstance(result, web.Response):
            self.painted.append(content.get("force_task_id") or "?")
            return await self._send(request, result, fault)
        return await self._closing(request, result) if result.get(CLOSES) else result

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
    async def _closing(request: web.Request, response: web.Response) -> web.Response:
        """Answer whole, then close the connection although nothing in the answer said so, as Forge does."""
        await response.prepare(request)
        await response.write_eof()
        if request.transport is not None:
            request.transport.close()
        return response

    @staticmethod
    def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return response or web.Response()
