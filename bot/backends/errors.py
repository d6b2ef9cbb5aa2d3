"""What a server says when it does not paint, in words a person can act on, whatever its kind."""

import re
from http import HTTPStatus

import aiohttp

from bot.domain.errors import (
    AuthError,
    BackendError,
    BackendTimeoutError,
    LostError,
    OutOfMemoryError,
    ProtocolError,
    RejectedError,
    UnreachableError,
    UntrustedError,
)
from bot.domain.text import N_

MAX_REASON = 200
_AWAY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        *range(520, 525),  # Cloudflare's, for a server behind it that is away or too slow
    }
)
_FOLDERS = re.compile(r"(?<![\w.\-/\\])(?:[A-Za-z]:)?[\\/]+(?:[^\\/:\"'<>|\n]+[\\/]+)+")


def by_status(backend: str, status: int) -> BackendError | None:
    """Return the error that an answer's status stands for with every kind of server, if it is such a one."""
    if status in _AWAY:
        return UnreachableError(
            N_("{backend} is not available at the moment (status {status})."),
            N_("The job keeps its place and is painted when it is back."),
            backend=backend,
            status=status,
        )
    return None


def not_let_in(backend: str, number: int) -> AuthError:
    """Return the words for a server that wants other credentials; ``number`` is that of its entry."""
    return AuthError(
        N_("{backend} does not let the bot in."),
        N_("Its host has to set the right user and password for it (EASEL_BACKEND_{number}_AUTH)."),
        backend=backend,
        number=number,
    )


def out_of_memory(backend: str) -> OutOfMemoryError:
    """Return the words for a request that does not fit the graphics memory."""
    return OutOfMemoryError(
        N_("{backend} ran out of graphics memory."),
        N_("Choose a smaller size or fewer pictures."),
        backend=backend,
    )


def refused(backend: str, reason: str) -> RejectedError:
    """Return the words for a request that the server refused for ``reason``, in its own words."""
    return RejectedError(
        N_("{backend} refused: {reason}"),
        N_("Change what it complains about and ask again."),
        backend=backend,
        reason=reason[:MAX_REASON],
    )


def without_folders(text: str) -> str:
    """Return a server's words without its folders; Python doubles the backslashes of Windows' in its errors."""
    return _FOLDERS.sub("", text)


def unexplained(backend: str, status: int) -> ProtocolError:
    """Return the words for a failure without a reason."""
    return ProtocolError(
        N_("{backend} failed and did not say why (status {status})."),
        N_("Try again; if it stays so, its host finds more in its log."),
        backend=backend,
        status=status,
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
    hint = N_("The job keeps its place and is painted when it is back.")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return UntrustedError(N_("The certificate of {backend} is not trusted."), hint, backend=backend)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return UnreachableError(N_("{backend} cannot be reached."), hint, backend=backend)
    if isinstance(error, TimeoutError):
        return UnreachableError(N_("{backend} does not answer."), hint, backend=backend)
    return LostError(N_("The connection to {backend} broke."), hint, backend=backend)
