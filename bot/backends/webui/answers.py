"""From a WebUI's answer to pictures, with a note on everything that came out other than asked."""

import json
import re
from typing import Any

from bot.backends import errors
from bot.backends.decoding import split
from bot.backends.webui.listings import Choice, plainly
from bot.domain import infotext
from bot.domain.ports import Painted, Painting
from bot.domain.request import PaintRequest
from bot.domain.text import N_
from bot.imaging import pngtext
from bot.imaging.sniffing import sniff

OTHER_MODEL = N_("The backend painted with another model than the one asked for.")
OTHER_SAMPLER = N_("The backend used another sampler than the one asked for.")
OTHER_SCHEDULER = N_("The backend used another scheduler than the one asked for.")
OTHER_SIZE = N_("The backend painted another size than the one asked for.")
NO_LORA = N_("The backend has no LoRA of a name in the prompt: that one was left out.")
FEWER = N_("The backend painted fewer pictures than asked for.")
_ANY = frozenset({"automatic", "default"})
_SUFFIX = re.compile(r"\.(?:safetensors|ckpt|gguf)$")


def painting(backend: str, body: bytearray, request: PaintRequest, choice: Choice, seconds: float) -> Painting:
    """Read a whole answer; raises ``ProtocolError`` if it is broken or holds no picture.

    Grids come before ``index_of_first_image`` and what extensions add (ControlNet's maps) comes after the
    pictures; both are left out. A script's own first pictures are its result, grid or not. Meant for the
    decoder's thread.
    """
    try:
        images, answer = split(body)
        body.clear()  # or it would be there beside the pictures and their labelled copies
        info = _info(answer)
    except (ValueError, RecursionError) as error:
        raise errors.broken(backend) from error
    first = info.get("index_of_first_image")
    start = first if isinstance(first, int) and first > 0 and request.script is None else 0
    images = images[start : start + request.count]
    if not images:
        raise errors.no_images(backend)
    pictures = tuple(_painted(backend, data, i, request, info) for i, data in enumerate(images))
    recipe = infotext.parse(pictures[0].infotext).fields
    model = _text(info.get("sd_model_name")) or recipe.get("Model") or choice.model
    sampler = _text(info.get("sampler_name")) or recipe.get("Sampler") or choice.sampler
    scheduler = recipe.get("Schedule type") or choice.scheduler
    used = Choice(model, sampler, scheduler)
    return Painting(pictures, seconds, model, sampler, scheduler, notes=_notes(request, choice, used, pictures))


def _info(answer: Any) -> dict[str, Any]:
    """Return ``info``, which is JSON in a string; some kin leave it empty."""
    if not isinstance(answer, dict) or "images" not in answer:
        raise ValueError("the answer holds no list of pictures")
    info = answer.get("info")
    if isinstance(info, str) and info:
        info = json.loads(info)
    return info if isinstance(info, dict) else {}


def _painted(backend: str, data: bytes, i: int, request: PaintRequest, info: dict[str, Any]) -> Painted:
    sniffed = sniff(data)
    if sniffed is None:
        raise errors.broken(backend)
    own = pngtext.read(data)
    text = own or _text(_item(info.get("infotexts"), i)) or ""
    seed = _item(info.get("all_seeds"), i)
    if not isinstance(seed, int):
        seed = infotext.parse(text).seed
    if seed is None:
        seed = request.seeds()[i]
    if not own and text:
        data = pngtext.write(data, text)
    return Painted(data, sniffed.media_type, sniffed.width, sniffed.height, seed, text)


def _notes(request: PaintRequest, asked: Choice, used: Choice, pictures: tuple[Painted, ...]) -> tuple[str, ...]:
    sizes = {(picture.width, picture.height) for picture in pictures}
    free = request.script is not None or bool(request.extra)
    differences = {
        OTHER_MODEL: _differs(asked.model, used.model),
        OTHER_SAMPLER: _differs(asked.sampler, used.sampler),
        OTHER_SCHEDULER: _differs(asked.scheduler, used.scheduler),
        OTHER_SIZE: sizes != {request.final_size} and not free,
        NO_LORA: asked.lost_loras,
        FEWER: len(pictures) < request.count,
    }
    return tuple(note for note, differs in differences.items() if differs)


def _differs(asked: str | None, used: str | None) -> bool:
    """Compare names as the server means them: "Automatic" is any, and a model's file is the model."""
    if asked is None or used is None or plainly(asked) in _ANY:
        return False
    return _SUFFIX.sub("", plainly(asked)) != _SUFFIX.sub("", plainly(used))


def _item(items: Any, i: int) -> Any:
    return items[i] if isinstance(items, list) and i < len(items) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
