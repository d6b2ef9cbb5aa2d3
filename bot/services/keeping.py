"""Bringing what was painted into the store of pictures."""

from collections.abc import Awaitable, Callable

from bot.domain.job import Picture, Result
from bot.domain.ports import Painting


async def kept(painting: Painting, backend: str, put: Callable[[bytes], Awaitable[str]]) -> Result:
    """Return what a job keeps of ``painting``, once ``put`` has stored its pictures."""
    pictures = [
        Picture(
            blob=await put(painted.data),
            media_type=painted.media_type,
            width=painted.width,
            height=painted.height,
            seed=painted.seed,
            infotext=painted.infotext,
        )
        for painted in painting.pictures
    ]
    return Result(
        pictures=tuple(pictures),
        backend=backend,
        seconds=painting.seconds,
        model=painting.model,
        sampler=painting.sampler,
        scheduler=painting.scheduler,
        notes=painting.notes,
        caption=painting.caption,
    )
