import time

from bot.backends.address import BackendAddress
from bot.backends.decoding import Decoder
from bot.backends.factory import Workshop, build
from bot.backends.webui.client import WebUI
from bot.backends.wire import Pace
from bot.domain.ports import Painting, Progress
from bot.domain.request import PaintRequest
from bot.imaging.imaging import Imaging
from tests.standins.webui import StandInWebUI

QUICK = Pace(connect_s=1.0, get_s=2.0, interrupt_s=1.0, stall_s=5.0, total_s=20.0, poll_s=0.02)


class Bench:
    """A stand-in server and clients of it."""

    def __init__(self, server: StandInWebUI, imaging: Imaging, decoder: Decoder) -> None:
        self.server = server
        self._imaging = imaging
        self._decoder = decoder
        self._clients: list[WebUI] = []

    def client(self, pace: Pace = QUICK, auth: tuple[str, str] | None = None, *, instance: str = "") -> WebUI:
        address = BackendAddress("webui", "webui-1", self.server.url, auth)
        (backend,) = build(
            [address], Workshop(time.monotonic, self._imaging, self._decoder, pace, instance=instance)
        )
        assert isinstance(backend, WebUI)
        self._clients.append(backend)
        return backend

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


def order(**changes: object) -> PaintRequest:
    return PaintRequest(**{"prompt": "a cat", "seed": 5, "width": 64, "height": 64, "steps": 4, **changes})  # type: ignore[arg-type]


async def painted(
    client: WebUI, request: PaintRequest, init_image: bytes | None = None, task: str = "1-1"
) -> tuple[Painting, list[Progress]]:
    told: list[Progress] = []
    images = {request.init_image: init_image} if request.init_image and init_image else {}
    answer = await client.generate(request, task=task, images=images, on_progress=told.append)
    return await answer.painting(), told
