"""Taking big answers apart without stalling the event loop.

Threads do not free the loop from the interpreter lock: ``json.loads`` on ten megabytes holds it for tens of
milliseconds. So one thread, shared by all backends, cuts the pictures out of the raw body in small bites and
parses only the rest.
"""

import asyncio
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

import pybase64

P = ParamSpec("P")
T = TypeVar("T")
BITE = 256 * 1024
"""Most base64 characters decoded in one go; a multiple of four, as base64 is."""
_IMAGES = re.compile(rb'"images"\s*:\s*\[\s*')
_IMAGE = re.compile(rb'"image"\s*:\s*"')
_NEXT = re.compile(rb'\s*(?:,\s*"|\])')
_SEPARATOR = re.compile(r"[\s,:]*")


class Decoder:
    """One thread for all backends' answers; owned by whoever makes it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="decoder")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``function`` in the thread."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def close(self) -> None:
        """Free the thread."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)


def split(body: bytearray) -> tuple[list[bytes], Any]:
    """Return the decoded strings of a JSON object's first ``images`` list, and the object without them.

    Raises ``ValueError`` if the JSON or the base64 is broken. Pictures take the memory of the body once more.
    """
    begin = _IMAGES.search(body)
    if begin is None:
        return [], json.loads(body)
    images: list[bytes] = []
    at = begin.end()
    while body[at : at + 1] == b'"':
        end = body.find(b'"', at + 1)
        if end < 0:
            raise ValueError("a picture's text does not end")
        images.append(_decoded(body, at + 1, end))
        after = _NEXT.match(body, end + 1)
        if after is None:
            raise ValueError("the list of pictures does not end")
        at = after.end() - 1
    if body[at : at + 1] != b"]":
        raise ValueError("the list of pictures holds something else")
    return images, json.loads(body[: begin.end()] + body[at:])


def split_one(body: bytearray) -> tuple[bytes, Any]:
    """Return the decoded ``image`` string of a JSON object, and the object with an empty one.

    Raises ``ValueError`` if there is none, or if the JSON or the base64 is broken.
    """
    begin = _IMAGE.search(body)
    end = body.find(b'"', begin.end()) if begin else -1
    if begin is None or end < 0:
        raise ValueError("the answer holds no picture")
    return _decoded(body, begin.end(), end), json.loads(body[: begin.end()] + body[end:])


def elements(body: bytes | bytearray) -> Iterator[Any]:
    """Yield the elements of a JSON array one by one; raises ``ValueError`` if it is none.

    A server's list of LoRAs may be tens of megabytes long, since it holds their training metadata.
    """
    text = body.decode().strip()
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError("the answer is no list")
    decoder = json.JSONDecoder()
    at = _end_of_separator(text, 1)
    while at < len(text) - 1:
        try:
            element, at = decoder.raw_decode(text, at)
        except RecursionError as error:
            raise ValueError("the answer is nested too deep") from error
        yield element
        at = _end_of_separator(text, at)
        _let_go()


def listed(body: bytes | bytearray) -> Iterator[tuple[str, Any]]:
    """Yield key and element of every array in a JSON object, one by one; raises ``ValueError`` if it is none."""
    text = body.decode().strip()
    if not text.startswith("{"):
        raise ValueError("the answer is no object")
    decoder = json.JSONDecoder()
    at = _end_of_separator(text, 1)
    try:
        while text[at] != "}":
            key, at = decoder.raw_decode(text, at)
            if not isinstance(key, str):
                raise ValueError("the answer is no object")  # noqa: TRY004 - it is the answer that is wrong
            at = _end_of_separator(text, at)
            if text[at] != "[":
                _, at = decoder.raw_decode(text, at)
            else:
                at = _end_of_separator(text, at + 1)
                while text[at] != "]":
                    element, at = decoder.raw_decode(text, at)
                    yield key, element
                    at = _end_of_separator(text, at)
                    _let_go()
                at += 1
            at = _end_of_separator(text, at)
    except (IndexError, RecursionError) as error:
        raise ValueError("the answer ends too early or is nested too deep") from error


def _end_of_separator(text: str, at: int) -> int:
    match = _SEPARATOR.match(text, at)
    return match.end() if match else at


def _decoded(body: bytearray, start: int, end: int) -> bytes:
    if body[start : start + 5] == b"data:":
        start = body.find(b",", start, end) + 1
    buffer = io.BytesIO()
    with memoryview(body) as view:
        for at in range(start, end, BITE):
            buffer.write(pybase64.b64decode(view[at : min(at + BITE, end)], validate=True))
            _let_go()
    return buffer.getvalue()


def _let_go() -> None:
    """Hand the interpreter lock over now instead of at the end of the switch interval (5 ms)."""
    time.sleep(0)
