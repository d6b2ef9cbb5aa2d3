"""What may go wrong with a ComfyUI."""

from enum import StrEnum
from typing import Any

from aiohttp import web


class Fault(StrEnum):
    """What goes wrong with a prompt."""

    CUT_BEFORE = "the connection breaks before the prompt is accepted"
    CUT_AFTER = "the prompt is accepted and runs, but the connection breaks before the answer"
    HANG = "nothing is ever answered, not even a GET or a WebSocket"
    STALL = "it begins and never moves again until it is interrupted"
    AUTH = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    BUSY = "429"
    CRASH = "500"
    GATEWAY = "502 of a proxy"
    HTML = "a web page"
    TRUNCATED_JSON = "JSON that ends too early, of a prompt that runs"
    WRONG_TYPE = "the right answer as text/plain"
    PARTIAL = "200 with node_errors: one output is left out"
    OUT_OF_MEMORY = "execution_error torch.OutOfMemoryError"
    BROKEN_NODE = "execution_error RuntimeError"
    SOCKET_DROP = "the WebSocket breaks in mid-run; what is said until it is back is lost"
    SILENT = "the WebSocket stays open and says nothing of the run"
    REPEATED = "every message comes twice"
    REORDERED = "messages of the run change places in pairs"
    FOREIGN = "messages of somebody else's prompt come in between"
    NO_HISTORY = "the history never comes"
    NO_IMAGES = "it succeeds without a picture"
    FILE_MISSING = "404 on /view"
    NOT_A_PICTURE = "/view gives something else"
    CUT_VIEW = "the connection breaks in the middle of every /view"


STATUS: dict[Fault, tuple[int, str]] = {
    Fault.AUTH: (401, "Unauthorized"),
    Fault.FORBIDDEN: (403, "Forbidden"),
    Fault.NOT_FOUND: (404, "404: Not Found"),
    Fault.BUSY: (429, "Too Many Requests"),
    Fault.CRASH: (500, "500 Internal Server Error\n\nServer got itself in trouble"),
    Fault.GATEWAY: (502, "<html><body>Bad Gateway</body></html>"),
    Fault.HTML: (200, "<!DOCTYPE html><html><body>Sign in</body></html>"),
}

_TIPS = (
    "This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before you might have "
    "accidentally set the batch_size to a large number."
)
# What a failing node reports; ComfyUI puts the advice after the exception's words.
EXCEPTIONS: dict[Fault, tuple[str, str]] = {
    Fault.OUT_OF_MEMORY: (
        "torch.OutOfMemoryError",
        f"Allocation on device 0 would exceed allowed memory. (out of memory)\n{_TIPS}",
    ),
    Fault.BROKEN_NODE: (
        "RuntimeError",
        "ERROR: Could not detect model type of: /srv/comfy-data/models/checkpoints/x.safetensors\n",
    ),
}


def failure(fault: Fault) -> web.Response:
    """Return the answer of a server, or of a proxy before it, that has this fault."""
    status, text = STATUS[fault]
    kind = "text/html" if text.startswith("<") else "text/plain"
    headers = {"Retry-After": "1"} if fault is Fault.BUSY else {}
    return web.Response(status=status, text=text, content_type=kind, headers=headers)


def cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Break the connection as a killed process does."""
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()


async def halved(request: web.Request, body: bytes) -> web.StreamResponse:
    """Send half of an answer and break the connection."""
    response = web.StreamResponse()
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return cut(request, response)


def broken_node(fault: Fault, node_id: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return what ``execution_error`` tells of the exception."""
    kind, message = EXCEPTIONS[fault]
    return failed(node_id, item, kind, message)


def failed(node_id: str, item: dict[str, Any], kind: str, message: str) -> dict[str, Any]:
    """Return what ``execution_error`` tells of any exception, between ``executed`` and ``current_outputs``."""
    plain = {name: [value] for name, value in item["inputs"].items() if not isinstance(value, list)}
    return {
        "node_id": node_id,
        "node_type": item["class_type"],
        "executed": [],
        "exception_message": message,
        "exception_type": kind,
        "traceback": ['  File "/srv/ComfyUI/execution.py", line 496, in execute\n'],
        "current_inputs": plain,
    }
