"""Why a ComfyUI did not paint, read from what it answered."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bot.backends import errors
from bot.domain.errors import BackendError, NotEnabledError, ProtocolError, RejectedError
from bot.domain.text import N_

_OUT_OF_MEMORY = re.compile(r"OutOfMemory|out of memory|exceed allowed memory|not enough memory", re.IGNORECASE)


def refusal(backend: str, status: int, body: bytes) -> BackendError:
    """Return the error that an answer with another status than 200 stands for."""
    if known := errors.by_status(backend, status):
        return known
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return not_comfyui(backend)
    try:
        reason = complaint(json.loads(body))
    except ValueError:
        reason = ""
    return errors.refused(backend, reason) if reason else errors.unexplained(backend, status)


def not_comfyui(backend: str) -> NotEnabledError:
    """Return the words for a server that knows none of ComfyUI's routes."""
    return NotEnabledError(
        N_("{backend} answers, but not as a ComfyUI."),
        N_("Its host should check its address in EASEL_BACKENDS."),
        backend=backend,
    )


def complaint(answer: Any) -> str:
    """Return why a graph was refused: the first node's reason, else the general one; empty if there is none.

    Status 200 with ``node_errors`` means that only a part of the graph runs.
    """
    if not isinstance(answer, dict):
        return ""
    nodes = answer.get("node_errors")
    for node in nodes.values() if isinstance(nodes, dict) else ():
        listed = node.get("errors") if isinstance(node, dict) else None
        for error in listed if isinstance(listed, list) else ():
            if isinstance(error, dict):
                return errors.without_folders(f"{node.get('class_type')}: {_sentence(error)}")
    error = answer.get("error")
    return errors.without_folders(_sentence(error) if isinstance(error, dict) else str(error or ""))


def failed(backend: str, data: Mapping[str, Any]) -> BackendError:
    """Return what an ``execution_error`` stands for; of the server's exception people see only the first line."""
    kind, words = str(data.get("exception_type") or ""), str(data.get("exception_message") or "").strip()
    if _OUT_OF_MEMORY.search(kind) or _OUT_OF_MEMORY.search(words):
        return errors.out_of_memory(backend)
    first = words.splitlines()[0] if words else kind
    return errors.refused(backend, errors.without_folders(f"{data.get('node_type')}: {first}"))


def taken_out(backend: str) -> RejectedError:
    """Return the words for a prompt that somebody deleted at the server."""
    return RejectedError(
        N_("Somebody took this picture out of the line at {backend}."),
        N_("Ask again if you still want it."),
        backend=backend,
    )


def file_gone(backend: str) -> ProtocolError:
    """Return the words for a picture that was painted and is not there any more."""
    return ProtocolError(
        N_("{backend} painted the picture, but does not have it any more."), N_("Ask again."), backend=backend
    )


def _sentence(error: Mapping[str, Any]) -> str:
    parts = (str(error.get(key) or "").strip() for key in ("message", "details"))
    return ": ".join(part.splitlines()[0] for part in parts if part)
