from collections.abc import AsyncIterator

import pytest

from bot.backends.decoding import Decoder
from bot.imaging.imaging import Imaging
from tests.standins.webui import StandInWebUI
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
