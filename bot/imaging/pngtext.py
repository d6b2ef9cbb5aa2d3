"""The ``parameters`` text of a PNG, read and written without touching its pixels.

Chunks as in the PNG specification 11.3.3: ``tEXt`` is Latin-1, ``iTXt`` UTF-8, ``zTXt`` compressed. The WebUI
writes the first two under the keyword ``parameters``.
"""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"parameters"
MAX_TEXT_BYTES = 1 << 20
"""Most bytes of a text that is read; a compressed one is cut off there."""
_TEXTS = frozenset({b"tEXt", b"iTXt", b"zTXt"})
_AFTER_HEADER = len(SIGNATURE) + 25


def read(data: bytes, keyword: bytes = KEYWORD) -> str:
    """Return the infotext of a PNG, or its text under another ``keyword``; empty if it has none or is none."""
    for kind, _, content in _chunks(data):
        found, _, rest = content.partition(b"\0")
        if found != keyword or len(rest) > MAX_TEXT_BYTES:
            continue
        if kind == b"tEXt":
            return rest.decode("latin-1")
        if kind == b"iTXt":
            return _international(rest)
        if kind == b"zTXt":
            return _inflated(rest[1:]).decode("latin-1")
    return ""


def rewritten(data: bytes, text: str) -> bytes:
    """Return the PNG with ``text`` as its only infotext; what is no PNG comes back as is."""
    kept, after = [], 0
    for _, at, content in _chunks(data):
        if content.partition(b"\0")[0] == KEYWORD:
            kept.append(data[after:at])
            after = at + 12 + len(content)
    return write(b"".join([*kept, data[after:]]), text)


def write(data: bytes, text: str) -> bytes:
    """Return the PNG with ``text`` as its infotext, right after the header; what is no PNG comes back as is."""
    if not data.startswith(SIGNATURE):
        return data
    try:
        kind, content = b"tEXt", KEYWORD + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        kind, content = b"iTXt", KEYWORD + b"\0\0\0\0\0" + text.encode()
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    chunk = struct.pack(">I", len(content)) + kind + content + checksum
    return data[:_AFTER_HEADER] + chunk + data[_AFTER_HEADER:]


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield kind, place and content of the text chunks before the first pixels and after the last."""
    at = len(SIGNATURE)
    while data.startswith(SIGNATURE) and at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in _TEXTS:
            yield kind, at, data[at + 8 : at + 8 + length]
        at += 12 + length


def _international(rest: bytes) -> str:
    text = rest[2:].split(b"\0", 2)[-1]
    return (_inflated(text) if rest[:1] == b"\1" else text).decode("utf-8", "replace")


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
