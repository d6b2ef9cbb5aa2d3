"""Orders as JSON, with their pictures as base64, written in small bites."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pybase64

BITE = 192 * 1024
"""Most bytes encoded in one go; a multiple of three, so that base64 pads only the end."""


def has_pictures(value: Any) -> bool:
    """Return whether ``bytes`` stand anywhere in a JSON value: they are pictures."""
    if isinstance(value, dict):
        return any(has_pictures(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(has_pictures(part) for part in value)
    return isinstance(value, bytes)


def encode(value: Any) -> bytes:
    """Return ``value`` as JSON; ``bytes`` become base64. Meant for the decoder's thread if there are such."""
    buffer = io.BytesIO()
    for piece in _pieces(value):
        buffer.write(piece)
    return buffer.getvalue()


def _pieces(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield from _picture(value)
    elif not has_pictures(value):
        yield json.dumps(value).encode()
    elif isinstance(value, dict):
        for i, (key, part) in enumerate(value.items()):
            yield b"{" if i == 0 else b", "
            yield json.dumps(key).encode() + b": "
            yield from _pieces(part)
        yield b"}"
    else:
        for i, part in enumerate(value):
            yield b"[" if i == 0 else b", "
            yield from _pieces(part)
        yield b"]"


def _picture(data: bytes) -> Iterator[bytes]:
    yield b'"'
    with memoryview(data) as view:
        for at in range(0, len(data), BITE):
            yield pybase64.b64encode(view[at : at + BITE])
            time.sleep(0)  # hands the interpreter lock over
    yield b'"'
