"""Noise as PNG files of a chosen weight, each different, without painting anything."""

import random
import struct
import zlib


class Picture:
    """Noise of ``side``×``side`` px with ``levels`` values a channel: fewer levels, fewer bytes."""

    def __init__(self, side: int, levels: int) -> None:
        self.side = side
        grey = bytes(value % levels * (256 // levels) for value in range(256))
        noise = random.Random(side).randbytes(side * side * 3).translate(grey)
        rows = b"".join(b"\0" + noise[at : at + side * 3] for at in range(0, len(noise), side * 3))
        self._head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        self._tail = _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b"")

    def with_infotext(self, text: str) -> bytes:
        """Return the file with ``text`` where the WebUI writes it."""
        return self._head + _chunk(b"tEXt", b"parameters\0" + text.encode("latin-1", "replace")) + self._tail


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
