"""From addresses to backends."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.backends.address import BackendAddress
from bot.backends.comfyui.client import ComfyUI
from bot.backends.decoding import Decoder
from bot.backends.diffusers.client import Diffusers
from bot.backends.sketch.painter import Sketch
from bot.backends.webui.client import WebUI
from bot.backends.wire import Pace
from bot.domain.ports import Backend, Clock
from bot.imaging.imaging import Imaging


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all backends share and none of them closes; ``pace`` holds the timeouts.

    ``workflows`` is the folder of admins' own ComfyUI graphs. ``instance`` tells this Easel's tasks from those of
    another one at the same server, and is the same in every life of ours.
    """

    clock: Clock
    imaging: Imaging
    decoder: Decoder
    pace: Pace = field(default_factory=Pace)
    workflows: Path | None = None
    instance: str = ""


def build(addresses: Iterable[BackendAddress], workshop: Workshop) -> list[Backend]:
    """Make a backend for each address; none connects or loads anything before it is asked something."""
    return [_MAKERS[address.kind](address, workshop) for address in addresses]


def _sketch(address: BackendAddress, workshop: Workshop) -> Backend:
    return Sketch(address, clock=workshop.clock, imaging=workshop.imaging)


def _webui(address: BackendAddress, workshop: Workshop) -> Backend:
    return WebUI(
        address,
        clock=workshop.clock,
        imaging=workshop.imaging,
        decoder=workshop.decoder,
        pace=workshop.pace,
        instance=workshop.instance,
    )


def _comfyui(address: BackendAddress, workshop: Workshop) -> Backend:
    return ComfyUI(
        address,
        clock=workshop.clock,
        imaging=workshop.imaging,
        decoder=workshop.decoder,
        pace=workshop.pace,
        workflows=workshop.workflows,
    )


def _diffusers(address: BackendAddress, workshop: Workshop) -> Backend:
    return Diffusers(address, clock=workshop.clock, imaging=workshop.imaging, pace=workshop.pace)


_MAKERS: Mapping[str, Callable[[BackendAddress, Workshop], Backend]] = {
    "sketch": _sketch,
    "webui": _webui,
    "comfyui": _comfyui,
    "diffusers": _diffusers,
}
