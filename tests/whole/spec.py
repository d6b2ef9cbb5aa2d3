"""Checks what goes over the REST wire against Discord's own OpenAPI description, where that is at hand."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema_rs import Draft202012Validator, Registry, ValidationError, ValidationErrorKind

from bot.rehearsal import Discord, Exchange

_HERE = Path(__file__).resolve().parents[2]
_ROOT = "urn:discord"


def location() -> Path:
    """Return where the description is looked for."""
    named = os.environ.get("EASEL_DISCORD_OPENAPI")
    return Path(named) if named else _HERE.parent / "shared" / "discord" / "openapi.json"


def needed() -> None:
    """Skip the calling test, with a word, where the description is not at hand."""
    if not location().is_file():
        pytest.skip("Discord's OpenAPI description is not here (EASEL_DISCORD_OPENAPI names its file)")


class Spec:
    """Collects in ``problems`` what a bot sends, or the stand-in answers, against Discord's description."""

    def __init__(self, *, answers: bool = False) -> None:
        self.problems: list[str] = []
        self.checked = 0
        self._answers = answers

    def watch(self, discord: Discord) -> "Spec":
        """Check every exchange from now on."""
        discord.on_request.append(self.check)
        return self

    def check(self, exchange: Exchange) -> None:
        """Check one exchange: its body, and what was answered if that was asked for and it succeeded."""
        if exchange.body is not None:
            self._match(exchange, "request", exchange.body)
        if self._answers and exchange.answer is not None and exchange.status in {200, 201}:
            self._match(exchange, "response", exchange.answer)

    def _match(self, exchange: Exchange, side: str, body: object) -> None:
        name = f"{exchange.method} {exchange.route} ({side})"
        validator = _validator(exchange.method.lower(), exchange.route, side)
        if validator is None:
            self.problems.append(f"{name}: not in the description")
            return
        self.checked += 1
        self.problems += (f"{name}: {_told(error)}" for error in validator.iter_errors(body))


def _told(error: ValidationError) -> str:
    """Return where it is wrong and why."""
    error = _nearest(error)
    return f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}"


def _nearest(error: ValidationError) -> ValidationError:
    """Return what is wrong by the form that fits furthest into the body, where there are several forms."""
    if not isinstance(error.kind, ValidationErrorKind.AnyOf):
        return error
    return max((_nearest(each) for form in error.kind.context for each in form), key=_depth)


def _depth(error: ValidationError) -> tuple[int, bool]:
    # The forms are told apart by their ``type``: who fails there is of another form.
    return len(error.instance_path), error.instance_path[-1:] != ["type"]


@cache
def _description() -> Any:
    return _loosened(json.loads(location().read_text("utf-8")))


@cache
def _registry() -> Registry:
    return Registry([(_ROOT, _description())])


@cache
def _validator(method: str, route: str, side: str) -> Draft202012Validator | None:
    path = _path(method, route)
    if path is None:
        return None
    operation = _description()["paths"][path][method]
    if side == "request":
        content = operation.get("requestBody", {}).get("content", {})
        where = ["requestBody"]
    else:
        code = next((c for c in ("200", "201") if c in operation["responses"]), None)
        content = operation["responses"].get(code, {}).get("content", {})
        where = ["responses", str(code)]
    if "application/json" not in content:
        return None
    steps = ["paths", path, method, *where, "content", "application/json", "schema"]
    pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
    return Draft202012Validator({"$ref": f"{_ROOT}#/{quote(pointer)}"}, registry=_registry())


def _path(method: str, route: str) -> str | None:
    """Return the description's own spelling of a route: names of parameters differ, places do not."""
    paths = _description()["paths"]
    if method in paths.get(route, {}):
        return route
    pattern = re.compile(r"\{\w+\}")
    bare = pattern.sub("{}", route)
    return next((p for p in paths if pattern.sub("{}", p) == bare and method in paths[p]), None)


def _loosened(node: Any) -> Any:
    """Let integers pass for snowflakes and read ``oneOf`` as "one of these forms", as the description asks."""
    if isinstance(node, list):
        return [_loosened(item) for item in node]
    if not isinstance(node, dict):
        return node
    loose = {key: _loosened(value) for key, value in node.items()}
    if isinstance(loose.get("oneOf"), list):
        loose["anyOf"] = loose.pop("oneOf")
    if loose.get("format") == "snowflake" and loose.get("type") == "string":
        loose["type"] = ["string", "integer"]
    return loose
