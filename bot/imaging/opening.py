"""Opening pictures from anywhere without being hurt by them."""

import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from math import ceil

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.domain.errors import LimitError, RequestError
from bot.domain.text import N_
from bot.imaging import sniffing

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
MAX_PIXELS = 50_000_000
"""Most pixels a picture may claim in its header: phones take 48 megapixels, bombs more."""
MAX_COSTLY_PIXELS = 20_000_000
"""Most pixels where a decoder holds a picture several times over: WebP and AVIF, and four colours of a JPEG."""
_COSTLY = frozenset({"WEBP", "AVIF"})
_LARGE_PIXELS = 12_000_000
_ONE_LARGE = threading.RLock()
"""Held while a large picture is decoded: two at once would need too much memory."""
_MAX_SCANS = 64
"""Most passes over a progressive JPEG: real ones have about ten, and each takes time however short it is."""
_BAND_ROWS = 64

# Pillow only warns of pictures between one and two times its own cap; a warning in a thread helps nobody.
warnings.simplefilter("error", Image.DecompressionBombWarning)


@contextmanager
def opened(data: bytes, *, max_pixels: int | None = None) -> Iterator[Image.Image]:
    """Open a picture by its bytes, still undecoded; raise ``RequestError`` in words, also while it decodes.

    ``max_pixels``: what is asked of a stranger's picture if ``None``. What Pillow raises for broken files is as
    varied as the files: ``OSError``, ``SyntaxError``, ``ValueError``, ``struct.error``, ``EOFError``,
    ``IndexError`` and others have been seen.
    """
    most = max_pixels or MAX_PIXELS
    try:
        if max_pixels is None:
            _check_header(data)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if max_pixels is None and (image.format in _COSTLY or image.mode == "CMYK"):
                most = MAX_COSTLY_PIXELS
            _check_size(image.width * image.height, most)
            with _ONE_LARGE if image.width * image.height > _LARGE_PIXELS else nullcontext():
                yield image
    except (RequestError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise RequestError(
            N_("This file is not a picture that can be read."), N_("Use a PNG, JPEG, WebP or GIF file.")
        ) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        # Pillow looks at the size first and tells it in its sentence only.
        told = map(int, re.findall(r"\d+", str(error)))
        raise _too_large(max(told, default=2 * most), most) from error
    except Exception as error:
        raise _damaged() from error


def upright(image: Image.Image, max_side: int | None = None) -> Image.Image:
    """Return the first frame as RGB or RGBA, turned as its EXIF says and at most ``max_side`` px a side."""
    image.seek(0)
    if max_side is not None:
        image.draft("RGB", (max_side, max_side))
    image.load()
    # Made smaller first: every step from here on takes a copy.
    frame = _rgb(image) if max_side is None else _reduced(image, max_side)
    frame = ImageOps.exif_transpose(frame)
    if max_side is not None:
        frame.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return frame


def flat(image: Image.Image, colour: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """Return ``image`` as RGB, what is transparent laid over ``colour``."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, colour)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _check_size(pixels: int, max_pixels: int) -> None:
    if pixels > max_pixels:
        raise _too_large(pixels, max_pixels)


def _check_header(data: bytes) -> None:
    """Look at a stranger's file before any decoder does: that of WebP takes its memory as soon as it is made."""
    found = sniffing.sniff(data)
    if found is None:
        return
    if found.media_type == "image/webp":
        _check_size(found.width * found.height, MAX_COSTLY_PIXELS)
    if found.media_type == "image/jpeg" and sniffing.scans(data) > _MAX_SCANS:
        raise _damaged()


def _reduced(image: Image.Image, max_side: int) -> Image.Image:
    """Return it as RGB or RGBA with its sides divided by a whole number, but not below ``max_side`` px."""
    factor = max(image.size) // max_side
    if factor <= 1:
        return _rgb(image)
    rows = _BAND_ROWS * factor
    bands = (
        _rgb(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factor)
        for top in range(0, image.height, rows)
    )
    small = Image.new("RGB", (1, 1))
    for number, band in enumerate(bands):
        if number == 0:
            small = Image.new(band.mode, (band.width, ceil(image.height / factor)))
        small.paste(band, (0, number * _BAND_ROWS))
    # Where its EXIF is found again.
    small.info = dict(image.info)
    return small


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow clips instead of scaling when it makes 8 bits of 16.
        image = image.convert("I").point(lambda value: value * (255 / 65535)).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _damaged() -> RequestError:
    return RequestError(N_("This picture is damaged or incomplete."), N_("Save it again and attach the new file."))


def _too_large(pixels: int, max_pixels: int) -> LimitError:
    return LimitError(
        N_("This picture is too large: {megapixels} megapixels."),
        N_("Use one of at most {max} megapixels."),
        megapixels=round(pixels / 1e6),
        max=round(max_pixels / 1e6),
    )
