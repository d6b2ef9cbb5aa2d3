"""Messages between the bot and its painting process: a JSON object, and byte strings behind it."""

import asyncio
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
_SIZES = "sizes"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: ``header`` is JSON, ``blobs`` are pictures."""

    header: Mapping[str, Any]
    blobs: tuple[bytes, ...] = field(default=(), repr=False)


def pack(header: Mapping[str, Any], blobs: Iterable[bytes] = ()) -> bytes:
    """Return a message as it is sent: the header's length (4 bytes, big-endian), the header, the blobs."""
    parts = tuple(blobs)
    text = json.dumps({**header, _SIZES: [len(part) for part in parts]}).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *parts))


def read(source: BinaryIO) -> Frame | None:
    """Return the next message of a blocking stream; ``None`` at its end, also if that is in mid-message."""
    try:
        header = json.loads(_exactly(source, _LENGTH.unpack(_exactly(source, _LENGTH.size))[0]))
        return Frame(header, tuple(_exactly(source, size) for size in header.pop(_SIZES)))
    except EOFError:
        return None


async def receive(reader: asyncio.StreamReader) -> Frame | None:
    """Return the next message of a stream; ``None`` at its end, also if that is in mid-message."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        header = json.loads(await reader.readexactly(length))
        return Frame(header, tuple([await reader.readexactly(size) for size in header.pop(_SIZES)]))
    except asyncio.IncompleteReadError:
        return None


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = source.read(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
