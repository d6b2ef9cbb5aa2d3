"""Small previews of a picture in the making."""

from bot.imaging.encoding import webp
from bot.imaging.opening import opened, upright

MAX_SIDE = 256
"""Largest side of a preview in px (a thumbnail in an embed)."""


def preview(data: bytes, max_side: int = MAX_SIDE) -> bytes:
    """Return any picture as WebP of at most ``max_side`` px a side; raises ``RequestError`` if it is none."""
    with opened(data) as image:
        frame = upright(image, max_side)
    return webp(frame, quality=75, method=0).data
