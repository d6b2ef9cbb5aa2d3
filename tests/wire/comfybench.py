import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp

from bot.backends.address import BackendAddress
from bot.backends.comfyui.client import ComfyUI
from bot.backends.decoding import Decoder
from bot.backends.factory import Workshop, build
from bot.backends.wire import Pace
from bot.domain.ports import Painting, Progress
from bot.domain.request import PaintRequest
from bot.imaging.imaging import Imaging
from tests.standins.comfyui import StandInComfyUI, node, recording
from tests.wire.workbench import QUICK

FOREIGN = "f36b1879ccdb4ec0a005ce74cdf06e51"
IMAGE, MASK = ["IMAGE"], ["MASK"]
EXTRA = {
    "ImageCompositeMasked": node(
        {
            "destination": IMAGE,
            "source": IMAGE,
            "x": ["INT", {"default": 0, "min": 0}],
            "y": ["INT", {"default": 0, "min": 0}],
            "resize_source": ["BOOLEAN", {"default": False}],
        },
        ("IMAGE",),
        optional={"mask": MASK},
    ),
    "ImageBlend": node(
        {
            "image1": IMAGE,
            "image2": IMAGE,
            "blend_factor": ["FLOAT", {"default": 0.5, "min": 0.0, "max": 1.0}],
            "blend_mode": [["normal", "multiply"], {}],
        },
        ("IMAGE",),
    ),
    "Canny": node(
        {
            "image": IMAGE,
            "low_threshold": ["FLOAT", {"default": 0.4, "min": 0.01, "max": 0.99}],
            "high_threshold": ["FLOAT", {"default": 0.8, "min": 0.01, "max": 0.99}],
        },
        ("IMAGE",),
    ),
    "DWPreprocessor": node(
        {"image": IMAGE},
        ("IMAGE",),
        optional={"resolution": ["INT", {"default": 512, "min": 64}]},
    ),
}
"""Nodes that the recorded server has too, or an extension brings; the recordings leave them out."""


class ComfyBench:
    """A stand-in ComfyUI and clients of it; ``folder`` holds admins' graphs."""

    def __init__(self, server: StandInComfyUI, imaging: Imaging, decoder: Decoder, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self._imaging = imaging
        self._decoder = decoder
        self._clients: list[ComfyUI] = []
        server.extra_nodes = dict(EXTRA)

    def client(self, pace: Pace = QUICK, auth: tuple[str, str] | None = None) -> ComfyUI:
        address = BackendAddress("comfyui", "comfy-1", self.server.url, auth)
        workshop = Workshop(time.monotonic, self._imaging, self._decoder, pace, self.folder)
        (backend,) = build([address], workshop)
        assert isinstance(backend, ComfyUI)
        self._clients.append(backend)
        return backend

    def sent(self) -> dict[str, Any]:
        """Return the graph that was sent last."""
        graph = self.server.posts("/prompt")[-1]["prompt"]
        assert isinstance(graph, dict)
        return graph

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


def script(graph: dict[str, Any]) -> list[str]:
    """Return a graph in lines that can be read; pictures are numbered, as their names hang on the encoder."""
    pictures: dict[str, str] = {}
    lines = []
    for key, item in graph.items():
        inputs = {
            name: f"#{value[0]}.{value[1]}" if isinstance(value, list) else repr(value)
            for name, value in sorted(item["inputs"].items())
        }
        if "image" in inputs and "easel-" in inputs["image"]:
            number = len(pictures) + 1
            inputs["image"] = pictures.setdefault(inputs["image"], f"picture {number}")
        lines.append(f"{key} {item['class_type']}: " + ", ".join(f"{n}={value}" for n, value in inputs.items()))
    return lines


async def drawn(
    client: ComfyUI, request: PaintRequest, *, task: str = "1-1", **images: bytes
) -> tuple[Painting, list[Progress]]:
    told: list[Progress] = []
    answer = await client.generate(request, task=task, images=images, on_progress=told.append)
    return await answer.painting(), told


async def begun(comfy: ComfyBench) -> None:
    while comfy.server.running is None or comfy.server.running.step == 0:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)


async def waiting(comfy: ComfyBench) -> None:
    while not comfy.server.pending:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)


async def ended(comfy: ComfyBench, prompt_id: str) -> None:
    while prompt_id not in comfy.server.histories:  # noqa: ASYNC110 - the stand-in has no event for it
        await asyncio.sleep(0.01)


def interrupted(comfy: ComfyBench) -> list[str]:
    return [content["prompt_id"] for content in comfy.server.posts("/interrupt")]


async def foreign(comfy: ComfyBench, steps: int, client_id: str | None = FOREIGN) -> None:
    """Have somebody else's prompt run on the same server."""
    graph = recording("prompt_ok")["request"]["json"]["prompt"]
    graph["3"]["inputs"]["steps"] = steps
    content = {"prompt": graph, "prompt_id": "foreign", **({"client_id": client_id} if client_id else {})}
    async with aiohttp.ClientSession(comfy.server.url) as session, session.post("/prompt", json=content) as answer:
        assert answer.status == 200
    await comfy.server.begun("foreign")
    comfy.server.seen.clear()


async def abandoned(comfy: ComfyBench, client: Any, request: Any) -> None:
    """Have a client send ``request`` and die: it takes nothing back."""
    job = asyncio.create_task(drawn(client, request))
    await begun(comfy)
    client._desk.withdraw = nothing
    job.cancel()
    await asyncio.wait([job])
    await client.close()


async def nothing(_: str) -> None:
    pass
