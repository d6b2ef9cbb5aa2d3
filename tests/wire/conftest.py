from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.backends.decoding import Decoder
from bot.imaging.imaging import Imaging
from tests.standins.comfyui import StandInComfyUI
from tests.standins.webui import StandInWebUI
from tests.wire.comfybench import ComfyBench
from tests.wire.workbench import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    imaging, decoder = Imaging(threads=1), Decoder()
    async with StandInWebUI() as server:
        bench = Bench(server, imaging, decoder)
        yield bench
        await bench.close()
    await imaging.close()
    await decoder.close()


@pytest.fixture
async def comfy(tmp_path: Path) -> AsyncIterator[ComfyBench]:
    imaging, decoder = Imaging(threads=1), Decoder()
    async with StandInComfyUI() as server:
        bench = ComfyBench(server, imaging, decoder, tmp_path)
        yield bench
        await bench.close()
    await imaging.close()
    await decoder.close()
