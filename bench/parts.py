"""What runs beside a bench and must not fail unseen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol


class Part(Protocol):
    """Something that runs until it is cancelled."""

    async def run(self) -> None:
        """Run."""


@asynccontextmanager
async def running(*parts: Part) -> AsyncIterator[None]:
    """Run ``parts`` while this lasts; the bench ends with the first of them that fails."""
    async with asyncio.TaskGroup() as tasks:
        runs = [tasks.create_task(part.run()) for part in parts]
        try:
            yield
        finally:
            for each in runs:
                each.cancel()
