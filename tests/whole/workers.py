"""Workers without a gateway, in the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.settings_loading import load
from bot.worker import serve


@asynccontextmanager
async def working(environ: Mapping[str, str], name: str, backends: str) -> AsyncIterator[None]:
    """Run a worker; leaving stops it as SIGTERM does."""
    stop = asyncio.Event()
    life = asyncio.create_task(serve(load({**environ, "EASEL_BACKENDS": backends}, None), stop, name=name))
    try:
        yield
    finally:
        stop.set()
        await life
