"""What bytes are, told by their first bytes: servers and file names may say anything."""

import re
import struct
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_MARK = 0xFF
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
"""A marker amid coded data, where a byte of ones is followed by zero or belongs to a restart."""
_AVIF = frozenset({b"avif", b"avis"})
HEAD_BYTES = 12
"""How many first bytes tell whether something may be a picture."""
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
"""File extension by media type."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A picture's real media type and its size in px, as its header tells."""

    media_type: str
    width: int
    height: int


def may_be_picture(head: bytes | bytearray) -> bool:
    """Return whether the first ``HEAD_BYTES`` bytes are those of a kind of picture that can be opened."""
    return (
        head.startswith((_PNG, b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and bytes(head[8:12]) in _AVIF)
    )


def sniff(data: bytes) -> Sniffed | None:
    """Return what PNG, JPEG or WebP header ``data`` begins with, ``None`` for anything else.

    Formats: PNG specification 11.2.2, ITU T.81 annex B, RFC 9649. Nothing is decoded.
    """
    try:
        if data.startswith(_PNG) and data[12:16] == b"IHDR":
            return _sized("image/png", *struct.unpack_from(">II", data, 16))
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        pass
    return None


def _sized(media_type: str, width: int, height: int) -> Sniffed | None:
    return Sniffed(media_type, width, height) if width and height else None


def _jpeg(data: bytes) -> Sniffed | None:
    at = 2
    while data[at] == _MARK:
        marker = data[at + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return _sized("image/jpeg", width, height)
        if marker == _MARK:
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None


def _webp(data: bytes) -> Sniffed | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        bits = int(struct.unpack_from("<I", data, 21)[0])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return _sized("image/webp", width, height)


def scans(data: bytes) -> int:
    """Return how many passes over its pixels a JPEG takes; what follows its end does not count."""
    at, count = 2, 0
    while (found := _MARKER.search(data, at)) and found[1][0] != _END and found.end() + 2 <= len(data):
        count += found[1][0] == _SCAN
        at = found.end() + int(struct.unpack_from(">H", data, found.end())[0])
    return count
