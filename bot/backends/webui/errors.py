"""What a WebUI says when it does not paint, in words a person can act on."""

import json
import re
from http import HTTPStatus
from typing import Any

import aiohttp

from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    NotEnabledError,
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
    UnreachableError,
)
from bot.domain.text import N_

MAX_REASON = 200
_OUT_OF_MEMORY = re.compile(r"OutOfMemoryError|out of memory|not enough memory", re.IGNORECASE)
_NOT_A_NUMBER = re.compile(r"NansException|\bNaNs?\b")
_FOLDERS = re.compile(r"(?<![\w:/\\])(?:[A-Za-z]:)?[\\/](?:[\w.\- ]+[\\/])+")
_AWAY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


def refusal(backend: str, status: int, body: bytes) -> BackendError:
    """Return the error that an answer with another status than 200 stands for."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AuthError(
            N_("{backend} does not let the bot in."),
            N_("Its host has to set the right user and password for it (EASEL_BACKEND_<n>_AUTH)."),
            backend=backend,
        )
    if status in _AWAY:
        return UnreachableError(
            N_("{backend} is not available at the moment (status {status})."),
            N_("The job keeps its place and is painted when it is back."),
            backend=backend,
            status=status,
        )
    answer = _json(body)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} and _is_no_route(answer):
        return not_enabled(backend)
    return _failed(backend, status, answer)


def _failed(backend: str, status: int, answer: Any) -> BackendError:
    # OutOfMemoryError and NansException are class names: the WebUI puts them into ``error``.
    everything = json.dumps(answer) if answer is not None else ""
    if _OUT_OF_MEMORY.search(everything):
        return OutOfMemoryError(
            N_("{backend} ran out of graphics memory."),
            N_("Choose a smaller size or fewer pictures."),
            backend=backend,
        )
    if _NOT_A_NUMBER.search(everything):
        return RejectedError(
            N_("{backend} computed no picture, only invalid numbers (NaN)."),
            N_("Try another model or VAE; if it stays so, its host should start it with --no-half."),
            backend=backend,
        )
    reason = _reason(answer)
    if not reason:
        return ProtocolError(
            N_("{backend} failed and did not say why (status {status})."),
            N_("Try again; if it stays so, its host finds more in its log."),
            backend=backend,
            status=status,
        )
    return RejectedError(
        N_("{backend} refused: {reason}"),
        N_("Change what it complains about and ask again."),
        backend=backend,
        reason=reason,
    )


def broken(backend: str) -> ProtocolError:
    """Return the words for an answer that is not what the API promises."""
    return ProtocolError(
        N_("{backend} gave an answer that cannot be read."),
        N_("Try again; if it stays so, its host should look into its log and its address."),
        backend=backend,
    )


def no_images(backend: str) -> ProtocolError:
    """Return the words for an answer without a picture."""
    return ProtocolError(
        N_("{backend} finished without a picture."),
        N_("Try again; if it stays so, its host finds more in its log."),
        backend=backend,
    )


def not_enabled(backend: str) -> NotEnabledError:
    """Return the words for a server whose API is switched off."""
    return NotEnabledError(
        N_("{backend} answers, but its API is switched off."),
        N_("Its host has to start it with --api."),
        backend=backend,
    )


def stopped(backend: str) -> RejectedError:
    """Return the words for a job that was interrupted at the server."""
    return RejectedError(
        N_("This picture was stopped at {backend} before it was done."),
        N_("Ask again for a whole one."),
        backend=backend,
    )


def stalled(backend: str, seconds: float) -> BackendTimeoutError:
    """Return the words for a server that took the job and then stood still."""
    return BackendTimeoutError(
        N_("{backend} took the job and then stood still for {seconds} s."),
        N_("Try again; if it stays so, its host should restart it."),
        backend=backend,
        seconds=round(seconds, 1),
    )


def too_long(backend: str, seconds: float) -> BackendTimeoutError:
    """Return the words for a job that took longer than any may."""
    return BackendTimeoutError(
        N_("{backend} did not finish within {seconds} s."),
        N_("Choose fewer steps, fewer pictures or a smaller size."),
        backend=backend,
        seconds=round(seconds),
    )


def lost(backend: str, error: Exception) -> UnreachableError:
    """Return the words for a connection that failed or broke; addresses stay out of them."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        message = N_("{backend} cannot be reached.")
    elif isinstance(error, TimeoutError):
        message = N_("{backend} does not answer.")
    else:
        message = N_("The connection to {backend} broke.")
    return UnreachableError(
        message, N_("The job keeps its place and is painted when it is back."), backend=backend
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
    return _FOLDERS.sub("", first)[:MAX_REASON]


def _complaint(item: dict[str, Any]) -> str:
    location = item.get("loc")
    field = location[-1] if isinstance(location, list) and location else "?"
    return f"{field}: {item.get('msg', '?')}"
