"""The least a client of WebUIs can do: no queue, no database, no fairness; pictures are decoded and kept."""

import asyncio
import hashlib
import json
import os
from pathlib import Path

import aiohttp

from bot.backends.decoding import Decoder, split


class Floor:
    """Sends each backend the next request in the moment that the last one's answer begins to come."""

    def __init__(self, backends: list[str], folder: Path) -> None:
        self.stored = 0
        self._backends = backends
        self._folder = folder
        self._orders: asyncio.Queue[bytes] = asyncio.Queue()

    async def order(self, jobs: int, side: int, pictures: int) -> None:
        """Queue so many jobs, in memory."""
        for number in range(jobs):
            body = {"prompt": f"a lighthouse {number}", "width": side, "height": side, "n_iter": pictures}
            self._orders.put_nowait(json.dumps(body).encode())

    async def run(self, stop: asyncio.Event) -> None:
        """Paint until ``stop``."""
        decoder = Decoder()
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, read_bufsize=1 << 18) as session,
            asyncio.TaskGroup() as tasks,
        ):
            painters = [tasks.create_task(self._paint(session, each, decoder, tasks)) for each in self._backends]
            await stop.wait()
            for painter in painters:
                painter.cancel()
        await decoder.close()

    async def _paint(
        self, session: aiohttp.ClientSession, backend: str, decoder: Decoder, tasks: asyncio.TaskGroup
    ) -> None:
        while True:
            order = await self._orders.get()
            answer = await session.post(f"{backend}/sdapi/v1/txt2img", data=order)
            tasks.create_task(self._store(answer, decoder))

    async def _store(self, answer: aiohttp.ClientResponse, decoder: Decoder) -> None:
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
        pictures, _ = await decoder.run(split, body)
        await asyncio.to_thread(self._keep, pictures)
        self.stored += 1

    def _keep(self, pictures: list[bytes]) -> None:
        for picture in pictures:
            name = f"{hashlib.sha256(picture).hexdigest()}-{os.urandom(4).hex()}"
            with (self._folder / name).open("wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
