"""Work on finished pictures: one call of a backend, and the recipe of the picture that comes of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.domain import infotext
from bot.domain.ports import Answer, Backend, Painted, Painting, Progress, Ready
from bot.domain.request import CutoutRequest, UpscaleRequest, Work
from bot.imaging import pngtext


async def done(
    backend: Backend,
    work: Work,
    images: Mapping[str, bytes],
    *,
    task: str,
    on_progress: Callable[[Progress], None],
) -> Answer:
    """Have ``backend`` do ``work`` and return what came of it; raises what it raises.

    A larger or cut-out copy keeps the recipe and the seed of its picture, with what was done added.
    """
    loop = asyncio.get_running_loop()
    started, picture = loop.time(), images[work.image]
    match work:
        case UpscaleRequest():
            painted = await backend.upscale(work, picture, task=task, on_progress=on_progress)
        case CutoutRequest():
            painted = await backend.cut_out(picture, work.model)
        case _:
            caption = await backend.interrogate(picture, work.model)
            return Ready(Painting((), loop.time() - started, caption=caption))
    seconds = loop.time() - started
    recipe = pngtext.read(picture)
    copy = await asyncio.to_thread(_labelled, painted, work, recipe)
    return Ready(Painting((copy,), seconds))


def _labelled(painted: Painted, work: UpscaleRequest | CutoutRequest, recipe: str) -> Painted:
    if not recipe:
        return painted
    text = infotext.extended(recipe, _fields(work))
    seed = infotext.parse(text).seed or 0
    return replace(painted, data=pngtext.rewritten(painted.data, text), infotext=text, seed=seed)


def _fields(work: UpscaleRequest | CutoutRequest) -> dict[str, str]:
    """Return what was done in the words of the WebUI's postprocessing scripts and of its extension rembg."""
    if isinstance(work, CutoutRequest):
        return {"Rembg": work.model or "default"}
    fields = {
        "Postprocess upscale by": f"{work.scale:g}",
        "Postprocess upscaler": work.upscaler,
        "Postprocess upscaler 2": work.second or "",
        "GFPGAN visibility": f"{work.gfpgan:g}" if work.gfpgan else "",
        "CodeFormer visibility": f"{work.codeformer:g}" if work.codeformer else "",
        "CodeFormer weight": f"{work.codeformer_weight:g}" if work.codeformer else "",
    }
    return {key: value for key, value in fields.items() if value}
