"""Encoding pictures for upload, with their infotext where the format has room for it."""

import io
from dataclasses import dataclass, field

from PIL import Image

from bot.imaging import pngtext
from bot.imaging.opening import flat

_EXIF_IFD = 0x8769
_USER_COMMENT = 0x9286
_UNICODE = b"UNICODE\0"
WEBP_MAX_SIDE = 16383


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture ready for upload; ``reduced``: it is not the original bytes any more."""

    data: bytes = field(repr=False)
    media_type: str
    ext: str
    reduced: bool = True


def webp(image: Image.Image, *, quality: int, method: int = 2, infotext: str = "") -> Encoded:
    """Encode as lossy WebP; ``method`` 0–6 trades seconds for bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=method, exif=_exif(infotext))
    return Encoded(buffer.getvalue(), "image/webp", "webp")


def jpeg(image: Image.Image, *, quality: int, infotext: str = "") -> Encoded:
    """Encode as JPEG without colour subsampling above quality 90; transparency becomes white."""
    buffer = io.BytesIO()
    subsampling = 0 if quality > 90 else 2  # noqa: PLR2004 - said in the docstring
    flat(image).save(buffer, "JPEG", quality=quality, subsampling=subsampling, exif=_exif(infotext))
    return Encoded(buffer.getvalue(), "image/jpeg", "jpg")


def infotext_of(data: bytes, image: Image.Image) -> str:
    """Return the infotext a picture carries: PNG text, or the EXIF user comment as the WebUI writes it."""
    text = pngtext.read(data)
    if text:
        return text
    comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    if isinstance(comment, bytes) and comment.startswith(_UNICODE) and len(comment) <= pngtext.MAX_TEXT_BYTES:
        return comment.removeprefix(_UNICODE).decode("utf-16-be", "replace")
    return ""


def _exif(infotext: str) -> bytes:
    if not infotext:
        return b""
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = _UNICODE + infotext.encode("utf-16-be", "replace")
    return exif.tobytes()
