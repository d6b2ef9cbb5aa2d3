"""What a WebUI does with a finished picture: enlarge it, describe it, cut it out, read its recipe."""

import json
from typing import Any

from bot.backends import errors
from bot.backends.decoding import split_one
from bot.backends.webui.survey import API
from bot.domain import infotext
from bot.domain.ports import Painted
from bot.domain.request import UpscaleRequest
from bot.imaging import pngtext
from bot.imaging.sniffing import sniff

UPSCALE = f"{API}extra-single-image"
INTERROGATE = f"{API}interrogate"
RECIPE = f"{API}png-info"
CUTOUT = "/rembg"


def upscaling(request: UpscaleRequest, picture: bytes) -> dict[str, Any]:
    """Return the fields of one upscaling; only what is asked for."""
    fields = {
        "image": picture,
        "upscaling_resize": request.scale,
        "upscaler_1": request.upscaler,
        "upscaler_2": request.second,
        "extras_upscaler_2_visibility": request.second_share if request.second else None,
        "gfpgan_visibility": request.gfpgan or None,
        "codeformer_visibility": request.codeformer or None,
        "codeformer_weight": request.codeformer_weight if request.codeformer else None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def picture(backend: str, body: bytearray, source: bytes) -> Painted:
    """Read an answer that is one picture made of ``source``, whose recipe stays with it.

    Raises ``ProtocolError`` for anything else. Meant for the decoder's thread.
    """
    try:
        data, _ = split_one(body)
    except (ValueError, RecursionError) as error:
        raise errors.broken(backend) from error
    sniffed = sniff(data)
    if sniffed is None:
        raise errors.broken(backend)
    own = pngtext.read(data)
    text = own or pngtext.read(source)
    if text and not own:
        data = pngtext.write(data, text)
    seed = infotext.parse(text).seed or 0
    return Painted(data, sniffed.media_type, sniffed.width, sniffed.height, seed, text)


def told(backend: str, body: bytearray, key: str) -> str:
    """Return the text that an answer tells as ``key``; raises ``ProtocolError`` if it is another answer."""
    try:
        return str(json.loads(body)[key] or "").strip()
    except (ValueError, LookupError, TypeError) as error:
        raise errors.broken(backend) from error
