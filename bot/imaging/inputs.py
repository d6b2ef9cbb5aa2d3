"""Pictures people send in, made safe and plain before anything else sees them."""

import io
from dataclasses import dataclass, field

from bot.imaging.opening import opened, upright

MAX_SIDE = 2048


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A source picture as PNG bytes, RGB or RGBA, upright, without metadata; sizes in px.

    ``scale``: how much of its first size it still has, 0–1.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    scale: float = 1.0


def prepare(data: bytes, *, max_side: int = MAX_SIDE) -> PreparedImage:
    """Turn whatever was attached into a plain PNG of at most ``max_side`` px a side.

    Of an animation the first frame counts. Raises ``RequestError`` (``LimitError`` for a picture with too many
    pixels) with words for whoever sent it; the pixel count is checked before anything is decoded.
    """
    with opened(data) as image:
        longest = max(image.size)
        frame = upright(image, max_side)
    # Metadata travels in ``info``, and Pillow writes some of it back: EXIF with a place, colour profiles.
    frame.info.clear()
    buffer = io.BytesIO()
    frame.save(buffer, "PNG", compress_level=3)
    return PreparedImage(buffer.getvalue(), frame.width, frame.height, max(frame.size) / longest)
