"""Logging: structlog over the standard library, to stderr, with secrets and prompts taken out on the way."""

import logging
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TextIO

import structlog
from stamina.instrumentation import set_on_retry_hooks
from structlog.typing import EventDict, Processor, WrappedLogger

GONE = "[removed]"
"""What stands where a secret or a prompt stood."""
_CODE_LENGTH = 4
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHORTEST_SECRET = 4
_PRIVATE_KEYS = re.compile(
    r"prompt|token|authorization|password|secret|api_?key|cookie|^stamina\.(args|kwargs)$", re.IGNORECASE
)
_PATTERNS = (
    # A bot's token: its id in base64, a time, a signature (Discord docs, Reference, Authentication).
    (re.compile(r"\b[\w-]{18,40}\.[\w-]{5,10}\.[\w-]{25,}"), GONE),
    # An interaction's token is the base64 of "interaction:…".
    (re.compile(r"aW50ZXJhY3Rpb246[\w+/=-]+"), GONE),
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?\"'\\]+"), rf"\1{GONE}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"']+@", re.IGNORECASE), rf"\1{GONE}@"),
    (re.compile(r"(authorization\W{1,6})(?:(?:bot|basic|bearer)\s+)?[^\s\"',})]+", re.IGNORECASE), rf"\1{GONE}"),
    (re.compile(r"\b(bot|basic|bearer)\s+[\w.+/=-]{16,}", re.IGNORECASE), rf"\1 {GONE}"),
    (re.compile(r"""((["'])(?:negative_)?prompt\2\s*:\s*)(["'])(?:\\.|(?!\3).)*\3"""), rf"\1\3{GONE}\3"),
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, turns its writing round or ends a line (Unicode: Cc, Bidi_Control)."""
_LINES = ("exception", "stack")
"""What is meant to have several lines."""
Report = Callable[[BaseException, str], None]
"""Takes a bug of our own, which has a code, to somewhere else as well."""


def scrub(text: str, known: Iterable[str] = ()) -> str:
    """Return ``text`` without anything that looks like a credential, and without the ``known`` ones."""
    for secret in known:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, GONE)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def failure_code(choice: Callable[[str], str] = secrets.choice) -> str:
    """Return a short code for one failure, such as ``K7F2``: no I, L, O or U to mistake (Crockford's base 32)."""
    return "".join(choice(_CROCKFORD) for _ in range(_CODE_LENGTH))


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def configure(
    level: str,
    style: Literal["console", "json"],
    *,
    known: Iterable[str] = (),
    stream: TextIO | None = None,
    report: Report | None = None,
) -> None:
    """Send every log line of the process to ``stream`` (stderr), redacted; ``known`` are the host's own secrets.

    The level holds for Easel itself. Libraries stay at INFO and above: at DEBUG discord.py writes whole request
    bodies. Errors that have a code are told to ``report`` too.
    """
    root = logging.getLogger()
    shared = _SHARED if report is None else [_reporting(report), *_SHARED]
    root.handlers[:] = [_handler(style, tuple(known), sys.stderr if stream is None else stream, shared)]
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    for name in ("bot", "cogs"):
        logging.getLogger(name).setLevel(level)
    for name in ("sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Whoever retries tells once what it came to; a line a try would fill the log while a backend is away.
    set_on_retry_hooks([])
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _handler(
    style: Literal["console", "json"], hidden: tuple[str, ...], stream: TextIO, shared: Sequence[Processor]
) -> logging.StreamHandler[TextIO]:
    def redacted(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {key: _redacted(key, value, hidden) for key, value in event.items()}

    def scrubbed(_: WrappedLogger, __: str, rendered: Any) -> str:
        return scrub(rendered, hidden)

    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=["code"]), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redacted,  # before JSON escapes what the patterns look for
                _renderer(style, colors=stream.isatty()),
                scrubbed,  # after, for what the renderer wrote by repr
            ],
        )
    )
    return handler


def _reporting(report: Report) -> Processor:
    def reported(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        code, error = event.get("code"), event.get("exc_info")
        error = error[1] if isinstance(error, tuple) else error
        if isinstance(code, str) and isinstance(error, BaseException):
            report(error, code)
        return event

    return reported


def log_failure(event: str, error: BaseException) -> str:
    """Log a bug of our own with its traceback and return the code that stands beside it."""
    code = failure_code()
    structlog.get_logger(__name__).critical(event, code=code, exc_info=error)
    return code


def _renderer(style: Literal["console", "json"], *, colors: bool) -> Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # The default prints tracebacks with every frame's local variables.
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def _redacted(key: str, value: Any, known: tuple[str, ...]) -> Any:
    if _PRIVATE_KEYS.search(key):
        return GONE
    if isinstance(value, str):
        return _printable(scrub(value, known), lines=key in _LINES)
    if isinstance(value, Mapping):
        return {inner: _redacted(str(inner), part, known) for inner, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", part, known) for part in value]
    return value


def _printable(text: str, *, lines: bool) -> str:
    """Return ``text`` as one line, or as the lines that it has: nobody's words write lines of their own."""
    shown = _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return shown if lines else shown.replace("\n", "\\n").replace("\t", "\\t")
