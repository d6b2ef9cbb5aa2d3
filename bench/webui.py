"""A WebUI that answers at once, or after as long as it is told."""

import asyncio
import json
import time
from base64 import b64encode
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from bench.png import Picture

SMALL = Picture(512, 57)
"""About 570 kB."""
LARGE = Picture(1024, 32)
"""About 2 MB: four of them make an answer of 10 MB."""
SLICE = 1 << 18
"""Bytes written at once, so that no answer holds up the others."""
_LISTS = {
    "sd-models": [{"title": "noise", "model_name": "noise", "hash": None, "filename": "/noise.safetensors"}],
    "samplers": [{"name": "Euler", "aliases": [], "options": {}}],
    "schedulers": [{"name": "automatic", "label": "Automatic"}],
    "upscalers": [],
    "loras": [],
    "sd-vae": [],
    "options": {"sd_model_checkpoint": "noise"},
}


@dataclass(slots=True)
class WebUI:
    """As many backends as are asked for, at ``url(n)``; each paints one request at a time.

    ``job_s`` is what a job takes in seconds. ``arrived`` and ``answered`` are when (``time.time``) each
    request came in and its answer was out, ``painter`` is which backend had it, by its prompt; ``gaps`` the
    seconds that a backend with work in line stood idle. ``lists`` are answers of ``/sdapi/v1/*`` in place of the
    usual ones; while it is ``hung`` it answers nothing. ``together``: so many requests wait for each other and
    are answered at once.
    """

    job_s: float = 0.0
    together: int = 1
    lists: dict[str, object] = field(default_factory=dict)
    hung: bool = False
    painter: dict[str, int] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    gaps: list[float] = field(default_factory=list)
    port: int = 0
    _free_since: dict[str, float] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _barrier: list[asyncio.Future[None]] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _painted: int = 0
    _dead: set[str] = field(default_factory=set)
    _open: dict[str, set[asyncio.Transport]] = field(default_factory=lambda: defaultdict(set))
    _large: bytes = b""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._door])
        for path, answer in (_LISTS | self.lists).items():
            app.router.add_get(f"/{{n}}/sdapi/v1/{path}", _always(answer))
        app.router.add_post("/{n}/sdapi/v1/txt2img", self._paint)
        idle = {"active": False, "queued": False, "completed": False, "id_live_preview": -1, "progress": None}
        app.router.add_post("/{n}/internal/progress", _always(idle))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def url(self, n: int = 0) -> str:
        """Return the address of the ``n``-th backend."""
        return f"http://127.0.0.1:{self.port}/{n}"

    def forget(self) -> None:
        """Measure gaps anew: what was before counts no more."""
        self.gaps.clear()
        self._free_since.clear()

    def kill(self, n: int) -> None:
        """Let the ``n``-th backend die as a killed process does: connections break, new ones too."""
        self._dead.add(str(n))
        for transport in self._open.pop(str(n), ()):
            transport.abort()

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        n, transport = request.path.split("/")[1], request.transport
        if not isinstance(transport, asyncio.Transport) or n in self._dead:
            if transport is not None:
                transport.abort()
            raise web.HTTPServiceUnavailable
        while self.hung:  # noqa: ASYNC110 - nothing tells, as with a real one
            await asyncio.sleep(0.1)
        self._open[n].add(transport)
        try:
            return await handler(request)
        finally:
            self._open[n].discard(transport)

    def prepare_large(self) -> None:
        """Make the large answer beforehand, so that making it disturbs nothing."""
        texts = [_infotext(seed, LARGE.side) for seed in range(4)]
        self._large = _body([LARGE.with_infotext(text) for text in texts], texts)

    async def _paint(self, request: web.Request) -> web.StreamResponse:
        now = time.time()
        order = json.loads(await request.read())
        n, prompt = request.match_info["n"], order["prompt"]
        self.arrived[prompt], self.painter[prompt] = now, int(n)
        async with self._locks[n]:
            if n in self._free_since:
                self.gaps.append(time.time() - self._free_since[n])
            await asyncio.sleep(self.job_s)
            await self._wait_for_the_others()
            self._free_since[n] = time.time()
        # As real servers do, it lets the next job in before this one's pictures are on their way.
        body = self._answer(order)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        with suppress(ConnectionError):  # the bot may be gone by now
            await response.prepare(request)
            for at in range(0, len(body), SLICE):
                await response.write(body[at : at + SLICE])
            await response.write_eof()
        self.answered[prompt] = time.time()
        return response

    def _answer(self, order: dict[str, object]) -> memoryview:
        if order["width"] == LARGE.side:
            return memoryview(self._large)
        self._painted += 1
        text = _infotext(self._painted, SMALL.side)
        return memoryview(_body([SMALL.with_infotext(text)], [text]))

    async def _wait_for_the_others(self) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._barrier.append(mine)
        if len(self._barrier) >= self.together:
            for waiting in self._barrier:
                waiting.set_result(None)
            self._barrier.clear()
        await mine


def _body(pictures: list[bytes], texts: list[str]) -> bytes:
    info = {"all_seeds": list(range(len(pictures))), "infotexts": texts, "sd_model_name": "noise"}
    # By hand: json would look at every one of millions of characters.
    listed = ",".join(f'"{b64encode(picture).decode()}"' for picture in pictures)
    return f'{{"images":[{listed}],"parameters":{{}},"info":{json.dumps(json.dumps(info))}}}'.encode()


def _infotext(seed: int, side: int) -> str:
    return f"noise\nSteps: 25, Sampler: Euler, CFG scale: 7.0, Seed: {seed}, Size: {side}x{side}, Model: noise"


def _always(answer: object) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response(answer)

    return handle
