"""What is said over a ComfyUI's WebSocket, recorded or heard, in a form that can be compared."""

import json
import re
import struct
from typing import Any

import aiohttp

Told = tuple[str, Any]


def form(value: Any) -> Any:
    """Return a value with the names of types in place of what it holds."""
    if isinstance(value, dict):
        return {key: form(content) for key, content in value.items()}
    if isinstance(value, list):
        return [form(content) for content in value]
    return type(value).__name__


def plain(message: dict[str, Any]) -> Told:
    """Return a message, recorded or received, without what differs from run to run."""
    if "binary" in message:
        return "preview", message["binary"].get("event_type", 1)
    data = json.loads(json.dumps(message["text"]["data"]))
    data.pop("current_outputs", None)
    for key in {"prompt_id", "timestamp", "sid"} & data.keys():
        data[key] = form(data[key])
    if "traceback" in data:
        data["traceback"] = form(data["traceback"][:1])
    for image in data.get("output", {}).get("images", ()):
        image["filename"] = re.sub(r"\d+", "n", image["filename"])
    for node in data["nodes"].values() if isinstance(data.get("nodes"), dict) else ():
        node["prompt_id"] = "str"
    return message["text"]["type"], data


async def said(socket: aiohttp.ClientWebSocketResponse) -> Told:
    """Return the next message."""
    message = await socket.receive(10)
    if message.type is aiohttp.WSMsgType.BINARY:
        return plain({"binary": {"event_type": struct.unpack(">I", message.data[:4])[0]}})
    return plain({"text": json.loads(message.data)})


async def heard(socket: aiohttp.ClientWebSocketResponse, ends: int = 1) -> list[Told]:
    """Return what is said until that many prompts have ended."""
    told: list[Told] = []
    while ends:
        told.append(await said(socket))
        ends -= told[-1][0] == "executing" and told[-1][1]["node"] is None
    return told


def kinds(told: list[Told]) -> list[str]:
    """Return the types of the messages."""
    return [kind for kind, _ in told]
