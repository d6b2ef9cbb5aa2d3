"""From a request to what is sent for it: first its pictures, then the graph that names them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from bot.backends import errors, lacking
from bot.backends.comfyui import building, filling, listings, workflows
from bot.backends.comfyui.building import Uploads
from bot.backends.comfyui.graph import Graph
from bot.backends.comfyui.history import Memo
from bot.backends.comfyui.surroundings import Surroundings
from bot.backends.wire import Wire
from bot.domain.capability import Feature
from bot.domain.request import PaintRequest, UpscaleRequest
from bot.domain.text import N_
from bot.imaging import placing
from bot.imaging.imaging import Imaging
from bot.imaging.sniffing import EXTENSIONS, sniff

_OURS = UUID("6d2ae0e4-6f6f-5e0c-9d0b-5f3c1f1f7a54")


@dataclass(frozen=True, slots=True)
class Order:
    """A graph with what we want to know of it later."""

    graph: Graph
    memo: Memo


def identity(task: str, request: PaintRequest) -> str:
    """Return the prompt's id for ``task``: the same in every life, and never another bot's on a shared server."""
    return str(uuid5(_OURS, f"{task}\n{request.seed}\n{request.prompt}"))


class Clerk:
    """Makes orders ready for one server; ``imaging`` brings pictures to their size."""

    def __init__(self, backend: str, wire: Wire, imaging: Imaging) -> None:
        self._backend = backend
        self._wire = wire
        self._imaging = imaging

    async def order(
        self,
        request: PaintRequest,
        images: Mapping[str, bytes],
        known: Surroundings,
        *,
        task: str,
        model: str | None,
    ) -> Order:
        """Check ``request``, upload its pictures and build its graph; ``model`` is the one painted with last.

        Raises ``RejectedError`` for what the server does not have, before anything is sent.
        """
        if request.workflow is not None:
            return await self._preset(request, images, known, task)
        lacking.check(self._backend, request, known.capabilities(None))
        choice = listings.choose(self._backend, request, known.lists, model)
        uploads = await self._uploads(choice.wired, images)
        graph = building.painting(choice.wired, uploads, known.nodes)
        seeds = dict(zip(building.ends(graph), request.seeds(), strict=True))
        return Order(graph, Memo(task, seeds, choice.model, choice.sampler, choice.scheduler))

    async def upload(self, picture: bytes, folder: str = "temp") -> str:
        """Give the server a picture and return what a graph calls it; ``temp`` is emptied when it next starts.

        The name tells the content, so that the same picture is there once; the server may choose another one.
        """
        filename = await self._imaging.run(_filename, picture)
        body = await self._wire.upload("/upload/image", {"type": folder}, filename, picture)
        try:
            answer = json.loads(body)
            name, subfolder, kind = str(answer["name"]), str(answer["subfolder"]), str(answer["type"])
        except (ValueError, LookupError, TypeError) as error:
            raise errors.broken(self._backend) from error
        path = f"{subfolder}/{name}" if subfolder else name
        return path if kind == "input" else f"{path} [{kind}]"

    async def _preset(
        self, request: PaintRequest, images: Mapping[str, bytes], known: Surroundings, task: str
    ) -> Order:
        preset = workflows.named(self._backend, request, known.presets, known.problems)
        request = listings.plainly(request, known.lists)
        wired = replace(
            request,
            prompt=listings.with_embeddings(request.prompt, known.lists),
            negative_prompt=listings.with_embeddings(request.negative_prompt, known.lists),
        )
        # Loaders of extensions may know the input folder only.
        uploads = Uploads(
            source=None if request.init_image is None else await self.upload(images[request.init_image], "input"),
            mask=None if request.mask is None else await self.upload(images[request.mask.image], "input"),
        )
        graph, seeds = filling.filled(self._backend, preset, wired, uploads, known.nodes)
        bound = preset.bound
        return Order(
            graph,
            Memo(
                task,
                seeds,
                request.model if "model" in bound else None,
                request.sampler if "sampler" in bound else None,
                request.scheduler if "scheduler" in bound else None,
            ),
        )

    async def _uploads(self, request: PaintRequest, images: Mapping[str, bytes]) -> Uploads:
        uploads = Uploads()
        size = request.width, request.height
        if request.init_image is not None and request.mask is not None:
            source, mask = images[request.init_image], images[request.mask.image]
            patch = await self._imaging.run(placing.patch, source, mask, *size, request.resize, request.mask)
            uploads = Uploads(
                source=await self.upload(patch.picture),
                mask=await self.upload(patch.mask),
                whole=await self.upload(patch.whole),
                edge=await self.upload(patch.edge),
                box=patch.box,
            )
        elif request.init_image is not None:
            source = images[request.init_image]
            placed = await self._imaging.run(placing.place, source, *size, request.resize)
            uploads = Uploads(source=await self.upload(placed))
        controls = [
            await self.upload(await self._imaging.run(placing.place, images[control.image], *size, control.resize))
            for control in request.controls
        ]
        return replace(uploads, controls=tuple(controls))

    async def upscaling(self, request: UpscaleRequest, picture: bytes, known: Surroundings) -> Graph:
        """Check ``request``, upload ``picture`` and build the graph that enlarges it."""
        first = listings.upscaler(self._backend, request.upscaler, known.lists)
        second = None
        if request.second is not None:
            second = listings.upscaler(self._backend, request.second, known.lists)
            if not known.nodes.has("ImageBlend"):
                raise lacking.refusal(self._backend, Feature.UPSCALE)
        sniffed = sniff(picture)
        if sniffed is None:
            raise errors.refused(self._backend, N_("this is no picture"))
        size = round(sniffed.width * request.scale), round(sniffed.height * request.scale)
        name = await self.upload(picture)
        return building.upscaling(name, size, first, second, request.second_share)


def _filename(picture: bytes) -> str:
    """Return a name that tells the content; hashing some megabytes is no work for the event loop."""
    sniffed = sniff(picture)
    extension = EXTENSIONS.get(sniffed.media_type, "png") if sniffed is not None else "png"
    return f"{building.PREFIX}-{hashlib.sha256(picture).hexdigest()[:24]}.{extension}"
