"""Opening pictures from anywhere without being hurt by them."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.domain.errors import LimitError, RequestError
from bot.domain.text import N_

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
MAX_PIXELS = 50_000_000
"""Most pixels a picture may claim in its header: phones take 48 megapixels, bombs more."""

# Pillow only warns of pictures between one and two times its own cap; a warning in a thread helps nobody.
warnings.simplefilter("error", Image.DecompressionBombWarning)


@contextmanager
def opened(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open a picture by its bytes, still undecoded; raise ``RequestError`` in words, also while it decodes.

    What Pillow raises for broken files is as varied as the files: ``OSError``, ``SyntaxError``, ``ValueError``,
    ``struct.error``, ``EOFError``, ``IndexError`` and others have been seen.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image, max_pixels)
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
        raise _too_large(max(told, default=2 * max_pixels), max_pixels) from error
    except Exception as error:
        raise RequestError(
            N_("This picture is damaged or incomplete."), N_("Save it again and attach the new file.")
        ) from error


def upright(image: Image.Image, max_side: int | None = None) -> Image.Image:
    """Return the first frame as RGB or RGBA, turned as its EXIF says and at most ``max_side`` px a side."""
    image.seek(0)
    if max_side is not None:
        image.draft("RGB", (max_side, max_side))
    image.load()
    frame = ImageOps.exif_transpose(image)
    frame = _rgb(frame)
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


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise _too_large(image.width * image.height, max_pixels)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow clips instead of scaling when it makes 8 bits of 16.
        image = image.convert("I").point(lambda value: value * (255 / 65535)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _too_large(pixels: int, max_pixels: int) -> LimitError:
    return LimitError(
        N_("This picture is too large: {megapixels} megapixels."),
        N_("Use one of at most {max} megapixels."),
        megapixels=round(pixels / 1e6),
        max=round(max_pixels / 1e6),
    )
