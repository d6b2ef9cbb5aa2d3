"""The pictures of a finished prompt, brought home and labelled."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from bot.backends import errors
from bot.backends.comfyui import trouble
from bot.backends.comfyui.history import File, Memo
from bot.backends.decoding import Decoder
from bot.backends.wire import Wire
from bot.domain import infotext
from bot.domain.errors import NotEnabledError, RejectedError
from bot.domain.ports import Painted, Painting
from bot.domain.request import ControlMode, PaintRequest
from bot.domain.text import N_
from bot.imaging import pngtext
from bot.imaging.sniffing import sniff
from bot.prompting.loras import in_prompt

OTHER_SIZE = N_("The backend painted another size than the one asked for.")
NO_LORAS = N_("The workflow chooses its LoRAs itself: the one asked for was left out.")
NO_MODES = N_("The backend weighs prompt and control picture equally; it has no other mode.")
FEWER = N_("The backend painted fewer pictures than asked for.")


@dataclass(frozen=True, slots=True)
class Finished:
    """A prompt that ran; its server is free, its ``files`` with their seeds are still there."""

    backend: str
    request: PaintRequest
    memo: Memo
    files: tuple[tuple[File, int], ...]
    seconds: float
    wire: Wire = field(repr=False)
    decoder: Decoder = field(repr=False)

    async def painting(self) -> Painting:
        """Fetch the pictures one after the other; raises ``BackendError``."""
        pictures = [await self._fetched(file, seed) for file, seed in self.files]
        memo = self.memo
        return Painting(
            tuple(pictures), self.seconds, memo.model, memo.sampler, memo.scheduler, self._notes(pictures)
        )

    async def _fetched(self, file: File, seed: int) -> Painted:
        data = await fetched(self.backend, self.wire, file)
        return await self.decoder.run(painted, self.backend, data, self.request, self.memo, seed)

    def _notes(self, pictures: list[Painted]) -> tuple[str, ...]:
        if self.request.workflow is not None:
            return (NO_LORAS,) if self.request.loras or in_prompt(self.request.prompt) else ()
        sizes = {(picture.width, picture.height) for picture in pictures}
        differences = {
            OTHER_SIZE: sizes != {self.request.final_size},
            FEWER: len(pictures) < self.request.count,
            NO_MODES: any(control.mode is not ControlMode.BALANCED for control in self.request.controls),
        }
        return tuple(note for note, differs in differences.items() if differs)


async def fetched(backend: str, wire: Wire, file: File) -> bytes:
    """Return one picture's bytes; names are used again once a folder was emptied, so it is done soon."""
    query = urlencode({"filename": file.filename, "subfolder": file.subfolder, "type": file.type})
    try:
        return bytes(await wire.download(f"/view?{query}"))
    except (NotEnabledError, RejectedError) as error:
        raise trouble.file_gone(backend) from error


def painted(backend: str, data: bytes, request: PaintRequest, memo: Memo, seed: int) -> Painted:
    """Label a picture: a PNG gets the infotext, beside the graph that ComfyUI has written into it."""
    sniffed = sniff(data)
    if sniffed is None:
        raise errors.broken(backend)
    text = infotext.describe(
        request,
        seed=seed,
        size=(sniffed.width, sniffed.height),
        model=memo.model,
        sampler=memo.sampler,
        scheduler=memo.scheduler,
    ).write()
    return Painted(pngtext.write(data, text), sniffed.media_type, sniffed.width, sniffed.height, seed, text)


def relabelled(backend: str, data: bytes, source: bytes) -> Painted:
    """Give a larger copy the infotext of its source."""
    sniffed = sniff(data)
    if sniffed is None:
        raise errors.broken(backend)
    text = pngtext.read(source)
    seed = infotext.parse(text).seed or 0
    data = pngtext.write(data, text) if text else data
    return Painted(data, sniffed.media_type, sniffed.width, sniffed.height, seed, text)
