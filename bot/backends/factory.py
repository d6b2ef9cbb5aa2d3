"""From addresses to backends."""

from collections.abc import Iterable

from bot.backends.address import BackendAddress
from bot.backends.decoding import Decoder
from bot.backends.sketch.painter import Sketch
from bot.backends.webui.client import WebUI
from bot.backends.webui.wire import Pace
from bot.domain.ports import Backend, Clock
from bot.imaging.imaging import Imaging


def build(
    addresses: Iterable[BackendAddress],
    *,
    clock: Clock,
    imaging: Imaging,
    decoder: Decoder,
    pace: Pace | None = None,
) -> list[Backend]:
    """Make a backend for each address; none connects before it is asked something.

    ``imaging`` and ``decoder`` are shared by all and stay their owner's; ``pace`` holds the timeouts.
    """
    backends: list[Backend] = []
    for address in addresses:
        if address.kind == "sketch":
            backends.append(Sketch(address, clock=clock, imaging=imaging))
        else:
            backends.append(WebUI(address, clock=clock, imaging=imaging, decoder=decoder, pace=pace or Pace()))
    return backends
