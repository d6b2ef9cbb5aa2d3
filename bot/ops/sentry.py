"""Bugs of our own on their way to Sentry: what broke, where and under which code, and nothing that anybody wrote.

An exception's words can hold a prompt, so they stay in the log, beside the same code. Nothing here is imported
without the extra "sentry" but where a DSN is set.
"""

from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration

from bot import __version__
from bot.ops.logging import GONE, Report, scrub

if TYPE_CHECKING:
    from sentry_sdk.types import Event

_KEPT = frozenset(
    {"event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "tags", "exception"}
)
"""What a report may have: no request, user, breadcrumbs, server's name, arguments, contexts or modules."""
_FRAME = ("abs_path", "vars")
"""What tells of the host's folders and of values."""
_SEND_S = 2


def reporter(dsn: str, known: Iterable[str] = ()) -> Report:
    """Return what sends bugs to the project of ``dsn``; ``known`` are the host's own secrets."""
    hidden = tuple(known)
    sentry_sdk.init(
        dsn=dsn,
        release=f"easel@{__version__}",
        before_send=lambda event, _: _bare(event, hidden),
        # The last reports are sent before the process ends; every other integration looks at more than an error.
        integrations=[AtexitIntegration(callback=_wait_in_silence)],
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        server_name="",
        shutdown_timeout=_SEND_S,
        send_client_reports=False,
        auto_session_tracking=False,
    )
    return _report


def _report(error: BaseException, code: str) -> None:
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("code", code)
        scope.capture_exception(error)


def _bare(event: "Event", hidden: tuple[str, ...]) -> "Event":
    """Return a report of kinds, places and the code alone, scrubbed as the log is."""
    kept: Any = {key: value for key, value in event.items() if key in _KEPT}
    for value in kept.get("exception", {}).get("values", ()):
        value["value"] = GONE
        for frame in (value.get("stacktrace") or {}).get("frames", ()):
            for name in _FRAME:
                frame.pop(name, None)
            file = PurePath(frame.get("filename") or "")
            frame["filename"] = file.name if file.is_absolute() else file.as_posix()
    bare: Event = _scrubbed(kept, lambda text: scrub(text, hidden))
    return bare


def _scrubbed(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _scrubbed(part, clean) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(part, clean) for part in value]
    return value


def _wait_in_silence(_pending: int, _timeout: float) -> None:
    """Say nothing on the terminal while the last reports are sent."""
