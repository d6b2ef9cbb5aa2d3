"""Why a WebUI did not paint, read from what it answered."""

import json
import re
from http import HTTPStatus
from typing import Any

from bot.backends import errors
from bot.backends.errors import MAX_REASON
from bot.domain.errors import BackendError, LostError, NotEnabledError, RejectedError, UnreachableError
from bot.domain.text import N_

_OUT_OF_MEMORY = re.compile(r"OutOfMemoryError|out of memory|not enough memory|tried to allocate", re.IGNORECASE)
_NOT_A_NUMBER = re.compile(r"NansException|\bNaNs?\b")
_CUT_OFF = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT, 520, 524})
"""What proxies say when the server broke off or took longer than they wait; the last two are Cloudflare's."""


def refusal(backend: str, status: int, body: bytes) -> BackendError:
    """Return the error that an answer with another status than 200 stands for."""
    if known := errors.by_status(backend, status):
        return known
    answer = _json(body)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} and _is_no_route(answer):
        return not_enabled(backend)
    return _failed(backend, status, answer)


def _failed(backend: str, status: int, answer: Any) -> BackendError:
    # OutOfMemoryError and NansException are class names: the WebUI puts them into ``error``.
    everything = json.dumps(answer) if answer is not None else ""
    if _OUT_OF_MEMORY.search(everything):
        return errors.out_of_memory(backend)
    if _NOT_A_NUMBER.search(everything):
        return RejectedError(
            N_("{backend} computed no picture, only invalid numbers (NaN)."),
            N_("Try another model or VAE; if it stays so, its host should start it with --no-half."),
            backend=backend,
        )
    reason = _reason(answer)
    return errors.refused(backend, reason) if reason else errors.unexplained(backend, status)


def perhaps_begun(error: UnreachableError) -> UnreachableError:
    """Return what a paint request's failure means: after some, the server may be at work, or dead of it."""
    if error.values.get("status") not in _CUT_OFF:
        return error
    return LostError(error.message, error.hint, **error.values)


def not_enabled(backend: str) -> NotEnabledError:
    """Return the words for a server whose API is switched off."""
    return NotEnabledError(
        N_("{backend} answers, but its API is switched off."),
        N_("Its host has to start it with --api."),
        backend=backend,
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _is_no_route(answer: Any) -> bool:
    """Tell a missing route (FastAPI's own words, or no JSON at all) from a refusal that has a reason."""
    return not isinstance(answer, dict) or answer.get("detail") in {"Not Found", "Method Not Allowed", None, ""}


def _reason(answer: Any) -> str:
    """Return the first of detail, errors and error that says something, without the server's folders."""
    if not isinstance(answer, dict):
        return ""
    detail = answer.get("detail")
    if isinstance(detail, list):
        return "; ".join(_complaint(item) for item in detail[:3] if isinstance(item, dict))[:MAX_REASON]
    texts = (answer.get(key) for key in ("detail", "errors", "message", "error"))
    text = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    first = text.strip().splitlines()[0] if text else ""
    return errors.without_folders(first)[:MAX_REASON]


def _complaint(item: dict[str, Any]) -> str:
    location = item.get("loc")
    field = location[-1] if isinstance(location, list) and location else "?"
    return f"{field}: {item.get('msg', '?')}"
