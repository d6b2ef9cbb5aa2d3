"""Pictures as plain pixels, for painters that calculate with them."""

import io
from dataclasses import dataclass, field

from PIL import Image

from bot.imaging import pngtext
from bot.imaging.encoding import webp
from bot.imaging.opening import flat, opened, upright
from bot.imaging.placing import Patch
from bot.imaging.preview import MAX_SIDE as PREVIEW_SIDE


@dataclass(frozen=True, slots=True)
class Pixels:
    """Three bytes a pixel (RGB), row by row from the top; sizes in px."""

    width: int
    height: int
    data: bytes = field(repr=False)


def flattened(data: bytes) -> bytes:
    """Return a picture as PNG without transparency, over white as the WebUI does it; others come back as is.

    Raises ``RequestError`` for bytes that are no picture.
    """
    with opened(data) as image:
        frame = upright(image)
    return _png(flat(frame)) if frame.mode == "RGBA" else data


def colours(data: bytes) -> bytes:
    """Return the RGB bytes of an encoded picture."""
    with opened(data) as image:
        return upright(image).convert("RGB").tobytes()


def greys(data: bytes) -> bytes:
    """Return the grey bytes of an encoded picture, one a pixel."""
    with opened(data) as image:
        return upright(image).convert("L").tobytes()


def png(pixels: Pixels, infotext: str, patch: Patch | None = None) -> bytes:
    """Encode as PNG with its infotext, put back into the picture that it is a ``patch`` of."""
    image = _image(pixels)
    if patch is not None:
        image = _put_back(image, patch)
    return pngtext.write(_png(image), infotext)


def small(pixels: Pixels) -> bytes:
    """Encode as WebP of at most 256 px a side."""
    image = _image(pixels)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return webp(image, quality=75, method=0).data


def enlarged(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return it in another size, by Lanczos' filter."""
    image = _image(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return Pixels(width, height, image.tobytes())


def _image(pixels: Pixels) -> Image.Image:
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.data)


def _put_back(image: Image.Image, patch: Patch) -> Image.Image:
    left, top, width, height = patch.box
    with opened(patch.whole) as whole, opened(patch.edge) as edge:
        result = whole.convert("RGB")
        result.paste(image.resize((width, height), Image.Resampling.LANCZOS), (left, top), edge.convert("L"))
    return result


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
