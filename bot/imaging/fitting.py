"""Fitting a picture under the upload limit of the place it goes to."""

from collections.abc import Iterator
from math import sqrt

from PIL import Image

from bot.imaging.encoding import WEBP_MAX_SIDE, Encoded, infotext_of, jpeg, webp
from bot.imaging.opening import opened, upright
from bot.imaging.sniffing import EXTENSIONS

_EXIF_MAX_BYTES = 60_000
_SMALLEST_SIDE = 16
_TRUSTED_PIXELS = 1 << 28


def fit(data: bytes, media_type: str, max_bytes: int) -> Encoded:
    """Return the picture in at most ``max_bytes``: as it is if it fits, else as WebP, as JPEG, then smaller.

    The infotext goes along while it fits too. Only a limit below some hundred bytes can be missed; raises
    ``RequestError`` for bytes that are no readable picture and do not fit as they are.
    """
    if len(data) <= max_bytes:
        return Encoded(data, media_type, EXTENSIONS.get(media_type, "bin"), reduced=False)
    with opened(data, max_pixels=_TRUSTED_PIXELS) as image:
        infotext = infotext_of(data, image)
        frame = upright(image)
    if len(infotext) * 2 > min(_EXIF_MAX_BYTES, max_bytes // 4):
        infotext = ""
    while True:
        for encoded in _encodings(frame, infotext):
            if len(encoded.data) <= max_bytes:
                return encoded
        if max(frame.size) <= _SMALLEST_SIDE:
            return encoded
        frame = _smaller(frame, 0.9 * sqrt(max_bytes / len(encoded.data)))


def _encodings(frame: Image.Image, infotext: str) -> Iterator[Encoded]:
    if max(frame.size) <= WEBP_MAX_SIDE:
        yield webp(frame, quality=92, infotext=infotext)
        yield webp(frame, quality=80, infotext=infotext)
    yield jpeg(frame, quality=75, infotext=infotext)


def _smaller(frame: Image.Image, factor: float) -> Image.Image:
    width, height = (max(1, int(side * min(0.85, max(0.1, factor)))) for side in frame.size)
    return frame.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
