"""Which server of the family the stand-in plays, what was recorded of it, and how it words a refusal."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiohttp import web

CLOSES = web.ResponseKey("closes", bool)
RECORDINGS = Path(__file__).parents[1] / "recordings"


class Kin(StrEnum):
    """A server that speaks the WebUI's API; the value names its folder of recordings."""

    A1111 = "webui"
    FORGE = "forge"
    SDNEXT = "sdnext"
    SDCPP = "sdcpp"


# Seen in the recordings of both: option keys that the saved config lacks outlive the request that set them.
LEAKY = (Kin.A1111, Kin.FORGE)
# The recorded list of SD.Next is cut short; this one was seen to work.
MORE_SAMPLERS = {Kin.SDNEXT: ("DPM++ 2M",)}


def recording(name: str, kin: Kin = Kin.A1111) -> Any:
    """Return a recorded answer of a real server by its file name."""
    return json.loads((RECORDINGS / kin / f"{name}.json").read_text())


def answered(name: str, kin: Kin) -> web.Response:
    """Return the answer ``name`` as it was recorded, status and all."""
    recorded = recording(name, kin)
    response = web.json_response(recorded["body"], status=recorded["status"])
    response[CLOSES] = kin is Kin.FORGE and recorded["status"] == 500
    return response


def names(listing: str, kin: Kin) -> list[str]:
    """Return the names of the recorded list ``listing``."""
    return [item["name"] for item in recording(listing, kin)["body"]]


def refused(kin: Kin, status: int, words: str) -> web.Response:
    """Return a refusal that the server itself worded."""
    content: dict[str, Any]
    match kin:
        case Kin.FORGE:
            content = {"detail": words}
        case Kin.SDNEXT:
            content = {"error": "HTTPException", "code": status, "detail": words, "body": ""}
            content["errors"] = f"{status}: {words}"
        case Kin.SDCPP:
            content = {"error": words}
        case _:
            content = {"error": "HTTPException", "detail": words, "body": "", "errors": ""}
    return web.json_response(content, status=status)


def crashed(kin: Kin, error: str, words: str) -> web.Response:
    """Return the 500 of an exception nobody caught; Forge closes the connection after it."""
    content: dict[str, Any] = {"error": error, "detail": "", "body": ""}
    match kin:
        case Kin.FORGE:
            content["message"] = words
        case Kin.SDNEXT:
            content |= {"code": 500, "errors": words}
        case Kin.SDCPP:
            content = {"error": "server_error", "message": words}
        case _:
            content["errors"] = words
    response = web.json_response(content, status=500)
    response[CLOSES] = kin is Kin.FORGE
    return response


def invalid(kin: Kin, fields: dict[str, str]) -> web.Response:
    """Return the refusal of ``fields`` (name to value) that are no whole numbers."""
    if kin is Kin.SDCPP:
        return crashed(kin, "", "[json.exception.type_error.302] type must be number, but is string")
    detail: list[dict[str, Any]] = [
        {"loc": ["body", name], "msg": "value is not a valid integer", "type": "type_error.integer"}
        if kin is Kin.A1111
        else {
            "type": "int_parsing",
            "loc": ["body", name],
            "msg": "Input should be a valid integer, unable to parse string as an integer",
            "input": value,
        }
        for name, value in fields.items()
    ]
    if kin is Kin.FORGE:
        for entry in detail:
            entry["url"] = "https://errors.pydantic.dev/2.8/v/int_parsing"
    return web.json_response({"detail": detail}, status=422)


def missing(kin: Kin) -> web.Response:
    """Return the answer of a route the server does not have."""
    if kin is Kin.SDCPP:
        return web.Response(status=404)
    return web.json_response({"detail": "Not Found"}, status=404)
